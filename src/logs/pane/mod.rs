//! What a screen of logs has done away from the task that draws: the logs are read and each record is held against the filter,
//! what is held is filtered anew, searched and saved.

mod read;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{Asked, Tie};
use crate::analysis::logs::{Activity, Filter, Typed};
use crate::model::ids::PluginId;
use crate::model::logs::{LogOrigin, LogRecord};
use crate::model::snapshot::Snapshot;

pub use read::read;
pub use work::{Found, Place, Sought, Tied, filter, narrow, save, seek};

/// How many of the last lines of each log are read before what comes, of a live mesh.
pub const TAIL: u64 = 500;

/// What is read, and what of it is wanted at first.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose logs.
    pub asked: Asked,
    /// The plugin in question.
    pub plugin: Option<PluginId>,
    /// The filter at the beginning.
    pub typed: Typed,
}

/// A filter, and how many there were before it.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Counts the filters of one screen.
    pub generation: u64,
    /// The filter; None before the first could be made.
    pub filter: Option<Arc<Filter>>,
}

/// The reading of one screen, as far as it can be told something. It ends where this is dropped.
#[derive(Clone, Debug)]
pub struct Session {
    world: watch::Sender<Arc<Snapshot>>,
    filter: watch::Sender<InForce>,
}

impl Session {
    /// A reading that is to begin.
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { world: watch::Sender::new(snapshot), filter: watch::Sender::new(InForce { generation: 0, filter: None }) }
    }

    /// The mesh has changed.
    pub fn look_at(&self, snapshot: Arc<Snapshot>) {
        self.world.send_replace(snapshot);
    }

    /// The filter that records are held against.
    pub fn in_force(&self) -> Option<Arc<Filter>> {
        self.filter.borrow().filter.clone()
    }

    /// Records that come from now on are held against another filter, unless a newer one is known already.
    pub fn filter_by(&self, next: InForce) {
        self.filter.send_if_modified(|known| {
            let is_newer = next.generation > known.generation;
            if is_newer {
                *known = next;
            }
            is_newer
        });
    }
}

/// What a reading says.
#[derive(Debug)]
pub enum News {
    /// These logs are read, and the filter is ready.
    Opened {
        /// Whose they are.
        origins: Arc<[Arc<LogOrigin>]>,
        /// What was asked for and is not there.
        unknown: Vec<String>,
    },
    /// There is nothing to read, and why.
    Nothing(String),
    /// Records, in their order.
    Records(Batch),
    /// The mesh has changed: all records before this are to be tied to their plugins anew. Those after it are tied so.
    Anew(Arc<Tie>),
    /// Nothing came for so long.
    Quiet(Duration),
    /// All logs were read to their ends, and nothing more comes.
    Ended,
}

/// Records that came together.
#[derive(Debug)]
pub struct Batch {
    /// The records.
    pub records: Vec<Arc<LogRecord>>,
    /// By which filter they were looked at.
    pub generation: u64,
    /// Whether each passes.
    pub passes: Vec<bool>,
    /// Those of them that pass, over time.
    pub activity: Activity,
    /// The room that they take on their way. It is given back where they are taken.
    pub room: OwnedSemaphorePermit,
}
