//! What happened: everything that can change the program's state.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::level::{LevelQuestion, Raised};
use super::logs::message::LogsMsg;
use super::question::Answered;
use super::screen::Supposition;
use super::state::Ticket;
use crate::analysis::diff::CountChange;
use crate::analysis::timeline::Gathered;
use crate::clock::Instant;
use crate::ingest::collect::Changed;
use crate::level::{NotRaised, PutBack};
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::istiod_view::IstiodViews;
use crate::model::log_level::LogLevel;
use crate::model::pull_secret::PullSecret;
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::sync::Sync;
use crate::model::update::Health;
use crate::source::{SourceError, SourceInfo};

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    KeyPressed(KeyEvent),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has another size.
    Resized,
    /// A signal asked the process to stop.
    StopAsked,
    /// The process was stopped, and goes on.
    Continued,
    /// The process is not stopped: no shell started it as a job, so nothing would go on with it.
    NotStopped,
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
    /// The istiods reported the sync status of their proxies, or why that is not known.
    SyncRead {
        /// Which request it was.
        ticket: Ticket,
        /// What they said.
        outcome: Result<Arc<Sync>, String>,
    },
    /// istiod said what it would send a proxy, or why that is not known.
    ViewRead {
        /// Which request it was.
        ticket: Ticket,
        /// What it said.
        views: Arc<IstiodViews>,
    },
    /// The Secret that a module is pulled with was looked for.
    SecretRead {
        /// Which request it was.
        ticket: Ticket,
        /// The Secret.
        secret: ObjectName,
        /// What is known of it, or why nothing is.
        found: PullSecret,
    },
    /// A request to a proxy or to the istiods has brought no answer for some seconds, and goes on.
    Unanswered(Ticket),
    /// A request to a proxy has failed for a reason that lasts, such as a right that is lacking: its answer follows.
    Denied(Ticket),
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
    /// Something came of a reading of logs.
    Logs(Ticket, LogsMsg),
    /// The level of a proxy's `wasm` logger was read, to be asked about; or why it cannot be.
    LevelRead {
        /// Which request it was.
        ticket: Ticket,
        /// The question that follows.
        question: Result<LevelQuestion, SourceError>,
    },
    /// A level was raised.
    LevelRaised {
        /// What was to be raised, and until when.
        raised: Raised,
        /// The level to put back at its end; or why it was not raised.
        outcome: Result<LogLevel, NotRaised>,
        /// What the clock says.
        now: Instant,
    },
    /// A level was put back, or could not be.
    LevelPutBack {
        /// The proxy.
        proxy: ProxyId,
        /// What became of it.
        outcome: PutBack,
        /// What the clock says.
        now: Instant,
    },
    /// What the clock says, a second later.
    Ticked(Instant),
    /// The logs of a timeline were read.
    LogsRead {
        /// Which request it was.
        ticket: Ticket,
        /// What they have.
        gathered: Arc<Gathered>,
    },
    /// A text was copied: whereto, or why not.
    Copied(Result<String, String>),
    /// The demo shows another scene, or why it does not.
    SceneSwitched(Result<SourceInfo, String>),
    /// A task broke.
    TaskFailed(Option<Ticket>, String),
}
