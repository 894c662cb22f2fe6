//! Why a plugin's filter stands N times in a listener: N as a sum whose every term points at chains.

use serde::Serialize;

use super::placement::{self, ChainKind, ListenerDirection};
use super::targets;
use crate::model::envoy::{FilterChain, Listener};
use crate::model::ids::PluginId;
use crate::model::inventory::Inventory;
use crate::model::plugin::PluginType;
use crate::model::service::Service;
use crate::model::workload::Pod;

/// One term of the sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// How many occurrences it gives; 0 for a declared port whose chains have no HTTP filters, where the plugin is an HTTP plugin.
    pub count: usize,
    /// What these chains are for: `service port 8000 -> 80 (http)`.
    pub what: String,
    /// How these chains differ from each other: `mTLS from the mesh, plain text`.
    pub how: String,
    /// The chains, as 0-based places in the listener's `filterChains`.
    pub chains: Vec<usize>,
}

/// The sentence that goes with every N over 1.
pub const ONE_CHAIN: &str = "A connection is handled by exactly one of these chains, so a request passes the plugin once here.";

/// How a port is that has no chain for an HTTP plugin.
const NO_HTTP: &str = "no HTTP: requests to it pass the plugin by";

/// The terms of a plugin's count in a listener, declared ports first; their counts sum to
/// [`placement::count_in_listener`].
pub fn terms(
    listener: &Listener,
    direction: Option<ListenerDirection>,
    plugin: &PluginId,
    pod: Option<&Pod>,
    objects: &Inventory,
) -> Vec<Term> {
    let mut found: Vec<(Group, Term, Vec<String>)> = Vec::new();
    let (object, mut without) = (objects.plugins.get(plugin), Vec::new());
    for (place, chain) in listener.chains.iter().enumerate() {
        let count = placement::count_in_chain(chain, plugin);
        let kind = placement::classify(chain, direction);
        let group = Group::of(chain, kind);
        if count == 0 {
            if kind == ChainKind::Service && chain.http_filters.is_none() && !chain.unread {
                without.push((group, place));
            }
            continue;
        }
        let at = match found.iter().position(|(candidate, ..)| *candidate == group) {
            Some(at) => at,
            None => {
                let what = what(&group, chain, listener, pod, objects);
                found.push((group, Term { count: 0, what, how: String::new(), chains: Vec::new() }, Vec::new()));
                found.len() - 1
            }
        };
        let (_, term, ways) = &mut found[at];
        term.count += count;
        term.chains.push(place);
        let way = way(chain, kind);
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    if object.is_some_and(|object| object.plugin_type == PluginType::Http) && !found.is_empty() {
        for (group, place) in without {
            match found.iter().position(|(candidate, ..)| *candidate == group) {
                Some(at) if found[at].1.count == 0 => found[at].1.chains.push(place),
                // The port has chains with HTTP too.
                Some(_) => {}
                None => {
                    let what = what(&group, &listener.chains[place], listener, pod, objects);
                    found.push((group, Term { count: 0, what, how: String::new(), chains: vec![place] }, vec![NO_HTTP.to_owned()]));
                }
            }
        }
    }
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    found.into_iter().map(|(_, term, ways)| Term { how: ways.join(" + "), ..term }).collect()
}

/// What makes chains one term: they serve the same port, or are the same passthrough set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// A declared port, or a Sidecar's ingress port.
    Port(u16, ChainKind),
    /// The passthrough set of an IP family (empty where there is one set for all), for one port where a port-level policy made it.
    Passthrough(Option<u16>, Vec<String>),
    /// All HTTP of an outbound listener, a gateway's or waypoint's chain by its name and hosts.
    Named(ChainKind, String, Vec<String>),
}

impl Group {
    fn of(chain: &FilterChain, kind: ChainKind) -> Self {
        match (kind, chain.matches.destination_port.or_else(|| cluster_port(chain))) {
            (ChainKind::Service | ChainKind::Ingress, Some(port)) => Self::Port(port, kind),
            (ChainKind::Passthrough, _) => Self::Passthrough(chain.matches.destination_port, chain.matches.prefix_ranges.clone()),
            (ChainKind::Gateway, _) => Self::Named(kind, String::new(), chain.matches.server_names.clone()),
            _ => Self::Named(kind, chain.name.clone(), Vec::new()),
        }
    }
}

/// The port in `inbound|80||`: where a listener picks its chains by a matcher, the chains themselves name no port.
fn cluster_port(chain: &FilterChain) -> Option<u16> {
    chain.destination.as_ref()?.name().strip_prefix("inbound|")?.split('|').next()?.parse().ok()
}

fn way(chain: &FilterChain, kind: ChainKind) -> String {
    use crate::model::envoy::Transport;
    match (chain.transport, chain.matches.transport_protocol.as_str()) {
        (Transport::MutualTls, _) => "mTLS",
        (Transport::Tls | Transport::Other, _) => "TLS",
        (Transport::Plain, "tls") => "foreign TLS",
        (Transport::Plain, "raw_buffer") => "plain text",
        (Transport::Plain, _) if kind == ChainKind::Default => "everything else",
        (Transport::Plain, _) => "any bytes",
    }
    .to_owned()
}

fn what(group: &Group, chain: &FilterChain, listener: &Listener, pod: Option<&Pod>, objects: &Inventory) -> String {
    match group {
        Group::Port(port, ChainKind::Ingress) => format!("Sidecar ingress port {port}"),
        Group::Port(port, _) => declared(*port, pod, objects),
        Group::Passthrough(Some(port), _) => format!("passthrough for port {port}, which has a port-level policy"),
        Group::Passthrough(None, ranges) => match ranges.as_slice() {
            [one] if one == "0.0.0.0/0" => "IPv4 passthrough for ports that no service declares".to_owned(),
            [one] if matches!(one.as_str(), "::0/0" | "::/0") => "IPv6 passthrough for ports that no service declares".to_owned(),
            _ => "passthrough for ports that no service declares".to_owned(),
        },
        Group::Named(kind, ..) => placement::meaning(chain, *kind, listener),
    }
}

/// The service port behind a container port: `service port 8000 -> 80 (http)`. Of several, the oldest service's counts
/// (`core/listener_inbound.go: getFilterChainsByServicePort`).
fn declared(port: u16, pod: Option<&Pod>, objects: &Inventory) -> String {
    let Some(pod) = pod else { return format!("port {port}") };
    let mut services: Vec<&Service> = targets::seen(objects, None).filter(|service| service.selects(pod)).collect();
    services.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
    let found = services
        .iter()
        .find_map(|service| Some((service, service.ports.iter().find(|declared| declared.container_port(pod) == Some(port))?)));
    match found {
        Some((_, declared)) => {
            let name = if declared.name.is_empty() { "unnamed" } else { &declared.name };
            format!("service port {} -> {port} ({name})", declared.port)
        }
        None => format!("service port -> {port}"),
    }
}
