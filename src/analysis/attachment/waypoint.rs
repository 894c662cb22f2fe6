//! Which services a waypoint serves, and why it does not serve one
//! (`pilot/pkg/serviceregistry/ambient/waypoints.go: fetchWaypointForService`).

use std::sync::Arc;

use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::gateway::RoutesFrom;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::labels::Labels;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::service::{Resolution, Service};
use crate::model::workload::{Pod, ProxyKind};

/// The label that names the waypoint of a service, or of all services of a namespace; `none` on a service opts out.
pub const USE_WAYPOINT: &str = "istio.io/use-waypoint";
/// The label that names the waypoint's namespace where it is another.
pub const USE_WAYPOINT_NAMESPACE: &str = "istio.io/use-waypoint-namespace";
/// The label of a waypoint's Gateway that says for what it may be used: `service` where unset, `workload`, `all`, `none`.
pub const WAYPOINT_FOR: &str = "istio.io/waypoint-for";

/// Why a waypoint does not serve a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotServed {
    /// Neither the service nor its namespace has the label [`USE_WAYPOINT`].
    NoLabel,
    /// The service's own label is `none`.
    OptedOut,
    /// The label names another waypoint.
    OtherWaypoint {
        /// Which one it names.
        names: ObjectName,
        /// Whether the label is the namespace's, not the service's own.
        of_namespace: bool,
    },
    /// The waypoint's label [`WAYPOINT_FOR`] allows no services.
    NotForServices(String),
    /// The waypoint's Gateway takes no routes from the service's namespace.
    NamespaceNotAllowed,
    /// An ExternalName service: ambient knows none.
    ExternalName,
    /// No `discoverySelectors` item matches the labels of the service's namespace.
    Undiscovered,
    /// The service is that of a waypoint or east-west gateway itself.
    OfWaypoint,
    /// It does, but the chain in question is another service's.
    OtherChain,
}

/// The services that the waypoint in `pod` serves, in the order in which istiod makes their chains: oldest first, then by name
/// and namespace (`pilot/pkg/model/push_context.go: SortServicesByCreationTime`). None where the pod is no waypoint. Istio 1.22
/// and later; earlier waypoints served the workloads of a service account.
pub fn served_services<'o>(pod: &Pod, objects: &'o Inventory) -> Vec<&'o Arc<Service>> {
    let Some(waypoint) = waypoint_of(pod) else { return Vec::new() };
    let mut served: Vec<&Arc<Service>> = objects.services.values().filter(|service| serves(&waypoint, service, objects).is_ok()).collect();
    let order = |service: &Service| (service.created.clone(), service.name.name.clone(), service.name.namespace.clone());
    served.sort_by_cached_key(|service| order(service));
    served
}

/// The Gateway of the waypoint that runs in `pod`; None where none does.
pub fn waypoint_of(pod: &Pod) -> Option<ObjectName> {
    let runs = pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Waypoint);
    let name = pod.labels.get(GATEWAY_NAME).filter(|_| runs)?;
    Some(ObjectName::new(&pod.id.namespace, name))
}

/// Whether the waypoint serves the service, or why it does not.
///
/// # Errors
/// The first condition that fails.
pub fn serves(waypoint: &ObjectName, service: &Service, objects: &Inventory) -> Result<(), NotServed> {
    // The Services of waypoints and east-west gateways have none themselves, else traffic would go round in circles.
    if matches!(
        service.labels.get("gateway.istio.io/managed").map(String::as_str),
        Some("istio.io-mesh-controller" | "istio.io-eastwest-controller")
    ) {
        return Err(NotServed::OfWaypoint);
    }
    if service.resolution == Resolution::Alias {
        return Err(NotServed::ExternalName);
    }
    let namespace = &service.name.namespace;
    if !objects.discovers(namespace) {
        return Err(NotServed::Undiscovered);
    }
    let of_namespace = !service.labels.contains_key(USE_WAYPOINT);
    let labels = if of_namespace { objects.namespaces.get(namespace) } else { Some(&service.labels) };
    let names = match labels.and_then(|labels| Some((labels, labels.get(USE_WAYPOINT)?))) {
        None => return Err(NotServed::NoLabel),
        // On a namespace, `none` is as good as no label.
        Some((_, name)) if name == "none" => return Err(if of_namespace { NotServed::NoLabel } else { NotServed::OptedOut }),
        Some((labels, name)) => ObjectName::new(labels.get(USE_WAYPOINT_NAMESPACE).unwrap_or(namespace), name),
    };
    if names != *waypoint {
        return Err(NotServed::OtherWaypoint { names, of_namespace });
    }
    // Where the Gateway could not be read, it is taken to allow what it is used for.
    let Some(gateway) = objects.policies.get(&(Kind::Gateway, waypoint.clone())) else { return Ok(()) };
    if !allows(gateway, namespace, objects.namespaces.get(namespace)) {
        return Err(NotServed::NamespaceNotAllowed);
    }
    match gateway.labels.get(WAYPOINT_FOR).map(String::as_str) {
        None | Some("service" | "all") => Ok(()),
        Some(other) => Err(NotServed::NotForServices(other.to_owned())),
    }
}

/// Whether the Gateway takes routes from the namespace; a waypoint without an HBONE listener takes its own namespace's only
/// (`makeAllowedRoutes`).
fn allows(gateway: &Policy, namespace: &str, labels: Option<&Labels>) -> bool {
    let routes_from = if let PolicySpec::Gateway(spec) = &gateway.spec { spec.routes_from.clone() } else { RoutesFrom::Same };
    match &routes_from {
        RoutesFrom::Same => gateway.name.namespace == namespace,
        RoutesFrom::All => true,
        RoutesFrom::Selector(selector) => labels.is_some_and(|labels| selector.matches(labels)),
    }
}
