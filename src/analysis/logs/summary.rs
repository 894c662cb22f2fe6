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
        MarkKind::Failed | MarkKind::NotRestarted => "failed",
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
        LogDetails::Fetch { registry, repository, reference, plain_text } => {
            let without = if plain_text { ", without TLS" } else { "" };
            format!("{repository}{}{reference} from {registry}{without}", if reference.contains(':') { '@' } else { ':' })
        }
        LogDetails::FetchFailed { url: Some(url), cause, stub } => {
            let url = if cause.contains(url) { String::new() } else { format!("{url}: ") };
            let stub = stub.map(|stub| format!("; a stub in its place {}", stub_does(stub))).unwrap_or_default();
            format!("{url}{cause}{stub}")
        }
        LogDetails::PluginLog { plugin: Some(plugin), root_id, .. } if is_told(record) && !plugin.ends_with(TRANSLATED) => {
            format!("{plugin} {root_id}: {}", record.message)
        }
        LogDetails::PluginLog { root_id, .. } if !root_id.is_empty() => format!("{root_id}: {}", record.message),
        // Nothing is known of it but that it is a request.
        LogDetails::Request(request) if request.note.is_some() && request.method.is_empty() => return Cow::Borrowed(&record.message),
        LogDetails::Request(request) => requested(&request, record.plugin_note.as_deref()),
        LogDetails::Discarded { object, why } => format!("{}: {why}", named(&object)),
        LogDetails::Started { program, version } if !version.is_empty() => format!("{program} {version}"),
        LogDetails::Connection { .. }
        | LogDetails::FetchFailed { .. }
        | LogDetails::VmFailed { .. }
        | LogDetails::PluginLog { .. }
        | LogDetails::Started { .. } => return Cow::Borrowed(&record.message),
    })
}

/// Whether the plugin was looked for: then its name is said where istiod has not marked it, since nothing else in a text says it.
fn is_told(record: &LogRecord) -> bool {
    record.plugin.is_some() || record.plugin_note.is_some()
}

fn stub_does(stub: &str) -> &str {
    match stub {
        "deny" => "denies every request",
        "allow" => "allows every request",
        other => other,
    }
}

/// The object by the name that a person gave it: what istiod makes of a WasmPlugin is marked in its name.
fn named(object: &LoggedObject<'_>) -> String {
    let slash = if object.namespace.is_empty() { "" } else { "/" };
    match object.name.strip_suffix(TRANSLATED) {
        Some(name) => format!("WasmPlugin {}{slash}{name}", object.namespace),
        None => format!("{} {}{slash}{}", object.kind, object.namespace, object.name),
    }
}

/// How long the address of a request may be to stand before what went wrong, in characters: where there is little room, the end is cut.
const LONG: usize = 40;

/// `GET httpbin:8000/headers 200, 3 ms`, with what went wrong, and what is known of a plugin that had to do with it; a long address comes
/// last: `GET 403, 1 ms; rbac_access_denied…; httpbin:8000/…`.
fn requested(request: &LoggedRequest<'_>, note: Option<&str>) -> String {
    let LoggedRequest { method, path, authority, code, .. } = request;
    let took = request.duration_ms.map(|time| format!(", {time} ms")).unwrap_or_default();
    let meant = |(word, meaning): (&str, Option<&str>)| match meaning {
        Some(meaning) => format!("; {word}: {meaning}"),
        None => format!("; {word}"),
    };
    let mut wrong: String = words::flags(&request.flags).into_iter().map(meant).collect();
    if wrong.is_empty() && !matches!(&*request.details, "" | "via_upstream") {
        wrong = meant((&request.details, words::details(&request.details)));
    }
    if !request.termination.is_empty() {
        wrong += &meant((&request.termination, words::details(&request.termination)));
    }
    let rest = [&*request.transport_failure, note.unwrap_or_default()].into_iter().filter(|text| !text.is_empty());
    wrong.extend(rest.map(|text| format!("; {text}")));
    let is_long = authority.chars().count() + path.chars().count() > LONG;
    match &**method {
        _ if request.is_tcp() => format!("TCP {}{took}{wrong}", request.upstream_host),
        // Envoy could not read so far.
        "" => format!("{} {code}{took}{wrong}", request.protocol),
        method if is_long && !wrong.is_empty() => format!("{method} {code}{took}{wrong}; {authority}{path}"),
        method => format!("{method} {authority}{path} {code}{took}{wrong}"),
    }
}

fn milliseconds(time: LogTime) -> String {
    let tenths = (time + 50_000) / 100_000;
    if tenths % 10 == 0 || tenths >= 100 { format!("{} ms", tenths / 10) } else { format!("{}.{} ms", tenths / 10, tenths % 10) }
}

/// Decimal, as istiod writes sizes.
fn bytes(size: u64) -> String {
    if size < 1000 { format!("{size} B") } else { format!("{}.{} kB", size / 1000, size % 1000 / 100) }
}
