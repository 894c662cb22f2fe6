//! The listener behind a sidecar's HBONE tunnels: the inbound chains once more, without mutual TLS, which the tunnel has
//! (`core/listener_inbound.go: buildInboundHBONEListeners`).

use core::net::IpAddr;

use super::Facts;
use super::build;
use super::inbound::{passthrough_chain, places, ports};
use super::plugins::Plugins;
use super::sets::shapes;
use crate::analysis::protocol::ProtocolClass;
use crate::model::envoy::{Destination, FilterChain, Listener};
use crate::model::peer_authentication::MtlsMode;

/// The listener; None where the proxy takes no HBONE.
pub(super) fn listener(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Option<Listener> {
    let features = facts.plane.features;
    if !(facts.hbone && features.ambient && features.hbone_listening) {
        return None;
    }
    let mut chains = Vec::new();
    for config in ports(facts) {
        for shape in shapes(config.class, MtlsMode::Disable, facts.http10) {
            let name = format!("{}_{}", config.bind, config.target);
            let destination = Destination::Cluster(format!("inbound|{}||", config.target));
            let matches = build::matches(&shape, Some(config.target));
            chains.push(build::chain(&name, matches, shape.http, destination, places(&config, &shape), plugins));
        }
    }
    let passes_through = facts.plane.version.passes_through_hbone();
    for shape in passes_through.then(|| shapes(ProtocolClass::Auto, MtlsMode::Disable, facts.http10)).into_iter().flatten() {
        chains.push(passthrough_chain(build::matches(&shape, None), &shape, None, "InboundPassthroughCluster", plugins));
    }
    let addresses = if passes_through { facts.addresses.as_slice() } else { &[] };
    chains.iter_mut().for_each(|chain| within_tunnel(chain, addresses));
    Some(build::internal("main_internal".to_owned(), chains))
}

/// In a tunnel every byte is plain, and only the addresses given are served (`sanitizeFilterChainForHBONE`).
fn within_tunnel(chain: &mut FilterChain, addresses: &[IpAddr]) {
    chain.matches.transport_protocol.clear();
    chain.matches.prefix_ranges =
        addresses.iter().map(|address| format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })).collect();
}
