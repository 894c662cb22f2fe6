//! Which plugins reach the proxies that lines are of: asked once of each, kept while nothing of it changes, and of a pod that is gone as
//! far as its plugins are still there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::analysis::attachment;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::workload::{Pod, ProxyKind};

/// How many pods that are gone are remembered, and of how many that are not known it is known that they were asked for.
const MOST: usize = 1000;

/// What is known of the proxies that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    of: HashMap<ProxyId, Reached>,
    unknown: HashSet<ProxyId>,
}

/// A proxy.
#[derive(Clone, Debug)]
struct Reached {
    /// The pod as it was last.
    pod: Arc<Pod>,
    /// The plugins that reach it.
    plugins: Vec<PluginId>,
}

impl Reach {
    /// The plugins that reach a proxy; None where there never was such a pod.
    pub(super) fn of(&mut self, proxy: &ProxyId, objects: &Inventory) -> Option<&[PluginId]> {
        if !self.of.contains_key(proxy) {
            let Some(pod) = objects.pods.get(proxy) else {
                if self.unknown.len() < MOST {
                    self.unknown.insert(proxy.clone());
                }
                return None;
            };
            self.of.insert(proxy.clone(), Reached { pod: pod.clone(), plugins: reaching(pod, objects) });
        }
        self.of.get(proxy).map(|reached| reached.plugins.as_slice())
    }

    /// Goes by other objects. Whether something that was asked is another one now.
    pub(super) fn follow(&mut self, before: &Inventory, now: &Inventory) -> bool {
        let all_same = same_plugins(before, now)
            && before.istiods == now.istiods
            && before.mesh == now.mesh
            && before.control_planes == now.control_planes;
        let mut moved = false;
        for (proxy, reached) in &mut self.of {
            let pod = now.pods.get(proxy).unwrap_or(&reached.pod).clone();
            if !(all_same && same_pod(&reached.pod, &pod)) {
                let plugins = reaching(&pod, now);
                moved |= plugins != reached.plugins;
                reached.plugins = plugins;
            }
            reached.pod = pod;
        }
        let unknown = self.unknown.len();
        self.unknown.retain(|proxy| !now.pods.contains_key(proxy));
        let gone: Vec<ProxyId> = self.of.keys().filter(|proxy| !now.pods.contains_key(*proxy)).cloned().collect();
        gone.iter().skip(MOST).for_each(|proxy| drop(self.of.remove(proxy)));
        moved || self.unknown.len() != unknown
    }
}

fn reaching(pod: &Pod, objects: &Inventory) -> Vec<PluginId> {
    let attached = objects.plugins.values().filter(|plugin| attachment::attach(plugin, pod, objects).attached);
    attached.map(|plugin| plugin.id.clone()).collect()
}

/// Whether the plugins are the same, in all that they say.
pub(super) fn same_plugins(before: &Inventory, now: &Inventory) -> bool {
    let pairs = || before.plugins.iter().zip(&now.plugins);
    before.plugins.len() == now.plugins.len()
        && pairs().all(|((id, plugin), (other_id, other))| id == other_id && (Arc::ptr_eq(plugin, other) || plugin == other))
}

/// Whether the same plugins reach a pod as before, as far as the pod itself decides that. What reaches a gateway or waypoint, other
/// objects decide too.
fn same_pod(before: &Arc<Pod>, now: &Arc<Pod>) -> bool {
    let kind = |pod: &Pod| pod.proxy.as_ref().map(|proxy| proxy.kind);
    matches!(kind(now), None | Some(ProxyKind::Sidecar))
        && (Arc::ptr_eq(before, now) || kind(before) == kind(now) && before.labels == now.labels && before.revision == now.revision)
}
