//! Which proxies a plugin applies to, and by which rule (`pilot/pkg/model/policyattachment.go: ShouldAttachPolicy`, over the namespaces
//! of `pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo`).
//!
//! HTTP, NETWORK and Lua make no difference here, and neither does `match`: they decide between the chains of a proxy.

mod distance;
mod idle;
pub mod injection;
pub mod listener_match;
mod named;
mod reason;
mod rules;
mod targets;
mod unknown;
mod usage;
pub mod waypoint;
mod words;

use std::sync::Arc;

use super::control_plane;
use crate::model::inventory::Inventory;
use crate::model::labels::{Labels, Selector};
use crate::model::plugin::Plugin;
use crate::model::service::Service;
use crate::model::workload::{Pod, ProxyKind};

pub use distance::{Condition, distance, failing, is_meant};
pub use idle::scaled_to_zero;
pub use named::{Behind, gateway_behind};
pub use reason::{Exclusion, LabelDifference, Reach, Reason, RefMiss, TargetMiss, Unused};
pub use targets::WAYPOINT_CLASS;
pub use unknown::unknown;

use rules::Rules;
use targets::Target;

/// Labels that istiod gives to a proxy beside those of its pod (`pilot/pkg/xds/ads.go: setTopologyLabels`).
const TOPOLOGY: [&str; 6] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
    "topology.istio.io/cluster",
    "topology.istio.io/network",
    "kubernetes.io/hostname",
];

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Whether the plugin applies to the proxy.
    pub attached: bool,
    /// By which rule it does, or which rule failed first.
    pub reason: Reason,
}

/// Decides whether `plugin` applies to the proxy of `pod`, in a waypoint to at least one of its chains.
pub fn attach(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Attachment {
    let services = if plugin.targets().is_empty() { Vec::new() } else { waypoint::served_services(pod, objects) };
    attachment(decide(plugin, pod, &services.into_iter().map(Arc::as_ref).collect::<Vec<_>>(), objects))
}

/// Decides whether `plugin` applies to the chains of one service in the waypoint of `pod`, or where there is none to its chain for
/// traffic that goes straight to a pod: istiod asks for each of them anew (`core/listener_waypoint.go: buildWaypointHTTPFilters`).
pub fn attach_in_waypoint(plugin: &Plugin, pod: &Pod, service: Option<&Service>, objects: &Inventory) -> Attachment {
    attachment(decide(plugin, pod, service.as_slice(), objects))
}

/// The plugins that the istiod of a pod cannot decode, so that it goes on with what it had before.
pub fn undecodable<'o>(pod: &Pod, objects: &'o Inventory) -> impl Iterator<Item = &'o Plugin> {
    let rules = Rules::of(control_plane::version(pod, objects));
    objects.plugins.values().map(Arc::as_ref).filter(move |plugin| usage::undecodable(plugin, rules).is_some())
}

fn attachment(decided: Result<Reason, Reason>) -> Attachment {
    match decided {
        Ok(reason) => Attachment { attached: true, reason },
        Err(reason) => Attachment { attached: false, reason },
    }
}

fn decide(plugin: &Plugin, pod: &Pod, services: &[&Service], objects: &Inventory) -> Result<Reason, Reason> {
    let Some(proxy) = &pod.proxy else { return Err(Reason::NoProxy(injection::missing(pod, objects))) };
    if proxy.kind == ProxyKind::Ztunnel {
        return Err(Reason::Ztunnel);
    }
    let rules = Rules::of(control_plane::version(pod, objects));
    if let Some(unused) = usage::unused(plugin, pod, rules, objects) {
        return Err(Reason::Unused(unused));
    }
    match (rules.gateway_name(&pod.labels), rules.targets(plugin)) {
        (None, [_, ..]) => Err(Reason::TargetsOnly),
        (Some(gateway), refs @ [_, ..]) => {
            let target = Target { plugin, pod, gateway, services, rules, objects };
            target.decide(refs).map(Reason::Target).map_err(Reason::OtherTarget)
        }
        (gateway, []) => {
            if gateway.is_some() && rules.needs_target(plugin.selector.as_ref()) {
                takes_selectors(pod, objects)?;
            }
            selects(plugin.selector.as_ref(), &pod.labels, reach(plugin, pod, objects)?)
        }
    }
}

/// A waypoint never does, a gateway unless its istiod is told otherwise.
fn takes_selectors(pod: &Pod, objects: &Inventory) -> Result<(), Reason> {
    if pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Waypoint) {
        return Err(Reason::WaypointNeedsTarget);
    }
    if control_plane::features(Some(pod), objects).selector_on_gateways { Ok(()) } else { Err(Reason::GatewayNeedsTarget) }
}

fn reach(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Result<Reach, Reason> {
    let namespace = &plugin.id.name.namespace;
    if *namespace == pod.id.namespace {
        return Ok(Reach::Own(namespace.clone()));
    }
    if *namespace == objects.root_namespace() {
        return Ok(Reach::Root(namespace.clone()));
    }
    Err(Reason::OtherNamespace { plugin: namespace.clone(), pod: pod.id.namespace.clone() })
}

/// An absent and an empty selector are the same: everything in reach.
fn selects(selector: Option<&Selector>, labels: &Labels, reach: Reach) -> Result<Reason, Reason> {
    let selector = match selector {
        None => return Ok(Reason::NoSelector(reach)),
        Some(selector) if selector.is_empty() => return Ok(Reason::EmptySelector(reach)),
        Some(selector) => selector,
    };
    let differences = differences(selector, labels);
    if differences.is_empty() {
        return Ok(Reason::Selector(selector.clone(), reach));
    }
    // What the pod lacks istiod may still add, but not change.
    let adds = |difference: &LabelDifference| difference.has.is_none() && TOPOLOGY.contains(&difference.key.as_str());
    if differences.iter().all(adds) {
        return Err(Reason::TopologyLabels(selector.clone(), differences.into_iter().map(|difference| difference.key).collect()));
    }
    Err(Reason::LabelsDiffer(selector.clone(), differences))
}

/// Whether the istiod of a proxy is so old that it does not look at targetRefs, so that a plugin with some can reach any proxy.
pub fn is_without_target_refs(pod: &Pod, objects: &Inventory) -> bool {
    !Rules::of(control_plane::version(pod, objects)).knows_target("Service")
}

/// The labels of a selector that a pod has otherwise, or not at all.
pub fn differences(selector: &Selector, labels: &Labels) -> Vec<LabelDifference> {
    let differs = selector.match_labels.iter().filter(|(key, wanted)| labels.get(*key) != Some(wanted));
    differs.map(|(key, wanted)| LabelDifference { key: key.clone(), wanted: wanted.clone(), has: labels.get(key).cloned() }).collect()
}
