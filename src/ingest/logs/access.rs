//! The access log, as text and as JSON (`pilot/pkg/model/telemetry_logging.go: EnvoyTextLogFormat, EnvoyJSONLogFormatIstio`).
//!
//! Of a request no more is read than that it is one, and when it began: there are many, and few are looked at. Its columns are
//! read off the line when they are asked for.

use std::borrow::Cow;

use super::object::Object;
use super::parsed::Parsed;
use super::time;
use crate::model::logs::LogKind;

/// How many columns the text has behind the time.
pub(super) const COLUMNS: usize = 23;

/// What a column has that is empty.
const NONE: &str = "-";

/// What stands before each column in the text.
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

/// `[time] "GET /path HTTP/1.1" 200 - via_upstream …`. A mesh can choose other columns.
pub(super) fn parse(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw.strip_prefix('[')?)?;
    Some(request(Some(time), rest.strip_prefix("] ")?))
}

/// Whether an object is a request: it has one key at least that no program's line has.
pub(super) fn is_request(object: &Object<'_>) -> bool {
    object.find(&["response_code", "response_flags", "start_time"]).is_some()
}

/// A request in JSON.
pub(super) fn in_json<'r>(raw: &'r str, object: &Object<'r>) -> Parsed<'r> {
    let start = object.find(&["start_time"]);
    request(start.and_then(|start| time::rfc3339(&start).map(|(time, _)| time)), raw)
}

fn request(time: Option<i64>, message: &str) -> Parsed<'_> {
    let none = Cow::Borrowed("");
    Parsed { time, kind: LogKind::Access, level: none.clone(), scope: none, message: Cow::Borrowed(message) }
}

/// The columns of a request in JSON, in the order of the text; None where it is not in JSON.
pub(super) fn columns(message: &str) -> Option<[Cow<'_, str>; COLUMNS]> {
    let object = Object::read(message)?;
    let mut columns = [const { Cow::Borrowed(NONE) }; COLUMNS];
    for (key, value) in object.iter() {
        if let Some(place) = KEYS.iter().position(|known| *known == key) {
            columns[place] = Some(value).filter(|value| !matches!(&**value, "" | "null")).unwrap_or(Cow::Borrowed(NONE));
        }
    }
    Some(columns)
}

/// A request in JSON as the text would have it; None where it is not in JSON.
pub(super) fn as_text(message: &str) -> Option<String> {
    Some(BEFORE.iter().zip(&columns(message)?).flat_map(|(before, column)| [*before, column]).collect())
}
