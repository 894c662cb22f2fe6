//! A log record as an object of JSON, one a line.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::ingest::logs::{details, message};
use crate::model::ids::{PluginKind, ProxyId};
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogKind, LogRecord, LogSource, LogTime};

/// One record. What it lacks is null.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry<'r> {
    /// The line's own time, else the kubelet's, as RFC 3339 in UTC.
    pub time: Option<String>,
    /// What wrote it.
    pub source: LogSource,
    /// The workload, `namespace/name`.
    pub workload: Option<String>,
    /// The pod, `pod.namespace`.
    pub pod: Option<&'r ProxyId>,
    /// The container.
    pub container: Option<&'r str>,
    /// What wrote it, within the container.
    pub kind: LogKind,
    /// What it tells.
    pub event: Option<LogEvent>,
    /// The level as written.
    pub level: Option<&'r str>,
    /// The scope or component.
    pub scope: Option<&'r str>,
    /// The plugin that it is about, `namespace/name`.
    pub plugin: Option<String>,
    /// The plugin's kind: two can share a name.
    pub plugin_kind: Option<PluginKind>,
    /// Why the plugin is not known, or how it was found, where the line does not name it.
    pub plugin_note: Option<&'r str>,
    /// The parts of what it tells, by its event.
    pub details: Option<LogDetails<'r>>,
    /// The message.
    pub message: Cow<'r, str>,
    /// The record as written, without the kubelet's times.
    pub raw: &'r str,
}

/// The record in the words of JSON.
pub fn log_entry(record: &LogRecord) -> LogEntry<'_> {
    let LogRecord { time, origin, kind, event, level, scope, plugin, plugin_note, failure_of: _, message: _, raw } = record;
    LogEntry {
        time: time.and_then(timestamp),
        source: origin.source,
        workload: origin.workload.as_ref().map(ToString::to_string),
        pod: Some(&origin.pod).filter(|pod| !pod.pod.is_empty()),
        container: some(&origin.container),
        kind: *kind,
        event: *event,
        level: some(level),
        scope: some(scope),
        plugin: plugin.as_ref().map(ToString::to_string),
        plugin_kind: plugin.as_ref().map(|plugin| plugin.kind),
        plugin_note: plugin_note.as_deref(),
        details: details(record),
        message: message(record),
        raw,
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// `2026-11-23T19:13:51.560680Z`, with nanoseconds where there are some.
pub fn timestamp(time: LogTime) -> Option<String> {
    let stamp = Timestamp::from_nanosecond(time.into()).ok()?;
    Some(if time % 1000 == 0 { format!("{stamp:.6}") } else { format!("{stamp:.9}") })
}
