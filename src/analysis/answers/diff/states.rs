//! ECDS: the plugins of extensions whose settings are the same on both sides. The same settings do not show that a module runs.

use super::Draft;
use super::extensions::{in_use, line, short};
use crate::analysis::health::{self, PluginState};
use crate::analysis::outlook::Outlooks;
use crate::model::envoy::ConfigDump;

/// Adds to the draft of ECDS the plugins that do not run as their objects ask, where no difference in their extensions shows that, and
/// notes those of which nothing shows that they run.
pub(super) fn add(listeners: &Draft, draft: &mut Draft, outlooks: &Outlooks<'_>, dump: &ConfigDump) {
    // That is a difference of the listeners.
    let is_removed = listeners.has(|line| line.what == "removed");
    let in_use = in_use(dump);
    for (entry, plugin) in dump.ecds.iter().filter_map(|entry| Some((entry, entry.plugin.as_ref()?))) {
        if !in_use.contains(short(&entry.name)) {
            if !draft.leftovers.contains(&entry.name) {
                draft.found.notes.push(format!("{} runs for no request: no listener that takes connections refers to it", entry.name));
            }
            continue;
        }
        let health = health::of_plugin(plugin, outlooks);
        let is_told = draft.has(|line| line.extension.as_ref() == Some(&entry.name)) || is_removed && health.state == PluginState::Removed;
        let (state, note) = (health.state, health.note());
        if state.is_trouble() && !is_told {
            let detail = format!("{}: {} {plugin} does not run as its object asks: {} ({note})", entry.name, plugin.kind, state.words());
            draft.found.differences.push(line("state", "both", &entry.name, detail));
        } else if matches!(state, PluginState::Unverified | PluginState::Unknown) {
            draft.found.notes.push(format!("not compared: whether the module of {} {plugin} runs ({note})", plugin.kind));
        }
    }
}
