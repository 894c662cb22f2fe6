//! A sidecar's outbound listeners: one for each port of all HTTP services, one for each address and port of the others
//! (`core/listener.go: buildSidecarOutboundListeners, buildSidecarOutboundListener, buildListenerFromEntry`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::build::{self, Places};
use super::plugins::{Place, Plugins};
use super::services::{self, Known, NO_ADDRESS};
use super::sets::plain_http;
use super::{Facts, Gap, Prediction};
use crate::analysis::attachment::listener_match::Class;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::envoy::{ChainMatch, Destination, Direction, FilterChain, Listener};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::routing::VirtualService;
use crate::model::service::{Registry, Resolution, ServicePort};
use crate::model::workload::Pod;

/// A listener while services are added to it.
struct Entry {
    /// The protocol of what is in it so far; AUTO once HTTP and TCP are mixed.
    protocol: Protocol,
    chains: Vec<Candidate>,
    /// A listener that the Sidecar declares takes no more services.
    locked: bool,
}

/// A chain before it is known whether it is the listener's default.
#[derive(Clone)]
struct Candidate {
    matches: ChainMatch,
    http: bool,
    destination: Destination,
}

/// The listeners, with `virtualOutbound`, and what cannot be told of them.
pub(super) fn listeners(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Prediction {
    let visible = services::visible(facts);
    let mut entries: BTreeMap<(String, u16), Entry> = BTreeMap::new();
    let mut gaps = Vec::new();
    let sidecar = facts.sidecar();
    let egress = sidecar.map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default();
    let declared = egress.iter().find(|egress| egress.port.is_some() || !egress.bind.is_empty() || egress.capture_mode == "NONE");
    if let (Some((policy, _)), true) = (sidecar, declared.is_some() || !facts.intercepts) {
        let why = format!("Sidecar {} declares egress listeners of its own, which are not predicted", policy.name);
        return Prediction { listeners: Vec::new(), gaps: vec![Gap { listener: None, tcp_only: false, why }] };
    }
    if !facts.intercepts {
        let why =
            "the proxy intercepts nothing (interception mode NONE), so each service has a listener on the loopback address".to_owned();
        return Prediction { listeners: Vec::new(), gaps: vec![Gap { listener: None, tcp_only: false, why }] };
    }
    let routes = stream_routes(facts);
    for egress in egress.iter().map(Some).chain(egress.is_empty().then_some(None)) {
        for known in services::imported(egress, &visible, facts) {
            for port in known.ports() {
                add_port(&known, port, facts, &mut entries);
            }
            gaps.extend(gaps_of(&known, &routes, facts));
        }
        entries.values_mut().for_each(|entry| entry.locked = true);
    }
    let mut listeners: Vec<Listener> =
        entries.into_iter().map(|((address, port), entry)| listener(&address, port, entry, facts, plugins)).collect();
    listeners.extend(http_proxy(facts, plugins));
    listeners.push(catch_all(facts, plugins));
    Prediction { listeners, gaps }
}

fn add_port(known: &Known<'_>, port: &ServicePort, facts: &Facts<'_>, entries: &mut BTreeMap<(String, u16), Entry>) {
    let protocol = Protocol::of_port(port, known.service.registry, facts.plane.version);
    let class = protocol.class();
    if known.service.resolution == Resolution::Alias || class == ProtocolClass::Udp {
        return;
    }
    // HTTP services of a port share the listener on the wildcard address, where the proxy's own ports are.
    if class == ProtocolClass::Http && facts.is_reserved(port.port) {
        return;
    }
    let one_by_one = known.is_headless() && class != ProtocolClass::Http;
    let endpoints = if one_by_one { endpoints(known, facts) } else { Vec::new() };
    if !endpoints.is_empty() || (one_by_one && known.service.registry == Registry::Kubernetes) {
        let pure_tcp = facts.plane.features.headless_filter_chains && class == ProtocolClass::Tcp;
        for address in endpoints {
            let (bind, ranges) = if pure_tcp { (facts.wildcard().to_owned(), vec![range(&address)]) } else { (address, Vec::new()) };
            add(known, port, protocol, bind, ranges, facts, entries);
        }
        return;
    }
    let (bind, ranges) = match class {
        ProtocolClass::Http => (facts.wildcard().to_owned(), Vec::new()),
        _ if known.address.contains('/') => (facts.wildcard().to_owned(), vec![known.address.clone()]),
        _ if known.address == NO_ADDRESS => (facts.wildcard().to_owned(), Vec::new()),
        _ => (known.address.clone(), Vec::new()),
    };
    add(known, port, protocol, bind, ranges, facts, entries);
}

/// The addresses of a headless service's endpoints, less the proxy's own.
fn endpoints(known: &Known<'_>, facts: &Facts<'_>) -> Vec<String> {
    let selected = |pod: &&Arc<Pod>| {
        pod.id.namespace == known.service.name.namespace
            && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
            && known.service.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels))
    };
    let pods = facts.objects.pods.values().filter(selected).filter_map(|pod| pod.ips.first().cloned());
    let own = facts.pod.ips.first();
    let mut found: Vec<String> = pods.chain(known.service.endpoints.iter().cloned()).filter(|address| Some(address) != own).collect();
    found.retain(|address| address.parse::<core::net::IpAddr>().is_ok());
    found.sort();
    found.dedup();
    found
}

fn range(address: &str) -> String {
    format!("{address}/{}", if address.contains(':') { 128 } else { 32 })
}

/// Adds a service's port to the listener of an address, with istiod's rules for what may share it.
fn add(
    known: &Known<'_>,
    port: &ServicePort,
    protocol: Protocol,
    bind: String,
    ranges: Vec<String>,
    facts: &Facts<'_>,
    entries: &mut BTreeMap<(String, u16), Entry>,
) {
    use ProtocolClass::{Auto, Http, Tcp};
    let on_wildcard = bind == facts.wildcard();
    let (key, class) = ((bind, port.port), protocol.class());
    let cluster = Destination::Cluster(format!("outbound|{}||{}", port.port, known.host));
    let tcp = || {
        let by_name = protocol.is_tls() && (!ranges.is_empty() || (on_wildcard && known.address == NO_ADDRESS));
        let server_names = if by_name { vec![known.host.clone()] } else { Vec::new() };
        let matches = ChainMatch { prefix_ranges: ranges.clone(), server_names, ..ChainMatch::default() };
        Candidate { matches, http: false, destination: cluster.clone() }
    };
    let http = |route: String| {
        let matches = ChainMatch {
            transport_protocol: "raw_buffer".to_owned(),
            application_protocols: plain_http(facts.http10).iter().map(|&word| word.to_owned()).collect(),
            ..ChainMatch::default()
        };
        Candidate { matches, http: true, destination: Destination::Route(route) }
    };
    let shared = || http(port.port.to_string());
    let made = match class {
        Http => vec![shared()],
        Auto if on_wildcard => vec![tcp(), shared()],
        Auto => vec![tcp(), http(format!("{}:{}", known.host, port.port))],
        _ => vec![tcp()],
    };
    // On the wildcard address an HTTP listener has a way out for TCP, so it counts as one that detects.
    let becomes = if class == Http { Protocol::Unsupported } else { protocol };
    let Some(entry) = entries.get_mut(&key) else {
        entries.insert(key, Entry { protocol: becomes, chains: made, locked: false });
        return;
    };
    if entry.locked {
        return;
    }
    let there = entry.protocol.class();
    let server_first = |protocol: Protocol| matches!(protocol, Protocol::Mongo | Protocol::MySql);
    if (server_first(protocol) || server_first(entry.protocol)) && protocol != entry.protocol {
        return;
    }
    match (class, there) {
        // HTTP services of one port are told apart by routes.
        (Http, Http | Auto) => {}
        (Http, _) | (Tcp, Http) | (Auto, Tcp) => {
            merge(entry, made);
            entry.protocol = Protocol::Unsupported;
        }
        (Auto, Http) => *entry = Entry { protocol: becomes, chains: made, locked: false },
        (Auto, _) => merge(entry, vec![tcp()]),
        _ => merge(entry, made),
    }
}

/// Chains that match the same are there already (`mergeTCPFilterChains`).
fn merge(entry: &mut Entry, more: Vec<Candidate>) {
    for candidate in more {
        if entry.chains.iter().all(|chain| chain.matches != candidate.matches) {
            entry.chains.push(candidate);
        }
    }
}

fn listener(address: &str, port: u16, entry: Entry, facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Listener {
    let places = Places::same(Place::new(Class::Outbound, port));
    let (mut chains, mut default) = (Vec::new(), None);
    for Candidate { matches, http, destination } in entry.chains {
        let takes_all = matches.is_empty();
        let chain = build::chain("", matches, http, destination, places, plugins);
        if takes_all { default = Some(chain) } else { chains.push(chain) }
    }
    match default {
        // Alone, it needs no default.
        Some(only) if chains.is_empty() => chains.push(only),
        Some(chain) => chains.push(FilterChain { is_default: true, ..chain }),
        None => chains.push(fall_through(facts, plugins)),
    }
    build::listener(format!("{address}_{port}"), address, port, Direction::Outbound, chains)
}

/// Where what no chain takes goes.
fn fall_through(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> FilterChain {
    let destination = Destination::Cluster(egress_cluster(facts).to_owned());
    let chain = build::chain("PassthroughFilterChain", ChainMatch::default(), false, destination, Places::NONE, plugins);
    FilterChain { is_default: true, ..chain }
}

fn egress_cluster(facts: &Facts<'_>) -> &'static str {
    if facts.mesh.outbound_mode == "REGISTRY_ONLY" { "BlackHoleCluster" } else { "PassthroughCluster" }
}

/// The explicit proxy of `proxyHttpPort` (`core/listener.go: buildHTTPProxy`).
fn http_proxy(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Option<Listener> {
    let port = facts.http_proxy_port?;
    let places = Places::same(Place::new(Class::Outbound, port));
    let chain = build::chain("", ChainMatch::default(), true, Destination::Route("http_proxy".to_owned()), places, plugins);
    Some(build::listener(format!("{}_{port}", facts.localhost()), facts.localhost(), port, Direction::Outbound, vec![chain]))
}

/// `virtualOutbound`: what no listener of its own takes. No plugin stands there
/// (`core/listener_builder.go: buildVirtualOutboundListener`).
fn catch_all(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Listener {
    let port = facts.mesh.outbound_port;
    let to_itself = ChainMatch { destination_port: Some(port), ..ChainMatch::default() };
    let blackhole = Destination::Cluster("BlackHoleCluster".to_owned());
    let out = Destination::Cluster(egress_cluster(facts).to_owned());
    let chains = vec![
        build::chain("virtualOutbound-blackhole", to_itself, false, blackhole, Places::NONE, plugins),
        build::chain("virtualOutbound-catchall-tcp", ChainMatch::default(), false, out, Places::NONE, plugins),
    ];
    build::listener("virtualOutbound".to_owned(), facts.wildcard(), port, Direction::Outbound, chains)
}

/// VirtualServices of the mesh with TCP or TLS routes, which replace the chains without HTTP of their hosts, and which this program
/// does not follow.
fn stream_routes<'s>(facts: &Facts<'s>) -> Vec<(&'s ObjectName, &'s VirtualService)> {
    let policies = facts.objects.policies.iter().filter(|((kind, _), _)| *kind == Kind::VirtualService);
    let routes = policies.filter_map(|(_, policy)| match &policy.spec {
        PolicySpec::VirtualService(routes) => Some((&policy.name, routes)),
        _ => None,
    });
    let in_mesh = |routes: &VirtualService| routes.gateways.is_empty() || routes.gateways.iter().any(|gateway| gateway == "mesh");
    routes.filter(|(_, routes)| (routes.tcp || routes.tls) && in_mesh(routes)).collect()
}

fn gaps_of(known: &Known<'_>, routes: &[(&ObjectName, &VirtualService)], facts: &Facts<'_>) -> Vec<Gap> {
    let service = &known.service.name;
    let mut found = Vec::new();
    for (name, routes) in routes {
        let names = |host: &String| *host == known.host || (*host == service.name && name.namespace == service.namespace);
        if !routes.hosts.iter().any(names) {
            continue;
        }
        for port in known.ports() {
            if Protocol::of_port(port, known.service.registry, facts.plane.version).class() != ProtocolClass::Http {
                let listener = Some(format!("{}_{}", known.address, port.port));
                let why = format!("VirtualService {name} has tcp or tls routes for {}, which are not predicted", known.host);
                found.push(Gap { listener, tcp_only: true, why });
            }
        }
    }
    found
}
