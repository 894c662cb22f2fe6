//! What ztunnel writes of a connection (`istio/ztunnel src/proxy/metrics.rs`): its scope `access`, and labels behind the message.

use std::borrow::Cow;

use crate::model::log_details::LoggedRequest;

/// What the messages begin with: `connection complete`, `connection opened`, `connection failed`, `http request`.
const MESSAGES: [&str; 4] = ["connection complete", "connection opened", "connection failed", "http request"];

/// Whether a line is of a connection, by its scope and message.
pub(super) fn is_connection(scope: &str, message: &str) -> bool {
    scope == "access" && MESSAGES.iter().any(|known| message.starts_with(known))
}

/// The parts of a connection; None where the message is of none.
pub(super) fn read(message: &str) -> Option<LoggedRequest<'_>> {
    let labels = MESSAGES.iter().find_map(|known| message.strip_prefix(known))?;
    if !labels.starts_with(['\t', ' ']) || !labels.contains("src.addr=") {
        return None;
    }
    let mut read = LoggedRequest::default();
    let mut hbone = Cow::Borrowed("");
    for (key, value) in (Labels { rest: labels }) {
        let text = Cow::Borrowed(value);
        match key {
            "src.addr" => read.downstream_remote = text,
            "dst.addr" => read.upstream_host = text,
            // Within the tunnel: what the connection is to in the end.
            "dst.hbone_addr" => hbone = text,
            "dst.service" => read.authority = text,
            "direction" => read.inbound = Some(value == "inbound"),
            "bytes_sent" => read.bytes_sent = value.parse().ok(),
            "bytes_recv" => read.bytes_received = value.parse().ok(),
            "duration" => read.duration_ms = value.strip_suffix("ms").and_then(|number| number.parse().ok()),
            "error" => read.transport_failure = text,
            "method" => read.method = text,
            "path" => read.path = text,
            "protocol" => read.protocol = Cow::Borrowed(if value == "HTTP2" { "HTTP/2" } else { "HTTP/1.1" }),
            "response_code" => read.code = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    if !hbone.is_empty() {
        read.upstream_host = hbone;
    }
    Some(read)
}

/// `key=value key="a value"`. A value without quotes ends where another key follows.
struct Labels<'m> {
    rest: &'m str,
}

impl<'m> Iterator for Labels<'m> {
    type Item = (&'m str, &'m str);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.rest.trim_start_matches(['\t', ' ']).split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
            None => rest.split_at(end(rest)),
        };
        self.rest = rest;
        Some((key, value))
    }
}

/// Where a value without quotes ends: from JSON, texts with blanks have none either.
fn end(text: &str) -> usize {
    let mut blanks = text.match_indices(' ').map(|(at, _)| at);
    let is_key = |word: &str| {
        word.split_once('=').is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_')))
    };
    blanks.find(|at| is_key(text[at + 1..].split(' ').next().unwrap_or_default())).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_its_ends_and_its_way() {
        let text = "connection failed\tsrc.addr=10.0.0.1:5 src.identity=\"spiffe://a\" dst.addr=10.0.0.2:15008 dst.hbone_addr=\"10.0.0.3:80\" dst.service=a.b.svc direction=\"inbound\" bytes_sent=5 bytes_recv=7 duration=\"8ms\" error=\"connection closed due to policy rejection\"";
        let json = text.replace('"', "");
        for text in [text, &json] {
            let read = read(text).unwrap();
            assert_eq!((&*read.downstream_remote, &*read.upstream_host, &*read.authority), ("10.0.0.1:5", "10.0.0.3:80", "a.b.svc"));
            assert_eq!((read.inbound, read.bytes_sent, read.bytes_received, read.duration_ms), (Some(true), Some(5), Some(7), Some(8)));
            assert_eq!(read.transport_failure, "connection closed due to policy rejection");
        }
        assert!(read_none("connection complete") && read_none("connection completed src.addr=1") && read_none("\"GET / HTTP/1.1\" 200"));
    }

    fn read_none(text: &str) -> bool {
        read(text).is_none()
    }
}
