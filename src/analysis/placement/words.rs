//! A chain in plain words: who takes it, by what it is recognised, where it goes.

use super::kind::{ChainKind, is_passed_through};
use crate::model::envoy::{ChainMatch, Direction, FilterChain, Listener, NEVER, Transport};

/// What connections a chain takes, as one clause: `mTLS from the mesh to port 80`.
pub fn meaning(chain: &FilterChain, kind: ChainKind, listener: &Listener) -> String {
    let matches = &chain.matches;
    if chain.unread && !is_http(chain) {
        return "not known, since it could not be read".to_owned();
    }
    let said = match kind {
        ChainKind::Blackhole => return dropped(chain, listener).to_owned(),
        _ if listener.is_static => return "listener of the bootstrap".to_owned(),
        ChainKind::Default if is_passed_through(chain) => return "everything that no other chain takes, passed through".to_owned(),
        ChainKind::Service | ChainKind::Ingress => {
            let sidecar = if kind == ChainKind::Ingress { " (Sidecar ingress)" } else { "" };
            format!("{}{}{}{sidecar}", transport(chain), to_port(matches), if is_http(chain) { "" } else { ", TCP" })
        }
        ChainKind::Passthrough => format!("passthrough{}{}, {}", family(matches), to_port(matches), short_transport(chain)),
        ChainKind::Outbound => format!("{}{}", if is_http(chain) { "HTTP" } else { protocol(chain) }, outbound_target(chain, listener)),
        ChainKind::Gateway | ChainKind::Default => gateway(chain, listener),
        ChainKind::Waypoint => waypoint(chain),
        ChainKind::Other => short_transport(chain),
    };
    match (chain.is_default, listener.chains.len()) {
        (false, _) => said,
        (true, 1) => format!("{said} (all connections)"),
        (true, _) => format!("{said}, for what no other chain takes"),
    }
}

/// What a chain drops that leads to the black hole. A listener that gets the redirected traffic has one for its own port, lest the proxy
/// connects to itself (`core/listener_builder.go`, `core/listener_inbound.go: buildInboundBlackhole`); what leaves the workload and is for no
/// known service goes there where the policy is so (`listener_builder.go: buildOutboundCatchAllNetworkFiltersOnly`).
fn dropped(chain: &FilterChain, listener: &Listener) -> &'static str {
    let matches = &chain.matches;
    if matches.destination_port.is_some() && matches.destination_port == listener.port() {
        "blackhole: traffic to the proxy itself goes nowhere"
    } else if listener.direction == Some(Direction::Outbound) && (chain.is_default || matches.is_empty()) {
        "dropped: destinations that the mesh does not know (outboundTrafficPolicy REGISTRY_ONLY, of the mesh or of a Sidecar)"
    } else {
        "dropped: what comes here goes nowhere (BlackHoleCluster)"
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
    let ways = ways(&chain.matcher);
    if !ways.is_empty() {
        parts.push(ways);
    }
    match (parts.is_empty(), matches.destination_port) {
        (true, Some(port)) => format!("port {port}"),
        (true, None) => "anything".to_owned(),
        (false, _) => parts.join(" · "),
    }
}

/// The ways through the listener's matcher that lead to a chain, any of which will do: those that differ in their last value alone are put
/// together.
fn ways(ways: &[String]) -> String {
    if ways.first().is_some_and(|way| way == NEVER) {
        return NEVER.to_owned();
    }
    let divided: Vec<(&str, &str)> = ways.iter().filter_map(|way| way.rsplit_once(" is ")).collect();
    match divided.as_slice() {
        [(first, _), ..] if divided.len() == ways.len() && divided.iter().all(|(before, _)| before == first) => {
            let values: Vec<&str> = divided.iter().map(|(_, value)| *value).collect();
            format!("if {first} is {}", values.join(" or "))
        }
        _ => ways.iter().map(|way| format!("if {way}")).collect::<Vec<_>>().join(" or "),
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

/// Istio names a waypoint's chains `inbound-vip|<port>|<protocol>|<host>`, until 1.23 `inbound-vip|<port>||<host>-http` and `…-tcp`, and
/// `direct-http`, `direct-tcp` (`core/listener_waypoint.go` of each release). Where a name is none of these, the cluster says it, which has
/// the first form.
fn waypoint(chain: &FilterChain) -> String {
    let protocol = if is_http(chain) { "HTTP" } else { "TCP" };
    let target = |name: &str| match name.split('|').collect::<Vec<_>>().as_slice() {
        ["inbound-vip", port, "", host] => {
            let host = host.strip_suffix("-http").or_else(|| host.strip_suffix("-tcp")).unwrap_or(host);
            Some(format!("{protocol} to {host} port {port}"))
        }
        ["inbound-vip", port, _, host] => Some(format!("{protocol} to {host} port {port}")),
        [name] if name.starts_with("direct") => Some(format!("{protocol} straight to a pod")),
        _ => None,
    };
    target(&chain.name).or_else(|| target(&destination(chain))).unwrap_or_else(|| protocol.to_owned())
}
