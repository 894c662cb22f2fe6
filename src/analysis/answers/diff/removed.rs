//! What both istiod's view and the proxy lack though the objects ask for it: istiod patches what it made of the objects last.

use super::{DiffLine, Draft};
use crate::analysis::attachment;
use crate::analysis::outlook::Outlook;
use crate::analysis::removal::{self, Removal};
use crate::model::envoy::ConfigDump;
use crate::model::plugin::Plugin;

/// Adds the plugins that EnvoyFilters take out of the proxy's listeners.
pub(super) fn add(draft: &mut Draft, outlook: &Outlook<'_>, dump: &ConfigDump) {
    let objects = outlook.facts.objects;
    let applying = objects.plugins.values().filter(|plugin| attachment::attach(plugin, outlook.facts.pod, objects).attached);
    let of = |plugin: &Plugin| {
        let removals = removal::in_outlook(outlook, dump, &plugin.id).into_iter().filter(|removal| !removal.by.is_empty());
        removals.map(|removal| line(plugin, &removal)).collect::<Vec<_>>()
    };
    let lines: Vec<DiffLine> = applying.flat_map(|plugin| of(plugin)).collect();
    if !lines.is_empty() {
        draft.differing.push_str(", and both lack what the objects ask for");
        draft.differs_first(lines);
    }
}

fn line(plugin: &Plugin, removal: &Removal<'_>) -> DiffLine {
    DiffLine {
        what: "removed",
        only: "neither",
        listener: Some(removal.listener.clone()),
        chain: removal.chain,
        extension: None,
        resource: None,
        detail: format!("neither has {} {} where the objects ask for it: {}", plugin.id.kind, plugin.id, removal.count()),
        causes: removal.causes(),
    }
}
