//! Mutual TLS: the PeerAuthentication mode that is in force for a workload and each of its ports, and what became of every
//! other policy. The rules are the same from Istio 1.12 on (`pilot/pkg/security/authn/policy_applier.go:
//! ComposePeerAuthentication`; `pilot/pkg/model/authentication.go: addPeerAuthentication, getConfigsForWorkload`).

pub mod client;
pub mod clients;
pub mod cluster_patch;
pub mod fate;
pub mod hidden;
pub mod identity;
mod in_proxy;
pub mod past_proxy;
pub mod ports;
pub mod routes;
pub mod rules;
pub mod unused_rules;
pub mod verdict;

pub use in_proxy::in_proxy;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::control_plane;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::peer_authentication::{MtlsMode, PeerAuthentication};
use crate::model::workload::Pod;

/// The mode in force and the policies that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveMtls {
    /// The mode.
    pub mode: MtlsMode,
    /// The policy that set it; None where no policy applies, so that Istio's default stands.
    pub winner: Option<ObjectName>,
    /// The modes of ports that a policy names, by container port; a port left UNSET has the workload's mode.
    pub ports: BTreeMap<u16, MtlsMode>,
    /// The policy that `ports` are of: the workload's own, even where its mode is UNSET and another one is the winner.
    pub port_policy: Option<ObjectName>,
}

impl EffectiveMtls {
    /// The mode of a container port.
    pub fn mode_of_port(&self, port: u16) -> MtlsMode {
        self.ports.get(&port).copied().unwrap_or(self.mode)
    }

    /// `PeerAuthentication default/default`, as answers name it.
    pub fn winner_text(&self) -> Option<String> {
        self.winner.as_ref().map(|name| format!("PeerAuthentication {name}"))
    }
}

/// The mode in force for a pod.
pub fn of_pod(objects: &Inventory, pod: &Pod) -> EffectiveMtls {
    Scopes::of_pod(objects, pod).effective()
}

/// The mode of a pod's namespace, which policies with a selector do not change.
pub fn of_namespace(objects: &Inventory, pod: &Pod) -> EffectiveMtls {
    Scopes::of(objects, &pod.id.namespace, &Labels::new(), control_plane::revision(pod, objects)).effective()
}

/// The mode in force for pods with these labels in this namespace, whichever revision's istiod serves them.
pub fn effective(objects: &Inventory, namespace: &str, labels: &Labels) -> EffectiveMtls {
    Scopes::of(objects, namespace, labels, None).effective()
}

/// Whether the istiod of a revision uses an object that is labelled for one (`pkg/config/model.go: LabelsInRevision`).
fn is_in_revision(policy: &PeerAuthentication, revision: Option<&str>) -> bool {
    policy.revision.as_deref().is_none_or(|wanted| revision.is_none_or(|own| own == wanted))
}

/// The policy that stands for each scope.
#[derive(Clone, Copy)]
struct Scopes<'o> {
    mesh: Option<&'o PeerAuthentication>,
    namespace: Option<&'o PeerAuthentication>,
    workload: Option<&'o PeerAuthentication>,
}

impl<'o> Scopes<'o> {
    fn of_pod(objects: &'o Inventory, pod: &Pod) -> Self {
        Self::of(objects, &pod.id.namespace, &pod.labels, control_plane::revision(pod, objects))
    }

    fn of(objects: &'o Inventory, namespace: &str, labels: &Labels, revision: Option<&str>) -> Self {
        let root = objects.root_namespace();
        let whole = |wanted: &str| oldest(objects, revision, |policy| policy.of_workload().is_none() && policy.name.namespace == wanted);
        // A policy with a selector counts only outside the root namespace, even for workloads of the root namespace itself.
        let own = |policy: &PeerAuthentication| {
            policy.name.namespace == namespace && policy.of_workload().is_some_and(|selector| selector.matches(labels))
        };
        let elsewhere = namespace != root;
        Self {
            mesh: whole(root),
            namespace: elsewhere.then(|| whole(namespace)).flatten(),
            workload: elsewhere.then(|| oldest(objects, revision, own)).flatten(),
        }
    }

    fn effective(&self) -> EffectiveMtls {
        let mut effective = EffectiveMtls { mode: MtlsMode::Permissive, winner: None, ports: BTreeMap::new(), port_policy: None };
        for policy in [self.mesh, self.namespace, self.workload].into_iter().flatten() {
            if let Some(mode) = policy.mode {
                effective.mode = mode;
                effective.winner = Some(policy.name.clone());
            }
        }
        // Only the workload's own policy counts by port, and the ports of one that lost are not merged in.
        if let Some(policy) = self.workload.filter(|policy| !policy.ports.is_empty()) {
            effective.ports = policy.ports.iter().map(|(port, mode)| (*port, mode.unwrap_or(effective.mode))).collect();
            effective.port_policy = Some(policy.name.clone());
        }
        effective
    }
}

/// The oldest of the policies that an istiod uses; of one second, the first by name.
fn oldest<'o>(
    objects: &'o Inventory,
    revision: Option<&str>,
    wanted: impl Fn(&PeerAuthentication) -> bool,
) -> Option<&'o PeerAuthentication> {
    let policies = objects.peer_authentications.values().map(Arc::as_ref);
    let policies =
        policies.filter(|policy| is_in_revision(policy, revision) && objects.discovers(&policy.name.namespace) && wanted(policy));
    policies.min_by(|a, b| (&a.created, &a.name.name).cmp(&(&b.created, &b.name.name)))
}
