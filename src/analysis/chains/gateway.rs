//! A gateway's listeners: one for each address and port that its Gateways open
//! (`core/gateway.go: buildGatewayListeners, buildGatewayTCPBasedFilterChains`).

use std::collections::{BTreeMap, BTreeSet};

use super::build::{self, Places};
use super::merging::{Group, merged};
use super::plugins::{Place, Plugins};
use super::servers::{Opened, opened, with_listener_sets};
use super::{Facts, Gap};
use crate::analysis::attachment::listener_match::Class;
use crate::model::envoy::{ChainMatch, Destination, Direction, FilterChain, Listener, Transport};

/// The listeners, and what cannot be told of them.
pub(super) fn listeners(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> (Vec<Listener>, Vec<Gap>) {
    let mut chains: BTreeMap<(String, u16), Vec<FilterChain>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for group in merged(opened(facts)) {
        let Some(Opened { port, bind, .. }) = group.servers.first() else { continue };
        if facts.unprivileged && *port < 1024 {
            continue;
        }
        let address = if bind.is_empty() { facts.wildcard().to_owned() } else { bind.clone() };
        let name = format!("{address}_{port}");
        gaps.extend(group.servers.iter().filter(|server| !server.is_http() && !server.terminates_https()).map(|server| gap(&name, server)));
        chains.entry((address, *port)).or_default().extend(of_group(&group, *port, plugins));
    }
    chains.retain(|_, chains| !chains.is_empty());
    let listener = |((address, port), chains): ((String, u16), Vec<FilterChain>)| {
        build::listener(format!("{address}_{port}"), &address, port, Direction::Outbound, chains)
    };
    if facts.plane.features.quic {
        let why = "istiod makes QUIC listeners (PILOT_ENABLE_QUIC_LISTENERS), which are not predicted".to_owned();
        gaps.push(Gap { listener: Some("udp_*".to_owned()), tcp_only: false, why });
    }
    gaps.extend(with_listener_sets(facts).into_iter().map(|gateway| {
        let why = format!("ListenerSets add listeners to Gateway {gateway}, and they are not read");
        Gap { listener: None, tcp_only: false, why }
    }));
    (chains.into_iter().map(listener).collect(), gaps)
}

fn gap(name: &str, server: &Opened) -> Gap {
    let why = format!("the chains of Gateway {} on port {} follow TCP and TLS routes, which are not predicted", server.object, server.port);
    Gap { listener: Some(name.to_owned()), tcp_only: true, why }
}

/// The chains of servers that are made together: all that speak HTTP share one, each that ends TLS has its own.
fn of_group(group: &Group, port: u16, plugins: &Plugins<'_, '_>) -> Vec<FilterChain> {
    let place = Place::new(Class::Gateway, port);
    let mut found: Vec<FilterChain> = Vec::new();
    for server in &group.servers {
        // What the first HTTP chain takes of the network plugins, the others lack: the map that they are taken from is emptied
        // (`extension.PopAppendNetworkTrafficExtension`).
        let places = Places { http: Some(place), network: found.is_empty().then_some(place) };
        let bind = if server.bind.is_empty() { String::new() } else { format!(".{}", server.bind) };
        if server.is_http() {
            let route = Destination::Route(format!("http.{port}{bind}"));
            return vec![build::chain("", ChainMatch::default(), true, route, places, plugins)];
        }
        if server.terminates_https() {
            let matches = ChainMatch { server_names: server_names(&server.hosts), ..ChainMatch::default() };
            let (gateway, server_port) = (&server.gateway, server.server_port);
            let route = format!("https.{server_port}.{}.{}.{}{bind}", server.port_name, gateway.name, gateway.namespace);
            let mut chain = build::chain("", matches, true, Destination::Route(route), places, plugins);
            let mutual = matches!(server.tls_mode.as_deref(), Some("MUTUAL" | "ISTIO_MUTUAL"));
            chain.transport = if mutual { Transport::MutualTls } else { Transport::Tls };
            found.push(chain);
        }
    }
    found
}

/// The hosts of a TLS server without their namespaces; one that takes any host is recognised by none.
fn server_names(hosts: &[String]) -> Vec<String> {
    let names: BTreeSet<String> =
        hosts.iter().map(|host| host.split_once('/').map_or(host.as_str(), |(_, name)| name).to_owned()).collect();
    if names.contains("*") { Vec::new() } else { names.into_iter().collect() }
}
