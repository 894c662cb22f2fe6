//! A sidecar's outbound listeners: one for each port of all HTTP services, one for each address and port of the others
//! (`core/listener.go: buildSidecarOutboundListeners, buildListenerFromEntry`).

use super::addresses::binds;
use super::build::{self, Places};
use super::conflict::{Candidate, Entries, Entry, add};
use super::plugins::{Place, Plugins};
use super::routes::Routes;
use super::services::{self, HIDDEN_ADDRESS};
use super::sets::plain_http;
use super::shared::Laid;
use super::{Facts, Gap};
use crate::analysis::attachment::listener_match::Class;
use crate::analysis::placement::{BLACK_HOLE, PASSTHROUGH};
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::envoy::{ChainMatch, Destination, Direction, FilterChain, Listener};
use crate::model::service::Resolution;
use crate::model::sidecar::Egress;

/// The listeners, with `virtualOutbound`, and what cannot be told of them.
pub(super) fn listeners(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> (Vec<Listener>, Vec<Gap>) {
    let sidecar = facts.sidecar();
    let egress = sidecar.map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default();
    if let Some(why) = untold(facts, egress) {
        return (Vec::new(), vec![Gap { listener: None, tcp_only: false, why }]);
    }
    let laid = facts.shared.laid(facts, || lay(facts, egress));
    let one = |((address, port), entry): (&(String, u16), &Entry)| listener(address, *port, entry, facts, plugins);
    let mut listeners: Vec<Listener> = laid.entries.iter().map(one).collect();
    listeners.extend(http_proxy(facts, plugins));
    listeners.push(catch_all(facts, plugins));
    (listeners, laid.gaps.clone())
}

/// Lays the services out in listeners.
fn lay(facts: &Facts<'_>, egress: &[Egress]) -> Laid {
    let (visible, routes) = (services::visible(facts), Routes::of(facts));
    let (mut entries, mut gaps) = (Entries::new(), Vec::new());
    for egress in egress.iter().map(Some).chain(egress.is_empty().then_some(None)) {
        for known in services::imported(egress, &visible, facts) {
            if known.service.resolution == Resolution::Alias && !facts.plane.version.listens_to_external_names() {
                continue;
            }
            for port in known.ports() {
                let protocol = Protocol::of_port(port, known.service.registry, facts.plane.version);
                if protocol.class() != ProtocolClass::Udp {
                    binds(&known, port, protocol, facts)
                        .into_iter()
                        .for_each(|bind| add(&known, port, protocol, bind, facts, &mut entries));
                }
            }
            gaps.extend(routes.gaps(&known, facts));
        }
        entries.values_mut().for_each(|entry| entry.locked = true);
    }
    if facts.hides_addresses {
        let why = "istiod allots addresses to ServiceEntries in its memory, where nothing shows them".to_owned();
        gaps.push(Gap { listener: Some(HIDDEN_ADDRESS.to_owned()), tcp_only: false, why });
    }
    Laid { entries, gaps }
}

/// Why nothing can be told of the whole side.
fn untold(facts: &Facts<'_>, egress: &[Egress]) -> Option<String> {
    let declares = |egress: &Egress| egress.port.is_some() || !egress.bind.is_empty() || egress.capture_mode == "NONE";
    let sidecar = facts.sidecar().filter(|_| !facts.intercepts || egress.iter().any(declares));
    if let Some((policy, _)) = sidecar {
        return Some(format!("Sidecar {} declares egress listeners of its own, which are not predicted", policy.name));
    }
    (!facts.intercepts)
        .then(|| "the proxy intercepts nothing (interception mode NONE), so each service has a listener on the loopback address".to_owned())
}

fn listener(address: &str, port: u16, entry: &Entry, facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Listener {
    let places = Places::same(Place::new(Class::Outbound, port));
    let (mut chains, mut default) = (Vec::new(), None);
    for Candidate { matches, takes_all, http, destination } in entry.chains.iter().cloned() {
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
    if facts.outbound_mode() == "REGISTRY_ONLY" { BLACK_HOLE } else { PASSTHROUGH }
}

/// The explicit proxy of `proxyHttpPort` (`core/listener.go: buildHTTPProxy`).
fn http_proxy(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Option<Listener> {
    let port = facts.http_proxy_port?;
    let places = Places::same(Place::new(Class::Outbound, port));
    let chain = build::chain("", ChainMatch::default(), true, Destination::Route("http_proxy".to_owned()), places, plugins);
    Some(build::listener(format!("{}_{port}", facts.localhost()), facts.localhost(), port, Direction::Outbound, vec![chain]))
}

/// `virtualOutbound`: what no listener of its own takes. Plugins stand there only where the names in HTTP are followed
/// (`core/listener_builder.go: buildVirtualOutboundListener`).
fn catch_all(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Listener {
    let port = facts.mesh.outbound_port;
    let to_itself = ChainMatch { destination_port: Some(port), ..ChainMatch::default() };
    let blackhole = Destination::Cluster(BLACK_HOLE.to_owned());
    let out = Destination::Cluster(egress_cluster(facts).to_owned());
    let mut chains = vec![build::chain("virtualOutbound-blackhole", to_itself, false, blackhole, Places::NONE, plugins)];
    if facts.outbound_mode() == "ALLOW_ANY_DYNAMIC_DNS" {
        let alpn = plain_http(facts.http10).iter().map(|&word| word.to_owned()).collect();
        let matches = ChainMatch { application_protocols: alpn, ..ChainMatch::default() };
        let places = Places { http: Some(Place::new(Class::Outbound, 0)), network: None };
        let route = Destination::Route("allow_any_dynamic_dns".to_owned());
        chains.push(build::chain("virtualOutbound-catchall-tcp-http", matches, true, route, places, plugins));
    }
    chains.push(build::chain("virtualOutbound-catchall-tcp", ChainMatch::default(), false, out, Places::NONE, plugins));
    build::listener("virtualOutbound".to_owned(), facts.wildcard(), port, Direction::Outbound, chains)
}
