//! An EnvoyFilter that puts a plugin's filter elsewhere, or a second time into a chain.

use super::{Facts, Finding, Needs, PLUGINS, Place, ProxyFacts, Rule, Severity};
use crate::analysis::answers::{FoundFilters, Stands};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, ListenerState};
use crate::model::ids::{ObjectName, PluginId, PluginKind};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "envoy-filter-on-plugin",
    severity: Severity::Warning,
    title: "An EnvoyFilter moves a plugin's filter among the others, or doubles it.",
    why: "The plugin runs before or after filters that its phase says otherwise of, or twice for each request; what Istio documents does not hold \
        here, and a later release may place it otherwise.",
    source: "pilot/pkg/networking/core/envoyfilter/listener_patch.go",
    needs: Needs {
        dumps: true,
        sync: false,
        some: &[Kind::EnvoyFilter, Kind::WasmPlugin, Kind::TrafficExtension, Kind::Pod],
        all: PLUGINS,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.dumps().flat_map(|(proxy, dump)| of_proxy(facts, proxy, dump)).collect()
}

fn of_proxy(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump) -> Vec<Finding> {
    let Some(entry) = facts.order(proxy).filter(|entry| !entry.envoy_filters.is_empty()) else { return Vec::new() };
    let names = entry.envoy_filters.join(", ");
    let finding = |plugin: &PluginId, what: String, evidence: Vec<String>, place: Place| Finding {
        evidence,
        fix: format!("see whether EnvoyFilter {names} is still needed; phase and priority order plugins without it"),
        proxies: vec![proxy.id.clone()],
        place: Some(place),
        plugin: Some(plugin.clone()),
        ..RULE.found(object(&entry.envoy_filters, plugin), what)
    };
    let mut found: Vec<Finding> = Vec::new();
    for sequence in entry.lists.iter().flat_map(|list| &list.found) {
        if let (true, Some(plugin)) = (sequence.filters.iter().any(|filter| filter.stands == Stands::Moved), plugin_in(sequence)) {
            let first = &sequence.first_chain;
            let place = Place { proxy: proxy.id.clone(), listener: first.listener.clone(), state: first.state, chain: Some(first.chain) };
            let what = format!("On {} the filters around {plugin} are not where Istio puts them.", proxy.id);
            found.push(finding(plugin, what, sequence.differences.clone(), place));
        }
    }
    let doubled = placement::plugins_in(dump).into_iter().filter(|plugin| plugin.kind != PluginKind::EnvoyFilter);
    for plugin in doubled {
        if let Some(place) = doubled_in(proxy, dump, &plugin) {
            let what = format!("On {} a chain has the filter of {plugin} more than once.", proxy.id);
            let evidence = vec![format!("chain {} of {}", place.chain.unwrap_or_default(), place.listener)];
            found.push(finding(&plugin, what, evidence, place));
        }
    }
    found
}

/// The EnvoyFilter, where there is but one; else the plugin.
fn object(envoy_filters: &[String], plugin: &PluginId) -> super::FindingObject {
    match envoy_filters {
        [only] => {
            let (namespace, name) = only.split_once('/').unwrap_or(("", only));
            super::FindingObject::new(Kind::EnvoyFilter.as_str(), &ObjectName::new(namespace, name))
        }
        _ => super::FindingObject::new(plugin.kind.as_str(), &plugin.name),
    }
}

/// The plugin that was moved, else the first, around which others were.
fn plugin_in(sequence: &FoundFilters) -> Option<&PluginId> {
    let of = |moved: bool| {
        let filters = sequence.filters.iter().filter(move |filter| !moved || filter.stands == Stands::Moved);
        filters.filter_map(|filter| filter.filter.id.as_ref()).find(|plugin| plugin.kind != PluginKind::EnvoyFilter)
    };
    of(true).or_else(|| of(false))
}

fn doubled_in(proxy: &ProxyFacts<'_>, dump: &ConfigDump, plugin: &PluginId) -> Option<Place> {
    dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active).find_map(|listener| {
        let chain = listener.chains.iter().position(|chain| placement::count_in_chain(chain, plugin) > 1)?;
        Some(Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: Some(chain) })
    })
}
