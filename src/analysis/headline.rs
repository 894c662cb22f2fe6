//! How the control plane is, in a few numbers for the first line of every screen: what was read in the background, and nothing more.

use super::outage::{self, Outage};
use super::sync as rules;
use crate::model::inventory::Inventory;
use crate::model::snapshot::Snapshot;
use crate::model::sync::{Client, Sync};
use crate::model::workload::Pod;

/// What is wrong with the control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headline {
    /// Whether no istiod of a revision that serves proxies is ready.
    pub lacks_istiod: bool,
    /// How many proxies are connected to no istiod, though one of theirs is ready.
    pub cut_off: usize,
    /// How many have not answered in time to what they were sent.
    pub stale: usize,
}

/// Sums it up; None where nothing is wrong, as far as it is known.
pub fn headline(snapshot: &Snapshot) -> Option<Headline> {
    let objects = &*snapshot.objects;
    let outages = outage::outages(snapshot);
    let pods = || objects.pods.values().map(|pod| &**pod).filter(|pod| pod.runs_envoy());
    let lacks_istiod = pods().any(|pod| is_without_istiod(pod, objects, &outages));
    let mut found = Headline { lacks_istiod, ..Headline::default() };
    if let Some(Ok(sync)) = &snapshot.sync {
        let connected = rules::connections(sync);
        // One that starts has no connection yet.
        let is_alone = |pod: &&Pod| pod.ready && !connected.contains_key(&pod.id) && is_cut_off(pod, objects, &outages, sync);
        found.cut_off = pods().filter(is_alone).count();
        let late = |client: &&&Client| rules::asked(sync).is_some_and(|now| rules::late(client, now).next().is_some());
        found.stale = connected.values().filter(|client| objects.pods.contains_key(&client.proxy)).filter(late).count();
    }
    (found != Headline::default()).then_some(found)
}

/// Whether a proxy runs of whose istiods none is ready.
pub(super) fn is_without_istiod(pod: &Pod, objects: &Inventory, outages: &[Outage]) -> bool {
    outages.iter().any(|outage| outage.cuts_off(pod, objects))
}

/// Whether a proxy that runs and that no istiod reports is connected to none, though one of its revision is ready.
pub(super) fn is_cut_off(pod: &Pod, objects: &Inventory, outages: &[Outage], sync: &Sync) -> bool {
    // It may be connected to an istiod that did not answer, or that reports only other namespaces.
    let is_known = !sync.partial && sync.tells_of(&pod.id.namespace);
    is_known && pod.runs_proxy() && !is_without_istiod(pod, objects, outages)
}
