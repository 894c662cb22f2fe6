//! What screens of logs have done outside, and what comes of it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::logs::{Filter, Typed};
use crate::app::state::Ticket;
use crate::logs::Tie;
use crate::logs::pane::{Found, News, Place, Question, Sought};
use crate::model::ids::PluginId;
use crate::model::logs::{LogOrigin, LogRecord};
use crate::model::snapshot::Snapshot;

/// Something to do for the screen of a reading.
#[derive(Clone, Debug)]
pub enum LogsEffect {
    /// Begin to read, of the mesh as it is.
    Read(Box<Question>, Arc<Snapshot>),
    /// Go on by the mesh as it is now.
    LookAt(Arc<Snapshot>),
    /// Hold records against a filter.
    Filter {
        /// The filter's number.
        generation: u64,
        /// The filter.
        by: FilterBy,
        /// The place of the first record.
        first: Place,
        /// The records.
        records: Vec<Arc<LogRecord>>,
        /// By what they are tied to their plugins anew before; None leaves them as they are.
        tie: Option<Arc<Tie>>,
    },
    /// Look for something.
    Seek {
        /// The request's ticket.
        ticket: Ticket,
        /// What is looked for.
        sought: Sought,
        /// Where, in order.
        records: Vec<(Place, Arc<LogRecord>)>,
    },
    /// Write records into a file.
    Save {
        /// The file.
        file: PathBuf,
        /// The records.
        records: Vec<Arc<LogRecord>>,
        /// The logs that they can be of.
        origins: Arc<[Arc<LogOrigin>]>,
    },
}

/// The filter that records are held against.
#[derive(Clone, Debug)]
pub enum FilterBy {
    /// What was typed. Records that come go by it too, from now on.
    Typed {
        /// As it was understood.
        typed: Box<Typed>,
        /// The plugin in question.
        plugin: Option<PluginId>,
        /// Where a bare name is looked for.
        namespace: String,
        /// The mesh that names are of.
        snapshot: Arc<Snapshot>,
        /// Whether the filter in force stays where this one cannot be made of the mesh as it is.
        or_stay: bool,
    },
    /// One that is made already.
    Made(Arc<Filter>),
}

/// Something that came of it.
#[derive(Debug)]
pub enum LogsMsg {
    /// The reading said something.
    News(News),
    /// Records were held against a filter, or why there is none.
    Filtered {
        /// The filter's number.
        generation: u64,
        /// The places of the records.
        range: Range<Place>,
        /// The filter, and which of them pass.
        outcome: Result<(Arc<Filter>, Found), String>,
    },
    /// What was looked for is here, or nowhere.
    Sought(Ticket, Option<Place>),
    /// Records were saved: how many whereto, or why not.
    Saved(Result<String, String>),
}
