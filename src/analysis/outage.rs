//! Revisions of Istio of which no istiod is ready, though the objects show that this cluster has one. Where they show none, as where the
//! control plane is external, nothing is concluded.

use std::collections::BTreeMap;

use super::control_plane::{self, labelled_revision};
use crate::ingest::workloads;
use crate::model::ids::{ObjectName, WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::workload::{OwnerObject, Pod};

/// How many pods are listed with their state.
const MOST: usize = 3;

/// A revision without a ready istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The revision; `default` for installations without one.
    pub revision: String,
    /// What runs its istiods, as a rule a Deployment.
    pub workload: WorkloadId,
    /// Whether the Deployment asks for no pod.
    pub scaled_down: bool,
    /// Whether it is the only revision that the objects show.
    is_only: bool,
    /// What is wrong, as a clause of the workload: `has 0 replicas`.
    pub what: &'static str,
    /// What shows it, as clauses.
    pub evidence: Vec<String>,
}

impl Outage {
    /// `Deployment istio-system/istiod has 0 replicas`.
    pub fn sentence(&self) -> String {
        format!("{} {} {}", self.workload.kind.as_str(), self.workload.name, self.what)
    }

    /// Whether it is the istiods of this outage that serve a proxy.
    pub fn concerns(&self, pod: &Pod, objects: &Inventory) -> bool {
        match control_plane::revision(pod, objects) {
            Some(revision) => revision == self.revision,
            // Injected by an old release.
            None => self.is_only,
        }
    }

    /// Whether a proxy that runs in this pod is cut off.
    pub fn cuts_off(&self, pod: &Pod, objects: &Inventory) -> bool {
        pod.runs_proxy() && self.concerns(pod, objects)
    }
}

/// The istiods of a revision, as far as the objects show them.
#[derive(Default)]
struct Istiods<'o> {
    deployments: Vec<&'o OwnerObject>,
    replica_sets: Vec<&'o OwnerObject>,
    pods: Vec<&'o Pod>,
}

/// The revisions without a ready istiod, by name; none where the pods of istiod's namespace could not be read.
pub fn outages(snapshot: &Snapshot) -> Vec<Outage> {
    if !snapshot.has_objects || !snapshot.settled.contains(&Kind::Pod) {
        return Vec::new();
    }
    let revisions = revisions(snapshot);
    let is_only = revisions.len() == 1;
    let away = revisions.into_iter().filter(|(revision, istiods)| !istiods.is_ready() && !is_connected(snapshot, revision));
    away.filter_map(|(revision, istiods)| Some(Outage { is_only, ..istiods.outage(snapshot, revision)? })).collect()
}

fn revisions(snapshot: &Snapshot) -> BTreeMap<&str, Istiods<'_>> {
    let objects = &*snapshot.objects;
    let mut found: BTreeMap<&str, Istiods<'_>> = BTreeMap::new();
    for pod in control_plane::istiods(objects) {
        found.entry(labelled_revision(&pod.labels)).or_default().pods.push(pod);
    }
    for owner in owners(objects, Kind::Deployment) {
        found.entry(labelled_revision(&owner.labels)).or_default().deployments.push(owner);
    }
    if snapshot.unread.contains(&Kind::Deployment) {
        for owner in owners(objects, Kind::ReplicaSet) {
            found.entry(labelled_revision(&owner.labels)).or_default().replica_sets.push(owner);
        }
    }
    found
}

fn owners(objects: &Inventory, kind: Kind) -> impl Iterator<Item = &OwnerObject> {
    let of_kind = objects.owners.range((kind, ObjectName::new("", ""))..).take_while(move |((found, _), _)| *found == kind);
    of_kind.map(|(_, owner)| &**owner).filter(|owner| owner.labels.get("app").is_some_and(|app| app == "istiod"))
}

/// Whether an istiod has a connection of a proxy of the revision: then it runs, ready or not. What one reported whose pod is gone, or waits to
/// be started again, is of before.
fn is_connected(snapshot: &Snapshot, revision: &str) -> bool {
    let Some(Ok(sync)) = &snapshot.sync else { return false };
    let objects = &snapshot.objects;
    let is_of = |pod: &Pod| control_plane::revision(pod, objects).is_none_or(|own| own == revision);
    // A recording does not have the pod's name.
    let is_there =
        |name: &str| name.is_empty() || control_plane::istiods(objects).any(|istiod| istiod.id.pod == name && istiod.hindrance().is_none());
    let connected = sync.istiods.iter().filter(|istiod| is_there(&istiod.pod)).flat_map(|istiod| &istiod.clients);
    connected.into_iter().any(|client| objects.pods.get(&client.proxy).is_some_and(|pod| is_of(pod)))
}

impl Istiods<'_> {
    fn is_ready(&self) -> bool {
        let is_counted = || self.deployments.iter().any(|deployment| deployment.ready.is_some_and(|ready| ready > 0));
        if self.pods.is_empty() { is_counted() } else { self.pods.iter().any(|pod| pod.unready.is_none()) }
    }

    fn outage(&self, snapshot: &Snapshot, revision: &str) -> Option<Outage> {
        let workload = self.workload(&snapshot.objects)?;
        if snapshot.lacks(Kind::Pod, &workload.name.namespace) {
            return None;
        }
        let scaled_down = !self.deployments.is_empty() && self.deployments.iter().all(|deployment| deployment.replicas == Some(0));
        let is_empty = self.deployments.iter().any(|deployment| deployment.ready == Some(0))
            || (self.deployments.is_empty() && snapshot.unread.contains(&Kind::Deployment));
        let what = match (scaled_down, self.pods.is_empty()) {
            (true, _) => "has 0 replicas",
            (false, false) => "has no ready pod",
            (false, true) if is_empty => "has no pod",
            // Nothing says that its pods were looked for.
            (false, true) => return None,
        };
        let mut evidence = vec![format!("no pod of istiod of revision {revision} is ready")];
        evidence.extend(self.pods.iter().take(MOST).map(|pod| state(pod)));
        if self.pods.len() > MOST {
            evidence.push(format!("and {} more pods, none of them ready", self.pods.len() - MOST));
        }
        Some(Outage { revision: revision.to_owned(), workload, scaled_down, is_only: false, what, evidence })
    }

    fn workload(&self, objects: &Inventory) -> Option<WorkloadId> {
        let deployment = |name: &ObjectName| WorkloadId { name: name.clone(), kind: WorkloadKind::Deployment };
        let of_deployment = || self.deployments.first().map(|owner| deployment(&owner.name));
        let of_pod = || self.pods.first().map(|pod| workloads::owner_of(objects, pod));
        let of_replica_set = || {
            let of = |owner: &&OwnerObject| Some(deployment(&ObjectName::new(&owner.name.namespace, &owner.owner.as_ref()?.name)));
            self.replica_sets.iter().find_map(of)
        };
        of_deployment().or_else(of_pod).or_else(of_replica_set)
    }
}

/// `istiod-5d8c.istio-system is Pending and not Ready (ImagePullBackOff)`.
fn state(pod: &Pod) -> String {
    let phase = if pod.phase.is_empty() { "of unknown phase" } else { &pod.phase };
    let reason = pod.unready.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{} is {phase} and not Ready{reason}", pod.id)
}
