//! Records that are one object of JSON: Istio's Go programs (`--log_as_json`), Envoy, and the access log.

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

/// A program's line. Labels follow the message and a stack is below it, as they do in text.
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
    let of_envoy = || source == LogSource::Proxy && is_of_envoy(object, &level, &scope, &message);
    let Some(component) = component.or_else(|| of_envoy().then(|| scope.clone())) else {
        return go::parsed(time, source, level, scope, part(message, 0));
    };
    let said = envoy::plugin_text(&component, &message).map(str::len);
    let kind = if said.is_some() { LogKind::Plugin } else { LogKind::Envoy };
    let from = message.len() - said.unwrap_or(message.len());
    Parsed { time, kind, level, scope: component, message: part(message, from) }
}

/// Whether Envoy wrote a line whose scope does not say so, as in Istio 1.8 (`pkg/envoy/proxy.go`: `"scope":"%n"`): by a level that Go's
/// programs lack, Envoy's thread, a plugin's prefix, or a component that is no scope of Istio.
fn is_of_envoy(object: &Object<'_>, level: &str, scope: &str, message: &str) -> bool {
    let own_level = matches!(level, "trace" | "warning" | "critical" | "off");
    let own_component = COMPONENTS.contains(&scope) && !go::is_known_scope(scope);
    !scope.is_empty() && (own_level || own_component || object.find(&["thread"]).is_some() || envoy::plugin_text(scope, message).is_some())
}

/// Envoy's components (`source/common/common/logger.h: ALL_LOGGER_IDS`).
const COMPONENTS: [&str; 32] = [
    "admin",
    "aws",
    "backtrace",
    "client",
    "config",
    "connection",
    "conn_handler",
    "decompression",
    "envoy_bug",
    "ext_authz",
    "filter",
    "forward_proxy",
    "grpc",
    "hc",
    "health_checker",
    "http",
    "http2",
    "hystrix",
    "init",
    "io",
    "jwt",
    "lua",
    "main",
    "matcher",
    "misc",
    "pool",
    "quic",
    "rbac",
    "router",
    "runtime",
    "secret",
    "upstream",
];

/// A text from a place on, without the line ends behind it.
fn part(text: Cow<'_, str>, from: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text[from..].trim_end_matches('\n')),
        Cow::Owned(text) => Cow::Owned(text[from..].trim_end_matches('\n').to_owned()),
    }
}
