//! From pods to the workloads that own them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::ids::{ObjectName, WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::workload::{Owner, Pod, Workload};

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
        return named(WorkloadKind::Pod, &pod.id.pod);
    };
    match kind.as_str() {
        "ReplicaSet" => deployment_of(objects, pod, name)
            .map_or_else(|| named(WorkloadKind::ReplicaSet, name), |name| named(WorkloadKind::Deployment, &name)),
        "StatefulSet" => named(WorkloadKind::StatefulSet, name),
        "DaemonSet" => named(WorkloadKind::DaemonSet, name),
        "Job" => named(WorkloadKind::Job, name),
        _ => named(WorkloadKind::Pod, &pod.id.pod),
    }
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
