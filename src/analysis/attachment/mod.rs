//! Which proxies a plugin applies to, and by which rule
//! (`pilot/pkg/model/policyattachment.go: ShouldAttachPolicy`).

pub mod listener_match;
pub mod waypoint;

use std::fmt;
use std::sync::Arc;

use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::inventory::Inventory;
use crate::model::labels::{Labels, Selector};
use crate::model::plugin::{Plugin, TargetRef};
use crate::model::service::{Registry, Service};
use crate::model::workload::{Pod, ProxyKind};

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Whether the plugin applies to the proxy.
    pub attached: bool,
    /// By which rule it does, or which rule failed first.
    pub reason: Reason,
}

/// Why a plugin applies to a proxy, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All labels of the selector are on the pod. The namespace is the root namespace where the plugin reaches the pod from there.
    Selector(Selector, Reach),
    /// The plugin has no selector, so it applies to all that its namespace reaches.
    NoSelector(Reach),
    /// One of its targetRefs is this gateway or waypoint, its class, or a service of the waypoint.
    Target(TargetRef),
    /// Labels that the selector wants and the pod has otherwise, or not at all.
    LabelsDiffer(Selector, Vec<LabelDifference>),
    /// The plugin's namespace is neither the pod's nor the root namespace.
    OtherNamespace {
        /// The plugin's namespace.
        plugin: String,
        /// The pod's namespace.
        pod: String,
    },
    /// A plugin with targetRefs never reaches a proxy that no Gateway object made.
    TargetsOnly,
    /// A waypoint ignores plugins without targetRefs.
    WaypointNeedsTarget,
    /// None of the targetRefs is this gateway or waypoint.
    OtherTarget(Vec<TargetRef>),
    /// The pod has no proxy.
    NoProxy,
    /// ztunnel is no Envoy.
    Ztunnel,
}

/// From which namespace a plugin reaches a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its own, which is the proxy's.
    Own(String),
    /// The mesh's root namespace, which reaches all.
    Root(String),
}

/// A label that a selector wants, and what the pod has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelDifference {
    /// The label.
    pub key: String,
    /// What the selector wants.
    pub wanted: String,
    /// What the pod has; None where it lacks the label.
    pub has: Option<String>,
}

/// Decides whether `plugin` applies to the proxy of `pod`, in a waypoint to at least one of its chains.
pub fn attach(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Attachment {
    let services = if plugin.target_refs.is_empty() { Vec::new() } else { waypoint::served_services(pod, objects) };
    attachment(decide(plugin, pod, &services.into_iter().map(Arc::as_ref).collect::<Vec<_>>(), objects))
}

/// Decides whether `plugin` applies to the chains of one service in the waypoint of `pod`, or where there is none to its chain for
/// traffic that goes straight to a pod: istiod asks for each of them anew (`core/listener_waypoint.go: buildWaypointHTTPFilters`).
pub fn attach_in_waypoint(plugin: &Plugin, pod: &Pod, service: Option<&Service>, objects: &Inventory) -> Attachment {
    attachment(decide(plugin, pod, service.as_slice(), objects))
}

fn attachment(decided: Result<Reason, Reason>) -> Attachment {
    match decided {
        Ok(reason) => Attachment { attached: true, reason },
        Err(reason) => Attachment { attached: false, reason },
    }
}

fn decide(plugin: &Plugin, pod: &Pod, services: &[&Service], objects: &Inventory) -> Result<Reason, Reason> {
    let Some(proxy) = &pod.proxy else { return Err(Reason::NoProxy) };
    if proxy.kind == ProxyKind::Ztunnel {
        return Err(Reason::Ztunnel);
    }
    // The label decides, not what made the pod: a hand-labelled pod counts as a gateway too.
    let gateway = pod.labels.get(GATEWAY_NAME);
    let waypoint = proxy.kind == ProxyKind::Waypoint;
    match (gateway, plugin.target_refs.is_empty()) {
        (None, false) => Err(Reason::TargetsOnly),
        (Some(_), true) if waypoint => Err(Reason::WaypointNeedsTarget),
        (_, true) => {
            let reach = reach(plugin, pod, objects)?;
            selects(plugin.selector.as_ref(), &pod.labels, reach)
        }
        (Some(gateway), false) => plugin
            .target_refs
            .iter()
            .find(|target| targets(target, plugin, pod, gateway, services, objects))
            .map(|target| Reason::Target(target.clone()))
            .ok_or_else(|| Reason::OtherTarget(plugin.target_refs.clone())),
    }
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
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else { return Ok(Reason::NoSelector(reach)) };
    if selector.matches(labels) {
        return Ok(Reason::Selector(selector.clone(), reach));
    }
    Err(Reason::LabelsDiffer(selector.clone(), differences(selector, labels)))
}

/// The labels of a selector that a pod has otherwise, or not at all.
pub fn differences(selector: &Selector, labels: &Labels) -> Vec<LabelDifference> {
    let differs = selector.match_labels.iter().filter(|(key, wanted)| labels.get(*key) != Some(wanted));
    differs.map(|(key, wanted)| LabelDifference { key: key.clone(), wanted: wanted.clone(), has: labels.get(key).cloned() }).collect()
}

fn targets(target: &TargetRef, plugin: &Plugin, pod: &Pod, gateway: &str, services: &[&Service], objects: &Inventory) -> bool {
    let namespace = &plugin.id.name.namespace;
    let waypoint = pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Waypoint);
    let serves = |registry: Registry| {
        let named = |service: &&Service| service.registry == registry && service.name.name == target.name;
        waypoint && services.iter().filter(|service| named(service)).any(|service| service.name.namespace == *namespace)
    };
    match (target.group.as_str(), target.kind.as_str()) {
        ("gateway.networking.k8s.io", "Gateway") => target.name == gateway && *namespace == pod.id.namespace,
        // Only this one class, only from the root namespace, only for nodes of type waypoint.
        ("gateway.networking.k8s.io", "GatewayClass") => {
            waypoint && target.name == "istio-waypoint" && *namespace == objects.root_namespace()
        }
        ("" | "core", "Service") => serves(Registry::Kubernetes),
        ("networking.istio.io", "ServiceEntry") => serves(Registry::ServiceEntry),
        _ => false,
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(namespace) => write!(f, "namespace {namespace}"),
            Self::Root(namespace) => write!(f, "the whole mesh, since {namespace} is the root namespace"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Selector(selector, reach) => {
                write!(f, "selector {} matches the pod's labels", selector.text())?;
                if let Reach::Root(namespace) = reach { write!(f, "; root namespace {namespace} reaches the whole mesh") } else { Ok(()) }
            }
            Self::NoSelector(reach) => write!(f, "no selector, so it applies to {reach}"),
            Self::Target(target) => write!(f, "targetRef {target}"),
            Self::LabelsDiffer(selector, differences) => {
                let has = differences.iter().map(|difference| match &difference.has {
                    Some(has) => format!("{}={has}", difference.key),
                    None => format!("no label {}", difference.key),
                });
                write!(f, "selector wants {}, the pod has {}", selector.text(), has.collect::<Vec<_>>().join(", "))
            }
            Self::OtherNamespace { plugin, pod } => {
                write!(f, "the plugin is in namespace {plugin}, the workload in {pod}; only the root namespace reaches others")
            }
            Self::TargetsOnly => {
                f.write_str("the plugin has targetRefs, which reach only gateways and waypoints that a Gateway object made")
            }
            Self::WaypointNeedsTarget => f.write_str("a waypoint takes only plugins with targetRefs; selectors do not reach it"),
            Self::OtherTarget(targets) => {
                let names: Vec<String> = targets.iter().map(TargetRef::to_string).collect();
                write!(f, "its targetRefs name {}", names.join(", "))
            }
            Self::NoProxy => f.write_str("the pod has no proxy"),
            Self::Ztunnel => f.write_str("Wasm never runs in ztunnel, which is no Envoy"),
        }
    }
}
