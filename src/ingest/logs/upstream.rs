//! What a proxy's log reports of its connection to istiod. The agent dials, and Envoy, which reaches istiod through it, logs the failure: at
//! first after 30 s, and again with each attempt (`source/extensions/config_subscription/grpc/grpc_stream.h: logClose`).

use crate::model::logs::{LogKind, LogRecord, LogTime};
use crate::model::vitals::LostUpstream;

/// The cluster of Envoy that is its agent.
const CLOSED: &str = " gRPC config stream to xds-grpc closed";
/// How the agent logs that it has a connection (`pkg/istio-agent/xds_proxy{,_delta}.go`).
const CONNECTED: [&str; 2] = ["connected to upstream XDS server", "connected to delta upstream XDS server"];
/// How it logs that it has none.
const FAILED: &str = "failed to connect to upstream ";
/// Of Go's and gRPC's words the ones that say how, not why.
const DIALING: [&str; 2] = ["transport: Error while dialing: ", "transport: "];
/// How much of a reason is kept, in characters.
const MOST: usize = 300;

/// Follows the connection, record by record in the order of time.
#[derive(Debug, Default)]
pub struct UpstreamFollower {
    lost: Option<LostUpstream>,
}

impl UpstreamFollower {
    /// Takes the next record.
    pub fn observe(&mut self, record: &LogRecord) {
        match record.kind {
            LogKind::Agent if CONNECTED.iter().any(|words| record.message.starts_with(words)) => self.lost = None,
            LogKind::Agent => {
                if let Some((_, why)) = record.message.strip_prefix(FAILED).and_then(|rest| rest.split_once(": ")) {
                    self.fail(record, described(why), None);
                }
            }
            LogKind::Envoy => {
                if let Some((_, rest)) = record.message.split_once(CLOSED) {
                    self.fail(record, reason(rest), seconds_before(rest));
                }
            }
            _ => {}
        }
    }

    fn fail(&mut self, record: &LogRecord, reason: String, before: Option<LogTime>) {
        let known = self.lost.take().and_then(|lost| lost.since);
        let since = record.time.map(|time| time - before.unwrap_or(0) * 1_000_000_000);
        self.lost = Some(LostUpstream { reason, since: known.into_iter().chain(since).min() });
    }

    /// The connection where it is lost at the end.
    pub fn lost(self) -> Option<LostUpstream> {
        self.lost
    }
}

/// ` since 42s ago: 14, …`, ` (previously 14, … since 42s ago)`: for how long it has been closed.
fn seconds_before(rest: &str) -> Option<LogTime> {
    let (before, _) = rest.rsplit_once("s ago")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// ` since 42s ago: 14, connection error: desc = "…"{via_upstream}`: what follows gRPC's code.
fn reason(rest: &str) -> String {
    let behind = rest.split_once(": ").map_or(rest, |(_, behind)| behind);
    match behind.split_once(", ") {
        Some((code, text)) if code.bytes().all(|byte| byte.is_ascii_digit()) => described(text),
        _ => described(behind),
    }
}

/// `connection error: desc = "transport: Error while dialing: dial tcp 10.96.82.11:15012: i/o timeout"{via_upstream}` is of
/// `dial tcp 10.96.82.11:15012: i/o timeout`.
fn described(text: &str) -> String {
    let text = text.split_once("desc = ").map_or(text, |(_, described)| described);
    let text = text.trim_start_matches('"');
    let text = ["\"", "{", " (previously ", "\t", "\n"].iter().filter_map(|end| text.find(end)).min().map_or(text, |end| &text[..end]);
    let text = DIALING.iter().find_map(|words| text.strip_prefix(words)).unwrap_or(text);
    text.trim().chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::{reason, seconds_before};

    #[test]
    fn a_reason_is_what_the_dialer_says() {
        let refused = " since 42s ago: 14, connection error: desc = \"transport: Error while dialing: dial tcp 10.96.82.11:15012: connect: \
            connection refused\"{via_upstream}";
        assert_eq!(
            (reason(refused).as_str(), seconds_before(refused)),
            ("dial tcp 10.96.82.11:15012: connect: connection refused", Some(42))
        );
        for (line, expected) in [
            (
                ": 14, connection error: desc = \"transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate \
                    signed by unknown authority\"",
                "authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            ),
            (
                ": 14, connection error: desc = \"transport: Error while dialing: dial tcp: lookup istiod.istio-system.svc on 10.96.0.10:53: no such host\"",
                "dial tcp: lookup istiod.istio-system.svc on 10.96.0.10:53: no such host",
            ),
            (": 16, authentication failure", "authentication failure"),
            (": 16, rpc error: code = Unauthenticated desc = authentication failure{via_upstream}", "authentication failure"),
            (": 14, upstream connect error (previously 13, reset since 97s ago)", "upstream connect error"),
        ] {
            assert_eq!(reason(line), expected, "{line}");
        }
        assert_eq!(seconds_before(": 14, upstream connect error"), None);
        assert_eq!(seconds_before(": 14, a (previously 13, b since 97s ago)"), Some(97));
    }
}
