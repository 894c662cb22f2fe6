//! Plugins by their state: what several rules have in common that report one state each.

use super::{Facts, Finding, FindingObject, ProxyFacts, Rule, once_each, proxies};
use crate::analysis::health::{Evidence, Health, PluginState};
use crate::model::ids::PluginId;

/// A plugin, and the proxies where it is in a state.
pub(super) struct InState<'f> {
    pub plugin: &'f PluginId,
    /// Its object: of an EnvoyFilter's filter the EnvoyFilter, where that can be known.
    pub object: FindingObject,
    pub state: PluginState,
    pub on: Vec<(&'f ProxyFacts<'f>, &'f Health)>,
}

/// The plugins that are in one of these states, once each state.
pub(super) fn in_states<'f>(facts: &'f Facts<'_>, wanted: &[PluginState]) -> Vec<InState<'f>> {
    by_state(facts, |health| wanted.contains(&health.state))
}

/// The plugins of whose states on proxies this is so, once each state and object.
pub(super) fn by_state<'f>(facts: &'f Facts<'_>, is_so: impl Fn(&Health) -> bool) -> Vec<InState<'f>> {
    let mut found: Vec<InState<'f>> = Vec::new();
    for (proxy, plugin, health) in facts.states().filter(|(.., health)| is_so(health)) {
        let object = facts.object(plugin, &proxy.id);
        match found.iter_mut().find(|known| known.plugin == plugin && known.state == health.state && known.object == object) {
            Some(known) => known.on.push((proxy, health)),
            None => found.push(InState { plugin, object, state: health.state, on: vec![(proxy, health)] }),
        }
    }
    found
}

/// A plugin with the URL of its module, where its object has one: `default/helloworld (oci://registry/helloworld:v1)`.
pub(super) fn with_url(facts: &Facts<'_>, plugin: &PluginId) -> String {
    let object = facts.objects().plugins.get(plugin);
    let url = object.and_then(|object| object.wasm()).map(|module| format!(" ({})", module.url));
    format!("{plugin}{}", url.unwrap_or_default())
}

impl InState<'_> {
    /// A finding about the plugin: `On 2 proxies …`.
    pub fn finding(&self, rule: &Rule, what: &str) -> Finding {
        // What the sentence says whole is not said again.
        let is_told = |evidence: &Evidence| what.contains(&evidence.what) && what.contains(&evidence.field);
        let said = self.on.iter().flat_map(|(proxy, health)| {
            health.evidence.iter().filter(|evidence| !is_told(evidence)).map(|evidence| (&proxy.id, Evidence::said(evidence)))
        });
        Finding {
            object: self.object.clone(),
            evidence: once_each(said),
            proxies: self.on.iter().map(|(proxy, _)| proxy.id.clone()).collect(),
            place: self.on.first().and_then(|(proxy, _)| proxy.place(self.plugin)),
            ..rule.of_plugin(self.plugin, format!("On {} {what}.", proxies(self.on.len())))
        }
    }
}
