//! Whether a plugin applies to a proxy, and why.

use crate::analysis::health::Expected;
use crate::analysis::near_miss;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::snapshot::Snapshot;

/// Whether the plugin applies to the proxy, None where that is not known, and why.
pub(super) fn attached(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> (Option<bool>, String) {
    match Expected::of(snapshot, plugin, proxy) {
        Expected::Yes(why) => (Some(true), why + &inbound_exclusion(snapshot, plugin, proxy)),
        Expected::No(why) if !snapshot.objects.plugins.contains_key(plugin) => {
            (Some(false), format!("{why}; what the proxy has is left over"))
        }
        Expected::No(why) => (Some(false), why),
        Expected::Unknown(why) => (None, why),
    }
}

/// That it is in no inbound chain of a workload that serves, as a clause at the end of a sentence.
fn inbound_exclusion(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> String {
    let objects = &snapshot.objects;
    let both = objects.plugins.get(plugin).zip(objects.pods.get(proxy));
    let said = both.and_then(|(plugin, pod)| near_miss::inbound_exclusion(plugin, pod, objects));
    said.map(|said| format!("; {said}")).unwrap_or_default()
}
