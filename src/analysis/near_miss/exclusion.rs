//! When `match` keeps a plugin out of every chain of a proxy that it applies to.

use crate::analysis::attachment::Exclusion;
use crate::analysis::attachment::listener_match::{Class, accepts, allows_class, traffic_selectors};
use crate::analysis::{control_plane, targets};
use crate::model::inventory::Inventory;
use crate::model::plugin::{Plugin, PluginType, TrafficSelector};
use crate::model::workload::{Pod, ProxyKind};

/// What of `match` excludes every chain of the proxy of `pod`, to which the plugin applies. `predicted` is how often its filter would
/// stand in all listeners together; None where that is not known, and then only what no chain could fulfil counts.
pub fn exclusion(plugin: &Plugin, pod: &Pod, predicted: Option<usize>, objects: &Inventory) -> Option<Exclusion> {
    let matches = traffic_selectors(plugin, control_plane::version(pod, objects));
    let kind = pod.proxy.as_ref()?.kind;
    let excluded = match predicted {
        Some(count) => count == 0,
        None => !matches.iter().any(|item| some_chain_accepts(item, plugin.plugin_type, kind)),
    };
    (excluded && !matches.is_empty())
        .then(|| Exclusion { matches: plugin.match_text(), service_ports: service_ports(matches, pod, objects) })
}

/// Why no request that a Service leads to the pod passes the plugin, which applies to it and has chains: `match` is for what the workload sends
/// alone. None where it is for what comes too, and where no Service leads to the pod.
pub fn inbound_exclusion(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<String> {
    let matches = traffic_selectors(plugin, control_plane::version(pod, objects));
    let is_sidecar = pod.proxy.as_ref()?.kind == ProxyKind::Sidecar;
    let is_of_clients = is_sidecar && !allows_class(matches, Class::Inbound) && allows_class(matches, Class::Outbound);
    let service = targets::seen(objects, None).find(|service| is_of_clients && targets::leads_to(service, pod))?;
    let (matches, name) = (plugin.match_text(), &service.name);
    Some(format!("match {matches} is for what the workload sends: requests that come to it, as by Service {name}, do not pass the plugin"))
}

/// Whether a proxy of this kind can have a chain at all that the item lets the plugin into.
fn some_chain_accepts(item: &TrafficSelector, plugin_type: PluginType, kind: ProxyKind) -> bool {
    let port = item.ports.iter().copied().max().unwrap_or_default();
    let accepts = |class: Class, port: u16| accepts(std::slice::from_ref(item), class, port);
    match kind {
        ProxyKind::Sidecar => accepts(Class::Inbound, port) || accepts(Class::Outbound, port),
        ProxyKind::Gateway | ProxyKind::ClassicGateway => accepts(Class::Gateway, port),
        // An HTTP chain of a waypoint never has a port to compare (`core/listener_waypoint.go: buildWaypointHTTPFilters`).
        ProxyKind::Waypoint => accepts(Class::Inbound, if plugin_type == PluginType::Http { 0 } else { port }),
        ProxyKind::Ztunnel => false,
    }
}

/// Ports that `match` names as a Service declares them, with the container ports that istiod compares in inbound chains instead.
fn service_ports(matches: &[TrafficSelector], pod: &Pod, objects: &Inventory) -> Vec<(u16, u16)> {
    let of_pod = targets::seen(objects, None).filter(|service| service.selects(pod));
    let declared: Vec<(u16, u16)> =
        of_pod.flat_map(|service| &service.ports).filter_map(|port| Some((port.port, port.container_port(pod)?))).collect();
    let named = |port: u16| matches.iter().any(|item| item.ports.contains(&port));
    let mut found: Vec<(u16, u16)> = declared.iter().copied().filter(|(port, container)| port != container && named(*port)).collect();
    found.sort_unstable();
    found.dedup();
    found
}
