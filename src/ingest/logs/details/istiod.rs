//! What istiod's lines tell (`pilot/pkg/xds/{discovery,ads,delta,xdsgen}.go`, `pilot/pkg/model/{extensions,push_context}.go`).

use super::super::parsed::is_number;
use crate::model::log_details::{LogDetails, LoggedObject};

/// The parts of a message.
pub(super) fn read<'m>(scope: &str, message: &'m str) -> Option<LogDetails<'m>> {
    match scope {
        // Until Istio 1.17 the protocol with deltas logs under `ads` too.
        "ads" | "delta" => {
            if let Some(rest) = message.strip_prefix("Push debounce stable[") {
                debounce(rest)
            } else if let Some(rest) = message.strip_prefix("ADS:").or_else(|| message.strip_prefix("dADS:")) {
                nack(rest).or_else(|| connection(rest))
            } else {
                push(message)
            }
        }
        "model" => discarded(message),
        "" => message.strip_prefix("version: ").map(|version| LogDetails::Started { program: "istiod", version }),
        _ => None,
    }
}

/// `3] 4 for config Kind/namespace/name and 2 more configs: 100ms since last change, 100ms since last push, forced=false`;
/// until 1.30 `full=`.
fn debounce(rest: &str) -> Option<LogDetails<'_>> {
    let (number, rest) = rest.split_once("] ")?;
    let (before, after) = rest.rsplit_once(": ")?;
    let (events, cause) = before.split_once(" for ").unwrap_or((before, ""));
    let mut times = after.splitn(3, ", ");
    let since_change = times.next().and_then(|part| duration(part.strip_suffix(" since last change")?));
    let since_push = times.next().and_then(|part| duration(part.strip_suffix(" since last push")?));
    let forced = times.next().is_some_and(|part| part.ends_with("=true"));
    let (object, more) = cause.strip_prefix("config ").map_or((None, 0), configs);
    let reason = cause.strip_prefix("reason ");
    Some(LogDetails::Debounce {
        number: number.parse().ok()?,
        events: events.parse().ok()?,
        object,
        more,
        reason,
        since_change,
        since_push,
        forced,
    })
}

fn configs(text: &str) -> (Option<LoggedObject<'_>>, u64) {
    let more = text.strip_suffix(" more configs").and_then(|text| text.rsplit_once(" and "));
    let (name, more) = match more {
        Some((name, more)) => (name, more.parse().unwrap_or(0)),
        None => (text, 0),
    };
    (object(name), more)
}

/// `Kind/namespace/name` (`pilot/pkg/model/config.go: ConfigKey.String`).
fn object(text: &str) -> Option<LoggedObject<'_>> {
    let (kind, rest) = text.split_once('/')?;
    let (namespace, name) = rest.split_once('/')?;
    Some(LoggedObject { kind, namespace, name })
}

/// `LDS: ACK ERROR httpbin-1.default-3 Internal:message`, after `ADS:`. Until Istio 1.10 the connection has the whole ID of the node,
/// until 1.5 it comes behind the peer's address, and until 1.3 the node follows it once more (`pilot/pkg/proxy/envoy/v2/ads.go`).
fn nack(rest: &str) -> Option<LogDetails<'_>> {
    let (xds, rest) = rest.split_once(": ACK ERROR ")?;
    let (first, after) = rest.split_once(' ')?;
    let (connection, mut rest) = if is_address(first) { after.split_once(' ')? } else { (first, after) };
    if let Some((_, behind)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        rest = behind;
    }
    if let Some((_, behind)) = rest.strip_prefix("node:<").and_then(|rest| rest.split_once("> ")) {
        rest = behind;
    }
    let (code, message) = rest.split_once(':')?;
    Some(LogDetails::Nack { xds, node: node(connection).0, code, message })
}

/// `192.0.2.5:35438`, `[fe80::1]:35438`, in quotes or without.
fn is_address(word: &str) -> bool {
    let (host, port) = word.trim_matches('"').rsplit_once(':').unwrap_or_default();
    let in_host = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'[' | b']' | b'%');
    !host.is_empty() && host.bytes().all(in_host) && is_number(port)
}

/// ` new connection for node:httpbin-1.default-3` and ` "10.0.0.1:4711" httpbin-1.default-3 terminated`, after `ADS:`.
pub(super) fn connection(rest: &str) -> Option<LogDetails<'_>> {
    let rest = rest.strip_prefix(' ')?;
    let began = rest.strip_prefix("new connection for node:").or_else(|| rest.strip_prefix("new delta connection for node:"));
    if let Some(connection) = began {
        let (node, number) = node(connection);
        return Some(LogDetails::Connection { node, number, peer: None, opened: true, cause: "" });
    }
    let (peer, rest) = rest.strip_prefix('"')?.split_once("\" ")?;
    let (connection, rest) = rest.split_once(' ')?;
    let cause = rest.strip_prefix("terminated")?.trim_start_matches(" with").trim_start_matches([' ', ':']);
    let (node, number) = node(connection);
    Some(LogDetails::Connection { node, number, peer: Some(peer), opened: false, cause })
}

/// The proxy and the number of a connection (`pilot/pkg/xds/ads.go: connectionID`).
fn node(connection: &str) -> (&str, Option<u64>) {
    match connection.rsplit_once('-').map(|(node, number)| (node, number.parse())) {
        Some((node, Ok(number))) => (proxy(node), Some(number)),
        _ => (proxy(connection), None),
    }
}

/// The proxy of a node's ID: the third part of `sidecar~10.0.0.1~httpbin-1.default~default.svc.cluster.local`
/// (`pilot/pkg/model/context.go: ServiceNode`).
fn proxy(node: &str) -> &str {
    node.split('~').nth(2).filter(|proxy| !proxy.is_empty()).unwrap_or(node)
}

/// `LDS: PUSH INC request for node:httpbin-1.default resources:5 removed:0 size:18.6kB cached:0/3 filtered:0`.
fn push(message: &str) -> Option<LogDetails<'_>> {
    let (xds, rest) = message.split_once(": PUSH")?;
    let (how, rest) = rest.split_once(" for node:")?;
    let mut words = rest.split(' ');
    let node = proxy(words.next()?);
    let (mut resources, mut removed, mut size) = (None, None, 0);
    for (key, value) in words.filter_map(|word| word.split_once(':')) {
        match key {
            "resources" => resources = value.parse().ok(),
            "removed" => removed = value.parse().ok(),
            "size" => size = bytes(value),
            _ => {}
        }
    }
    let (request, incremental) = (how.ends_with(" request"), how.starts_with(" INC"));
    Some(LogDetails::Push { xds, node, request, incremental, resources: resources?, removed, size })
}

/// `trafficextension namespace/name discarded: why`, `… discarded due to why`.
fn discarded(message: &str) -> Option<LogDetails<'_>> {
    let (kind, rest) = message.split_once(' ')?;
    let (name, why) = rest.split_once(" discarded")?;
    let (namespace, name) = name.split_once('/')?;
    let known = matches!(kind, "trafficextension" | "wasmplugin") && !name.contains(' ');
    let why = why.trim_start_matches([':', ' ']);
    known.then_some(LogDetails::Discarded { object: LoggedObject { kind, namespace, name }, why })
}

/// `18.6kB` in bytes (`pilot/pkg/networking/util/util.go: ByteCount`, decimal).
fn bytes(text: &str) -> u64 {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = match text.as_bytes().get(digits) {
        Some(b'k') => 1e3,
        Some(b'M') => 1e6,
        Some(b'G') => 1e9,
        _ => 1.0,
    };
    (text[..digits].parse::<f64>().unwrap_or(0.0) * unit).round() as u64
}

/// A duration as Go writes it, `1m2.5s`, `100.4ms`, `19.7µs`, in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3.6e12,
            "m" => 6e10,
            "s" => 1e9,
            "ms" => 1e6,
            "µs" | "us" => 1e3,
            "ns" => 1.0,
            _ => return None,
        };
        sum += value * unit;
        rest = &rest[end..];
    }
    Some(sum.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_go_writes_them() {
        for (text, nanos) in [("100.976385ms", 100_976_385), ("1m2.5s", 62_500_000_000), ("19.729µs", 19_729), ("150ns", 150), ("0s", 0)] {
            assert_eq!(duration(text), Some(nanos), "{text}");
        }
        assert_eq!(duration("5 parsecs"), None);
        assert_eq!([bytes("305B"), bytes("1.2kB"), bytes("15.6MB"), bytes("")], [305, 1_200, 15_600_000, 0]);
    }
}
