//! A waypoint's listener behind the tunnels: chains for each port of each service that it serves, and two for traffic that goes
//! straight to a pod (`core/listener_waypoint.go: buildWaypointInternal`).

use super::Facts;
use super::build::{self, Places};
use super::plugins::{Place, Plugins};
use crate::analysis::attachment::listener_match::Class;
use crate::analysis::attachment::waypoint::served_services;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::envoy::{ChainMatch, Destination, FilterChain, Listener};
use crate::model::service::Service;

/// Whether it is an east-west gateway, which passes on what is tunnelled twice (`pilot/pkg/model/context.go: IsAmbientEastWestGateway`).
pub(super) fn is_east_west(facts: &Facts<'_>) -> bool {
    facts.pod.labels.get("gateway.networking.k8s.io/gateway-class-name").is_some_and(|class| class == "istio-east-west")
}

/// The listener.
pub(super) fn listener(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Listener {
    let mut chains = Vec::new();
    for service in served_services(facts.pod, facts.objects) {
        for port in &service.ports {
            let class = Protocol::of_port(port, service.registry, facts.plane.version).class();
            for host in service.hosts(&facts.domain) {
                chains.extend(of_port(service, port.port, &host, class, plugins));
            }
        }
    }
    for http in [false, true] {
        let name = if http { "direct-http" } else { "direct-tcp" };
        chains.push(chain(name.to_owned(), "encap", http, None, 0, plugins));
    }
    build::internal("main_internal".to_owned(), chains)
}

fn of_port(service: &Service, port: u16, host: &str, class: ProtocolClass, plugins: &Plugins<'_, '_>) -> Vec<FilterChain> {
    let of = |http: bool| {
        let name = format!("inbound-vip|{port}|{}|{host}", if http { "http" } else { "tcp" });
        chain(name.clone(), &name, http, Some(service), port, plugins)
    };
    match class {
        ProtocolClass::Http => vec![of(true)],
        ProtocolClass::Tcp => vec![of(false)],
        ProtocolClass::Auto => vec![of(false), of(true)],
        ProtocolClass::Udp => Vec::new(),
    }
}

/// HTTP filters are looked for without a port, so one that `match` names never fits; network filters stand only in chains
/// without HTTP, by the service's port.
fn chain(name: String, cluster: &str, http: bool, service: Option<&Service>, port: u16, plugins: &Plugins<'_, '_>) -> FilterChain {
    let place = |port| Some(Place { class: Class::Inbound, port, service });
    let places = Places { http: place(0), network: if http { None } else { place(port) } };
    build::chain(&name, ChainMatch::default(), http, Destination::Cluster(cluster.to_owned()), places, plugins)
}
