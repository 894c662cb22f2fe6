//! What changed between two dumps of one proxy: how often each plugin stands in each listener, before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::placement;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::ids::PluginId;

/// A count that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountChange {
    /// The plugin.
    pub plugin: PluginId,
    /// The listener's port; None for an internal one.
    pub port: Option<u16>,
    /// The listener's name.
    pub listener: String,
    /// How often it stood in the active listener before.
    pub before: usize,
    /// How often it does now.
    pub after: usize,
}

/// The counts in active listeners that differ, by plugin, then port.
pub fn count_changes(before: &ConfigDump, after: &ConfigDump) -> Vec<CountChange> {
    // What could not be read is no change.
    if !before.has_all_listeners() || !after.has_all_listeners() {
        return Vec::new();
    }
    let unread: BTreeSet<&str> =
        before.listeners.iter().chain(&after.listeners).filter(|one| one.lacks_parts()).map(|one| one.name.as_str()).collect();
    let (old, new) = (counts(before), counts(after));
    let mut changes: Vec<CountChange> = old
        .keys()
        .chain(new.keys().filter(|key| !old.contains_key(*key)))
        .filter_map(|key| {
            let (before, after) = (old.get(key).copied().unwrap_or(0), new.get(key).copied().unwrap_or(0));
            let (plugin, port, listener) = key.clone();
            (before != after && !unread.contains(listener.as_str())).then_some(CountChange { plugin, port, listener, before, after })
        })
        .collect();
    changes.sort();
    changes
}

/// The count of a plugin in the inbound listener, which is on this port, also where it did not change. None where neither dump has that
/// listener, or it may be in what could not be read.
pub fn inbound_change(before: &ConfigDump, after: &ConfigDump, plugin: &PluginId, port: u16) -> Option<CountChange> {
    if !before.has_all_listeners() || !after.has_all_listeners() {
        return None;
    }
    let (old, new) = (active_on(before, port), active_on(after, port));
    let count = |listener: Option<&Listener>| listener.map_or(Some(0), |listener| placement::known_count(listener, plugin));
    let listener = old.or(new)?.name.clone();
    Some(CountChange { plugin: plugin.clone(), port: Some(port), listener, before: count(old)?, after: count(new)? })
}

fn active_on(dump: &ConfigDump, port: u16) -> Option<&Listener> {
    dump.listeners.iter().find(|listener| listener.state == ListenerState::Active && listener.port() == Some(port))
}

type Place = (PluginId, Option<u16>, String);

fn counts(dump: &ConfigDump) -> BTreeMap<Place, usize> {
    let mut found = BTreeMap::new();
    for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active) {
        for filter in listener.chains.iter().flat_map(|chain| chain.filters()) {
            if let Some(plugin) = &filter.plugin {
                *found.entry((plugin.id.clone(), listener.port(), listener.name.clone())).or_insert(0) += 1;
            }
        }
    }
    found
}

/// Whether a proxy is still on its way to what istiod sent: a listener warms or drains.
pub fn in_transition(dump: &ConfigDump) -> bool {
    dump.listeners.iter().any(|listener| matches!(listener.state, ListenerState::Warming | ListenerState::Draining))
}

/// Whether two dumps of one proxy say the same about listeners and extensions.
pub fn is_same(one: &ConfigDump, other: &ConfigDump) -> bool {
    one.listeners == other.listeners && one.ecds == other.ecds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::config_dump;
    use crate::model::envoy::DumpView;
    use crate::model::ids::PluginKind;

    /// A dump with an inbound listener and what else is broken in it.
    fn dump(chains: serde_json::Value, ecds: serde_json::Value) -> Option<ConfigDump> {
        let address = serde_json::json!({"socket_address": {"address": "0.0.0.0", "port_value": 15006}});
        let listener = serde_json::json!({"name": "virtualInbound", "address": address, "filter_chains": chains});
        let dump = serde_json::json!({"configs": [
            {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
                "dynamic_listeners": [{"name": "virtualInbound", "active_state": {"listener": listener}}]},
            {"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": ecds}]});
        config_dump::parse(dump.to_string().as_bytes(), DumpView::Proxy, "config dump").ok().map(|parsed| parsed.dump)
    }

    #[test]
    fn the_inbound_count_is_known_where_the_inbound_listener_could_be_read() {
        use serde_json::json;
        let plugin = PluginId::new(PluginKind::WasmPlugin, "n", "p");
        let change = |before: Option<ConfigDump>, after: Option<ConfigDump>| inbound_change(&before?, &after?, &plugin, 15006);
        let whole = || dump(json!([]), json!([]));
        assert_eq!(change(whole(), whole()).map(|change| (change.before, change.after)), Some((0, 0)));
        // What ECDS holds changes no count.
        assert!(dump(json!([]), json!([7])).is_some_and(|dump| dump.not_understood > 0));
        assert!(change(whole(), dump(json!([]), json!([7]))).is_some());
        let broken = || dump(json!([7]), json!([]));
        assert!(broken().is_some_and(|dump| dump.listeners.iter().any(Listener::lacks_parts)));
        assert_eq!(change(whole(), broken()), None);
        assert_eq!(change(broken(), whole()), None);
    }
}
