//! A listener that waits for what it refers to, and a plugin that has not come.

use super::refused_push::of_state;
use super::states::{InState, in_states};
use super::{DUMPS, Facts, Finding, FindingObject, Place, ProxyFacts, Rule, Severity};
use crate::analysis::health::{Evidence, PluginState};
use crate::analysis::placement;
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::logs::LogTime;

pub(super) const RULE: Rule = Rule {
    code: "pending-listener",
    severity: Severity::Error,
    title: "A listener waits for a plugin's configuration before it takes connections.",
    why: "A plugin's filter waits for its configuration without an end (initial_fetch_timeout is 0). Until it comes, a new pod takes no \
        connections, and an old one keeps the listener it had.",
    source: "pilot/pkg/networking/core/extension/extensionfilter.go: defaultConfigSource",
    needs: DUMPS,
    check,
};

/// How long a listener may warm that no other stands in for, in seconds: a new pod fetches its modules meanwhile.
const LONG: LogTime = 60;

const FIX: &str = "look again in a moment; where it stays, see whether the plugin's module can be fetched, and what the agent's log says";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = in_states(facts, &[PluginState::Pending]);
    let warming = |(proxy, dump): (&ProxyFacts<'_>, _)| {
        of_state(dump, ListenerState::Warming).map(|listener| of_listener(facts, proxy, dump, listener, &pending)).collect::<Vec<_>>()
    };
    let mut found: Vec<Finding> = facts.dumps().flat_map(warming).collect();
    // Where no listener warms, the plugin alone is what has not come.
    let is_told = |plugin: &InState<'_>| found.iter().any(|finding| finding.plugin.as_ref() == Some(plugin.plugin));
    let alone = pending.iter().filter(|plugin| !is_told(plugin));
    let alone: Vec<Finding> = alone
        .map(|plugin| Finding {
            severity: Severity::Warning,
            fix: FIX.to_owned(),
            ..plugin.finding(&RULE, &format!("the configuration of {} has not come", plugin.plugin))
        })
        .collect();
    found.extend(alone);
    found
}

/// For how long a listener has been in its state, in seconds and at least.
fn age(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener) -> LogTime {
    let since = listener.last_updated.as_deref().and_then(instant);
    facts.read_at(&proxy.id, dump).zip(since).map_or(0, |(now, since)| now.saturating_sub(since) / 1_000_000_000)
}

fn of_listener(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener, pending: &[InState<'_>]) -> Finding {
    let keeps = of_state(dump, ListenerState::Active).any(|other| other.name == listener.name);
    let then = if keeps { "the one before takes connections meanwhile" } else { "no other of that name takes connections meanwhile" };
    let waits = pending.iter().filter(|plugin| placement::count_in_listener(listener, plugin.plugin) > 0);
    let here = waits.filter_map(|plugin| Some((plugin.plugin, plugin.on.iter().find(|(other, _)| other.id == proxy.id)?.1)));
    let here: Vec<_> = here.collect();
    let said = here.iter().flat_map(|(plugin, health)| health.evidence.iter().map(move |evidence| format!("{plugin}: {}", Evidence::said(evidence))));
    let age = age(facts, proxy, dump, listener);
    let since = listener.last_updated.iter().map(|time| format!("it came at {time}, and has warmed for {age} s at least"));
    Finding {
        severity: if keeps || age < LONG { Severity::Warning } else { Severity::Error },
        evidence: std::iter::once(then.to_owned()).chain(since).chain(said).collect(),
        fix: FIX.to_owned(),
        proxies: vec![proxy.id.clone()],
        place: Some(Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: None }),
        plugin: here.first().map(|(plugin, _)| (*plugin).clone()),
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} has a listener {} that warms.", proxy.id, listener.name))
    }
}
