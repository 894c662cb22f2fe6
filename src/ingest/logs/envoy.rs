//! Envoy, as text: the columns that Istio has it write (`tools/packaging/common/envoy_bootstrap.json`), and its own format.

use std::borrow::Cow;

use super::parsed::{Parsed, is_number};
use super::time;
use crate::model::logs::{LogKind, LogTime};

/// What is in front of the component.
const ENVOY: &str = "envoy ";
/// What is in front of a plugin's message, and of the prefix that names it.
pub(super) const WASM_LOG: &str = "wasm log";
/// What is in front of a Lua script's message (`source/extensions/filters/http/lua/lua_filter.cc`).
const SCRIPT_LOG: &str = "script log: ";

/// `time⇥level⇥envoy component file:line⇥message⇥thread=1`; until Istio 1.16 without file and thread. None where it is not
/// Envoy's.
pub(super) fn columns(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw)?;
    let (level, rest) = rest.strip_prefix('\t')?.split_once('\t')?;
    let (place, message) = rest.strip_prefix(ENVOY)?.split_once('\t')?;
    let component = place.split(' ').next().unwrap_or_default();
    let message = thread(message).filter(|at| message.as_bytes()[*at] == b'\t').map_or(message, |at| &message[..at]);
    Some(parsed(time, level, component, message))
}

/// Where the last column, the thread, begins in a message.
pub(super) fn thread(message: &str) -> Option<usize> {
    let at = message.rfind(['\t', ' '])?;
    let number = message[at + 1..].strip_prefix("thread=")?;
    is_number(number).then_some(at)
}

/// Whether a record of columns has its last one, so that no more lines belong to it.
pub(super) fn is_complete(raw: &str) -> bool {
    // Only a tail of digits can be a thread's number, and most lines have none.
    raw.as_bytes().last().is_some_and(u8::is_ascii_digit) && thread(raw).is_some()
}

/// `[2026-11-23 19:37:48.123][15][critical][main] [source/server/server.cc:1] message`; until 2019 without the bracket in front of the
/// file.
pub(super) fn own(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = own_time(raw)?;
    let (_thread, rest) = rest.split_once("][")?;
    let (level, rest) = rest.split_once("][")?;
    let (component, rest) = rest.split_once("] ")?;
    let is_file = |place: &str| place.contains(".cc:") || place.contains(".h:");
    let message = rest.split_once("] ").filter(|(place, _)| is_file(place) && !place.contains(' ')).map_or(rest, |(_, message)| message);
    Some(parsed(time, level, component, message))
}

/// The time in Envoy's own brackets, and what follows the next one. Istio 1.1 to 1.5 had the agent write `[Envoy (Epoch 0)] ` in front
/// (`pkg/envoy/proxy.go`: `--log-format`).
pub(super) fn own_time(line: &str) -> Option<(LogTime, &str)> {
    let epoch = line.strip_prefix("[Envoy (Epoch ").and_then(|rest| rest.split_once(")] "));
    let line = epoch.filter(|(number, _)| is_number(number)).map_or(line, |(_, rest)| rest);
    let (time, rest) = time::spaced(line.strip_prefix('[')?)?;
    Some((time, rest.strip_prefix("][")?))
}

pub(super) fn parsed<'r>(time: i64, level: &'r str, component: &'r str, message: &'r str) -> Parsed<'r> {
    let message = message.trim_end_matches('\n');
    let (kind, text) = plugin_text(component, message).map_or((LogKind::Envoy, message), |text| (LogKind::Plugin, text));
    Parsed { time: Some(time), kind, level: Cow::Borrowed(level), scope: Cow::Borrowed(component), message: Cow::Borrowed(text) }
}

/// What a plugin says, where it is one that speaks.
pub(super) fn plugin_text<'m>(component: &str, message: &'m str) -> Option<&'m str> {
    match component {
        "wasm" => message.strip_prefix(WASM_LOG).filter(|rest| rest.starts_with([' ', ':'])).and_then(split_prefix).map(|(_, text)| text),
        "lua" => message.strip_prefix(SCRIPT_LOG),
        _ => None,
    }
}

/// Divides what follows `wasm log` into the prefix, with a blank in front of each of its parts, and the text. An object's name
/// has no colon, and a root id hardly one with a blank behind it.
pub(super) fn split_prefix(rest: &str) -> Option<(&str, &str)> {
    let at = rest.find(':')?;
    match rest.get(at + 1..)?.strip_prefix(' ') {
        Some(text) => Some((&rest[..at], text)),
        None if rest.len() == at + 1 => Some((&rest[..at], "")),
        None => rest.split_once(": "),
    }
}
