//! The PeerAuthentication mode that is in force for a workload: mesh, namespace, workload, the oldest of each scope
//! (`pilot/pkg/security/authn/policy_applier.go: ComposePeerAuthentication`).

use std::sync::Arc;

use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::peer_authentication::{MtlsMode, PeerAuthentication};

/// The mode in force and the policy that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveMtls {
    /// The mode.
    pub mode: MtlsMode,
    /// The policy that set it; None where no policy applies, so that Istio's default stands.
    pub winner: Option<ObjectName>,
}

impl EffectiveMtls {
    /// `PeerAuthentication default/default`, as answers name it.
    pub fn winner_text(&self) -> Option<String> {
        self.winner.as_ref().map(|name| format!("PeerAuthentication {name}"))
    }
}

/// The mode in force for pods with these labels in this namespace.
pub fn effective(objects: &Inventory, namespace: &str, labels: &Labels) -> EffectiveMtls {
    let root = objects.root_namespace();
    let policies = || objects.peer_authentications.values();
    let of_namespace = |wanted: &str| {
        let wanted = wanted.to_owned();
        oldest(policies().filter(move |policy| policy.selector.is_empty() && policy.name.namespace == wanted))
    };
    let mesh = of_namespace(root);
    let own = if namespace == root { None } else { of_namespace(namespace) };
    // A policy with a selector counts only outside the root namespace, even for workloads of the root namespace itself.
    let workload = oldest(policies().filter(|policy| {
        namespace != root && policy.name.namespace == namespace && !policy.selector.is_empty() && policy.selector.matches(labels)
    }));
    let mut effective = EffectiveMtls { mode: MtlsMode::Permissive, winner: None };
    for policy in [mesh, own, workload].into_iter().flatten() {
        if let Some(mode) = policy.mode {
            effective = EffectiveMtls { mode, winner: Some(policy.name.clone()) };
        }
    }
    effective
}

/// The oldest of one scope; of one second, the first by name.
fn oldest<'o>(policies: impl Iterator<Item = &'o Arc<PeerAuthentication>>) -> Option<&'o Arc<PeerAuthentication>> {
    policies.min_by(|a, b| (&a.created, &a.name.name).cmp(&(&b.created, &b.name.name)))
}
