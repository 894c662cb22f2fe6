//! What happened: everything that can change the program's state.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::question::Answered;
use super::screen::Supposition;
use super::state::Ticket;
use crate::analysis::diff::CountChange;
use crate::ingest::collect::Changed;
use crate::model::ids::ProxyId;
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::sync::Sync;
use crate::model::update::Health;
use crate::source::SourceInfo;

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    KeyPressed(KeyEvent),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has another size.
    Resized,
    /// The source said something: the objects as they are now.
    MeshRead {
        /// Counts the sources: what an earlier scene of the demo still says is dropped.
        epoch: u64,
        /// The objects, without dumps.
        objects: Arc<Snapshot>,
        /// What changed, in order.
        changed: Vec<Changed>,
        /// How the source is.
        health: Option<Health>,
    },
    /// A proxy's dump came, or could not be read.
    DumpRead {
        /// Which request it was.
        ticket: Ticket,
        /// The proxy.
        proxy: ProxyId,
        /// The dump, or why there is none.
        dump: Dump,
        /// How its counts differ from those of the dump before.
        changes: Vec<CountChange>,
    },
    /// The istiods said how their proxies stand, or why that is not known.
    SyncRead {
        /// Which request it was.
        ticket: Ticket,
        /// What they said.
        outcome: Result<Arc<Sync>, String>,
    },
    /// A question was answered.
    Answered {
        /// Which request it was.
        ticket: Ticket,
        /// The answer.
        answer: Answered,
    },
    /// A manifest was read, for what it is supposed with; or why it cannot be.
    ManifestRead {
        /// Which request it was.
        ticket: Ticket,
        /// What is supposed, with its objects.
        outcome: Result<Supposition, String>,
    },
    /// A text was copied: whereto, or why not.
    Copied(Result<String, String>),
    /// The demo shows another scene, or why it does not.
    SceneSwitched(Result<SourceInfo, String>),
    /// A task broke.
    TaskFailed(Option<Ticket>, String),
}
