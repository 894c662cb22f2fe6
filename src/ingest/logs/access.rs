//! The access log, as text and as JSON (`pilot/pkg/model/telemetry_logging.go: EnvoyTextLogFormat, EnvoyJSONLogFormatIstio`).
//!
//! Of a request no more is read than that it is one, and when it began: there are many, and few are looked at. Its columns are
//! read off the line when they are asked for.

use std::borrow::Cow;

use super::object::Object;
use super::parsed::Parsed;
use super::{layout, time};
use crate::model::logs::{LogKind, LogTime};

/// How many columns the text has behind the time.
pub(super) const COLUMNS: usize = 23;

/// What a column has that is empty.
pub(super) const NONE: &str = "-";

/// What is in front of each column in the text.
const BEFORE: [&str; COLUMNS] = [
    "\"", " ", " ", "\" ", " ", " ", " ", " \"", "\" ", " ", " ", " ", " \"", "\" \"", "\" \"", "\" \"", "\" \"", "\" ", " ", " ", " ",
    " ", " ",
];

/// The keys of the columns in JSON.
const KEYS: [&str; COLUMNS] = [
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "response_code_details",
    "connection_termination_details",
    "upstream_transport_failure_reason",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
    "route_name",
];

/// How many words are looked at for what a request has.
const MOST_WORDS: usize = 64;

/// How a request's line can begin (RFC 9110, 5789).
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// `[time] "GET /path HTTP/1.1" 200 - via_upstream …`. A mesh can choose other columns.
pub(super) fn parse(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = time(raw.strip_prefix('[')?)?;
    Some(request(Some(time), rest))
}

/// `time] `, as Envoy writes it, or as web servers do, and what follows.
pub(super) fn time(text: &str) -> Option<(LogTime, &str)> {
    let (time, rest) = time::rfc3339(text).or_else(|| time::common(text))?;
    Some((time, rest.strip_prefix("] ")?))
}

/// Whether what follows a time in brackets is a request: it begins as one in Istio's text, or has a method, and a path, protocol or code
/// too. A build server writes such times in front of any line.
pub(super) fn is_request_text(rest: &str) -> bool {
    // The line's own time comes behind that of who saw it.
    if rest.strip_prefix('[').is_some_and(|inner| time(inner).is_some()) {
        return false;
    }
    let quoted = rest.strip_prefix('"').and_then(|inner| inner.split([' ', '"']).next());
    if quoted.is_some_and(|first| first == NONE || METHODS.contains(&first) || layout::is_method(first) && has_protocol(rest)) {
        return true;
    }
    let words = || rest.split([' ', '\t', '"']).filter(|word| !word.is_empty()).take(MOST_WORDS);
    // Programs have a level of the same name.
    let is_method = |word: &str| METHODS.contains(&word) && word != "TRACE";
    let goes_with =
        |word: &str| word.starts_with(['/', '*']) || word.contains("://") || word.starts_with("HTTP/") || code_of(Some(word)).is_some();
    words().any(is_method) && words().any(goes_with)
}

/// Whether a request's line in quotes ends with a protocol: its method then can be any.
fn has_protocol(rest: &str) -> bool {
    let line = rest.strip_prefix('"').and_then(|inner| Some(&inner[..layout::request_end(inner)?]));
    line.and_then(|line| line.rsplit_once(' ')).is_some_and(|(_, last)| last.starts_with("HTTP/"))
}

/// Whether a request follows a time that has no brackets: ` GET /path 200`, ` "GET /path HTTP/1.1" 200`.
pub(super) fn is_bare(rest: &str) -> bool {
    let text = rest.trim_start_matches(' ');
    text.len() < rest.len() && bare_request(text).is_some()
}

/// `time GET /path 200 …`: a format of a mesh's own, of which this much is plain.
pub(super) fn bare(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw)?;
    Some(request(Some(time), rest.trim_start_matches(' ')))
}

/// Method, path, protocol and code of a request's line with or without quotes.
pub(super) fn bare_request(text: &str) -> Option<[&str; 4]> {
    let quoted = |inner| layout::request_end(inner).map_or((inner, None), |end| (&inner[..end], Some(&inner[end + 1..])));
    let (line, behind) = text.strip_prefix('"').map_or((text, None), quoted);
    let mut words = line.split(' ');
    let method = words.next().filter(|word| METHODS.contains(word))?;
    if let (Some(behind), Some((request, protocol))) = (behind, line.rsplit_once(' ').filter(|(_, last)| last.starts_with("HTTP/"))) {
        let path = request.get(method.len() + 1..)?;
        return code_of(behind.trim_start_matches(' ').split(' ').next()).map(|code| [method, path, protocol, code]);
    }
    let path = words.next().filter(|word| word.starts_with('/') || word.contains("://") || *word == "*")?;
    let mut next = words.next();
    let protocol = next.filter(|word| word.starts_with("HTTP/")).unwrap_or_default();
    if !protocol.is_empty() {
        next = words.next();
    }
    let code = code_of(behind.map_or(next, |rest| rest.trim_start_matches(' ').split(' ').next()))?;
    Some([method, path, protocol, code])
}

fn code_of(word: Option<&str>) -> Option<&str> {
    word.filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether an object is a request: it has one key at least that no program's line has, or a method and a path and no message.
pub(super) fn is_request(object: &Object<'_>) -> bool {
    let has = |key: &str| object.find(&[key]).is_some();
    object.find(&["response_code", "response_flags", "start_time"]).is_some() || has("method") && has("path") && !has("msg")
}

/// A request in JSON.
pub(super) fn in_json<'r>(raw: &'r str, object: &Object<'r>) -> Parsed<'r> {
    let other = || object.iter().find(|(key, _)| is_key(key, "start_time")).map(|(_, start)| start);
    request(object.find(&["start_time"]).or_else(other).and_then(|start| time::of_store(&start)), raw)
}

/// Whether a key is this one, as Istio writes it or in another spelling: `startTime`, `START-TIME`.
fn is_key(key: &str, known: &str) -> bool {
    let letters =
        |text: &'_ str| text.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
    key == known || key.len().abs_diff(known.len()) <= 5 && letters(key) == letters(known)
}

pub(super) fn request<'m>(time: Option<LogTime>, message: impl Into<Cow<'m, str>>) -> Parsed<'m> {
    let none = Cow::Borrowed("");
    Parsed { time, kind: LogKind::Access, level: none.clone(), scope: none, message: message.into() }
}

/// The columns of a request in JSON, in the order of the text; None where it is not in JSON.
pub(super) fn columns(message: &str) -> Option<[Cow<'_, str>; COLUMNS]> {
    let object = Object::read(message)?;
    let mut columns = [const { Cow::Borrowed(NONE) }; COLUMNS];
    for (key, value) in object.iter() {
        let exact = KEYS.iter().position(|known| *known == key);
        if let Some(place) = exact.or_else(|| KEYS.iter().position(|known| is_key(&key, known))) {
            columns[place] = Some(value).filter(|value| !matches!(&**value, "" | "null")).unwrap_or(Cow::Borrowed(NONE));
        }
    }
    Some(columns)
}

/// Whether a request in JSON has keys for its flags and details; None where it is not in JSON.
pub(super) fn in_json_says_why(message: &str) -> Option<bool> {
    let object = Object::read(message)?;
    Some(["response_flags", "response_code_details"].into_iter().all(|known| object.iter().any(|(key, _)| is_key(&key, known))))
}

/// A request in JSON as the text would have it; None where it is not in JSON.
pub(super) fn as_text(message: &str) -> Option<String> {
    columns(message).map(|columns| in_order(&columns))
}

/// The columns as Istio's text has them.
pub(super) fn in_order(columns: &[Cow<'_, str>; COLUMNS]) -> String {
    BEFORE.iter().zip(columns).flat_map(|(before, column)| [*before, column]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::logs::form::Form;

    #[test]
    fn a_request_can_have_any_method() {
        let rest = r#"HTTP/1.1" 207 - via_upstream - "-" 0 1 2 3 "-" "agent" "id" "a:80" "1:1" outbound|80||a 1:1 2:2 3:3 - default"#;
        for method in ["GET", "PROPFIND", "PURGE", "REPORT", "LOCK", "VERSION-CONTROL", "X_OWN"] {
            let line = format!("[2023-05-10T03:16:20.000Z] \"{method} /dav/a HTTP/2 b {rest}");
            assert_eq!(Form::of(&line), Form::Access, "{line}");
            let parsed = parse(&line).unwrap();
            let columns = layout::read(&parsed.message).columns;
            assert_eq!([&*columns[0], &*columns[1], &*columns[3], &*columns[22]], [method, "/dav/a HTTP/2 b", "207", "default"]);
        }
        for other in [
            r#""WARNING: x" 200 - a"#,
            r#""Propfind /a HTTP/1.1" 207"#,
            r#""PROPFIND /a" 207 -"#,
            r#""PROPFIND"#,
            r#"PROPFIND /a HTTP/1.1 207"#,
        ] {
            assert_eq!(Form::of(&format!("[2023-05-10T03:16:20.000Z] {other}")), Form::Unknown, "{other}");
        }
    }
}
