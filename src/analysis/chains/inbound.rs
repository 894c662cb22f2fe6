//! A sidecar's inbound listeners: `virtualInbound`, and one for each port of a Sidecar that is not intercepted
//! (`core/listener_inbound.go: buildInboundListeners`; until 1.13 `core/v1alpha3/{listener,listener_builder}.go`).

use core::net::IpAddr;
use std::collections::BTreeMap;

use super::Facts;
use super::build::{self, Places};
use super::plugins::{Place, Plugins};
use super::sets::{Shape, shapes};
use crate::analysis::attachment::listener_match::Class;
use crate::analysis::placement::BLACK_HOLE;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::envoy::{ChainMatch, Destination, Direction, FilterChain, Listener, Transport};
use crate::model::sidecar::Ingress;

/// One port that has chains of its own.
#[derive(Clone, Debug)]
pub struct PortConfig {
    /// The port on the workload: what the chains match.
    pub target: u16,
    /// The service's port, which istiod compares with `match` for chains without HTTP.
    pub port: u16,
    /// What is spoken.
    pub class: ProtocolClass,
    /// The address in the chains' names.
    pub bind: String,
    /// The Sidecar that opens it, as `Sidecar namespace/name`; None for a service's port.
    pub sidecar: Option<String>,
    /// Whether it is a listener of its own.
    pub binds: bool,
    /// Whether TLS is terminated by the Sidecar's own settings.
    pub own_tls: bool,
}

/// The inbound listeners.
pub(super) fn listeners(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Vec<Listener> {
    let mut of_their_own = Vec::new();
    let mut chains = passthrough(facts, plugins);
    for config in ports(facts) {
        let mode = facts.mode_of(config.target);
        let shapes = if config.own_tls { own_tls(config.class) } else { shapes(config.class, mode, facts.http10) };
        let made = shapes.iter().map(|shape| port_chain(&config, shape, facts, plugins));
        if config.binds {
            let name = format!("{}_{}", config.bind, config.target);
            of_their_own.push(build::listener(name, &config.bind, config.target, Direction::Inbound, made.collect()));
        } else {
            chains.extend(made);
        }
    }
    if facts.intercepts {
        let port = facts.mesh.inbound_port;
        of_their_own.insert(0, build::listener("virtualInbound".to_owned(), facts.wildcard(), port, Direction::Inbound, chains));
    }
    of_their_own
}

/// `getTLSFilterChainMatchOptions`: one chain, which terminates TLS.
fn own_tls(class: ProtocolClass) -> Vec<Shape> {
    vec![Shape { http: class == ProtocolClass::Http, transport: "tls", alpn: &[], mtls: false }]
}

fn port_chain(config: &PortConfig, shape: &Shape, facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> FilterChain {
    let name = format!("{}_{}", config.bind, config.target);
    let destination = Destination::Cluster(format!("inbound|{}||", config.target));
    let mut chain =
        build::chain(&name, build::matches(shape, Some(config.target)), shape.http, destination, places(config, shape), plugins);
    chain.transport = if config.own_tls { Transport::Tls } else { build::transport(shape) };
    if let Some(sidecar) = &config.sidecar {
        let (namespace, name) = sidecar.split_once('/').unwrap_or((facts.namespace(), sidecar));
        chain.config_object = format!("/apis/networking.istio.io/v1alpha3/namespaces/{namespace}/sidecar/{name}");
    }
    chain
}

/// Chains with HTTP are compared by the container port, those without by the service's.
pub(super) fn places(config: &PortConfig, shape: &Shape) -> Places<'static> {
    let of_target = Place::new(Class::Inbound, config.target);
    let network = if shape.http { of_target } else { Place::new(Class::Inbound, config.port) };
    Places { http: Some(of_target), network: Some(network) }
}

/// The ports with chains of their own, ascending: those of services, or those of a Sidecar's ingress in their place
/// (`buildInboundChainConfigs`).
pub fn ports(facts: &Facts<'_>) -> Vec<PortConfig> {
    let mut found: BTreeMap<u16, PortConfig> = BTreeMap::new();
    let sidecar = facts.sidecar().filter(|(_, sidecar)| !sidecar.ingress.is_empty());
    let of_services = if sidecar.is_some() { facts.plane.features.merge_sidecar_ingress } else { facts.intercepts };
    if of_services {
        for target in facts.targets() {
            let of_sidecar = sidecar.is_some_and(|(_, sidecar)| sidecar.ingress.iter().any(|ingress| ingress.port == target.target));
            let is_privileged = !facts.intercepts && facts.unprivileged && target.target < 1024;
            if facts.is_reserved(target.target) || of_sidecar || is_privileged {
                continue;
            }
            // The first service decides, also on the protocol.
            found.entry(target.target).or_insert_with(|| PortConfig {
                target: target.target,
                port: target.port.port,
                class: target.protocol.class(),
                bind: facts.wildcard().to_owned(),
                sidecar: None,
                binds: !facts.intercepts,
                own_tls: false,
            });
        }
    }
    if let Some((policy, sidecar)) = sidecar {
        for ingress in &sidecar.ingress {
            if let Some(config) = ingress_config(ingress, &policy.name.to_string(), facts) {
                found.entry(ingress.port).or_insert(config);
            }
        }
    }
    found.into_values().collect()
}

/// None where istiod leaves the port out.
fn ingress_config(ingress: &Ingress, sidecar: &str, facts: &Facts<'_>) -> Option<PortConfig> {
    let binds = match ingress.capture_mode.as_str() {
        "" | "DEFAULT" => !facts.intercepts,
        mode => mode == "NONE",
    };
    let protocol = Protocol::parse(&ingress.protocol, facts.plane.version);
    let on_wildcard = ingress.bind == facts.wildcard() || (ingress.bind.is_empty() && protocol.class() == ProtocolClass::Http);
    if (on_wildcard && facts.own_ports.contains(&ingress.port)) || (binds && facts.unprivileged && ingress.port < 1024) {
        return None;
    }
    let own_tls = ingress.tls && facts.plane.features.sidecar_ingress_tls;
    let class = match protocol {
        // What is HTTPS outside is HTTP once TLS is terminated (`AfterTLSTermination`).
        Protocol::Https if own_tls => ProtocolClass::Http,
        other => other.class(),
    };
    let bind = if ingress.bind.is_empty() { own_address(facts) } else { ingress.bind.clone() };
    let sidecar = Some(sidecar.to_owned());
    let own_tls = own_tls && facts.mode_of(ingress.port) == crate::model::peer_authentication::MtlsMode::Disable;
    Some(PortConfig { target: ingress.port, port: ingress.port, class, bind, sidecar, binds, own_tls })
}

/// The first address of the proxy that is global, else the wildcard (`core/listener_address.go: getSidecarInboundBindIPs`).
fn own_address(facts: &Facts<'_>) -> String {
    let global = |address: &&IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local() && !address.is_multicast() && !address.is_unspecified(),
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unicast_link_local() && !address.is_multicast() && !address.is_unspecified()
        }
    };
    facts.addresses.iter().find(global).map_or_else(|| facts.wildcard().to_owned(), IpAddr::to_string)
}

/// The blackhole, and the chains for what no port of its own takes: one set, more for ports that only a port-level policy names
/// (`buildInboundPassthroughChains`; `plugin/authn/authentication.go: ForPassthrough`). Until 1.22 all of it once for each IP family.
fn passthrough(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Vec<FilterChain> {
    let mut chains = vec![blackhole(facts.mesh.inbound_port, plugins)];
    for (range, cluster) in families(facts) {
        for port in std::iter::once(None).chain(undeclared(facts).into_iter().map(Some)) {
            let mode = port.map_or(facts.mode, |port| facts.mode_of(port));
            for shape in shapes(ProtocolClass::Auto, mode, facts.http10) {
                let mut matches = build::matches(&shape, port);
                matches.prefix_ranges = range.iter().map(|&range| range.to_owned()).collect();
                chains.push(passthrough_chain(matches, &shape, port, cluster, plugins));
            }
        }
    }
    chains
}

/// A passthrough chain. Those without HTTP are never compared by a port.
pub(super) fn passthrough_chain(
    matches: ChainMatch,
    shape: &Shape,
    port: Option<u16>,
    cluster: &str,
    plugins: &Plugins<'_, '_>,
) -> FilterChain {
    let name = if shape.http { "virtualInbound-catchall-http" } else { "virtualInbound" };
    let of_port = Place::new(Class::Inbound, port.unwrap_or(0));
    let network = if shape.http { of_port } else { Place::new(Class::Inbound, 0) };
    let places = Places { http: Some(of_port), network: Some(network) };
    let chain = build::chain(name, matches, shape.http, Destination::Cluster(cluster.to_owned()), places, plugins);
    FilterChain { transport: build::transport(shape), ..chain }
}

fn families(facts: &Facts<'_>) -> Vec<(Option<&'static str>, &'static str)> {
    if !facts.plane.version.passthrough_by_family() {
        return vec![(None, "InboundPassthroughCluster")];
    }
    let ipv4 = facts.has_ipv4().then_some((Some("0.0.0.0/0"), "InboundPassthroughClusterIpv4"));
    let ipv6 = facts.has_ipv6().then_some((Some("::0/0"), "InboundPassthroughClusterIpv6"));
    ipv4.into_iter().chain(ipv6).collect()
}

/// Ports that a port-level policy names and no service (or, where there is one, no Sidecar ingress) declares
/// (`needPerPortPassthroughFilterChain`).
pub fn undeclared(facts: &Facts<'_>) -> Vec<u16> {
    if facts.port_modes.is_empty() {
        return Vec::new();
    }
    let declared: Vec<u16> = match facts.sidecar().filter(|(_, sidecar)| !sidecar.ingress.is_empty()) {
        Some((_, sidecar)) => sidecar.ingress.iter().map(|ingress| ingress.port).collect(),
        None => facts.targets().iter().map(|target| target.target).collect(),
    };
    facts.port_modes.keys().copied().filter(|port| !declared.contains(port)).collect()
}

/// Traffic to the port that the listener itself is on would go round in circles.
fn blackhole(port: u16, plugins: &Plugins<'_, '_>) -> FilterChain {
    let matches = ChainMatch { destination_port: Some(port), ..ChainMatch::default() };
    let destination = Destination::Cluster(BLACK_HOLE.to_owned());
    build::chain("virtualInbound-blackhole", matches, false, destination, Places::NONE, plugins)
}
