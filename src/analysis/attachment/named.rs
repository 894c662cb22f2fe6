//! Which pods a targetRef means, whether or not it reaches them: the proxies of the Gateway, the pods of the Service.

use super::group_of;
use super::reason::RefMiss;
use crate::analysis::targets;
use crate::ingest::workloads::{self, GATEWAY_NAME};
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::plugin::{Plugin, TargetRef};
use crate::model::policy::{Policy, PolicySpec};
use crate::model::workload::{Pod, ProxyKind};

/// The Gateway that a targetRef names and whose proxies, by the Service that its addresses name, are deployed by hand: with the pod
/// among them, which lacks the label by which a targetRef finds the proxies of a Gateway.
pub fn gateway_behind<'o>(plugin: &Plugin, pod: &Pod, objects: &'o Inventory) -> Option<&'o ObjectName> {
    let gateways = plugin.targets().iter().filter(|target| target.kind == "Gateway" && Some(target.group.as_str()) == group_of("Gateway"));
    let object = |target: &TargetRef| objects.policies.get(&(Kind::Gateway, place_of(target, plugin)));
    let found = gateways.filter_map(object).find(|policy| is_deployed_as(policy, pod, objects));
    found.map(|policy| &policy.name)
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
            gateway.is_some_and(|policy| matches!(&policy.spec, PolicySpec::Gateway(spec) if spec.class == target.name))
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
