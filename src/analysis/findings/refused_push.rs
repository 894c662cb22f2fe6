//! What istiod sent and the proxy refused: a plugin's configuration, or a listener.

use super::states::in_states;
use super::{DUMPS, Facts, Finding, FindingObject, Place, ProxyFacts, Rule, Severity};
use crate::analysis::health::PluginState;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};

pub(super) const RULE: Rule = Rule {
    code: "refused-push",
    severity: Severity::Error,
    title: "The proxy refused what istiod sent.",
    why: "The proxy goes on with what it had before, or with nothing, so that requests may fail, until istiod sends something else; no later \
        change arrives in what is refused.",
    source: "envoy/admin/v3/config_dump_shared.proto: ListenersConfigDump.DynamicListener.error_state; a refused ECDS resource stands in the \
        dump as if it were in place, so Envoy's log and statistics decide",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let rejected = in_states(facts, &[PluginState::Rejected]);
    let of_plugins = rejected.iter().map(|plugin| Finding {
        fix: "see whether the module is whole and made for this Envoy, then push another one or change the object".to_owned(),
        ..plugin.finding(&RULE, &format!("Envoy refused the configuration of {}", plugin.plugin))
    });
    let is_told = |proxy: &ProxyFacts<'_>, error: &str| {
        let mut healths = rejected.iter().flat_map(|plugin| &plugin.on).filter(|(other, _)| other.id == proxy.id);
        healths.any(|(_, health)| health.evidence.iter().any(|evidence| evidence.what.contains(error)))
    };
    let refused = facts.dumps().flat_map(|(proxy, dump)| of_state(dump, ListenerState::Error).map(move |listener| (proxy, dump, listener)));
    let refused = refused.filter(|(proxy, _, listener)| !is_told(proxy, error(listener)));
    of_plugins.chain(refused.map(|(proxy, dump, listener)| finding(proxy, dump, listener))).collect()
}

/// The listeners of a dump in a state.
pub(super) fn of_state(dump: &ConfigDump, state: ListenerState) -> impl Iterator<Item = &Listener> {
    dump.listeners.iter().filter(move |listener| listener.state == state)
}

fn error(listener: &Listener) -> &str {
    listener.error.as_deref().unwrap_or("the dump does not say why")
}

fn finding(proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener) -> Finding {
    let keeps = of_state(dump, ListenerState::Active).any(|other| other.name == listener.name);
    let then = if keeps { "the one before stays in force" } else { "there is no other of that name" };
    Finding {
        evidence: vec![format!("Envoy says: {}", error(listener)), then.to_owned()],
        fix: "change the object that the reason names; where it names none, look at istiod's log for ACK ERROR".to_owned(),
        proxies: vec![proxy.id.clone()],
        place: Some(Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: None }),
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} refused listener {}.", proxy.id, listener.name))
    }
}
