//! A plugin of phase AUTHN behind an external authorizer, of CUSTOM policies or of an EnvoyFilter, which is asked first.

use super::{Facts, Finding, Needs, Place, PluginFacts, ProxyFacts, Rule, Severity, proxies};
use crate::analysis::comparison::EnvoyFilters;
use crate::analysis::{chains, order, placement};
use crate::model::envoy::{ConfigDump, Direction, Filter, FilterChain, Listener, ListenerState};
use crate::model::ids::PluginId;
use crate::model::kind::Kind;
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "after-custom-authorizer",
    severity: Severity::Warning,
    title: "A plugin of phase AUTHN runs after an external authorizer, of an AuthorizationPolicy of action CUSTOM or of an EnvoyFilter.",
    why: "The authorizer is asked about requests that the plugin has not authenticated yet. No phase comes before CUSTOM.",
    source: "pilot/pkg/networking/core/listener_builder.go: buildHTTPConnectionManager; pilot/pkg/security/authz/builder/extauthz.go",
    needs: Needs { dumps: true, sync: false, some: &[Kind::WasmPlugin, Kind::TrafficExtension, Kind::EnvoyFilter], all: &[] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let guards = facts.plugins.iter().filter(|facts| facts.plugin.phase == Phase::Authn);
    guards.flat_map(|plugin| finding(facts, plugin)).collect()
}

/// A chain where the plugin is behind an external authorizer.
struct Behind {
    place: Place,
    /// The EnvoyFilters that can have put it there; None where istiod did, for an AuthorizationPolicy.
    envoy_filters: Option<Vec<String>>,
}

fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Vec<Finding> {
    let found: Vec<Behind> = facts.dumps().filter_map(|(proxy, dump)| behind(facts, proxy, dump, &plugin.plugin.id)).collect();
    let (custom, patched): (Vec<&Behind>, Vec<&Behind>) = found.iter().partition(|behind| behind.envoy_filters.is_none());
    [custom, patched].into_iter().filter_map(|found| of_origin(&plugin.plugin.id, &found)).collect()
}

fn of_origin(id: &PluginId, found: &[&Behind]) -> Option<Finding> {
    let first = found.first()?;
    let place = &first.place;
    let order = format!("in chain {} of {} of {} ext_authz is before it", place.chain.unwrap_or_default(), place.listener, place.proxy);
    let on = proxies(found.len());
    let (what, origin, fix) = match &first.envoy_filters {
        None => (
            format!("On {on} {id} runs after the CUSTOM authorizer, though its phase is AUTHN."),
            "istiod put it there for an AuthorizationPolicy of action CUSTOM".to_owned(),
            "do in the authorizer what the plugin does, or check with an AuthorizationPolicy of another action, which runs after it"
                .to_owned(),
        ),
        Some(names) => (
            format!("On {on} {id} runs after the authorizer of an EnvoyFilter, though its phase is AUTHN."),
            format!("no AuthorizationPolicy asked for it; EnvoyFilter {} can have put it there", names.join(", ")),
            "let the EnvoyFilter insert ext_authz behind the plugin, or do in the authorizer what the plugin does".to_owned(),
        ),
    };
    Some(Finding {
        evidence: vec![order, origin],
        fix,
        proxies: found.iter().map(|behind| behind.place.proxy.clone()).collect(),
        place: Some(place.clone()),
        ..RULE.of_plugin(id, what)
    })
}

/// The first chain where the plugin is behind `ext_authz`. An authorizer that neither istiod nor an EnvoyFilter put there is not
/// explained, and nothing is said of it.
fn behind(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, plugin: &PluginId) -> Option<Behind> {
    let authorizer = |chain: &FilterChain| {
        let filters: Vec<&Filter> = chain.filters().collect();
        let place = filters.iter().position(|filter| filter.name.ends_with(".ext_authz"))?;
        filters[place..].iter().any(|filter| placement::is_of(filter, plugin)).then(|| order::is_custom(filters[place]))
    };
    dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active).find_map(|listener| {
        let (chain, custom) = listener.chains.iter().enumerate().find_map(|(place, chain)| Some((place, authorizer(chain)?)))?;
        let envoy_filters = if custom { None } else { Some(envoy_filters(facts, proxy, dump, listener)?) };
        let (proxy, listener, state) = (proxy.id.clone(), listener.name.clone(), listener.state.as_str());
        Some(Behind { place: Place { proxy, listener, state, chain: Some(chain) }, envoy_filters })
    })
}

/// Those that reach the listener; None where there are none.
fn envoy_filters(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener) -> Option<Vec<String>> {
    let chains = chains::Facts::of(facts.objects(), proxy.pod?, dump.node.as_ref(), None)?;
    let inbound = listener.direction == Some(Direction::Inbound);
    let names: Vec<String> = EnvoyFilters::of(&chains).of_listener(listener, inbound).iter().map(ToString::to_string).collect();
    (!names.is_empty()).then_some(names)
}
