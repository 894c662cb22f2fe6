//! Plugins by their state: what several rules have in common that tell of one state each.

use super::{Facts, Finding, ProxyFacts, Rule, once_each, proxies};
use crate::analysis::health::{Evidence, Health, PluginState};
use crate::model::ids::PluginId;

/// A plugin, and the proxies where it is in a state.
pub(super) struct InState<'f> {
    pub plugin: &'f PluginId,
    pub state: PluginState,
    pub on: Vec<(&'f ProxyFacts<'f>, &'f Health)>,
}

/// The plugins that are in one of these states, once each state.
pub(super) fn in_states<'f>(facts: &'f Facts<'_>, wanted: &[PluginState]) -> Vec<InState<'f>> {
    let mut found: Vec<InState<'f>> = Vec::new();
    for (proxy, plugin, health) in facts.states().filter(|(.., health)| wanted.contains(&health.state)) {
        match found.iter_mut().find(|known| known.plugin == plugin && known.state == health.state) {
            Some(known) => known.on.push((proxy, health)),
            None => found.push(InState { plugin, state: health.state, on: vec![(proxy, health)] }),
        }
    }
    found
}

impl InState<'_> {
    /// A finding about the plugin: `On 2 proxies …`.
    pub fn finding(&self, rule: &Rule, what: &str) -> Finding {
        let said = self.on.iter().flat_map(|(proxy, health)| health.evidence.iter().map(|evidence| (&proxy.id, Evidence::said(evidence))));
        Finding {
            evidence: once_each(said),
            proxies: self.on.iter().map(|(proxy, _)| proxy.id.clone()).collect(),
            place: self.on.first().and_then(|(proxy, _)| proxy.place(self.plugin)),
            ..rule.of_plugin(self.plugin, format!("On {} {what}.", proxies(self.on.len())))
        }
    }
}
