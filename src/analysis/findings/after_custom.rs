//! A plugin of phase AUTHN behind the authorizer of CUSTOM policies, which is asked first.

use super::{Facts, Finding, Needs, PLUGINS, Place, PluginFacts, ProxyFacts, Rule, Severity, proxies};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, FilterChain, ListenerState};
use crate::model::ids::PluginId;
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "after-custom-authorizer",
    severity: Severity::Warning,
    title: "A plugin of phase AUTHN runs after the authorizer of an AuthorizationPolicy of action CUSTOM.",
    why: "The authorizer is asked about requests that the plugin has not authenticated yet. No phase comes before CUSTOM.",
    source: "pilot/pkg/networking/core/listener_builder.go: buildHTTPConnectionManager",
    needs: Needs { dumps: true, sync: false, some: PLUGINS, all: &[] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let guards = facts.plugins.iter().filter(|facts| facts.plugin.phase == Phase::Authn);
    guards.filter_map(|plugin| finding(facts, plugin)).collect()
}

fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let id = &plugin.plugin.id;
    let found: Vec<Place> = facts.dumps().filter_map(|(proxy, dump)| behind(proxy, dump, id)).collect();
    let first = found.first()?;
    let chain = first.chain.unwrap_or_default();
    Some(Finding {
        evidence: vec![format!("in chain {chain} of {} of {} ext_authz stands before it", first.listener, first.proxy)],
        fix: "do in the authorizer what the plugin does, or check with an AuthorizationPolicy of another action, which runs after it".to_owned(),
        proxies: found.iter().map(|place| place.proxy.clone()).collect(),
        place: Some(first.clone()),
        ..RULE.of_plugin(id, format!("On {} {id} runs after the CUSTOM authorizer, though its phase is AUTHN.", proxies(found.len())))
    })
}

/// The first chain where the plugin stands behind `ext_authz`.
fn behind(proxy: &ProxyFacts<'_>, dump: &ConfigDump, plugin: &PluginId) -> Option<Place> {
    let is_behind = |chain: &FilterChain| {
        let filters: Vec<_> = chain.filters().collect();
        let authorizer = filters.iter().position(|filter| filter.name.ends_with(".ext_authz"));
        authorizer.is_some_and(|place| filters[place..].iter().any(|filter| placement::is_of(filter, plugin)))
    };
    dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active).find_map(|listener| {
        let chain = listener.chains.iter().position(is_behind)?;
        let (proxy, listener, state) = (proxy.id.clone(), listener.name.clone(), listener.state.as_str());
        Some(Place { proxy, listener, state, chain: Some(chain) })
    })
}
