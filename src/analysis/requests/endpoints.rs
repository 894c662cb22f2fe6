//! Why the cluster of a service has no healthy endpoint: a subset's labels, a name of a port, pods that are not ready, a name that does not
//! resolve.

use std::collections::BTreeSet;

use super::blame::Blame;
use super::mesh::Mesh;
use crate::analysis::naming::first;
use crate::model::envoy_filter::Patch;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::{Failed, FailedReason};
use crate::model::routing::Subset;
use crate::model::service::{Registry, Resolution, Service, TargetPort};
use crate::model::workload::Pod;

const RULE: Kind = Kind::DestinationRule;
const NAMED: usize = 3;

/// The kind of the object that declares a service.
pub(super) fn kind_of(service: &Service) -> Kind {
    if service.registry == Registry::Kubernetes { Kind::Service } else { Kind::ServiceEntry }
}

/// Why a client found no healthy endpoint. `ejects` is a DestinationRule that can have put endpoints out.
pub(super) fn none_healthy(mesh: &Mesh<'_>, client: &Pod, failed: &Failed, ejects: Option<&ObjectName>) -> Blame {
    let reason = &failed.reason;
    let Some(service) = mesh.service(reason, &client.id.namespace) else {
        let named = &reason.to.name;
        let fix = format!("see which endpoints the client's proxy has for {named}");
        return Blame::new(None, format!("no endpoint of {named} is healthy"), fix);
    };
    let (named, object) = (format!("{} {}", service.registry, service.name), Some((kind_of(service), &service.name)));
    let ejected = ejects.map(|rule| {
        let words = format!("no endpoint of {named} is healthy ({RULE} {rule} has outlierDetection)");
        let fix = format!("look at the pods of {named}: are they ready, and which of them fail?");
        Blame::new(Some((RULE, rule)), words, fix).unless_changed(mesh, failed, RULE, &[rule])
    });
    if service.selector.is_none() {
        return ejected.unwrap_or_else(|| without_pods(service, reason, &named));
    }
    let is_there = |pod: &&Pod| service.selects(pod) && !pod.deleting && !matches!(pod.phase.as_str(), "Succeeded" | "Failed");
    let mut pods: Vec<&Pod> = mesh.objects.pods.values().map(|pod| &**pod).filter(is_there).collect();
    if !mesh.knows(Kind::Pod) {
        return ejected.unwrap_or_else(|| {
            Blame::new(object, format!("no endpoint of {named} is healthy"), format!("look at the pods of {named}: are they ready?"))
        });
    }
    if pods.is_empty() {
        let words = format!("no pod has the labels of {named}, so it has no endpoint");
        return Blame::new(object, words, format!("start its pods, or correct the selector of {named}"));
    }
    let subset = subset_of(mesh, client, service, reason);
    let mut of_subset = String::new();
    if let Some((rule, subset)) = subset.filter(|(_, subset)| !subset.labels.unread) {
        pods.retain(|pod| subset.labels.matches(&pod.labels));
        if pods.is_empty() {
            return without_labels(mesh, client, failed, rule, subset);
        }
        of_subset = format!(" with {}", subset.labels.text());
    }
    if let Some(name) = target_without_port(service, reason, &pods) {
        let words = format!("targetPort {name} of {named} is no port name of its pods{of_subset}, so it has no endpoint");
        let fix = format!("correct targetPort of {named}, or name the port of the container {name}");
        return Blame::new(object, words, fix).always();
    }
    let (all, ready) = (pods.len(), pods.iter().filter(|pod| pod.ready).count());
    match ejected {
        Some(ejected) if ready > 0 && !ejected.past => {
            Blame { fix: format!("see which of the {ready} ready pods of {named} fail, and why"), ..ejected }
        }
        _ if ready == 0 => {
            let which = first(&pods.iter().map(|pod| pod.id.pod.clone()).collect::<Vec<_>>(), NAMED);
            let words = format!("none of the {all} {} of {named}{of_subset} is ready", if all == 1 { "pod" } else { "pods" });
            Blame::new(object, words, format!("see why {which} is not ready"))
        }
        // Pods that became ready after the last failure are endpoints by now.
        _ if pods.iter().any(|pod| pod.ready && mesh.is_since(pod.ready_since, failed)) => {
            Blame::past(object, format!("no endpoint of {named}{of_subset} was healthy; {ready} of {all} pods are ready now"))
        }
        _ => Blame::new(
            object,
            format!("no endpoint of {named}{of_subset} was healthy, though {ready} of {all} pods are ready now"),
            "nothing, if requests pass now; else compare the client's proxy with istiod, whether it has their addresses",
        ),
    }
}

/// A service that selects no pod: a ServiceEntry's names, or the EndpointSlices of a Service.
fn without_pods(service: &Service, reason: &FailedReason, named: &str) -> Blame {
    let object = Some((kind_of(service), &service.name));
    let is_name = |address: &&str| address.parse::<core::net::IpAddr>().is_err();
    match (service.registry, service.resolution) {
        (Registry::Kubernetes, _) if service.resolution != Resolution::Alias => Blame::new(
            object,
            format!("no endpoint of {named} is healthy; it has no selector, so its EndpointSlices say where it leads"),
            format!("see the EndpointSlices of {named}"),
        ),
        (_, Resolution::Dns | Resolution::DynamicDns | Resolution::Alias) => {
            let own: BTreeSet<&str> = service.endpoints.iter().map(|endpoint| endpoint.address.as_str()).filter(is_name).collect();
            let own: Vec<String> = own.into_iter().map(str::to_owned).collect();
            let of_cluster = reason.cluster.rsplit('|').next().filter(|host| !host.is_empty() && *host != "-");
            let host = of_cluster.unwrap_or_else(|| reason.to.name.rsplit_once(':').map_or(&*reason.to.name, |(host, _)| host));
            let names = if own.is_empty() { host.to_owned() } else { first(&own, NAMED) };
            let verb = if own.len() > 1 { "do" } else { "does" };
            Blame::new(
                object,
                format!("{names} of {named} {verb} not resolve"),
                format!("correct the name in {named}, or see whether the DNS of the client's pod knows it"),
            )
        }
        _ if service.endpoints.is_empty() => {
            Blame::new(object, format!("{named} has no endpoints"), format!("give {named} endpoints, or resolution DNS")).always()
        }
        _ => Blame::new(object, format!("no endpoint of {named} is healthy"), format!("see whether the addresses of {named} answer")),
    }
}

/// The subset of the cluster, `outbound|8000|v2|…`, with the rule that defines it for this client.
fn subset_of<'o>(mesh: &Mesh<'o>, client: &Pod, service: &Service, reason: &FailedReason) -> Option<(&'o ObjectName, &'o Subset)> {
    let name = reason.cluster.split('|').nth(2).filter(|name| !name.is_empty())?;
    let rule = mesh.rule(client, service)?;
    let subset = rule.subsets.iter().copied().find(|subset| subset.name == name)?;
    Some((rule.owner(Some(subset)), subset))
}

fn without_labels(mesh: &Mesh<'_>, client: &Pod, failed: &Failed, rule: &ObjectName, subset: &Subset) -> Blame {
    let (name, labels) = (&subset.name, subset.labels.text());
    let what = format!("subset {name} of {RULE} {rule}, whose labels {labels} no pod has");
    let by = mesh.routes(client, failed).taken.into_iter().find(|route| route.rule.targets.iter().any(|target| target.subset == *name));
    let kind = Kind::VirtualService;
    let blame = match by {
        Some(route) => {
            let by = route.name;
            let fix = format!("correct the labels of subset {name}, start pods that have them, or change the route of {kind} {by}");
            Blame::new(Some((kind, by)), format!("{} {what}", route.leads_to()), fix)
        }
        None if mesh.knows(kind) && !mesh.may_patch(client, Patch::applies_to_routes) => {
            return Blame::past(Some((RULE, rule)), format!("they went to {what}; no {kind} routes there now"));
        }
        None => Blame::new(
            Some((RULE, rule)),
            format!("they go to {what}"),
            format!("correct the labels of subset {name}, or start pods that have them"),
        ),
    };
    blame.always()
}

/// The name of a `targetPort` that none of the pods has (`serviceregistry/kube/controller/util.go: FindPort`).
fn target_without_port<'s>(service: &'s Service, reason: &FailedReason, pods: &[&Pod]) -> Option<&'s str> {
    let number: u16 = reason.cluster.split('|').nth(1)?.parse().ok()?;
    let port = service.ports.iter().find(|port| port.port == number)?;
    match &port.target {
        TargetPort::Name(name) if pods.iter().all(|pod| port.container_port(pod).is_none()) => Some(name),
        _ => None,
    }
}
