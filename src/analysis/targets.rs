//! The services that a proxy's workload serves, port by port, in istiod's order: what decides its inbound chains
//! (`Proxy.ServiceTargets`; `serviceregistry/kube/controller/controller.go: GetProxyServiceTargets`).

use super::control_plane;
use super::era::Version;
use super::protocol::Protocol;
use crate::model::inventory::Inventory;
use crate::model::service::{Registry, Resolution, Service, ServicePort, TargetPort};
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
    let revision = control_plane::revision(pod, objects);
    let mut services: Vec<&Service> = seen(objects, revision).filter(|service| leads_to(service, pod)).collect();
    services.sort_by_cached_key(|service| (service.created.clone(), service.hosts(domain)));
    let of = |service: &'o Service| {
        service.ports.iter().filter_map(move |port| {
            let target = target(service, port, pod)?;
            let protocol = Protocol::of_port(port, service.registry, version);
            // A machine outside the cluster takes no UDP (`serviceTargetsFromWorkloadInstance`).
            let is_left_out = pod.is_workload_entry && service.registry == Registry::Kubernetes && protocol == Protocol::Udp;
            (!is_left_out).then_some(ServiceTarget { service, port, target, protocol })
        })
    };
    services.into_iter().flat_map(of).collect()
}

/// The services that the istiod of a revision sees: what is in a namespace that `discoverySelectors` leave out, it does not
/// (`serviceregistry/kube/controller/controller.go: NewController`).
pub fn seen<'o>(objects: &'o Inventory, revision: Option<&str>) -> impl Iterator<Item = &'o Service> {
    let services = objects.services.values().map(|service| &**service);
    services.filter(move |service| service.is_seen_by(revision) && objects.discovers(&service.name.namespace))
}

/// Whether a service has the pod among its endpoints.
pub fn leads_to(service: &Service, pod: &Pod) -> bool {
    if service.name.namespace != pod.id.namespace {
        return false;
    }
    // A machine outside the cluster is no endpoint of a headless Service.
    if pod.is_workload_entry && service.registry == Registry::Kubernetes && service.resolution == Resolution::Passthrough {
        return false;
    }
    let selected = service.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels));
    selected || service.endpoints.iter().any(|endpoint| pod.ips.contains(&endpoint.address))
}

/// Where a port leads on the pod; None where it names a port that the pod does not have. For a ServiceEntry, and where a Service says a
/// number of a WorkloadEntry, a port that is named as the service's goes before that number
/// (`serviceregistry/serviceentry/conversion.go: convertWorkloadInstanceToServiceInstance`; `serviceregistry/kube/controller:
/// serviceInstanceFromWorkloadInstance`).
fn target(service: &Service, port: &ServicePort, pod: &Pod) -> Option<u16> {
    let by_own_name = service.registry == Registry::ServiceEntry || (pod.is_workload_entry && matches!(port.target, TargetPort::Number(_)));
    let named = pod.container_ports.iter().find(|candidate| by_own_name && candidate.name == port.name);
    named.map(|found| found.number).or_else(|| port.container_port(pod))
}
