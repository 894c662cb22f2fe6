//! From pods to the workloads that own them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::envoy::Node;
use crate::model::ids::{ObjectName, ProxyId, WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::workload::{Injection, Owner, Pod, ProxyContainer, ProxyKind, Workload};

/// The label by which a Gateway API gateway or waypoint is known (`pilot/pkg/model/policyattachment.go`).
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// The workloads of all pods, by name, then kind. Pods that have ended are left out.
pub fn derive(objects: &Inventory) -> Vec<Arc<Workload>> {
    let mut found: BTreeMap<WorkloadId, Workload> = BTreeMap::new();
    for pod in objects.pods.values() {
        if matches!(pod.phase.as_str(), "Succeeded" | "Failed") {
            continue;
        }
        let id = owner_of(objects, pod);
        let workload = found.entry(id.clone()).or_insert_with(|| Workload { id, pods: Vec::new(), proxy_kind: None });
        workload.proxy_kind = workload.proxy_kind.or(pod.proxy.as_ref().map(|proxy| proxy.kind));
        workload.pods.push(pod.id.clone());
    }
    found.into_values().map(Arc::new).collect()
}

/// The workload of a pod: the end of its chain of owners; for a gateway that a Gateway object made, that object.
pub fn owner_of(objects: &Inventory, pod: &Pod) -> WorkloadId {
    let named = |kind, name: &str| WorkloadId::new(kind, &pod.id.namespace, name);
    if pod.is_workload_entry {
        return named(WorkloadKind::WorkloadEntry, &pod.id.pod);
    }
    if let Some(gateway) = pod.labels.get(GATEWAY_NAME) {
        return named(WorkloadKind::Gateway, gateway);
    }
    let Some(Owner { kind, name }) = &pod.owner else {
        return named(if pod.by_node { WorkloadKind::Proxy } else { WorkloadKind::Pod }, &pod.id.pod);
    };
    match kind.as_str() {
        "ReplicaSet" => deployment_of(objects, pod, name)
            .map_or_else(|| named(WorkloadKind::ReplicaSet, name), |name| named(WorkloadKind::Deployment, &name)),
        // A node names the end of the chain itself (`pkg/kube/inject`: the owner that injection found).
        "Deployment" => named(WorkloadKind::Deployment, name),
        "StatefulSet" => named(WorkloadKind::StatefulSet, name),
        "DaemonSet" => named(WorkloadKind::DaemonSet, name),
        "Job" => named(WorkloadKind::Job, name),
        _ => named(WorkloadKind::Pod, &pod.id.pod),
    }
}

/// A proxy of which no object was read, by what its node says of it (`pkg/model/proxy.go: NodeMetadata`).
pub fn of_node(id: &ProxyId, node: &Node) -> Pod {
    let kind = match node.node_type() {
        "waypoint" => ProxyKind::Waypoint,
        "router" if node.labels.contains_key(GATEWAY_NAME) => ProxyKind::Gateway,
        "router" => ProxyKind::ClassicGateway,
        "ztunnel" => ProxyKind::Ztunnel,
        _ => ProxyKind::Sidecar,
    };
    Pod {
        id: id.clone(),
        owner: owner_by_node(&node.owner),
        is_workload_entry: false,
        by_node: true,
        proxy: Some(ProxyContainer {
            interception_mode: node.interception_mode.clone(),
            hbone: node.enable_hbone,
            ..ProxyContainer::assumed(kind)
        }),
        phase: "Running".to_owned(),
        ready: true,
        ready_since: None,
        deleting: false,
        ips: node.instance_ips.clone(),
        container_ports: node.pod_ports.clone(),
        revision: node.revision.clone().or_else(|| node.labels.get("istio.io/rev").cloned()),
        service_account: None,
        injection: Injection::default(),
        istiod: None,
        unready: None,
        labels: node.labels.clone(),
    }
}

/// `kubernetes://apis/apps/v1/namespaces/default/deployments/httpbin`: who owns the pod, as injection wrote it down.
fn owner_by_node(owner: &str) -> Option<Owner> {
    let mut parts = owner.strip_prefix("kubernetes://")?.rsplit('/');
    let (name, plural) = (parts.next()?, parts.next()?);
    let kind = match plural {
        "deployments" => "Deployment",
        "replicasets" => "ReplicaSet",
        "statefulsets" => "StatefulSet",
        "daemonsets" => "DaemonSet",
        "jobs" => "Job",
        _ => return None,
    };
    Some(Owner { kind: kind.to_owned(), name: name.to_owned() })
}

/// The Deployment of a ReplicaSet: as its owner says, else (where ReplicaSets cannot be read) by the name that Deployments
/// give theirs, `<deployment>-<pod-template-hash>`.
fn deployment_of(objects: &Inventory, pod: &Pod, replica_set: &str) -> Option<String> {
    if let Some(object) = objects.owners.get(&(Kind::ReplicaSet, ObjectName::new(&pod.id.namespace, replica_set))) {
        return object.owner.as_ref().filter(|owner| owner.kind == "Deployment").map(|owner| owner.name.clone());
    }
    let hash = pod.labels.get("pod-template-hash")?;
    replica_set.strip_suffix(hash.as_str())?.strip_suffix('-').map(str::to_owned)
}
