//! A listener that waits for what it refers to, and so takes no connections yet.

use super::{DUMPS, Facts, Finding, FindingObject, Place, ProxyFacts, Rule, Severity};
use crate::analysis::health::{self, PluginState};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};

pub(super) const RULE: Rule = Rule {
    code: "pending-listener",
    severity: Severity::Warning,
    title: "A listener waits for what it refers to before it takes connections.",
    why: "A plugin's filter waits for its configuration without an end (initial_fetch_timeout is 0). Until it comes, a new pod takes no \
        connections, and an old one keeps the listener it had.",
    source: "pilot/pkg/networking/core/extension/extensionfilter.go: defaultConfigSource",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |(proxy, dump): (&ProxyFacts<'_>, _)| warming(dump).map(|listener| finding(proxy, dump, listener)).collect::<Vec<_>>();
    facts.dumps().flat_map(of).collect()
}

fn warming(dump: &ConfigDump) -> impl Iterator<Item = &Listener> {
    dump.listeners.iter().filter(|listener| listener.state == ListenerState::Warming)
}

fn finding(proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener) -> Finding {
    let keeps = dump.listeners.iter().any(|other| other.name == listener.name && other.state == ListenerState::Active);
    let then = if keeps { "the one before takes connections meanwhile" } else { "no other of that name takes connections meanwhile" };
    let plugins = placement::plugins_in(dump).into_iter().filter(|plugin| placement::count_in_listener(listener, plugin) > 0);
    let pending = plugins.map(|plugin| (health::of_dump(&plugin, dump, None), plugin));
    let pending: Vec<_> = pending.filter(|(health, _)| health.state == PluginState::Pending).collect();
    let waits = pending.iter().map(|(health, plugin)| format!("{plugin}: {}", health.evidence));
    let since = listener.last_updated.iter().map(|time| format!("it came at {time}"));
    Finding {
        evidence: std::iter::once(then.to_owned()).chain(since).chain(waits).collect(),
        fix: "look again in a moment; where it stays, see whether the plugins' modules can be fetched, and what the agent's log says".to_owned(),
        proxies: vec![proxy.id.clone()],
        place: Some(Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: None }),
        plugin: pending.into_iter().next().map(|(_, plugin)| plugin),
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} has a listener {} that warms.", proxy.id, listener.name))
    }
}
