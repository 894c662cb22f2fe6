//! What would have to change, in one sentence each.

use super::LabelLine;
use super::rule::closest;
use super::similar::{is_slip, nearest};
use crate::analysis::attachment::injection::NoProxy;
use crate::analysis::attachment::waypoint::NotServed;
use crate::analysis::attachment::{Exclusion, Reason, RefMiss, TargetMiss, Unused};
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::ids::{ObjectName, WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

/// What would bring `plugin` to the pod, or into a chain of it; None where nothing could.
pub(super) fn of(
    plugin: &Plugin,
    pod: &Pod,
    workload: &WorkloadId,
    reason: &Reason,
    labels: &[LabelLine],
    objects: &Inventory,
) -> Option<String> {
    let gateway = pod.labels.get(GATEWAY_NAME).map(String::as_str).unwrap_or_default();
    let namespace = &pod.id.namespace;
    Some(match reason {
        Reason::NoProxy(why) => no_proxy(why, namespace)?,
        Reason::Ztunnel => return None,
        Reason::Unused(why) => unused(why),
        Reason::OtherNamespace { pod, .. } => {
            format!("create the plugin in namespace {pod}, or in the root namespace {}, which reaches all", objects.root_namespace())
        }
        Reason::TargetsOnly => format!("use a selector in the place of targetRefs{}", own_label(pod)),
        Reason::WaypointNeedsTarget | Reason::GatewayNeedsTarget => {
            let here = plugin.id.name.namespace == *namespace;
            let there = if here { String::new() } else { format!(", and create the plugin in {namespace}") };
            format!("{}{there}", targeting(gateway))
        }
        Reason::LabelsDiffer(..) => label(labels, pod, workload, objects),
        Reason::TopologyLabels(..) => "look in the proxy whether its filter is there, or select by a label of the pod".to_owned(),
        Reason::OtherTarget(misses) => target(closest(misses)?, gateway, namespace, objects)?,
        Reason::ExcludesEveryChain(exclusion) => excluded(exclusion),
        Reason::Selector(..) | Reason::NoSelector(_) | Reason::EmptySelector(_) | Reason::Target(_) => return None,
    })
}

fn no_proxy(why: &NoProxy, namespace: &str) -> Option<String> {
    Some(match why {
        NoProxy::SystemNamespace(_) | NoProxy::OfIstio => return None,
        NoProxy::HostNetwork => "take hostNetwork away, and make the pods anew".to_owned(),
        NoProxy::Ambient => {
            "give its service or namespace a waypoint (label istio.io/use-waypoint), and target that with targetRefs".to_owned()
        }
        NoProxy::OptedOut => "take sidecar.istio.io/inject: \"false\" away from the pod template, and make the pods anew".to_owned(),
        NoProxy::NamespaceOff { .. } => format!("set label istio-injection=enabled on namespace {namespace}, and make the pods anew"),
        NoProxy::NotAsked { .. } => {
            format!("set label istio-injection=enabled (or istio.io/rev) on namespace {namespace}, and make the pods anew")
        }
        NoProxy::NoSuchRevision(revision) => format!("ask for a revision that runs, or make {revision} a tag of one"),
        NoProxy::NotInjected => "make the pods anew; if that does not help, look at the events of their owner".to_owned(),
        NoProxy::Unknown => "see why it has none: labels of its namespace and pod, or the owner's events".to_owned(),
    })
}

fn unused(why: &Unused) -> String {
    match why {
        Unused::UnknownKind => "write it as a WasmPlugin, or upgrade istiod to 1.30".to_owned(),
        Unused::Undiscovered(namespace) => format!("give namespace {namespace} the labels that discoverySelectors ask for"),
        Unused::OtherRevision { istiod, .. } => format!("set label istio.io/rev={istiod} on the plugin, or take the label away"),
        Unused::Undecodable(_) => {
            "correct the field; as long as the object stands there, istiod sees no change to any object of its kind".to_owned()
        }
        Unused::NoUrl => "set url".to_owned(),
        Unused::BadUrl(_) => "write the url with its scheme, as oci://registry:5000/name:tag".to_owned(),
        Unused::NothingToRun => "set wasm or lua".to_owned(),
        Unused::EmptyLua => "set lua.inlineCode".to_owned(),
        Unused::LongLua(_) => "shorten the script to 65536 bytes".to_owned(),
    }
}

fn targeting(gateway: &str) -> String {
    format!("use targetRefs with group gateway.networking.k8s.io, kind Gateway, name {gateway}")
}

/// A selector in the pod's own words: `, such as app=httpbin`.
fn own_label(pod: &Pod) -> String {
    let label = ["app", "app.kubernetes.io/name", "istio"].iter().find_map(|key| pod.labels.get_key_value(*key));
    label.map(|(key, value)| format!(", such as {key}={value}")).unwrap_or_default()
}

/// The commonest slip first: a label on the Deployment alone (istio#38433), then a letter, then the same value under another key.
fn label(labels: &[LabelLine], pod: &Pod, workload: &WorkloadId, objects: &Inventory) -> String {
    let differing: Vec<&LabelLine> = labels.iter().filter(|line| !line.agrees).collect();
    // A label that a Service looks for is not to be changed: the pods would get no request any more.
    let selecting = |key: &String| {
        let mut services = objects.services.values().filter(|service| service.selects(pod));
        services.any(|service| service.selector.as_ref().is_some_and(|selector| selector.match_labels.contains_key(key)))
    };
    let may_be_set = |line: &LabelLine| line.found.is_none() || !selecting(&line.key);
    let pairs = |lines: &[&LabelLine]| lines.iter().map(|line| format!("{}={}", line.key, line.wanted)).collect::<Vec<_>>().join(",");
    let on_owner: Vec<&LabelLine> = differing.iter().copied().filter(|line| line.on_owner && may_be_set(line)).collect();
    if !on_owner.is_empty() {
        let kind = workload.kind.as_str();
        return format!(
            "put {} into the pod template of the {kind} (spec.template.metadata.labels): it is on the {kind} itself, where no selector looks",
            pairs(&on_owner)
        );
    }
    if let [line] = differing.as_slice() {
        if let Some(found) = line.found.as_ref().filter(|found| is_slip(&line.wanted, found)) {
            return format!("did you mean {}={found}? Write it so in the selector", line.key);
        }
        if let Some(key) = nearest(&line.key, pod.labels.keys().map(String::as_str)).filter(|_| line.found.is_none()) {
            return format!("did you mean {key}? The pod has {key}={}", pod.labels[key]);
        }
        if let Some((key, value)) = pod.labels.iter().find(|(_, value)| line.found.is_none() && **value == line.wanted) {
            return format!("select by {key}={value}, which the pod has, or give it {}={}", line.key, line.wanted);
        }
    }
    let holder = match workload.kind {
        // Its pods are made by istiod, which takes their labels from the Gateway.
        WorkloadKind::Gateway => return format!("{}, or change the selector", targeting(&workload.name.name)),
        WorkloadKind::WorkloadEntry => "spec.labels of the WorkloadEntry".to_owned(),
        WorkloadKind::Pod => "the pod".to_owned(),
        WorkloadKind::Proxy => "what the proxy's node says of itself".to_owned(),
        kind => format!("the pod template of the {}", kind.as_str()),
    };
    let set = format!("set {} on {holder}", pairs(&differing));
    let selector = in_selector(labels, pod);
    if differing.iter().all(|line| may_be_set(line)) { format!("{selector}, or {set}") } else { selector }
}

/// What the selector would have to say: the plugin is easier to change than what it is for.
fn in_selector(labels: &[LabelLine], pod: &Pod) -> String {
    let other: Vec<String> =
        labels.iter().filter(|line| !line.agrees).filter_map(|line| Some(format!("{}={}", line.key, line.found.as_ref()?))).collect();
    let lacking: Vec<&str> = labels.iter().filter(|line| line.found.is_none()).map(|line| line.key.as_str()).collect();
    match (other.is_empty(), lacking.is_empty()) {
        // Without any label it would be for the whole namespace.
        (true, _) if lacking.len() == labels.len() => format!("select by a label that the pod has{}", own_label(pod)),
        (true, _) => format!("take {} out of the selector", lacking.join(", ")),
        (false, true) => format!("write {} in the selector", other.join(",")),
        (false, false) => format!("write {} in the selector, and take {} out of it", other.join(","), lacking.join(", ")),
    }
}

fn target(miss: &TargetMiss, gateway: &str, namespace: &str, objects: &Inventory) -> Option<String> {
    let target = &miss.target;
    Some(match miss.why.first()? {
        RefMiss::UnknownKind => {
            let meant = nearest(&target.kind, ["Gateway", "Service", "ServiceEntry", "GatewayClass"].into_iter());
            meant.map_or_else(|| format!("target kind Gateway, name {gateway}"), |kind| format!("did you mean kind {kind}?"))
        }
        RefMiss::TooNew => format!("target kind Gateway, name {gateway}, or upgrade istiod"),
        RefMiss::Group { wanted: "" } => "leave group empty".to_owned(),
        RefMiss::Group { wanted } => format!("write group: {wanted}"),
        RefMiss::NotWaypoint => format!("target the gateway itself: kind Gateway, name {gateway}"),
        RefMiss::PluginNamespace { gateway, .. } => format!("create the plugin in namespace {gateway}"),
        RefMiss::RefNamespace(_) => "leave namespace out, and create the plugin in the namespace of what it targets".to_owned(),
        RefMiss::OtherGateway { gateway } if is_slip(&target.name, gateway) => format!("did you mean name {gateway}?"),
        RefMiss::OtherGateway { gateway } => format!("add a targetRef with kind Gateway, name {gateway}"),
        RefMiss::OtherClass => "target GatewayClass istio-waypoint, or the Gateway by its name".to_owned(),
        RefMiss::NotRoot { root } => format!("create the plugin in the root namespace {root}, or target the Gateway by its name"),
        RefMiss::NoService { namespace, elsewhere } => match elsewhere.first() {
            Some(other) => format!("create the plugin in namespace {}, where the service is", other.namespace),
            None => no_service(&target.kind, &target.name, namespace, objects),
        },
        RefMiss::NotServed { waypoint, why } => not_served(why, waypoint, target.kind.as_str(), &target.name, namespace)?,
    })
}

fn no_service(kind: &str, name: &str, namespace: &str, objects: &Inventory) -> String {
    let wanted = if kind == "Service" { Kind::Service } else { Kind::ServiceEntry };
    let here = objects.services.keys().filter(|(of, service)| *of == wanted && service.namespace == namespace);
    match nearest(name, here.map(|(_, service)| service.name.as_str())) {
        Some(meant) => format!("did you mean {kind} {meant}?"),
        None => format!("name a {kind} that is in namespace {namespace}"),
    }
}

/// The label that puts a service behind the waypoint.
fn not_served(why: &NotServed, waypoint: &ObjectName, kind: &str, name: &str, namespace: &str) -> Option<String> {
    let label = format!("label {kind} {name} with istio.io/use-waypoint={}", waypoint.name);
    Some(match why {
        NotServed::NoLabel | NotServed::OptedOut | NotServed::OtherWaypoint { .. } => {
            format!("{label} (and istio.io/use-waypoint-namespace={namespace} where it is in another namespace)")
        }
        NotServed::NotForServices(_) => format!("set label istio.io/waypoint-for on Gateway {waypoint} to service or all"),
        NotServed::NamespaceNotAllowed => {
            format!("let the HBONE listener of Gateway {waypoint} take routes from its namespace: allowedRoutes.namespaces.from: All")
        }
        NotServed::OtherChain => format!("target Gateway {} to be in the chains of all its services", waypoint.name),
        NotServed::ExternalName | NotServed::OfWaypoint | NotServed::Undiscovered => return None,
    })
}

fn excluded(exclusion: &Exclusion) -> String {
    match exclusion.service_ports.first() {
        Some((service, container)) => format!("write port {container} in the place of {service}: match compares the container's port"),
        None => "change mode or ports of match".to_owned(),
    }
}
