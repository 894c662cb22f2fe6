//! The parts of a record, read from its message when they are asked for.

mod agent;
mod envoy;
mod istiod;
mod request;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;

use super::access;
use super::envoy::{WASM_LOG, split_prefix};
use crate::ingest::plugin_name::TRANSLATED;
use crate::model::log_details::{LogDetails, LoggedRequest};
use crate::model::logs::{LogKind, LogRecord};

pub use envoy::VM_FAILURES;
pub use request::{FAIL_STREAM, NO_CONFIGURATION};

static SPEAKS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(WASM_LOG));

/// The parts of a record; None where it is none of the known events.
pub fn details(record: &LogRecord) -> Option<LogDetails<'_>> {
    match record.kind {
        LogKind::Plugin => plugin_log(record),
        kind => read(kind, &record.scope, &record.message),
    }
}

/// Whether the line of a request has places for flags and details, which say who answered it. What the mesh's own format has, its lines do
/// not show: see [`super::AccessFormat::says_why`].
pub fn says_why(record: &LogRecord, request: &LoggedRequest<'_>) -> bool {
    request.note.is_none() && access::in_json_says_why(&record.message).unwrap_or(true)
}

/// The message of a record as text: that of a request in JSON is put together as the access log's text has it.
pub fn message(record: &LogRecord) -> Cow<'_, str> {
    let in_json = if record.kind == LogKind::Access { access::as_text(&record.message) } else { None };
    in_json.map_or(Cow::Borrowed(&record.message), Cow::Owned)
}

/// The parts of a message of this kind and scope. A plugin's message has lost its own, see [`details`].
pub(super) fn read<'m>(kind: LogKind, scope: &str, message: &'m str) -> Option<LogDetails<'m>> {
    match kind {
        LogKind::Istiod => istiod::read(scope, message),
        LogKind::Agent => agent::read(scope, message),
        LogKind::Envoy => envoy::read(scope, message),
        LogKind::Access => Some(LogDetails::Request(Box::new(request::read(message)))),
        LogKind::Plugin | LogKind::Mark | LogKind::Unknown => None,
    }
}

/// Who wrote it: the prefix is in front of the message, with a blank in front of each of plugin, root id and vm id. In a root
/// context there is no plugin (`proxy-wasm-cpp-host src/context.cc: makeRootLogPrefix`), and Istio sets no vm id.
fn plugin_log(record: &LogRecord) -> Option<LogDetails<'_>> {
    if record.scope == "lua" {
        return Some(LogDetails::PluginLog { plugin: None, root_id: Cow::Borrowed(""), lua: true });
    }
    let at = SPEAKS.find(record.raw.as_bytes())?;
    let (prefix, _) = split_prefix(&record.raw[at + WASM_LOG.len()..])?;
    let (plugin, root_id) = match prefix.trim_start_matches(' ').split_once(' ') {
        Some((plugin, root_id)) => (Some(plugin), root_id),
        // One word alone is the name of a plugin without a root id, where istiod has marked it; else it can be either.
        None if prefix.ends_with(TRANSLATED) => (Some(prefix.trim_start_matches(' ')), ""),
        None => (None, prefix.trim_start_matches(' ')),
    };
    Some(LogDetails::PluginLog { plugin: plugin.map(Cow::Borrowed), root_id: unescaped(root_id, &record.raw), lua: false })
}

/// A root id can hold anything, and a record of JSON has it escaped.
fn unescaped<'r>(root_id: &'r str, raw: &str) -> Cow<'r, str> {
    if !raw.starts_with('{') || !root_id.contains('\\') {
        return Cow::Borrowed(root_id);
    }
    serde_json::from_str(&format!("\"{root_id}\"")).map_or(Cow::Borrowed(root_id), Cow::Owned)
}
