//! A plugin that is not in the chains in which the objects ask for it.

use super::{Evidence, EvidenceSource, Expected, Health, PluginState};
use crate::analysis::outlook::Outlooks;
use crate::analysis::removal;
use crate::analysis::sync;
use crate::model::envoy::ConfigDump;
use crate::model::ids::PluginId;

/// How many listeners are named one by one.
const MOST: usize = 3;

/// The state of a plugin that requests do not pass where they should; None where they do, or where that is not known.
pub(super) fn held(health: &Health, expected: &Expected, plugin: &PluginId, outlooks: &Outlooks<'_>, dump: &ConfigDump) -> Option<Health> {
    if !matches!(health.state, PluginState::Running | PluginState::Absent) || !matches!(expected, Expected::Yes(_)) {
        return None;
    }
    let mut removals = removal::of_proxy(plugin, outlooks, dump);
    // A change that is on its way takes nothing out, nor is what no listener has removed by what nobody knows.
    let snapshot = outlooks.snapshot;
    let is_fresh = || snapshot.objects.plugins.get(plugin).is_some_and(|object| sync::is_fresh(snapshot, object, outlooks.proxy));
    removals.retain(|removal| !removal.by.is_empty() || health.state == PluginState::Running && !is_fresh());
    let said = |removal: &removal::Removal<'_>| {
        let causes: Vec<String> = removal.causes().into_iter().map(|cause| cause.why).collect();
        Evidence::new(EvidenceSource::Objects, "", format!("{}; {}", removal.count(), causes.join("; ")))
    };
    let more = removals.get(MOST..).filter(|more| !more.is_empty()).map(|more| {
        let what = format!("it is not in {} either", removal::listeners(&more.iter().collect::<Vec<_>>()));
        Evidence::new(EvidenceSource::Objects, "", what)
    });
    let evidence: Vec<Evidence> = removals.iter().take(MOST).map(said).chain(more).chain(health.evidence.iter().cloned()).collect();
    (!removals.is_empty()).then(|| Health::of(PluginState::Removed, evidence))
}
