//! What becomes of services that meet in one outbound listener
//! (`core/listener.go: buildSidecarOutboundListener, mergeTCPFilterChains`).

use std::collections::BTreeMap;

use super::Facts;
use super::addresses::Bind;
use super::services::{Known, NO_ADDRESS};
use super::sets::plain_http;
use crate::analysis::cidr;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::envoy::{ChainMatch, Destination};
use crate::model::service::{Resolution, ServicePort};

/// Listeners by address and port while services are added to them.
pub(super) type Entries = BTreeMap<(String, u16), Entry>;

/// A listener while services are added to it.
#[derive(Debug)]
pub(super) struct Entry {
    /// The protocol of what is in it so far; AUTO once HTTP and TCP are mixed.
    protocol: Protocol,
    /// Its chains so far.
    pub chains: Vec<Candidate>,
    /// Whether it takes no more services: one of an egress listener before the last.
    pub locked: bool,
}

/// A chain before it is known whether it is the listener's default.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// What it matches.
    pub matches: ChainMatch,
    /// Whether nothing at all was asked of it, not even a range that is every address.
    pub takes_all: bool,
    /// Whether it has an HttpConnectionManager.
    pub http: bool,
    /// Where it leads.
    pub destination: Destination,
}

impl Candidate {
    /// Two chains that match the same cannot stand in one listener (`filterChainOpts.conflictsWith`).
    fn conflicts_with(&self, other: &Self) -> bool {
        let ranges = |candidate: &Self| {
            let mut ranges: Vec<String> = candidate.matches.prefix_ranges.iter().map(|range| cidr::network(range)).collect();
            ranges.sort();
            ranges
        };
        let rest = |candidate: &Self| ChainMatch { prefix_ranges: Vec::new(), ..candidate.matches.clone() };
        ranges(self) == ranges(other) && rest(self) == rest(other)
    }
}

/// Adds a service's port to a listener.
pub(super) fn add(known: &Known<'_>, port: &ServicePort, protocol: Protocol, bind: Bind, facts: &Facts<'_>, entries: &mut Entries) {
    use ProtocolClass::{Auto, Http, Tcp};
    let class = protocol.class();
    let on_wildcard = bind.address == facts.wildcard();
    let tcp = || tcp(known, port, protocol, &bind, facts);
    let made = match class {
        // Nothing is asked of the only chain, so there is no way out for TCP.
        Http if protocol == Protocol::HttpProxy => vec![http_proxy(port.port.to_string())],
        Http => vec![http(port.port.to_string(), facts)],
        Auto if on_wildcard => vec![tcp(), http(port.port.to_string(), facts)],
        Auto => vec![tcp(), http(format!("{}:{}", known.host, port.port), facts)],
        _ => vec![tcp()],
    };
    // On the wildcard address an HTTP listener has a way out for TCP, so it counts as one that detects.
    let becomes = if class == Http && protocol != Protocol::HttpProxy { Protocol::Unsupported } else { protocol };
    let Some(entry) = entries.get_mut(&(bind.address.clone(), port.port)) else {
        entries.insert((bind.address, port.port), Entry { protocol: becomes, chains: made, locked: false });
        return;
    };
    if entry.locked {
        return;
    }
    // An HTTP proxy takes the place of what was there.
    if protocol == Protocol::HttpProxy {
        *entry = Entry { protocol: becomes, chains: made, locked: false };
        return;
    }
    let server_first = |protocol: Protocol| matches!(protocol, Protocol::Mongo | Protocol::MySql);
    if (server_first(protocol) || server_first(entry.protocol)) && protocol != entry.protocol {
        return;
    }
    match (class, entry.protocol.class()) {
        // HTTP services of one port are told apart by routes.
        (Http, Http | Auto) => {}
        (Http, _) | (Tcp, Http) | (Auto, Tcp) => {
            merge(entry, made);
            entry.protocol = Protocol::Unsupported;
        }
        (Auto, Http) => *entry = Entry { protocol: becomes, chains: made, locked: false },
        (Auto, _) if facts.plane.version.merges_detecting_services() => merge(entry, vec![tcp()]),
        (Auto, _) => {}
        _ => merge(entry, made),
    }
}

fn http_proxy(route: String) -> Candidate {
    Candidate { matches: ChainMatch::default(), takes_all: true, http: true, destination: Destination::Route(route) }
}

fn http(route: String, facts: &Facts<'_>) -> Candidate {
    let matches = ChainMatch {
        transport_protocol: "raw_buffer".to_owned(),
        application_protocols: plain_http(facts.http10).iter().map(|&word| word.to_owned()).collect(),
        ..ChainMatch::default()
    };
    Candidate { matches, takes_all: false, http: true, destination: Destination::Route(route) }
}

/// TLS is told apart by SNI where the address does not say which service is meant (`core/tls.go:
/// buildSidecarOutboundTLSFilterChainOpts`).
fn tcp(known: &Known<'_>, port: &ServicePort, protocol: Protocol, bind: &Bind, facts: &Facts<'_>) -> Candidate {
    let any_address = known.address == NO_ADDRESS && bind.address == facts.wildcard();
    let any_name = known.service.resolution == Resolution::DynamicDns && known.host.starts_with('*');
    let by_name = protocol.is_tls() && !bind.of_pod && (!bind.ranges.is_empty() || any_address || any_name);
    let server_names: Vec<String> = by_name.then(|| known.host.clone()).into_iter().collect();
    // A host that is any host, and a range that is every address, are left out of what is matched.
    let matches = ChainMatch {
        prefix_ranges: bind.ranges.iter().filter(|range| !range.starts_with("0.0.0.0/")).cloned().collect(),
        server_names: server_names.iter().filter(|name| *name != "*").cloned().collect(),
        ..ChainMatch::default()
    };
    let takes_all = bind.ranges.is_empty() && matches.is_empty();
    let destination = Destination::Cluster(format!("outbound|{}||{}", port.port, known.host));
    Candidate { matches, takes_all, http: false, destination }
}

fn merge(entry: &mut Entry, more: Vec<Candidate>) {
    for candidate in more {
        if !entry.chains.iter().any(|chain| chain.conflicts_with(&candidate)) {
            entry.chains.push(candidate);
        }
    }
}
