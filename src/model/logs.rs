//! Log lines as a source hands them on, and the records that are understood of them.

use std::sync::Arc;

use serde::Serialize;

use super::ids::{PluginId, ProxyId, WorkloadId};
use super::text::Text;

/// Nanoseconds since 1970, UTC.
pub type LogTime = i64;

/// `17:04:05 UTC`: when on its day a time is.
pub fn hour(time: LogTime) -> String {
    let seconds = time.div_euclid(1_000_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Whose log it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogOrigin {
    /// What wrote it.
    pub source: LogSource,
    /// The pod; of a recording's only istiod it may have no name.
    pub pod: ProxyId,
    /// The container.
    pub container: String,
    /// The workload of a proxy.
    pub workload: Option<WorkloadId>,
}

/// What writes logs, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogSource {
    /// An istiod.
    Istiod,
    /// The container of a proxy, in which the agent and Envoy write.
    Proxy,
    /// This program: marks.
    Meshscope,
}

/// The name of istiod's own container.
pub const DISCOVERY: &str = "discovery";

impl LogSource {
    /// What writes in a container of this name.
    pub fn of_container(name: &str) -> Self {
        if name == DISCOVERY { Self::Istiod } else { Self::Proxy }
    }
}

/// A line as a container wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Whose it is.
    pub origin: Arc<LogOrigin>,
    /// When the kubelet took it; None where the source does not say.
    pub time: Option<LogTime>,
    /// The text, without the kubelet's time and without its line end. Not UTF-8 is replaced.
    pub text: String,
    /// Whether it was longer than the bound and cut there.
    pub cut: bool,
}

/// What happened to a stream of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MarkKind {
    /// Lines were dropped, because more came than memory is allowed for.
    Dropped,
    /// The container, or the pod, is another one now.
    Restarted,
    /// The stream ended and goes on where it ended.
    Resumed,
    /// The stream cannot be read for now; it is tried again.
    Waiting,
    /// The stream cannot be read, and is not tried again.
    Failed,
    /// The same, since the container has no run before this one.
    #[serde(rename = "failed")]
    NotRestarted,
    /// The container or its pod is over, and nothing more comes of it.
    Ended,
    /// Two clocks differ by more than the window of merging.
    Skew,
}

impl MarkKind {
    /// Whether the stream cannot be read, and is not tried again.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::NotRestarted)
    }
}

/// A record: one line, or several that belong together. Its texts are parts of `raw` wherever they stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// The line's own time, else the kubelet's; None where neither is there.
    pub time: Option<LogTime>,
    /// Whose it is.
    pub origin: Arc<LogOrigin>,
    /// What wrote it, within the container.
    pub kind: LogKind,
    /// What it tells; None where it is none of the known events.
    pub event: Option<LogEvent>,
    /// The level as written; empty where it has none.
    pub level: Text,
    /// The scope (of Go programs) or component (of Envoy); empty where it has none.
    pub scope: Text,
    /// The plugin that it is about.
    pub plugin: Option<PluginId>,
    /// Why the plugin is not known, or how it was found, where the line does not name it.
    pub plugin_note: Option<String>,
    /// The plugins that the lines next to it name, of the same failure, with blanks between them; empty where it is of none or says it itself.
    pub failure_of: Text,
    /// The message, without what stands in fields of its own; of a request in JSON, the object.
    pub message: Text,
    /// The record as written, without the kubelet's times, its line ends kept.
    pub raw: Text,
}

impl LogRecord {
    /// How many bytes of memory it takes: its own, those of its texts, and what an allocator keeps beside each. Its origin does not
    /// count, which many share.
    pub fn size(&self) -> usize {
        const BESIDE: usize = 16;
        let message = if self.message.shares(&self.raw) { 0 } else { self.message.len() + BESIDE };
        let note = self.plugin_note.as_ref().map_or(0, |note| note.capacity() + BESIDE);
        let named = |id: &PluginId| id.name.namespace.capacity() + id.name.name.capacity() + 2 * BESIDE;
        size_of::<Self>()
            + self.failure_of.len()
            + self.raw.len()
            + BESIDE
            + message
            + note
            + self.plugin.as_ref().map(named).unwrap_or_default()
    }
}

/// Which parser knew a record, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogKind {
    /// istiod.
    Istiod,
    /// The agent beside Envoy.
    Agent,
    /// Envoy.
    Envoy,
    /// A plugin, by way of Envoy.
    Plugin,
    /// The access log.
    Access,
    /// Of this program: something happened to the stream.
    Mark,
    /// No parser knew it.
    Unknown,
}

/// What a record tells, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogEvent {
    /// istiod took changes together and pushes.
    Debounce,
    /// istiod sent a type to a proxy.
    Push,
    /// A proxy refused what istiod sent.
    Nack,
    /// A proxy connected or disconnected.
    Connection,
    /// The agent fetches a module.
    Fetch,
    /// It could not.
    FetchFailed,
    /// A Wasm VM failed.
    VmFailed,
    /// A plugin spoke.
    PluginLog,
    /// A request, by the access log.
    Request,
    /// An object that istiod does not use, and why.
    Discarded,
    /// A program began.
    Started,
    /// What happened to the stream, by its own word.
    #[serde(untagged)]
    Mark(MarkKind),
}
