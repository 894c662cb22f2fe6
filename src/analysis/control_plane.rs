//! Which istiod serves a proxy: its revision, its version, its feature switches.

use super::era::Version;
use crate::model::envoy::Node;
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::mesh::{Features, Istiod};
use crate::model::workload::Pod;

/// The label of objects, pods and istiods that names a revision.
pub const REVISION: &str = "istio.io/rev";

/// The istiod that decides what a proxy is sent, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPlane {
    /// Its version, by which rules are chosen.
    pub version: Version,
    /// Its switches; Istio's defaults where its pod cannot be seen.
    pub features: Features,
    /// What the version was taken from, as one clause.
    pub basis: String,
}

impl ControlPlane {
    /// Whether it gives ServiceEntries without addresses one in their status.
    pub fn allots_addresses(&self) -> bool {
        self.features.allots_addresses.unwrap_or_else(|| self.version.allots_addresses())
    }
}

/// The istiod that serves a proxy. Where no istiod reports its version, the proxy's own is used, and where that has none either, the
/// newest that is known here.
pub fn control_plane(objects: &Inventory, pod: Option<&Pod>, node: Option<&Node>) -> ControlPlane {
    let of_istiod = || {
        let istiod = said(pod, objects)?;
        Some((Version::parse(&istiod.version)?, format!("istiod is {}", istiod.version)))
    };
    let of_proxy = || {
        let text = &node?.istio_version;
        Some((Version::parse(text)?, format!("istiod does not say its version, the proxy is {text}")))
    };
    let newest =
        || (Version::NEWEST, format!("neither istiod nor the proxy says its version, so the rules of {} are taken", Version::NEWEST));
    let (version, basis) = of_istiod().or_else(of_proxy).unwrap_or_else(newest);
    ControlPlane { version, features: features(pod, objects), basis }
}

/// The revision of the istiod that serves the proxy: that which injected it, else the only one there is. None where neither is known.
pub fn revision<'o>(pod: &'o Pod, objects: &'o Inventory) -> Option<&'o str> {
    pod.revision.as_deref().or_else(|| {
        let mut revisions = istiods(objects).map(own_revision);
        let first = revisions.next()?;
        revisions.all(|revision| revision == first).then_some(first)
    })
}

/// Whether an istiod of this revision runs.
pub fn runs(revision: &str, objects: &Inventory) -> bool {
    istiods(objects).any(|istiod| own_revision(istiod) == revision)
}

/// Whether istiods run, and none of this revision. An istiod outside the cluster has no pod here, and may serve any revision.
pub fn lacks(revision: &str, objects: &Inventory) -> bool {
    istiods(objects).next().is_some() && !runs(revision, objects)
}

/// The version of the istiod that serves the proxy; None where it is not known.
pub fn version(pod: &Pod, objects: &Inventory) -> Option<Version> {
    Version::parse(&said(Some(pod), objects)?.version)
}

/// The switches of the istiod that serves the proxy; Istio's defaults where it cannot be seen.
pub fn features(pod: Option<&Pod>, objects: &Inventory) -> Features {
    serving(pod, objects).or_else(|| istiods(objects).next()).and_then(|istiod| istiod.istiod).unwrap_or_default()
}

/// The pods that run istiod.
pub fn istiods(objects: &Inventory) -> impl Iterator<Item = &Pod> {
    objects.control_planes.values().map(|pod| &**pod).filter(|pod| pod.phase != "Succeeded" && !pod.deleting)
}

/// The revision of an istiod's pod.
fn own_revision(istiod: &Pod) -> &str {
    labelled_revision(&istiod.labels)
}

/// The revision that an object of istiod is labelled with; installations without one label it `default`.
pub(super) fn labelled_revision(labels: &Labels) -> &str {
    labels.get(REVISION).map_or("default", String::as_str)
}

/// The pod of an istiod of the proxy's revision; None where its revision is not known, or none runs.
pub fn serving<'o>(pod: Option<&'o Pod>, objects: &'o Inventory) -> Option<&'o Pod> {
    let revision = revision(pod?, objects)?;
    istiods(objects).find(|istiod| own_revision(istiod) == revision)
}

/// What the istiod that serves the proxy says of itself; of several that say the same, any.
fn said<'o>(pod: Option<&'o Pod>, objects: &'o Inventory) -> Option<&'o Istiod> {
    let first = objects.istiods.first()?;
    if objects.istiods.iter().all(|istiod| istiod.version == first.version) {
        return Some(first);
    }
    let serving = serving(pod, objects)?;
    objects.istiods.iter().find(|istiod| istiod.pod == serving.id.pod)
}
