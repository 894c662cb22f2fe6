//! What the ECDS section still holds of a plugin that no listener refers to, once no listener drains any more that did.

use super::states::{InState, in_states};
use super::{Facts, Finding, Needs, ProxyFacts, Rule, Severity, match_excludes_all};
use crate::analysis::health::PluginState;
use crate::analysis::placement;
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, ListenerState};
use crate::model::ids::PluginId;
use crate::model::kind::Kind;
use crate::model::logs::LogTime;

pub(super) const RULE: Rule = Rule {
    code: "plugin-leftover",
    severity: Severity::Information,
    title: "The proxy still holds the configuration of a plugin that none of its listeners refers to.",
    why: "It hurts nobody: istiod never takes ECDS resources back. A plugin of the same name finds it there.",
    source: "pilot/pkg/xds/delta.go: neverRemoveDelta",
    needs: Needs { dumps: true, sync: false, some: &[], all: &[Kind::Pod, Kind::WasmPlugin, Kind::TrafficExtension] },
    check,
};

/// How long listeners and chains drain, and a little more (`drainDuration`, 45 s by default). Envoy drains a chain that a listener has no
/// more without a listener of its own that the dump shows.
const DRAIN: LogTime = 60_000_000_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let finding = |mut plugin: InState<'_>| {
        plugin.on.retain(|(proxy, _)| !proxy.dump.as_ref().is_ok_and(|dump| drains(facts, proxy, dump, plugin.plugin)));
        (!plugin.on.is_empty()).then(|| Finding {
            fix: "nothing has to be done; Envoy gives it up with the last connection of the listeners that had it, or when the proxy restarts".to_owned(),
            ..plugin.finding(&RULE, &format!("{} is left over", plugin.plugin))
        })
    };
    // That match keeps a plugin out of every chain is said of the plugin that applies.
    let is_said = |id: &PluginId| {
        let mut own = facts.plugins.iter().filter(|plugin| plugin.plugin.id == *id && !plugin.applies.is_empty());
        own.any(|plugin| match_excludes_all::finding(facts, plugin).is_some())
    };
    in_states(facts, &[PluginState::Leftover]).into_iter().filter(|plugin| !is_said(plugin.plugin)).filter_map(finding).collect()
}

/// Whether what is left over goes with listeners that drain, or can; where it is not known when the proxy was read, that is not assumed.
fn drains(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, plugin: &PluginId) -> bool {
    let is_of = |state: ListenerState| dump.listeners.iter().filter(move |listener| listener.state == state && !listener.is_static);
    let changed = is_of(ListenerState::Active).filter_map(|listener| instant(listener.last_updated.as_deref()?)).max();
    let read = facts.snapshot.dump(&proxy.id).and_then(|loaded| loaded.read_at);
    let is_fresh = changed.zip(read).is_some_and(|(changed, read)| read.saturating_sub(changed) < DRAIN);
    is_fresh || is_of(ListenerState::Draining).any(|listener| placement::count_in_listener(listener, plugin) > 0)
}
