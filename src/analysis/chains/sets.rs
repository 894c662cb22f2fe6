//! The chains of one inbound port by its kind and mutual TLS mode
//! (`core/filterchain_options.go: getFilterChainMatchOptions`; the same in every release since 1.12).

use crate::analysis::protocol::ProtocolClass;
use crate::model::peer_authentication::MtlsMode;

/// One chain of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether it has an HttpConnectionManager.
    pub http: bool,
    /// `transport_protocol`.
    pub transport: &'static str,
    /// `application_protocols`.
    pub alpn: &'static [&'static str],
    /// Whether it terminates mutual TLS.
    pub mtls: bool,
}

/// What sidecars send with HTTP over mutual TLS.
const MTLS_HTTP: &[&str] = &["istio-http/1.0", "istio-http/1.1", "istio-h2"];
/// What they send with anything else over mutual TLS.
const MTLS_TCP: &[&str] = &["istio-peer-exchange", "istio"];
/// All that they send over mutual TLS.
const MTLS_ALL: &[&str] = &["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];
/// What the HTTP inspector finds in plain bytes.
const PLAIN_HTTP: &[&str] = &["http/1.1", "h2c"];
/// The same where HTTP/1.0 counts as HTTP.
const PLAIN_HTTP_10: &[&str] = &["http/1.0", "http/1.1", "h2c"];

/// The ALPN of plain HTTP.
pub(super) fn plain_http(http10: bool) -> &'static [&'static str] {
    if http10 { PLAIN_HTTP_10 } else { PLAIN_HTTP }
}

const fn tls(http: bool, alpn: &'static [&'static str], mtls: bool) -> Shape {
    Shape { http, transport: "tls", alpn, mtls }
}

const fn plain(http: bool, alpn: &'static [&'static str]) -> Shape {
    Shape { http, transport: "raw_buffer", alpn, mtls: false }
}

/// The chains of a port. UDP falls among TCP, as in istiod.
pub(super) fn shapes(class: ProtocolClass, mode: MtlsMode, http10: bool) -> Vec<Shape> {
    use MtlsMode::{Disable, Permissive, Strict};
    let plain_http = plain_http(http10);
    match (class, mode) {
        (ProtocolClass::Http, Permissive) => vec![tls(true, MTLS_ALL, true), plain(true, &[])],
        (ProtocolClass::Http, Strict) => vec![tls(true, &[], true)],
        (ProtocolClass::Http, Disable) => vec![plain(true, &[])],
        (ProtocolClass::Auto, Permissive) => {
            vec![tls(true, MTLS_HTTP, true), plain(true, plain_http), tls(false, MTLS_TCP, true), plain(false, &[]), tls(false, &[], false)]
        }
        (ProtocolClass::Auto, Strict) => vec![tls(true, MTLS_HTTP, true), tls(false, &[], true)],
        (ProtocolClass::Auto, Disable) => vec![plain(true, plain_http), plain(false, &[])],
        (ProtocolClass::Tcp | ProtocolClass::Udp, Permissive) => {
            vec![tls(false, MTLS_ALL, true), tls(false, &[], false), plain(false, &[])]
        }
        (ProtocolClass::Tcp | ProtocolClass::Udp, Strict) => vec![tls(false, &[], true)],
        (ProtocolClass::Tcp | ProtocolClass::Udp, Disable) => vec![plain(false, &[])],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_have_istios_sizes() {
        use ProtocolClass::{Auto, Http, Tcp};
        for (class, chains, http) in [(Http, [2, 1, 1], [2, 1, 1]), (Auto, [5, 2, 2], [2, 1, 1]), (Tcp, [3, 1, 1], [0, 0, 0])] {
            for (mode, (chains, http)) in MtlsMode::ALL.into_iter().zip(chains.into_iter().zip(http)) {
                let set = shapes(class, mode, false);
                assert_eq!((set.len(), set.iter().filter(|shape| shape.http).count()), (chains, http), "{class:?} {mode}");
            }
        }
    }
}
