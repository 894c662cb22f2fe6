//! Which pods a targetRef means, whether or not it reaches them: the proxies of the Gateway, the pods of the Service.

use super::injection::{self, NoProxy};
use super::reason::RefMiss;
use super::targets::{WAYPOINT_CLASS, group_of};
use crate::analysis::targets;
use crate::ingest::workloads::{self, GATEWAY_NAME};
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::plugin::{Plugin, TargetRef};
use crate::model::policy::{Policy, PolicySpec};
use crate::model::workload::{Pod, ProxyKind};

/// A Gateway whose proxies are deployed by hand, behind the Service that its addresses name.
#[derive(Clone, Copy)]
pub struct Behind<'o> {
    /// The Gateway.
    pub gateway: &'o ObjectName,
    /// The targetRef that names its class, where none names it. Of classes only istio-waypoint can be targeted.
    pub class: Option<&'o TargetRef>,
}

/// The Gateway that a targetRef names, itself or by its class, and whose proxies are deployed by hand: with the pod among them, which
/// lacks the label by which a targetRef finds the proxies of a Gateway.
pub fn gateway_behind<'o>(plugin: &'o Plugin, pod: &Pod, objects: &'o Inventory) -> Option<Behind<'o>> {
    let mut refs = plugin.targets().iter().filter(|target| Some(target.group.as_str()) == group_of(&target.kind));
    let behind = |target: &'o TargetRef| match target.kind.as_str() {
        "Gateway" => {
            let policy = objects.policies.get(&(Kind::Gateway, place_of(target, plugin)))?;
            is_deployed_as(policy, pod, objects).then_some(Behind { gateway: &policy.name, class: None })
        }
        "GatewayClass" if target.name != WAYPOINT_CLASS && !is_sidecar(pod) => {
            let own = objects.policies_in(Kind::Gateway, &pod.id.namespace);
            let mut of_class = own.filter(|policy| is_of_class(policy, &target.name));
            let policy = of_class.find(|policy| is_deployed_as(policy, pod, objects))?;
            Some(Behind { gateway: &policy.name, class: Some(target) })
        }
        _ => None,
    };
    refs.find_map(behind)
}

/// Whether the targetRefs are for gateways and waypoints, and the pod is a sidecar's or has no proxy: a selector that reaches it would
/// bring what is for a gateway to applications.
pub(super) fn is_not_for(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> bool {
    let can_get_waypoint = || matches!(injection::missing(pod, objects), NoProxy::Ambient) && names(plugin, pod, objects);
    plugin.targets().iter().any(|target| group_of(&target.kind).is_some())
        && is_sidecar(pod)
        && (pod.proxy.is_some() || !can_get_waypoint())
}

/// Whether the pod runs, or would get, no gateway.
fn is_sidecar(pod: &Pod) -> bool {
    pod.proxy.as_ref().is_none_or(|proxy| proxy.kind == ProxyKind::Sidecar)
}

fn is_of_class(policy: &Policy, class: &str) -> bool {
    matches!(&policy.spec, PolicySpec::Gateway(spec) if spec.class == class)
}

/// Whether a targetRef of the plugin names the pod's Gateway, the class of that, a Service or ServiceEntry of the pod, or its workload.
pub fn names(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> bool {
    plugin.targets().iter().any(|target| is_named(target, plugin, pod, objects)) || gateway_behind(plugin, pod, objects).is_some()
}

fn is_named(target: &TargetRef, plugin: &Plugin, pod: &Pod, objects: &Inventory) -> bool {
    let of_gateway = pod.labels.get(GATEWAY_NAME);
    let leads = |kind: Kind| {
        let service = objects.services.get(&(kind, place_of(target, plugin)));
        service.is_some_and(|service| targets::leads_to(service, pod))
    };
    match target.kind.as_str() {
        "Gateway" => {
            let named = || workloads::owner_of(objects, pod).name == place_of(target, plugin);
            of_gateway == Some(&target.name) || selected_by_gateway(target, plugin, pod, objects) || named()
        }
        "GatewayClass" => of_gateway.is_some_and(|name| {
            let gateway = objects.policies.get(&(Kind::Gateway, ObjectName::new(&pod.id.namespace, name)));
            gateway.is_some_and(|policy| is_of_class(policy, &target.name))
        }),
        "Service" => leads(Kind::Service),
        "ServiceEntry" => leads(Kind::ServiceEntry),
        kind => {
            let owner = workloads::owner_of(objects, pod);
            owner.kind.as_str() == kind && owner.name == place_of(target, plugin)
        }
    }
}

/// A waypoint is meant too by a targetRef to a service that is there and does not use it.
pub(super) fn is_of_waypoint(misses: &[RefMiss], pod: &Pod) -> bool {
    let waypoint = pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Waypoint);
    waypoint && misses.iter().any(|miss| matches!(miss, RefMiss::NotServed { .. }))
}

/// Where what a targetRef names has to be: in its namespace, or else in the plugin's.
fn place_of(target: &TargetRef, plugin: &Plugin) -> ObjectName {
    let own = &plugin.id.name.namespace;
    ObjectName::new(if target.namespace.is_empty() { own } else { &target.namespace }, &target.name)
}

/// A `networking.istio.io` Gateway, which cannot be targeted, selects its proxies.
fn selected_by_gateway(target: &TargetRef, plugin: &Plugin, pod: &Pod, objects: &Inventory) -> bool {
    let policy = objects.policies.get(&(Kind::IstioGateway, place_of(target, plugin)));
    let selector = policy.filter(|_| target.group == Kind::IstioGateway.group()).and_then(|policy| policy.selector.as_ref());
    selector.is_some_and(|selector| !selector.is_empty() && selector.matches(&pod.labels))
}

/// Whether the pod is behind a Service that the addresses of a Gateway name; such a Service is in the Gateway's namespace. Where it was
/// not read, the workload of its name is: charts give both one name.
fn is_deployed_as(policy: &Policy, pod: &Pod, objects: &Inventory) -> bool {
    let PolicySpec::Gateway(spec) = &policy.spec else { return false };
    let namespace = &policy.name.namespace;
    let leads = |host: &String| {
        let (name, rest) = host.split_once('.').unwrap_or((host, namespace));
        let own = rest == namespace || rest.strip_prefix(namespace.as_str()).is_some_and(|rest| rest.starts_with(".svc"));
        let service = ObjectName::new(namespace, name);
        own && match objects.services.get(&(Kind::Service, service.clone())) {
            Some(service) => targets::leads_to(service, pod),
            None => workloads::owner_of(objects, pod).name == service,
        }
    };
    spec.services.iter().any(leads)
}
