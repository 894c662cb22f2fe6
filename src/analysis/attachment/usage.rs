//! Whether the istiod of a proxy uses a plugin's object at all. What it discards it says only in its log.

use super::reason::Unused;
use super::rules::Rules;
use crate::analysis::control_plane;
use crate::model::inventory::Inventory;
use crate::model::plugin::{Extension, Plugin};
use crate::model::workload::Pod;

/// The longest Lua script, in bytes (`pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper`).
const MOST_LUA: usize = 65_536;

/// Why the istiod of this proxy does not use the object; None where it does.
pub(super) fn unused(plugin: &Plugin, pod: &Pod, rules: Rules, objects: &Inventory) -> Option<Unused> {
    if !rules.knows(plugin.id.kind) {
        return Some(Unused::UnknownKind);
    }
    let namespace = &plugin.id.name.namespace;
    if !rules.discovers(objects, namespace) {
        return Some(Unused::Undiscovered(namespace.clone()));
    }
    other_revision(plugin, pod, objects)
        .or_else(|| undecodable(plugin, rules).map(Unused::Undecodable))
        .or_else(|| discarded(plugin, rules))
}

fn other_revision(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<Unused> {
    let wants = plugin.revision.as_ref()?;
    let istiod = control_plane::revision(pod, objects).filter(|revision| revision != wants)?;
    Some(Unused::OtherRevision { wants: wants.clone(), istiod: istiod.to_owned(), runs: control_plane::runs(wants, objects) })
}

/// What of the object an istiod of these rules cannot decode, as one clause; None where it can.
pub(super) fn undecodable(plugin: &Plugin, rules: Rules) -> Option<String> {
    let first = plugin.undecodable.first().cloned();
    let strategy = plugin.wasm().map(|module| &module.fail_strategy).filter(|word| !rules.decodes_fail_strategy(word));
    first.or_else(|| strategy.map(|word| format!("failStrategy is {word}, which it does not know before 1.27")))
}

fn discarded(plugin: &Plugin, rules: Rules) -> Option<Unused> {
    match &plugin.extension {
        Extension::Wasm(module) if module.url.is_empty() => rules.discards_without_url().then_some(Unused::NoUrl),
        Extension::Wasm(module) => module.url_fault.map(Unused::BadUrl),
        Extension::Lua { bytes: 0 } => Some(Unused::EmptyLua),
        Extension::Lua { bytes } => (*bytes > MOST_LUA).then_some(Unused::LongLua(*bytes)),
        Extension::None => Some(Unused::NothingToRun),
    }
}
