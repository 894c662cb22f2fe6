//! Records that are one object of JSON: Istio's Go programs (`--log_as_json`), Envoy beside them, and the access log.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::parsed::Parsed;
use super::{envoy, go, time};
use crate::model::logs::{LogKind, LogSource};

/// The keys of an object in their order, the values as written.
struct Pairs<'r>(Vec<(Cow<'r, str>, &'r RawValue)>);

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

/// The columns of the access log's text behind the request, in their order, each with the quotes around it.
const COLUMNS: [(&str, &str); 20] = [
    ("response_code", ""),
    ("response_flags", ""),
    ("response_code_details", ""),
    ("connection_termination_details", ""),
    ("upstream_transport_failure_reason", "\""),
    ("bytes_received", ""),
    ("bytes_sent", ""),
    ("duration", ""),
    ("upstream_service_time", ""),
    ("x_forwarded_for", "\""),
    ("user_agent", "\""),
    ("request_id", "\""),
    ("authority", "\""),
    ("upstream_host", "\""),
    ("upstream_cluster", ""),
    ("upstream_local_address", ""),
    ("downstream_local_address", ""),
    ("downstream_remote_address", ""),
    ("requested_server_name", ""),
    ("route_name", ""),
];

/// Reads an object; None where it is not JSON, or none of the three.
pub(super) fn parse(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let pairs = serde_json::from_str::<Pairs<'_>>(raw).ok()?.0;
    let has = |wanted: &str| pairs.iter().any(|(key, _)| key == wanted);
    if has("response_code") || has("response_flags") || has("start_time") {
        return Some(access(&pairs));
    }
    (has("msg") || has("message")).then(|| program(&pairs, source))
}

/// A program's line. Labels stand behind the message and a stack below it, as they do in text.
fn program<'r>(pairs: &[(Cow<'r, str>, &'r RawValue)], source: LogSource) -> Parsed<'r> {
    let none = Cow::Borrowed("");
    let (mut level, mut scope, mut message, mut stack, mut time) = (none.clone(), none.clone(), none.clone(), none, None);
    let mut labels = String::new();
    for (key, value) in pairs {
        match &**key {
            // The second names are those of `--log_stackdriver`.
            "level" | "severity" => level = text(value),
            "time" | "timestamp" => time = time::rfc3339(&text(value)).map(|(time, _)| time),
            "scope" | "logger" => scope = text(value),
            "msg" | "message" => message = text(value),
            "stack" | "stacktrace" => stack = text(value),
            "caller" | "thread" => {}
            label => {
                labels.push(if labels.is_empty() { '\t' } else { ' ' });
                labels.push_str(label);
                labels.push('=');
                labels.push_str(&text(value));
            }
        }
    }
    if !labels.is_empty() {
        message.to_mut().push_str(&labels);
    }
    if !stack.is_empty() {
        message.to_mut().push('\n');
        message.to_mut().push_str(&stack);
    }
    let component = match &scope {
        Cow::Borrowed(scope) => scope.strip_prefix("envoy ").map(Cow::Borrowed),
        Cow::Owned(scope) => scope.strip_prefix("envoy ").map(|component| Cow::Owned(component.to_owned())),
    };
    let Some(component) = component else {
        return Parsed { time, kind: go::kind(source), level, scope, message: part(message, 0) };
    };
    let said = envoy::plugin_text(&component, &message).map(str::len);
    let kind = if said.is_some() { LogKind::Plugin } else { LogKind::Envoy };
    let from = message.len() - said.unwrap_or(message.len());
    Parsed { time, kind, level, scope: component, message: part(message, from) }
}

/// A text from a place on, without the line ends behind it.
fn part(text: Cow<'_, str>, from: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text[from..].trim_end_matches('\n')),
        Cow::Owned(text) => Cow::Owned(text[from..].trim_end_matches('\n').to_owned()),
    }
}

/// A request, its message as the access log's text has it.
fn access<'r>(pairs: &[(Cow<'r, str>, &'r RawValue)]) -> Parsed<'r> {
    let value = |wanted: &str| {
        let found = pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| text(value));
        found.filter(|value| !matches!(&**value, "" | "null")).unwrap_or(Cow::Borrowed("-"))
    };
    let mut message = String::with_capacity(512);
    message.extend(["\"", &value("method"), " ", &value("path"), " ", &value("protocol"), "\""]);
    for (column, quote) in COLUMNS {
        message.extend([" ", quote, &value(column), quote]);
    }
    Parsed {
        time: time::rfc3339(&value("start_time")).map(|(time, _)| time),
        kind: LogKind::Access,
        level: Cow::Borrowed(""),
        scope: Cow::Borrowed(""),
        message: Cow::Owned(message),
    }
}

/// A string's content, or any other value as written.
fn text(value: &RawValue) -> Cow<'_, str> {
    let written = value.get();
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => serde_json::from_str(written).map_or(Cow::Borrowed(written), Cow::Owned),
        None => Cow::Borrowed(written),
    }
}

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(8);
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    pairs.push((key, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}
