//! Records that are one object of JSON: Istio's Go programs (`--log_as_json`), Envoy beside them, and the access log.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::parsed::Parsed;
use super::{envoy, go, time};
use crate::model::logs::{LogKind, LogSource};

/// The keys of an object in their order, and the values as written.
type Pairs<'r> = Vec<(Cow<'r, str>, &'r str)>;

/// What stands before each value of the access log's text.
const BEFORE: [&str; 23] = [
    "\"", " ", " ", "\" ", " ", " ", " ", " \"", "\" ", " ", " ", " ", " \"", "\" \"", "\" \"", "\" \"", "\" \"", "\" ", " ", " ", " ",
    " ", " ",
];

/// The place of a value in the access log's text. A `match`, since every key of many lines is looked up.
fn place(key: &str) -> Option<usize> {
    Some(match key {
        "method" => 0,
        "path" => 1,
        "protocol" => 2,
        "response_code" => 3,
        "response_flags" => 4,
        "response_code_details" => 5,
        "connection_termination_details" => 6,
        "upstream_transport_failure_reason" => 7,
        "bytes_received" => 8,
        "bytes_sent" => 9,
        "duration" => 10,
        "upstream_service_time" => 11,
        "x_forwarded_for" => 12,
        "user_agent" => 13,
        "request_id" => 14,
        "authority" => 15,
        "upstream_host" => 16,
        "upstream_cluster" => 17,
        "upstream_local_address" => 18,
        "downstream_local_address" => 19,
        "downstream_remote_address" => 20,
        "requested_server_name" => 21,
        "route_name" => 22,
        _ => return None,
    })
}

/// Reads an object; None where it is not JSON, or none of the three.
pub(super) fn parse(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let pairs = pairs(raw)?;
    let has = |wanted: &str| pairs.iter().any(|(key, _)| key == wanted);
    if has("response_code") || has("response_flags") || has("start_time") {
        return Some(access(&pairs));
    }
    (has("msg") || has("message")).then(|| program(&pairs, source))
}

/// A program's line. Labels stand behind the message and a stack below it, as they do in text.
fn program<'r>(pairs: &Pairs<'r>, source: LogSource) -> Parsed<'r> {
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
fn access<'r>(pairs: &Pairs<'r>) -> Parsed<'r> {
    let (mut time, mut values) = (None, [const { Cow::Borrowed("-") }; BEFORE.len()]);
    for (key, value) in pairs {
        if let Some(place) = place(key) {
            values[place] = Some(text(value)).filter(|value| !matches!(&**value, "" | "null")).unwrap_or(Cow::Borrowed("-"));
        } else if key == "start_time" {
            time = time::rfc3339(&text(value)).map(|(time, _)| time);
        }
    }
    let mut message = String::with_capacity(512);
    values.iter().zip(BEFORE).for_each(|(value, before)| message.extend([before, value]));
    Parsed { time, kind: LogKind::Access, level: Cow::Borrowed(""), scope: Cow::Borrowed(""), message: Cow::Owned(message) }
}

/// A string's content, or any other value as written.
fn text(written: &str) -> Cow<'_, str> {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => serde_json::from_str(written).map_or(Cow::Borrowed(written), Cow::Owned),
        None => Cow::Borrowed(written),
    }
}

/// Reads an object without a look at what its strings hold; None where it is none.
fn pairs(raw: &str) -> Option<Pairs<'_>> {
    let mut pairs = Vec::with_capacity(24);
    let mut rest = raw.strip_prefix('{')?;
    loop {
        let (key, after) = value(rest).filter(|(key, _)| key.starts_with('"'))?;
        let (value, after) = value(after.strip_prefix(':')?)?;
        pairs.push((text(key), value));
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (after.trim_start_matches(' ') == "}").then_some(pairs),
        }
    }
}

/// The value that a text begins with, as written, and what follows it. No blanks are left around it.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let end = match text.strip_prefix('"') {
        Some(inner) => 1 + end_of_string(inner.as_bytes())?,
        None => {
            let mut values = Deserializer::from_str(text).into_iter::<&RawValue>();
            values.next()?.ok()?;
            values.byte_offset()
        }
    };
    let (value, rest) = text.split_at_checked(end)?;
    Some((value, rest.trim_start_matches(' ')))
}

/// Where a string ends, behind its quote.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_json_is() {
        let raw = r#"{"a":"x\"y\\", "b\n" : 1.5e3 ,"c":{"d":["}",null]},"e":"" , "f":true}"#;
        let read: Vec<(String, String)> =
            pairs(raw).unwrap().into_iter().map(|(key, value)| (key.into_owned(), text(value).into_owned())).collect();
        let expected = [("a", "x\"y\\"), ("b\n", "1.5e3"), ("c", r#"{"d":["}",null]}"#), ("e", ""), ("f", "true")];
        assert_eq!(read, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        for odd in ["", "{", "{}", r#"{"a":1"#, r#"{"a":"b}"#, r#"{"a":1}}"#, "{a:1}", r#"{"a":"b\"}"#, r#"{"a":1,}"#, r#"{1:1}"#] {
            assert_eq!(pairs(odd), None, "{odd}");
        }
    }
}
