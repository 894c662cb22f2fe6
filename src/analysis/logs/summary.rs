//! A record in a line for eyes: in a word what it is, and in a few what it says.

use std::borrow::Cow;

use super::words;
use crate::ingest::logs::details;
use crate::ingest::plugin_name::TRANSLATED;
use crate::model::log_details::{LogDetails, LoggedObject, LoggedRequest};
use crate::model::logs::{LogEvent, LogKind, LogRecord, LogTime, MarkKind};

/// What a record is: its event, or what wrote it.
pub fn what(record: &LogRecord) -> &'static str {
    match record.event {
        Some(LogEvent::Debounce | LogEvent::Push) => "push",
        Some(LogEvent::Nack) => "nack",
        Some(LogEvent::Connection) => "connection",
        Some(LogEvent::Fetch) => "fetch",
        Some(LogEvent::FetchFailed) => "fetch failed",
        Some(LogEvent::VmFailed) => "VM failed",
        Some(LogEvent::PluginLog) => "plugin",
        Some(LogEvent::Request) => "request",
        Some(LogEvent::Discarded) => "discarded",
        Some(LogEvent::Started) => "started",
        Some(LogEvent::Mark(mark)) => mark_word(mark),
        None => match record.kind {
            LogKind::Istiod => "istiod",
            LogKind::Agent => "agent",
            LogKind::Envoy => "envoy",
            LogKind::Plugin => "plugin",
            LogKind::Access => "request",
            LogKind::Mark => "mark",
            LogKind::Unknown => "",
        },
    }
}

fn mark_word(mark: MarkKind) -> &'static str {
    match mark {
        MarkKind::Dropped => "dropped",
        MarkKind::Restarted => "restarted",
        MarkKind::Resumed => "resumed",
        MarkKind::Waiting => "waiting",
        MarkKind::Failed => "failed",
        MarkKind::Ended => "ended",
        MarkKind::Skew => "skew",
    }
}

/// What a record says, shorter than it does where its parts are known.
pub fn words(record: &LogRecord) -> Cow<'_, str> {
    let Some(details) = details(record) else { return Cow::Borrowed(&record.message) };
    Cow::Owned(match details {
        LogDetails::Debounce { object, more, reason, since_push, since_change, .. } => {
            let what = match (object, reason) {
                (Some(object), _) => named(&object),
                (None, Some(reason)) => reason.to_owned(),
                (None, None) => "changes".to_owned(),
            };
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let waited = since_push.or(since_change).map(|time| format!(", debounced {}", milliseconds(time))).unwrap_or_default();
            format!("{what}{more}{waited}")
        }
        LogDetails::Push { xds, node, resources, removed, size, .. } => {
            let s = if resources == 1 { "" } else { "s" };
            let removed = removed.filter(|removed| *removed > 0).map(|removed| format!(", {removed} removed")).unwrap_or_default();
            format!("{xds} → {node}  {resources} resource{s}{removed}, {}", bytes(size))
        }
        LogDetails::Nack { xds, node, message, .. } => format!("{xds} refused by {node}: {message}"),
        LogDetails::Fetch { repository, reference, .. } => {
            format!("{repository}{}{reference}", if reference.contains(':') { '@' } else { ':' })
        }
        LogDetails::FetchFailed { url: Some(url), cause, .. } => format!("{url}: {cause}"),
        LogDetails::PluginLog { root_id, .. } if !root_id.is_empty() => format!("{root_id}: {}", record.message),
        LogDetails::Request(request) => requested(&request),
        LogDetails::Discarded { object, why } => format!("{}: {why}", named(&object)),
        LogDetails::Started { program, version } if !version.is_empty() => format!("{program} {version}"),
        LogDetails::Connection { .. }
        | LogDetails::FetchFailed { .. }
        | LogDetails::VmFailed { .. }
        | LogDetails::PluginLog { .. }
        | LogDetails::Started { .. } => return Cow::Borrowed(&record.message),
    })
}

fn named(object: &LoggedObject<'_>) -> String {
    let name = object.name.strip_suffix(TRANSLATED).unwrap_or(object.name);
    let slash = if object.namespace.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{name}", object.kind, object.namespace)
}

/// `GET httpbin:8000/headers 200, 3 ms`, with what went wrong.
fn requested(request: &LoggedRequest<'_>) -> String {
    let LoggedRequest { method, path, authority, code, .. } = request;
    let what = if method.is_empty() { format!("TCP {}", request.upstream_host) } else { format!("{method} {authority}{path} {code}") };
    let took = request.duration_ms.map(|time| format!(", {time} ms")).unwrap_or_default();
    let flags = words::flags(&request.flags).into_iter().map(|(flag, meaning)| match meaning {
        Some(meaning) => format!("; {flag}: {meaning}"),
        None => format!("; {flag}"),
    });
    format!("{what}{took}{}", flags.collect::<String>())
}

fn milliseconds(time: LogTime) -> String {
    let tenths = (time + 50_000) / 100_000;
    if tenths % 10 == 0 || tenths >= 100 { format!("{} ms", tenths / 10) } else { format!("{}.{} ms", tenths / 10, tenths % 10) }
}

/// Decimal, as istiod writes sizes.
fn bytes(size: u64) -> String {
    if size < 1000 { format!("{size} B") } else { format!("{}.{} kB", size / 1000, size % 1000 / 100) }
}
