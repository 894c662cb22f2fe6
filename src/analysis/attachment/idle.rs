//! Workloads that a plugin is for, and that are scaled to 0: there is no pod that it could apply to.

use crate::model::ids::{WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::plugin::Plugin;

/// The Deployments and StatefulSets of 0 replicas whose pods the plugin's selector would match, by name.
pub fn scaled_to_zero(plugin: &Plugin, objects: &Inventory) -> Vec<WorkloadId> {
    let Some(selector) = plugin.selector.as_ref().filter(|selector| !selector.is_empty()) else { return Vec::new() };
    let of = &plugin.id.name.namespace;
    let of_kind = |kind: Kind| match kind {
        Kind::Deployment => Some(WorkloadKind::Deployment),
        Kind::StatefulSet => Some(WorkloadKind::StatefulSet),
        _ => None,
    };
    let idle = objects.owners.iter().filter(|((_, name), owner)| {
        let reaches = name.namespace == *of || of == objects.root_namespace();
        owner.replicas == Some(0) && reaches && selector.matches(&owner.pod_labels)
    });
    idle.filter_map(|((kind, name), _)| Some(WorkloadId { kind: of_kind(*kind)?, name: name.clone() })).collect()
}
