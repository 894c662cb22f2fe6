//! Where a sidecar listens for a service's port (`core/listener.go: buildSidecarOutboundListeners, buildSidecarOutboundListener`).

use std::sync::Arc;

use super::Facts;
use super::services::{HIDDEN_ADDRESS, Known, NO_ADDRESS};
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::service::{Endpoint, Registry, ServicePort};
use crate::model::workload::Pod;

/// One listener that a service's port has a chain in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bind {
    /// The listener's address.
    pub address: String,
    /// The ranges of addresses to which the chain without HTTP is kept; empty for any.
    pub ranges: Vec<String>,
    /// Whether the ranges are single pods, so that no SNI has to tell them apart.
    pub of_pod: bool,
}

impl Bind {
    fn on(address: impl Into<String>) -> Self {
        Self { address: address.into(), ranges: Vec::new(), of_pod: false }
    }
}

/// The listeners that a port of a service has a chain in.
pub(super) fn binds(known: &Known<'_>, port: &ServicePort, protocol: Protocol, facts: &Facts<'_>) -> Vec<Bind> {
    let class = protocol.class();
    if class == ProtocolClass::Http {
        // HTTP services of a port share the listener on the wildcard address, where the proxy's own ports are.
        return if facts.is_reserved(port.port) { Vec::new() } else { vec![Bind::on(facts.wildcard())] };
    }
    if known.is_headless() {
        let endpoints = endpoints(known, port, facts);
        // A ServiceEntry that never has endpoints is listened to for any address.
        let never = known.service.registry == Registry::ServiceEntry && endpoints.is_empty() && known.service.selector.is_none();
        if !never {
            let own = facts.addresses.first();
            let others = endpoints.into_iter().filter(|address| address.parse().ok().as_ref() != own);
            let in_one = facts.plane.features.headless_filter_chains && class == ProtocolClass::Tcp;
            return others.map(|address| if in_one { of_pod(&address, facts) } else { Bind::on(address) }).collect();
        }
    }
    match known.address.as_str() {
        HIDDEN_ADDRESS => Vec::new(),
        NO_ADDRESS => vec![Bind::on(facts.wildcard())],
        range if range.contains('/') => vec![Bind { ranges: vec![range.to_owned()], ..Bind::on(facts.wildcard()) }],
        address => vec![Bind::on(address)],
    }
}

fn of_pod(address: &str, facts: &Facts<'_>) -> Bind {
    let length = if address.contains(':') { 128 } else { 32 };
    Bind { address: facts.wildcard().to_owned(), ranges: vec![format!("{address}/{length}")], of_pod: true }
}

/// The addresses of a headless service's endpoints for a port.
fn endpoints(known: &Known<'_>, port: &ServicePort, facts: &Facts<'_>) -> Vec<String> {
    let of_kubernetes = known.service.registry == Registry::Kubernetes;
    let selected = |pod: &&Arc<Pod>| {
        // Only Services with an address select WorkloadEntries (`collectWorkloadInstanceEndpoints`).
        !(of_kubernetes && pod.is_workload_entry)
            && pod.id.namespace == known.service.name.namespace
            && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
            && known.service.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels))
            && port.container_port(pod).is_some()
    };
    let pods = facts.objects.pods.values().filter(selected).filter_map(|pod| pod.ips.first().cloned());
    let has = |endpoint: &&Endpoint| endpoint.ports.as_ref().is_none_or(|names| names.contains(&port.name));
    let given = known.service.endpoints.iter().filter(has).map(|endpoint| endpoint.address.clone());
    let mut found: Vec<String> = pods.chain(given).collect();
    found.retain(|address| address.parse::<core::net::IpAddr>().is_ok());
    found.sort();
    found.dedup();
    found
}
