//! Records that are one object of JSON: Istio's Go programs (`--log_as_json`), Envoy beside them, and the access log.

use std::borrow::Cow;

use super::object::Object;
use super::parsed::Parsed;
use super::{access, envoy, go, time};
use crate::model::logs::{LogKind, LogSource};

/// Reads an object; None where it is not JSON, or none of the three.
pub(super) fn parse(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let object = Object::read(raw)?;
    if access::is_request(&object) {
        return Some(access::in_json(raw, &object));
    }
    object.find(&["msg", "message"]).map(|_| program(&object, source))
}

/// A program's line. Labels stand behind the message and a stack below it, as they do in text.
fn program<'r>(object: &Object<'r>, source: LogSource) -> Parsed<'r> {
    let none = Cow::Borrowed("");
    let (mut level, mut scope, mut message, mut stack, mut time) = (none.clone(), none.clone(), none.clone(), none, None);
    let mut labels = String::new();
    for (key, value) in object.iter() {
        match &*key {
            // The second names are those of `--log_stackdriver`.
            "level" | "severity" => level = value,
            "time" | "timestamp" => time = time::rfc3339(&value).map(|(time, _)| time),
            "scope" | "logger" => scope = value,
            "msg" | "message" => message = value,
            "stack" | "stacktrace" => stack = value,
            "caller" | "thread" => {}
            label => {
                labels.push(if labels.is_empty() { '\t' } else { ' ' });
                labels.push_str(label);
                labels.push('=');
                labels.push_str(&value);
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
