//! Plugins and clients by their names, in one sentence.

use std::borrow::Borrow;

use crate::analysis::attachment::injection;
use crate::model::ids::PluginId;
use crate::model::inventory::Inventory;
use crate::model::workload::Pod;

/// How some plugins are named: with their kinds where two share a name.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    with_kinds: bool,
}

impl Naming {
    /// The naming of these plugins.
    pub fn of<P: Borrow<PluginId>>(plugins: &[P]) -> Self {
        let mut ids: Vec<&PluginId> = plugins.iter().map(Borrow::borrow).collect();
        ids.sort_unstable();
        Self { with_kinds: ids.windows(2).any(|pair| pair[0].name == pair[1].name && pair[0].kind != pair[1].kind) }
    }

    /// One of them.
    pub fn one(self, plugin: &PluginId) -> String {
        if self.with_kinds { format!("{} {plugin}", plugin.kind) } else { plugin.to_string() }
    }
}

/// `default/a and default/b`, `default/a, default/b and 3 more`.
pub fn enumerated<P: Borrow<PluginId>>(plugins: &[P], most: usize) -> String {
    let naming = Naming::of(plugins);
    let names: Vec<String> = plugins.iter().take(most).map(|plugin| naming.one(plugin.borrow())).collect();
    match (names.split_last(), plugins.len().saturating_sub(most)) {
        (Some((last, before)), 0) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// `a, b and 3 more`.
pub fn first(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    names[..names.len() - more].join(", ") + &rest
}

/// The pod that has an address: of several, as on a node's network, none is known.
pub fn by_address<'o>(objects: &'o Inventory, address: &str) -> Option<&'o Pod> {
    let mut found = objects.pods.values().filter(|pod| pod.ips.iter().any(|own| own == address));
    found.next().filter(|_| found.next().is_none()).map(|pod| &**pod)
}

/// How a client's address is named.
pub fn client(objects: &Inventory, address: &str) -> String {
    client_of(objects, address, by_address(objects, address))
}

/// How a client's address is named, with the pod that has it: `10.244.0.6 = legacy/cron-5fd98889c5-w4ch6 (no proxy)`, and with the reason where
/// it asks for a proxy.
pub fn client_of(objects: &Inventory, address: &str, pod: Option<&Pod>) -> String {
    let Some(pod) = pod else { return format!("{address} (no pod has this address now)") };
    let without = || match injection::missing(pod, objects) {
        why if why.is_asked_in_vain() => format!(" (no proxy: {why})"),
        _ => " (no proxy)".to_owned(),
    };
    let proxy = if pod.proxy.is_none() { without() } else { String::new() };
    format!("{address} = {}/{}{proxy}", pod.id.namespace, pod.id.pod)
}

#[cfg(test)]
mod tests {
    use super::enumerated;
    use crate::model::ids::{PluginId, PluginKind};

    #[test]
    fn plugins_that_share_a_name_are_named_with_their_kinds() {
        let of = |kind, name: &str| PluginId::new(kind, "default", name);
        let [a, b, c] = ["a", "b", "c"].map(|name| of(PluginKind::WasmPlugin, name));
        assert_eq!(enumerated(&[&a], 2), "default/a");
        assert_eq!(enumerated(&[&a, &b], 2), "default/a and default/b");
        assert_eq!(enumerated(&[&a, &b, &c], 2), "default/a, default/b and 1 more");
        let other = of(PluginKind::TrafficExtension, "a");
        assert_eq!(enumerated(&[&a, &other], 2), "WasmPlugin default/a and TrafficExtension default/a");
        assert_eq!(enumerated(&[&a, &b, &other], 2), "WasmPlugin default/a, WasmPlugin default/b and 1 more");
    }
}
