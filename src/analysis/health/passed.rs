//! Whether requests pass a plugin's filter in the inbound chains of a proxy, by the dump alone: an EnvoyFilter that makes a prediction
//! impossible does not show that the plugin is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Evidence, Health, PluginState};
use crate::analysis::comparison::{self, Pair};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, FilterChain, Listener, ListenerState};
use crate::model::ids::PluginId;

/// Where a route, a virtual host or a route configuration disables a filter (`envoy/config/route/v3/route_components.proto`).
const PER_FILTER: [&str; 2] = ["typed_per_filter_config", "typedPerFilterConfig"];

/// Why requests do not pass the plugin in chains of an inbound listener, each as a clause. `unpredicted` is why its chains cannot be predicted;
/// `wanted` is what the objects alone would put there, as far as that is known.
pub(super) fn lacks(listener: &Listener, plugin: &PluginId, unpredicted: Option<&str>, wanted: Option<&Listener>) -> Vec<String> {
    let (name, chains) = (&listener.name, listener.chains.len());
    let own = |chain: &&FilterChain| chain.filters().any(|filter| placement::is_of(filter, plugin));
    let having: Vec<&FilterChain> = listener.chains.iter().filter(own).collect();
    if let Some(why) = unpredicted {
        let lacking = wanted.map_or(0, |wanted| lacking(listener, wanted, plugin));
        if having.is_empty() || lacking > 0 {
            let more = if having.is_empty() { String::new() } else { format!(", and {lacking} that are to have it do not") };
            return vec![format!("{name}: {} of {chains} inbound chains have it{more}; {why}", having.len())];
        }
    }
    let is_disabled =
        |chain: &&&FilterChain| chain.filters().filter(|filter| placement::is_of(filter, plugin)).all(|filter| filter.disabled);
    let disabled = having.iter().filter(is_disabled).count();
    let (mut all, mut off) = (0, 0);
    for routes in having.iter().filter_map(|chain| routes(chain, plugin)) {
        (all, off) = (all + routes.len(), off + routes.iter().filter(|disabled| **disabled).count());
    }
    let by_filter = (disabled > 0).then(|| format!("{name}: its filter is disabled in {disabled} of {chains} inbound chains"));
    let by_route = (off > 0).then(|| format!("{name}: {} disables it on {off} of {all} routes of its inbound chains", PER_FILTER[0]));
    by_filter.into_iter().chain(by_route).collect()
}

/// How many chains lack the plugin's filter that the objects alone would put into them.
fn lacking(listener: &Listener, wanted: &Listener, plugin: &PluginId) -> usize {
    let has = |chain: &FilterChain| placement::count_in_chain(chain, plugin) > 0;
    let is_lacking =
        |pair: &Pair<'_>| matches!(pair, Pair { counted: Some((_, chain)), predicted: Some(wanted) } if has(wanted) && !has(chain));
    comparison::pairs(listener, wanted).iter().filter(|pair| is_lacking(pair)).count()
}

/// Whether each route of a chain disables the plugin; None where none of them can.
fn routes(chain: &FilterChain, plugin: &PluginId) -> Option<Vec<bool>> {
    let raw = chain.raw.as_str();
    if !PER_FILTER.iter().any(|field| raw.contains(field)) {
        return None;
    }
    let names: Vec<&str> = chain.filters().filter(|filter| placement::is_of(filter, plugin)).map(|filter| filter.name.as_str()).collect();
    let chain: Value = serde_json::from_str(raw).ok()?;
    let either = |value: &Value, snake: &str, camel: &str| value.get(snake).or_else(|| value.get(camel)).cloned();
    let filters = chain.get("filters")?.as_array()?;
    let config =
        filters.iter().find_map(|filter| either(&either(filter, "typed_config", "typedConfig")?, "route_config", "routeConfig"))?;
    let mut found = Vec::new();
    for host in either(&config, "virtual_hosts", "virtualHosts")?.as_array()? {
        for route in host.get("routes").and_then(Value::as_array).into_iter().flatten() {
            // What is most specific decides.
            let said = [route, host, &config].into_iter().find_map(|level| disables(level, &names));
            found.push(said.unwrap_or_default());
        }
    }
    Some(found)
}

/// Whether a level of the routes disables one of the filters; None where it says nothing of them.
fn disables(level: &Value, names: &[&str]) -> Option<bool> {
    let configs = PER_FILTER.iter().find_map(|field| level.get(field))?;
    let own = names.iter().find_map(|name| configs.get(name))?;
    Some(own.get("disabled").and_then(Value::as_bool).unwrap_or_default())
}

/// Takes back that a plugin runs where a listener that has it warms and none of its name takes connections.
pub(super) fn compared_with_warming(mut health: Health, plugin: &PluginId, dump: &ConfigDump) -> Health {
    let is_open = |name: &str| dump.listeners.iter().any(|listener| listener.state == ListenerState::Active && listener.name == name);
    let warms = |listener: &&Listener| listener.state == ListenerState::Warming && !is_open(&listener.name);
    let having = dump.listeners.iter().filter(warms).filter(|listener| placement::count_in_listener(listener, plugin) > 0);
    let names: BTreeSet<&str> = having.map(|listener| listener.name.as_str()).collect();
    if health.state == PluginState::Running && !names.is_empty() {
        health.state = PluginState::Unverified;
        let names: Vec<&str> = names.into_iter().collect();
        let what = format!("listeners that have it warm and take no connections yet: {}", names.join(", "));
        health.evidence.insert(0, Evidence::of_dump("dynamic_listeners[].warming_state", what));
    }
    health
}
