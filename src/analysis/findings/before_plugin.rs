//! A filter of an EnvoyFilter that runs before a plugin and can answer requests itself.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::failing::{Failing, answered_by_filters};
use super::requests_fail::{counted, evidence};
use super::together::listed;
use super::{Facts, Finding, FindingObject, Needs, PLUGINS, Place, ProxyFacts, Rule, Severity};
use crate::analysis::{lookup, placement};
use crate::model::envoy::{ConfigDump, Direction, Filter, FilterSource, ListenerState};
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId, WorkloadId};
use crate::model::kind::Kind;
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "envoy-filter-before-plugin",
    severity: Severity::Warning,
    title: "A filter that an EnvoyFilter put before a plugin can answer requests itself, or does.",
    why: "Requests that it answers never reach the plugin, and no object of the plugin says so.",
    source: "envoy docs/root/configuration/http/http_filters: filters that send local replies",
    needs: Needs {
        dumps: true,
        sync: false,
        some: &[Kind::EnvoyFilter, Kind::WasmPlugin, Kind::TrafficExtension, Kind::Pod],
        all: PLUGINS,
    },
    check,
};

/// The last words but one of the type URLs of filters that send replies of their own (`envoy.extensions.filters.http.lua.v3.Lua`).
const ANSWERING: [&str; 20] = [
    "adaptive_concurrency",
    "admission_control",
    "api_key_auth",
    "basic_auth",
    "cors",
    "csrf",
    "custom_response",
    "ext_authz",
    "ext_proc",
    "fault",
    "golang",
    "health_check",
    "jwt_authn",
    "local_ratelimit",
    "lua",
    "oauth2",
    "rate_limit_quota",
    "ratelimit",
    "rbac",
    "wasm",
];

/// A filter that an EnvoyFilter put before a plugin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Before<'f> {
    origin: &'f ObjectName,
    filter: &'f str,
    /// Whether requests to the workload pass it; else those that the workload sends.
    inbound: bool,
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut answered: BTreeMap<(Option<WorkloadId>, ObjectName, bool), Vec<Failing<'_>>> = BTreeMap::new();
    for (failing, origin) in answered_by_filters(facts) {
        answered.entry((failing.workload(facts), origin, failing.group.reason.to.inbound)).or_default().push(failing);
    }
    let mut found: Vec<Finding> = Vec::new();
    let mut places: BTreeMap<(Option<WorkloadId>, Before<'_>), usize> = BTreeMap::new();
    for (proxy, dump) in facts.dumps() {
        let workload = lookup::owner(facts.snapshot, &proxy.id);
        let answers = |before: &Before<'_>| answered.get(&(workload.clone(), before.origin.clone(), before.inbound));
        let (shown, silent): (BTreeMap<_, _>, BTreeMap<_, _>) =
            of_proxy(facts, proxy, dump).into_iter().partition(|(before, _)| answers(before).is_some());
        let is_shown = |before: &Before<'_>| [true, false].into_iter().any(|inbound| shown.contains_key(&Before { inbound, ..*before }));
        let mut only_can: BTreeMap<Before<'_>, Behind> = BTreeMap::new();
        for (before, behind) in silent.into_iter().filter(|(before, _)| !is_shown(before)) {
            match only_can.entry(Before { inbound: true, ..before }) {
                Entry::Occupied(mut known) => known.get_mut().plugins.extend(behind.plugins),
                Entry::Vacant(place) => drop(place.insert(behind)),
            }
        }
        found.extend(only_can.into_iter().map(|(before, behind)| finding(proxy, before, behind, ", and can answer requests itself")));
        for (before, behind) in shown {
            let shown = answers(&before).map(Vec::as_slice).unwrap_or_default();
            // What the access logs of a workload show is one finding, over all of its proxies.
            match places.entry((workload.clone(), before)) {
                Entry::Occupied(place) => found[*place.get()].proxies.push(proxy.id.clone()),
                Entry::Vacant(place) => {
                    place.insert(found.len());
                    let finding = finding(proxy, before, behind, &format!(": {}", counted(facts, shown)));
                    found.push(answering(facts, finding, before.origin, shown));
                }
            }
        }
    }
    found
}

/// The EnvoyFilters of which a filter runs before a plugin and can answer requests itself, with the proxies that have it, and whether requests to
/// the workload pass it there.
pub(super) fn origins(facts: &Facts<'_>) -> BTreeSet<(ProxyId, ObjectName, bool)> {
    let mut found = BTreeSet::new();
    for (proxy, dump) in facts.dumps() {
        found.extend(of_proxy(facts, proxy, dump).into_keys().map(|before| (proxy.id.clone(), before.origin.clone(), before.inbound)));
    }
    found
}

/// The finding where the access log shows that the filter answers requests.
fn answering(facts: &Facts<'_>, finding: Finding, origin: &ObjectName, shown: &[Failing<'_>]) -> Finding {
    let evidence = finding.evidence.iter().cloned().chain(shown.iter().map(evidence)).collect();
    // Behind the plugin it would answer the same requests.
    let fix = format!("see whether it is meant; else mend the filter in EnvoyFilter {origin}, or take it out");
    let is_past = shown.iter().all(|failing| failing.is_long_ago(facts));
    Finding { severity: if is_past { Severity::Information } else { RULE.severity }, evidence, fix, ..finding }
}

/// What runs behind a filter: the plugins, and where that was seen first.
struct Behind {
    plugins: Vec<PluginId>,
    place: Place,
}

fn of_proxy<'f>(facts: &Facts<'f>, proxy: &ProxyFacts<'_>, dump: &'f ConfigDump) -> BTreeMap<Before<'f>, Behind> {
    let mut found: BTreeMap<Before<'_>, Behind> = BTreeMap::new();
    for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active) {
        for (chain, filters) in listener.chains.iter().enumerate().filter_map(|(place, chain)| Some((place, chain.http_filters.as_ref()?)))
        {
            for (index, filter) in filters.iter().enumerate().filter(|(_, filter)| can_answer(filter)) {
                let plugins = behind(facts, filter, &filters[index + 1..]);
                let origin = if plugins.is_empty() { None } else { placement::envoy_filter_of(facts.snapshot, &proxy.id, &filter.name) };
                let Some(origin) = origin else { continue };
                let place = || Place {
                    proxy: proxy.id.clone(),
                    listener: listener.name.clone(),
                    state: listener.state.as_str(),
                    chain: Some(chain),
                };
                let before = Before { origin, filter: &filter.name, inbound: listener.direction == Some(Direction::Inbound) };
                let known = found.entry(before).or_insert_with(|| Behind { plugins: Vec::new(), place: place() });
                known.plugins.extend(plugins);
            }
        }
    }
    found
}

/// The plugins of filters. That ext_authz comes before one of phase AUTHN another rule says.
fn behind(facts: &Facts<'_>, first: &Filter, filters: &[Filter]) -> Vec<PluginId> {
    let plugins = filters.iter().filter_map(|filter| filter.plugin.as_ref()).map(|plugin| &plugin.id);
    let is_said = |id: &&PluginId| {
        let object = facts.objects().plugins.get(*id);
        first.name.ends_with(".ext_authz") && object.is_some_and(|object| object.phase == Phase::Authn)
    };
    plugins.filter(|id| id.kind != PluginKind::EnvoyFilter && !is_said(id)).cloned().collect()
}

/// Whether a filter sends replies of its own. A script in the listener that never does so is read.
fn can_answer(filter: &Filter) -> bool {
    let types = match &filter.source {
        FilterSource::Inline(type_url) => std::slice::from_ref(type_url),
        FilterSource::Discovery(types) => types,
        FilterSource::Unknown => return false,
    };
    let word = |type_url: &str| type_url.rsplit('.').nth(2).is_some_and(|word| ANSWERING.contains(&word));
    let raw = filter.raw.as_str();
    let is_read = matches!(&filter.source, FilterSource::Inline(type_url) if type_url.ends_with(".Lua")) && raw.contains("inline_");
    !filter.disabled && types.iter().any(|type_url| word(type_url)) && (!is_read || raw.contains("respond"))
}

/// `answers` says, as the end of the sentence, that the filter answers requests or can.
fn finding(proxy: &ProxyFacts<'_>, before: Before<'_>, mut behind: Behind, answers: &str) -> Finding {
    let Before { origin, filter, .. } = before;
    behind.plugins.sort();
    behind.plugins.dedup();
    let names: Vec<String> = behind.plugins.iter().map(ToString::to_string).collect();
    let plugins: Vec<&PluginId> = behind.plugins.iter().collect();
    let place = &behind.place;
    Finding {
        severity: Severity::Information,
        evidence: vec![format!("in chain {} of {} {filter} comes first", place.chain.unwrap_or_default(), place.listener)],
        fix: format!("see whether it is meant; else insert {filter} behind the plugin, or take it out of EnvoyFilter {origin}"),
        proxies: vec![proxy.id.clone()],
        plugins: if plugins.len() > 1 { listed(&plugins) } else { Vec::new() },
        plugin: behind.plugins.last().cloned(),
        place: Some(behind.place),
        ..RULE.found(
            FindingObject::new(Kind::EnvoyFilter.as_str(), origin),
            format!("On {} {filter} of EnvoyFilter {origin} runs before {}{answers}.", proxy.id, names.join(", ")),
        )
    }
}
