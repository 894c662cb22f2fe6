//! The services that a proxy's workload serves, port by port, in istiod's order: what decides its inbound chains
//! (`Proxy.ServiceTargets`; `serviceregistry/kube/controller/controller.go: GetProxyServiceTargets`).

use super::era::Version;
use super::protocol::Protocol;
use crate::model::inventory::Inventory;
use crate::model::service::{Registry, Service, ServicePort, TargetPort};
use crate::model::workload::Pod;

/// One port of a service that leads to the workload.
#[derive(Clone, Copy, Debug)]
pub struct ServiceTarget<'o> {
    /// The service.
    pub service: &'o Service,
    /// Its port.
    pub port: &'o ServicePort,
    /// The port that it leads to on the workload.
    pub target: u16,
    /// What is spoken there.
    pub protocol: Protocol,
}

/// The service ports that lead to a pod: the oldest service first, of one second by host; a service's ports in its own order.
/// Of several that lead to one port, the first decides (`core/listener_inbound.go: getFilterChainsByServicePort`).
pub fn service_targets<'o>(objects: &'o Inventory, pod: &Pod, domain: &str, version: Version) -> Vec<ServiceTarget<'o>> {
    let mut services: Vec<&Service> =
        objects.services.values().map(|service| &**service).filter(|service| leads_to(service, pod)).collect();
    services.sort_by_cached_key(|service| (service.created.clone(), service.hosts(domain)));
    let of = |service: &'o Service| {
        service.ports.iter().filter_map(move |port| {
            let target = target(service, port, pod)?;
            Some(ServiceTarget { service, port, target, protocol: Protocol::of_port(port, service.registry, version) })
        })
    };
    services.into_iter().flat_map(of).collect()
}

/// Whether a service has the pod among its endpoints.
pub fn leads_to(service: &Service, pod: &Pod) -> bool {
    if service.name.namespace != pod.id.namespace {
        return false;
    }
    let selected = service.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels));
    selected || service.endpoints.iter().any(|address| pod.ips.contains(address))
}

/// Where a port leads on the pod; None where it names a port that the pod does not have. A WorkloadEntry's own `ports` go before
/// what the ServiceEntry says (`serviceregistry/serviceentry/conversion.go: convertWorkloadInstanceToServiceInstance`).
fn target(service: &Service, port: &ServicePort, pod: &Pod) -> Option<u16> {
    let named = |name: &str| pod.container_ports.iter().find(|(candidate, _)| candidate == name).map(|(_, number)| *number);
    if service.registry == Registry::ServiceEntry
        && pod.is_workload_entry
        && let Some(number) = named(&port.name)
    {
        return Some(number);
    }
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => named(name),
    }
}
