//! What owns pods: Deployments, ReplicaSets, StatefulSets, DaemonSets. Their metadata suffices.

use super::fields::{Fields, str_of};
use crate::model::workload::{Owner, OwnerObject};

pub(super) fn read(fields: &mut Fields<'_>) -> OwnerObject {
    let number = |pointer: &str| fields.get(pointer).and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let replicas = number("/spec/replicas");
    // The API server leaves a number of 0 out.
    let ready = number("/status/readyReplicas").or_else(|| fields.get("/status/observedGeneration").map(|_| 0));
    let (labels, pod_labels) = (fields.labels("/metadata/labels"), fields.labels("/spec/template/metadata/labels"));
    OwnerObject { name: fields.name.clone(), labels, owner: controller(fields), replicas, pod_labels, ready }
}

/// The owner reference that controls the object, else the first one.
pub(super) fn controller(fields: &mut Fields<'_>) -> Option<Owner> {
    let references = fields.list("/metadata/ownerReferences");
    let controls = |reference: &&serde_json::Value| reference.get("controller").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let reference = references.iter().find(controls).or_else(|| references.first())?;
    Some(Owner { kind: str_of(reference, "/kind").to_owned(), name: str_of(reference, "/name").to_owned() })
}
