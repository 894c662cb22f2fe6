//! A chain in plain words: who takes it, by what it is recognised, where it goes.

use super::kind::ChainKind;
use crate::model::envoy::{ChainMatch, FilterChain, Listener, NEVER, Transport};

/// What connections a chain takes, as one clause: `mTLS from the mesh to port 80`.
pub fn meaning(chain: &FilterChain, kind: ChainKind, listener: &Listener) -> String {
    let matches = &chain.matches;
    match kind {
        ChainKind::Blackhole => "blackhole: traffic to the proxy itself goes nowhere".to_owned(),
        ChainKind::Service | ChainKind::Ingress => {
            let sidecar = if kind == ChainKind::Ingress { " (Sidecar ingress)" } else { "" };
            format!("{}{}{}{sidecar}", transport(chain), to_port(matches), if is_http(chain) { "" } else { ", TCP" })
        }
        ChainKind::Passthrough => format!("passthrough{}{}, {}", family(matches), to_port(matches), short_transport(chain)),
        ChainKind::Default => "everything that no other chain takes, passed through".to_owned(),
        ChainKind::Outbound => format!("{}{}", if is_http(chain) { "HTTP" } else { protocol(chain) }, outbound_target(chain, listener)),
        ChainKind::Gateway => gateway(chain, listener),
        ChainKind::Waypoint => waypoint(chain),
        ChainKind::Other if listener.is_static => "listener of the bootstrap".to_owned(),
        ChainKind::Other => short_transport(chain),
    }
}

/// By what a connection is recognised, in the words of `FilterChainMatch`: `tls · istio, istio-peer-exchange`.
pub fn recognised_by(chain: &FilterChain) -> String {
    let matches = &chain.matches;
    let mut parts = Vec::new();
    if !matches.transport_protocol.is_empty() {
        parts.push(matches.transport_protocol.clone());
    }
    let mut list = |name: &str, items: &[String]| {
        if !items.is_empty() {
            parts.push(format!("{name}{}", items.join(", ")));
        }
    };
    list("", &matches.application_protocols);
    list("SNI ", &matches.server_names);
    list("to ", &matches.prefix_ranges);
    list("directly from ", &matches.direct_source_prefix_ranges);
    let source_type: Vec<String> = matches.source_type.iter().map(|kind| kind.as_str().to_owned()).collect();
    list("source type ", &source_type);
    list("from ", &matches.source_prefix_ranges);
    let ports: Vec<String> = matches.source_ports.iter().map(u16::to_string).collect();
    list("source port ", &ports);
    list("", &matches.other);
    let never = chain.matcher.first().is_some_and(|condition| condition == NEVER);
    list(if never { "" } else { "if " }, &chain.matcher);
    match (parts.is_empty(), matches.destination_port) {
        (true, Some(port)) => format!("port {port}"),
        (true, None) => "anything".to_owned(),
        (false, _) => parts.join(" · "),
    }
}

/// Where a chain leads: a cluster or a route configuration; empty where it leads nowhere that can be named.
pub fn destination(chain: &FilterChain) -> String {
    chain.destination.as_ref().map(|destination| destination.name().to_owned()).unwrap_or_default()
}

fn is_http(chain: &FilterChain) -> bool {
    chain.http_filters.is_some()
}

fn to_port(matches: &ChainMatch) -> String {
    matches.destination_port.map(|port| format!(" to port {port}")).unwrap_or_default()
}

/// How the bytes come, for a chain of a declared port.
fn transport(chain: &FilterChain) -> &'static str {
    match (chain.transport, chain.matches.transport_protocol.as_str()) {
        (Transport::MutualTls, _) => "mTLS from the mesh",
        (Transport::Tls, _) => "TLS, terminated here,",
        (Transport::Plain, "tls") => "TLS, passed through,",
        (Transport::Plain, "raw_buffer") => "plain text",
        (Transport::Plain, _) => "any bytes",
        (Transport::Other, _) => "another transport",
    }
}

/// The same with the protocol, for chains that are told apart by it.
fn short_transport(chain: &FilterChain) -> String {
    let protocol = if is_http(chain) { "HTTP" } else { "TCP" };
    match (chain.transport, chain.matches.transport_protocol.as_str()) {
        (Transport::MutualTls, _) => format!("mTLS {protocol}"),
        (Transport::Tls, _) => format!("TLS {protocol}, terminated here"),
        (Transport::Plain, "tls") => "foreign TLS".to_owned(),
        (Transport::Plain, "raw_buffer") => format!("plain {protocol}"),
        (Transport::Plain, _) => protocol.to_owned(),
        (Transport::Other, _) => format!("{protocol} over another transport"),
    }
}

/// Until 1.22 there was a passthrough set for each IP family (1.22: `core/listener_builder.go: buildInboundCatchAllFilterChains`).
fn family(matches: &ChainMatch) -> &'static str {
    match matches.prefix_ranges.as_slice() {
        [one] if one == "0.0.0.0/0" => " IPv4",
        [one] if matches!(one.as_str(), "::0/0" | "::/0") => " IPv6",
        _ => "",
    }
}

fn protocol(chain: &FilterChain) -> &'static str {
    if chain.matches.transport_protocol == "tls" { "TLS" } else { "TCP" }
}

fn outbound_target(chain: &FilterChain, listener: &Listener) -> String {
    if let Some(host) = chain.destination.as_ref().and_then(|destination| destination.name().strip_prefix("outbound|")) {
        let mut parts = host.split('|');
        let (port, name) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
        return format!(" to {name} port {port}");
    }
    listener.port().map(|port| format!(" to port {port}")).unwrap_or_default()
}

fn gateway(chain: &FilterChain, listener: &Listener) -> String {
    let port = listener.port().map(|port| format!(" on port {port}")).unwrap_or_default();
    let hosts = &chain.matches.server_names;
    let hosts = if hosts.is_empty() { String::new() } else { format!(" for {}", hosts.join(", ")) };
    let what = match (chain.transport, is_http(chain)) {
        (Transport::Plain, true) => "HTTP",
        (_, true) => "HTTPS, terminated here,",
        (Transport::Plain, false) if chain.matches.transport_protocol == "tls" || !chain.matches.server_names.is_empty() => {
            "TLS, passed through,"
        }
        (Transport::Plain, false) => "TCP",
        (_, false) => "TLS, terminated here,",
    };
    format!("{what}{hosts}{port}")
}

/// Istio names a waypoint's chains `inbound-vip|<port>|<protocol>|<host>` and `direct-http`, `direct-tcp`
/// (`core/listener_waypoint.go`).
fn waypoint(chain: &FilterChain) -> String {
    let protocol = if is_http(chain) { "HTTP" } else { "TCP" };
    let parts: Vec<&str> = chain.name.split('|').collect();
    match parts.as_slice() {
        ["inbound-vip", port, _, host] => format!("{protocol} to {host} port {port}"),
        ["inbound-vip", port, host] => format!("{protocol} to {host} port {port}"),
        [name] if name.starts_with("direct") => format!("{protocol} straight to a pod"),
        _ => protocol.to_owned(),
    }
}
