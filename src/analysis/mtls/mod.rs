//! Mutual TLS: the PeerAuthentication mode that is in force for a workload and each of its ports, and what became of every
//! other policy. The rules are the same from Istio 1.12 on (`pilot/pkg/security/authn/policy_applier.go:
//! ComposePeerAuthentication`; `pilot/pkg/model/authentication.go: addPeerAuthentication, getConfigsForWorkload`).

pub mod client;
pub mod clients;
pub mod fate;
pub mod ports;
pub mod rules;
pub mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::peer_authentication::{MtlsMode, PeerAuthentication};

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

/// The mode in force for pods with these labels in this namespace.
pub fn effective(objects: &Inventory, namespace: &str, labels: &Labels) -> EffectiveMtls {
    let scopes = Scopes::of(objects, namespace, labels);
    let mut effective = EffectiveMtls { mode: MtlsMode::Permissive, winner: None, ports: BTreeMap::new(), port_policy: None };
    for policy in [scopes.mesh, scopes.namespace, scopes.workload].into_iter().flatten() {
        if let Some(mode) = policy.mode {
            effective.mode = mode;
            effective.winner = Some(policy.name.clone());
        }
    }
    // Only the workload's own policy counts by port, and the ports of one that lost are not merged in.
    if let Some(policy) = scopes.workload.filter(|policy| !policy.ports.is_empty()) {
        effective.ports = policy.ports.iter().map(|(port, mode)| (*port, mode.unwrap_or(effective.mode))).collect();
        effective.port_policy = Some(policy.name.clone());
    }
    effective
}

/// The policy that stands for each scope.
#[derive(Clone, Copy)]
struct Scopes<'o> {
    mesh: Option<&'o PeerAuthentication>,
    namespace: Option<&'o PeerAuthentication>,
    workload: Option<&'o PeerAuthentication>,
}

impl<'o> Scopes<'o> {
    fn of(objects: &'o Inventory, namespace: &str, labels: &Labels) -> Self {
        let root = objects.root_namespace();
        let whole = |wanted: &str| oldest(objects, |policy| policy.selector.is_empty() && policy.name.namespace == wanted);
        // A policy with a selector counts only outside the root namespace, even for workloads of the root namespace itself.
        let own = |policy: &PeerAuthentication| {
            policy.name.namespace == namespace && !policy.selector.is_empty() && policy.selector.matches(labels)
        };
        let elsewhere = namespace != root;
        Self {
            mesh: whole(root),
            namespace: elsewhere.then(|| whole(namespace)).flatten(),
            workload: elsewhere.then(|| oldest(objects, own)).flatten(),
        }
    }
}

/// The oldest of the policies; of one second, the first by name.
fn oldest(objects: &Inventory, wanted: impl Fn(&PeerAuthentication) -> bool) -> Option<&PeerAuthentication> {
    let policies = objects.peer_authentications.values().map(Arc::as_ref).filter(|policy| wanted(policy));
    policies.min_by(|a, b| (&a.created, &a.name.name).cmp(&(&b.created, &b.name.name)))
}
