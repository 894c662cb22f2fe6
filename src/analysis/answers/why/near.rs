//! What would have to change where a plugin does not apply.

use serde::Serialize;

use crate::analysis::answers::workloads;
use crate::analysis::near_miss::{self, NearMiss, Neighbours};
use crate::analysis::{attachment, lookup};
use crate::model::ids::{PluginId, ProxyId};
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

/// What would bring the plugin to a proxy to which it does not apply.
pub(super) fn missed(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, neighbours: &Neighbours<'_>) -> Option<NearMiss> {
    let objects = &snapshot.objects;
    let (object, pod) = (objects.plugins.get(plugin)?, objects.pods.get(proxy)?);
    let decision = attachment::attach(object, pod, objects);
    let workload = lookup::owner(snapshot, proxy).filter(|_| !decision.attached)?;
    Some(near_miss::among(object, pod, &workload, &decision.reason, objects, neighbours))
}

/// The workload that comes nearest to being reached.
pub(super) fn nearest(snapshot: &Snapshot, plugin: &PluginId) -> Option<Nearest> {
    snapshot.objects.plugins.get(plugin)?;
    let found = workloads(snapshot, Some(plugin), None).workloads;
    let near =
        found.into_iter().find(|workload| !workload.matched && workload.near_miss.as_ref().is_some_and(|miss| miss.change.is_some()))?;
    Some(Nearest { workload: near.id.name.to_string(), workload_kind: near.workload_kind, near_miss: near.near_miss? })
}
