//! Which istiod serves a proxy: its revision, its version, its feature switches.

use super::era::Version;
use crate::model::inventory::Inventory;
use crate::model::labels::Labels;
use crate::model::workload::Pod;

/// The label of objects, pods and istiods that names a revision.
pub const REVISION: &str = "istio.io/rev";

/// The pods that run istiod.
fn istiods(objects: &Inventory) -> impl Iterator<Item = &Pod> {
    objects.pods.values().map(|pod| &**pod).filter(|pod| pod.labels.get("app").is_some_and(|app| app == "istiod"))
}

/// The revision of an istiod's pod; installations without one label it `default`.
fn own_revision(istiod: &Pod) -> &str {
    istiod.labels.get(REVISION).map_or("default", String::as_str)
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

/// The version of the istiod that serves the proxy; None where it is not known.
pub fn version(pod: &Pod, objects: &Inventory) -> Option<Version> {
    let first = objects.istiods.first()?;
    if objects.istiods.iter().all(|istiod| istiod.version == first.version) {
        return Version::parse(&first.version);
    }
    let revision = revision(pod, objects)?;
    let serving = istiods(objects).filter(|istiod| own_revision(istiod) == revision);
    let mut versions = serving.filter_map(|pod| objects.istiods.iter().find(|istiod| istiod.pod == pod.id.pod));
    versions.find_map(|istiod| Version::parse(&istiod.version))
}

/// Whether a feature that is on by default is switched off in the istiod that serves the proxy.
pub fn switched_off(feature: &str, pod: &Pod, objects: &Inventory) -> bool {
    // What Go's `strconv.ParseBool` takes for false.
    let is_off = |features: &Labels| {
        features.get(feature).is_some_and(|value| matches!(value.as_str(), "0" | "f" | "F" | "false" | "False" | "FALSE"))
    };
    let revision = revision(pod, objects);
    istiods(objects).any(|istiod| revision.is_none_or(|revision| own_revision(istiod) == revision) && is_off(&istiod.features))
}
