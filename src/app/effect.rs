//! What is to be done outside: data, made by `update` and run by the event loop's handler.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::logs::message::LogsEffect;
use super::question::Question;
use super::screen::Supposition;
use super::state::Ticket;
use crate::model::ids::{ObjectName, PluginId, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::log_level::LogLevel;
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::{LoadedDump, Snapshot};
use crate::source::ProxyRequest;

/// Something to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Follow the source from its beginning.
    WatchMesh {
        /// Goes into every message that comes of it.
        epoch: u64,
    },
    /// Fetch a proxy's config dump.
    FetchConfigDump {
        /// The request's ticket.
        ticket: Ticket,
        /// The question to the proxy.
        request: ProxyRequest,
        /// Counts the dumps of this proxy.
        serial: u64,
        /// The dump before, to be compared with.
        previous: Option<Arc<LoadedDump>>,
        /// The objects, to which lines of the proxy's log are tied.
        objects: Arc<Inventory>,
        /// Whether the proxy is to be asked how its plugins fare, even where nothing is in doubt.
        vital: bool,
        /// How long to wait before asking: a change takes a moment to reach a proxy.
        after: Duration,
    },
    /// Ask the istiods for the sync status of their proxies.
    FetchSync {
        /// The request's ticket.
        ticket: Ticket,
        /// How long to wait before asking.
        after: Duration,
    },
    /// Ask istiod what it would send a proxy, and the proxy for what that is compared with.
    FetchView {
        /// The request's ticket.
        ticket: Ticket,
        /// The question to the proxy.
        request: ProxyRequest,
    },
    /// Look for the Secret that a module is pulled with: whether it is there and of the right type, and never what is in it.
    FindSecret {
        /// The request's ticket.
        ticket: Ticket,
        /// The Secret.
        secret: ObjectName,
    },
    /// Answer a question.
    Ask {
        /// The request's ticket.
        ticket: Ticket,
        /// The question.
        question: Question,
        /// The world to ask.
        snapshot: Arc<Snapshot>,
        /// How long to wait before: what is asked in the background leaves room.
        after: Duration,
    },
    /// Read a manifest.
    ReadManifest {
        /// The request's ticket.
        ticket: Ticket,
        /// The file.
        file: PathBuf,
        /// The mode that is supposed with it.
        mode: Option<MtlsMode>,
        /// What it is read for.
        supposed: Supposition,
    },
    /// Do something for the screen of a reading of logs.
    Logs(Ticket, LogsEffect),
    /// Read the level of a proxy's `wasm` logger.
    ReadLevel {
        /// The request's ticket.
        ticket: Ticket,
        /// The question to the proxy.
        ask: ProxyRequest,
    },
    /// Raise it, as the person has confirmed.
    RaiseLevel {
        /// How the proxy is asked.
        ask: ProxyRequest,
        /// The level that it is to have.
        level: LogLevel,
        /// The level that the person was shown: where it is another by now, nothing is changed.
        shown: LogLevel,
        /// For how long.
        time: Duration,
    },
    /// Put back the level that a proxy had before.
    PutBackLevel {
        /// The proxy.
        proxy: ProxyId,
        /// How long it may take.
        deadline: Duration,
    },
    /// Say what the clock says, in a second.
    Tick,
    /// Read what the logs have of a plugin.
    ReadLogs {
        /// The request's ticket.
        ticket: Ticket,
        /// The plugin.
        plugin: PluginId,
        /// The world, which says whose logs those are.
        snapshot: Arc<Snapshot>,
        /// How long it may take.
        deadline: Duration,
        /// How long to wait before: what follows a change takes a moment.
        after: Duration,
    },
    /// Stop what runs under a ticket.
    Stop(Ticket),
    /// Give the terminal back and stop the process, until somebody continues it.
    Suspend {
        /// Whether all processes of the shell's job stop, as where the terminal stops it, or this one alone.
        job: bool,
    },
    /// Take the terminal again: the process was continued, and another program may have changed the terminal's modes.
    TakeTerminal,
    /// Draw the next frame whole.
    Redraw,
    /// Copy a text.
    Copy(String),
    /// Show another scene of the demo.
    SwitchScene(usize),
}
