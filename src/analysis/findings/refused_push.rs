//! A listener that istiod sent and the proxy refused.

use super::{DUMPS, Facts, Finding, FindingObject, Place, Rule, Severity};
use crate::model::envoy::ListenerState;

pub(super) const RULE: Rule = Rule {
    code: "refused-push",
    severity: Severity::Error,
    title: "The proxy refused what istiod sent.",
    why: "The proxy goes on with what it had before, or with nothing, until istiod sends something else; no later change of the mesh arrives \
        in what is refused.",
    source: "envoy/admin/v3/config_dump_shared.proto: ListenersConfigDump.DynamicListener.error_state",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (proxy, dump) in facts.dumps() {
        for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Error) {
            let keeps = dump.listeners.iter().any(|other| other.name == listener.name && other.state == ListenerState::Active);
            let then = if keeps { "the one before stays in force" } else { "there is no other of that name" };
            let error = listener.error.as_deref().unwrap_or("the dump does not say why");
            found.push(Finding {
                evidence: vec![format!("Envoy says: {error}"), then.to_owned()],
                fix: "change the object that the reason names; where it names none, look at istiod's log for ACK ERROR".to_owned(),
                proxies: vec![proxy.id.clone()],
                place: Some(Place {
                    proxy: proxy.id.clone(),
                    listener: listener.name.clone(),
                    state: listener.state.as_str(),
                    chain: None,
                }),
                ..RULE.found(FindingObject::pod(&proxy.id), format!("{} refused listener {}.", proxy.id, listener.name))
            });
        }
    }
    found
}
