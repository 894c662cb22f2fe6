//! From what was said of a connection to what a listener sees of it: what was not said is assumed, each with a sentence,
//! and what no listener filter looks at is not seen.

use core::net::IpAddr;

use serde::Serialize;

use super::asked::{Asked, Http, Tls};
use crate::analysis::placement::ListenerDirection;
use crate::model::envoy::{Listener, ListenerFilterKind};

/// A connection with all that had to be assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assumed {
    /// Which way it goes.
    pub direction: ListenerDirection,
    /// The destination port.
    pub port: u16,
    /// The destination address, where it is known.
    pub address: Option<IpAddr>,
    /// Whose TLS it is.
    pub tls: Tls,
    /// What is spoken inside; None where only the ALPN was said.
    pub http: Option<Http>,
    /// The application protocols that the client offers in its handshake.
    pub alpn: Vec<String>,
    /// The server name, where it is known; empty where there is none.
    pub sni: Option<String>,
    /// The client's address, where it is known.
    pub source: Option<IpAddr>,
    /// The client's port, where it is known.
    pub source_port: Option<u16>,
    /// What was assumed, a clause each.
    #[serde(rename = "assumed")]
    pub assumptions: Vec<String>,
}

impl Assumed {
    /// In words: `to port 80 with mTLS from the mesh, HTTP/1.1 inside`.
    pub fn words(&self) -> String {
        let tls = match self.tls {
            Tls::None => "in plain text",
            Tls::Mesh => "with mTLS from the mesh",
            Tls::Foreign => "with foreign TLS",
        };
        let inside = match self.http {
            Some(Http::None) => ", no HTTP inside".to_owned(),
            Some(http) => format!(", HTTP/{} inside", http.as_str()),
            None => String::new(),
        };
        format!("to port {} {tls}{inside}", self.port)
    }
}

/// What a listener has to pick a chain by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The destination port.
    pub port: u16,
    /// The destination address; None where it is not known.
    pub address: Option<IpAddr>,
    /// The server name, empty for none; None where it is not known.
    pub server_name: Option<String>,
    /// `tls` or `raw_buffer`.
    pub transport_protocol: &'static str,
    /// The application protocols, in the client's order.
    pub application_protocols: Vec<String>,
    /// Where it comes from; None where it is not known.
    pub source: Option<IpAddr>,
    /// From which port; None where it is not known.
    pub source_port: Option<u16>,
    /// What the listener does not look at, though it is there, a clause each.
    pub unseen: Vec<String>,
}

impl Seen {
    /// In words: `tls, ALPN istio, SNI none`.
    pub fn words(&self) -> String {
        let protocols = self.application_protocols.join(", ");
        let sni = self.server_name.as_deref().map_or("not known", or_none);
        format!("{}, application protocol {}, SNI {sni}", self.transport_protocol, or_none(&protocols))
    }
}

/// Assumes what was not said. `addresses` are the proxy's own.
pub fn assume(asked: &Asked, direction: ListenerDirection, addresses: &[IpAddr]) -> Assumed {
    let mut assumptions = Vec::new();
    let tls = asked.tls.unwrap_or_else(|| {
        assumptions.push("no TLS, as tls= was not given".to_owned());
        Tls::None
    });
    let http = asked.http.or_else(|| {
        asked.alpn.is_none().then(|| {
            assumptions.push("HTTP/1.1 is spoken, as http= was not given".to_owned());
            Http::Http11
        })
    });
    let alpn = asked.alpn.clone().unwrap_or_else(|| {
        let alpn: Vec<String> = offered(tls, http).iter().map(|name| (*name).to_owned()).collect();
        let by = if tls == Tls::Mesh { "what a sidecar offers for this" } else { "what follows from http=" };
        if tls != Tls::None {
            assumptions.push(format!("ALPN {}: {by}, as alpn= was not given", or_none(&alpn.join(", "))));
        }
        alpn
    });
    let sidecar = matches!(direction, ListenerDirection::Inbound | ListenerDirection::Outbound);
    match asked.direction {
        None if sidecar => assumptions.push(format!("{}, as direction= was not given", direction.as_str())),
        Some(_) if !sidecar => assumptions.push(format!("direction= means nothing at a {}", direction.as_str())),
        _ => {}
    }
    // What comes to a pod comes to its address; what leaves it or passes a waypoint is meant for another.
    let own = matches!(direction, ListenerDirection::Inbound | ListenerDirection::Gateway);
    let address = asked.address.or_else(|| match addresses {
        [only] if own => {
            assumptions.push(format!("to {only}, the proxy's only address, as address= was not given"));
            Some(*only)
        }
        _ => None,
    });
    // Without TLS there is no server name.
    let sni = if tls == Tls::None { Some(String::new()) } else { asked.sni.clone() };
    Assumed {
        direction,
        port: asked.port,
        address,
        tls,
        http,
        alpn,
        sni,
        source: asked.source,
        source_port: asked.source_port,
        assumptions,
    }
}

/// The ALPN of a client's handshake. The Envoy of the mesh offers what its `istio.alpn` filter chooses for HTTP
/// (`pilot/pkg/xds/filters/filters.go: mtlsHTTP11ALPN`), else its cluster's (`util.go: ALPNInMeshWithMxc`).
fn offered(tls: Tls, http: Option<Http>) -> &'static [&'static str] {
    match (tls, http) {
        (Tls::None, _) | (Tls::Foreign, Some(Http::None) | None) => &[],
        (Tls::Mesh, Some(Http::Http11)) => &["istio-http/1.1", "istio", "http/1.1"],
        (Tls::Mesh, Some(Http::Http2)) => &["istio-h2", "istio", "h2"],
        (Tls::Mesh, Some(Http::Http10)) => &["istio-http/1.0", "istio", "http/1.0"],
        (Tls::Mesh, Some(Http::None) | None) => &["istio-peer-exchange", "istio"],
        (Tls::Foreign, Some(Http::Http11)) => &["http/1.1"],
        (Tls::Foreign, Some(Http::Http2)) => &["h2"],
        (Tls::Foreign, Some(Http::Http10)) => &["http/1.0"],
    }
}

/// The text, or `none`.
pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// What the listener sees of the connection, by its listener filters.
///
/// # Errors
/// What cannot be told.
pub fn see(listener: &Listener, connection: &Assumed) -> Result<Seen, String> {
    let port = connection.port;
    let runs = |kind: ListenerFilterKind, name: &str| {
        let of_kind = listener.filters.iter().filter(|filter| filter.kind == kind);
        let runs: Vec<Option<bool>> = of_kind.map(|filter| filter.runs_on(port)).collect();
        let known = if runs.contains(&Some(true)) { Some(true) } else { (!runs.contains(&None)).then_some(false) };
        known.ok_or_else(|| format!("whether the listener's {name} runs for port {port}"))
    };
    let mut seen = Seen {
        port,
        address: connection.address,
        server_name: Some(String::new()),
        // Where no listener filter says otherwise (`ActiveTcpSocket::newConnection`).
        transport_protocol: "raw_buffer",
        application_protocols: Vec::new(),
        source: connection.source,
        source_port: connection.source_port,
        unseen: Vec::new(),
    };
    if connection.tls != Tls::None {
        if runs(ListenerFilterKind::TlsInspector, "TLS inspector")? {
            seen.transport_protocol = "tls";
            seen.server_name = connection.sni.clone();
            seen.application_protocols.clone_from(&connection.alpn);
        } else {
            seen.unseen.push(format!("no TLS inspector runs here for port {port}, so TLS bytes are raw_buffer, without SNI and ALPN"));
        }
        // To the HTTP inspector a TLS handshake is not HTTP.
        return Ok(seen);
    }
    let detected = match connection.http {
        Some(Http::Http11) => "http/1.1",
        Some(Http::Http2) => "h2c",
        Some(Http::Http10) => "http/1.0",
        Some(Http::None) | None => return Ok(seen),
    };
    if runs(ListenerFilterKind::HttpInspector, "HTTP inspector")? {
        seen.application_protocols.push(detected.to_owned());
    } else {
        seen.unseen.push(format!("no HTTP inspector runs here for port {port}, so HTTP is not told from other bytes"));
    }
    Ok(seen)
}
