//! What would have to change where a plugin does not apply.

use serde::Serialize;

use crate::analysis::answers::workloads;
use crate::analysis::near_miss::{NearMiss, Neighbours};
use crate::analysis::{attachment, lookup};
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::snapshot::Snapshot;

/// A workload that the plugin does not reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nearest {
    /// `namespace/name`.
    pub workload: String,
    /// Its kind.
    pub workload_kind: &'static str,
    /// What keeps the plugin from it, and what would have to change.
    pub near_miss: NearMiss,
}

/// What keeps the plugin from a proxy, or out of every chain of it, in words and as what would have to change.
pub(super) fn missed(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, neighbours: &Neighbours<'_>) -> Option<(String, NearMiss)> {
    let objects = &snapshot.objects;
    let (object, pod) = (objects.plugins.get(plugin)?, objects.pods.get(proxy)?);
    let decision = attachment::attach(object, pod, objects);
    let (reason, miss) = workloads::said(object, pod, &decision, &lookup::owner(snapshot, proxy)?, objects, neighbours);
    Some((reason, miss?))
}

/// The workloads of 0 replicas that a plugin is for, as `deploy/httpbin`.
pub(super) fn scaled_to_zero(snapshot: &Snapshot, plugin: &PluginId) -> Vec<String> {
    let object = snapshot.objects.plugins.get(plugin);
    let found = object.map(|object| attachment::scaled_to_zero(object, &snapshot.objects)).unwrap_or_default();
    found.iter().map(WorkloadId::short).collect()
}

/// The workload that comes nearest to being reached.
pub(super) fn nearest(snapshot: &Snapshot, plugin: &PluginId) -> Option<Nearest> {
    snapshot.objects.plugins.get(plugin)?;
    let found = workloads(snapshot, Some(plugin), None).workloads;
    let near =
        found.into_iter().find(|workload| !workload.matched && workload.near_miss.as_ref().is_some_and(|miss| miss.change.is_some()))?;
    Some(Nearest { workload: near.id.name.to_string(), workload_kind: near.workload_kind, near_miss: near.near_miss? })
}
