//! What the text of a record holds that is attributed to a plugin: what a filter looks for before anything is parsed.

use super::module::Module;
use crate::ingest::logs::details::{FAIL_STREAM, NO_CONFIGURATION, VM_FAILURES};
use crate::model::ids::PluginId;
use crate::model::inventory::Inventory;
use crate::model::plugin::Extension;

/// Texts of which every record has at least one that [`super::Attributor`] attributes to the plugin.
pub fn needles(plugin: &PluginId, objects: &Inventory) -> Vec<String> {
    let (namespace, name) = (&plugin.name.namespace, &plugin.name.name);
    let mut needles = vec![format!("{namespace}.{name}"), format!("{namespace}/{name}")];
    match objects.plugins.get(plugin).map(|plugin| &plugin.extension) {
        Some(Extension::Wasm(module)) => {
            // These name no plugin, and are attributed where only one can be meant.
            needles.extend(VM_FAILURES.map(str::to_owned));
            needles.extend(["ECDS: PUSH", FAIL_STREAM, NO_CONFIGURATION].map(str::to_owned));
            // A root context says the root id and nothing else. JSON may have it escaped.
            let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
            let known = !module.plugin_name.is_empty() && module.plugin_name.chars().all(plain);
            needles.push(if known { module.plugin_name.clone() } else { "wasm log".to_owned() });
            needles.push(match Module::of(&module.url) {
                Module::Image { repository, .. } => repository.to_owned(),
                Module::Url(url) => url.split(['?', '&', '<', '>']).next().unwrap_or(url).to_owned(),
            });
        }
        Some(Extension::Lua { .. }) => needles.push("script log".to_owned()),
        Some(Extension::None) => {}
        // The lines of its failures that name none lie next to one that does.
        None => needles.extend(VM_FAILURES.map(str::to_owned)),
    }
    needles.retain(|needle| !needle.is_empty());
    needles
}
