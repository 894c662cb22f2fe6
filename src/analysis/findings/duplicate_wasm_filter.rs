//! The same Wasm filter more than once in one chain.

use std::collections::BTreeMap;

use super::{DUMPS, Facts, Finding, Place, ProxyFacts, Rule, Severity};
use crate::ingest::config_dump;
use crate::model::envoy::{ConfigDump, Filter, FilterChain, FilterSource, ListenerState};
use crate::model::ids::{PluginId, PluginKind};

pub(super) const RULE: Rule = Rule {
    code: "duplicate-wasm-filter",
    severity: Severity::Warning,
    title: "A chain has the same Wasm filter more than once.",
    why: "Envoy runs each of them, so that a request passes the filter as often, and what it adds or counts comes as often.",
    source: "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto: http_filters run in their order; \
        pilot/pkg/networking/core/envoyfilter/listener_patch.go: each INSERT adds one, whatever is there",
    needs: DUMPS,
    check,
};

/// How many chains are named.
const MOST: usize = 5;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.dumps().flat_map(|(proxy, dump)| of_proxy(facts, proxy, dump)).collect()
}

fn of_proxy(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump) -> Vec<Finding> {
    let mut found: BTreeMap<(PluginId, String), Vec<(usize, Place)>> = BTreeMap::new();
    for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active) {
        for (place, chain) in listener.chains.iter().enumerate() {
            for ((plugin, identity), times) in repeated(chain) {
                let place =
                    Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: Some(place) };
                found.entry((plugin.clone(), identity)).or_default().push((times, place));
            }
        }
    }
    found.into_iter().filter_map(|((plugin, _), places)| finding(facts, proxy, &plugin, &places)).collect()
}

/// The Wasm filters that a chain has more than once, each with how often.
fn repeated(chain: &FilterChain) -> impl Iterator<Item = ((&PluginId, String), usize)> {
    let wasm = |filter: &&Filter| filter.plugin.is_some();
    let mut times: BTreeMap<(&PluginId, String), usize> = BTreeMap::new();
    if chain.filters().filter(wasm).count() > 1 {
        for filter in chain.filters().filter(wasm) {
            let id = filter.plugin.as_ref().map(|plugin| (&plugin.id, identity(filter)));
            if let Some((id, Some(identity))) = id {
                *times.entry((id, identity)).or_default() += 1;
            }
        }
    }
    times.into_iter().filter(|(_, times)| *times > 1)
}

/// What makes two filters the same: the resource that they ask for, or the configuration that they have; None for what is no Wasm.
fn identity(filter: &Filter) -> Option<String> {
    match filter.source {
        FilterSource::Discovery(_) => Some(String::new()),
        FilterSource::Inline(_) => config_dump::inline_wasm(filter).map(|config| config.to_string()),
        FilterSource::Unknown => None,
    }
}

fn finding(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, plugin: &PluginId, places: &[(usize, Place)]) -> Option<Finding> {
    let is_own = plugin.kind == PluginKind::EnvoyFilter;
    // Where EnvoyFilters apply, `envoy-filter-on-plugin` says of a plugin that one of them doubles it.
    if !is_own && facts.order(proxy).is_some_and(|order| !order.envoy_filters.is_empty()) {
        return None;
    }
    let times = places.iter().map(|(times, _)| *times).max()?;
    let chain = |(times, place): &(usize, Place)| {
        format!("chain {} of listener {}: {times} times", place.chain.unwrap_or_default(), place.listener)
    };
    let more = places.len().saturating_sub(MOST);
    let rest = (more > 0).then(|| format!("and {more} more chains"));
    let by = if is_own { "the EnvoyFilters that insert it" } else { "the EnvoyFilters that insert or copy it" };
    Some(Finding {
        object: facts.object(plugin, &proxy.id),
        evidence: places.iter().take(MOST).map(chain).chain(rest).collect(),
        fix: format!("look at {by}, and leave one: `kubectl get envoyfilter -A` lists them"),
        proxies: vec![proxy.id.clone()],
        place: places.first().map(|(_, place)| place.clone()),
        ..RULE.of_plugin(plugin, format!("On {} a request passes the Wasm filter {plugin} {times} times.", proxy.id))
    })
}
