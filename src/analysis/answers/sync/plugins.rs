//! The plugins of a proxy as ECDS has them: which the proxy watches, and which it should.

use serde::Serialize;

use crate::analysis::attachment;
use crate::ingest::plugin_name;
use crate::model::envoy::{NameEra, PluginFilter};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::plugin::Extension;

/// A plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginSync {
    /// `namespace/name`; of a resource that no plugin's name is in, that name.
    pub plugin: String,
    /// Its kind; `EnvoyFilter` where the resource is no plugin's.
    pub plugin_kind: PluginKind,
    /// The name of the ECDS resource that the proxy watches; None where it watches none of the plugin.
    pub resource: Option<String>,
    /// Whether the plugin applies to the proxy; None where no object says it.
    pub applies: Option<bool>,
    /// By which type it comes: `ECDS`, or `LDS` for Lua, which is in the listeners themselves.
    pub comes_by: &'static str,
    /// The ID.
    #[serde(skip)]
    pub id: PluginId,
}

/// The plugins that a proxy watches, and those that apply to it and that it does not watch, by name.
pub(super) fn plugins(objects: &Inventory, proxy: &ProxyId, names: &[String]) -> Vec<PluginSync> {
    let pod = objects.pods.get(proxy);
    let applying: Vec<&PluginId> = applying(objects, proxy).collect();
    let watched: Vec<(PluginId, String)> = names.iter().map(|name| (of_name(objects, name), name.clone())).collect();
    let missing = applying.iter().filter(|id| watched.iter().all(|(watched, _)| watched != **id));
    let comes_by = |id: &PluginId| if is_lua(objects, id) { "LDS" } else { "ECDS" };
    let missing = missing.map(|id| PluginSync { comes_by: comes_by(id), ..entry((*id).clone(), None, Some(true)) });
    let applies = |id: &PluginId| pod.filter(|_| id.kind != PluginKind::EnvoyFilter).map(|_| applying.contains(&id));
    let mut found: Vec<PluginSync> = missing.collect();
    for (id, name) in watched {
        let applies = applies(&id);
        found.push(entry(id, Some(name), applies));
    }
    found.sort_by(|a, b| (&a.id, &a.resource).cmp(&(&b.id, &b.resource)));
    found
}

/// The plugins that apply to a proxy.
pub(super) fn applying<'o>(objects: &'o Inventory, proxy: &ProxyId) -> impl Iterator<Item = &'o PluginId> {
    let pod = objects.pods.get(proxy);
    let all = objects.plugins.values().filter(move |plugin| pod.is_some_and(|pod| attachment::attach(plugin, pod, objects).attached));
    all.map(|plugin| &plugin.id)
}

/// Whether a plugin is Lua, which comes in the listeners themselves.
pub(super) fn is_lua(objects: &Inventory, id: &PluginId) -> bool {
    objects.plugins.get(id).is_some_and(|plugin| matches!(plugin.extension, Extension::Lua { .. }))
}

fn entry(id: PluginId, resource: Option<String>, applies: Option<bool>) -> PluginSync {
    PluginSync { plugin: id.to_string(), plugin_kind: id.kind, resource, applies, comes_by: "ECDS", id }
}

/// The plugin behind the name of a resource. A name without Istio's prefix may be an EnvoyFilter's own; it is a plugin's where there
/// is such a plugin.
fn of_name(objects: &Inventory, name: &str) -> PluginId {
    match plugin_name::of_resource(name, true) {
        Some(PluginFilter { id, era }) if era != NameEra::Bare || objects.plugins.contains_key(&id) => id,
        _ => PluginId::new(PluginKind::EnvoyFilter, "", name),
    }
}
