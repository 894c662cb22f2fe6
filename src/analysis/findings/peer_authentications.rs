//! PeerAuthentications of one scope, of which only the oldest counts.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "conflicting-peer-authentications",
    severity: Severity::Warning,
    title: "A PeerAuthentication is ignored beside an older one of the same scope.",
    why: "Policies of one scope are not merged: of the younger neither the mode nor the ports count, and nothing but a line of istiod's log \
        says so.",
    source: "pilot/pkg/security/authn/policy_applier.go: ComposePeerAuthentication; pilot/pkg/model/authentication.go: addPeerAuthentication",
    needs: Needs::objects(&[Kind::PeerAuthentication, Kind::Pod], &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for entry in &facts.mtls().workloads {
        for policy in entry.policies.iter().filter(|policy| policy.fate == "losesToOlder") {
            let (namespace, name) = policy.policy.split_once('/').unwrap_or(("", &policy.policy));
            let object = FindingObject::new(Kind::PeerAuthentication.as_str(), &ObjectName::new(namespace, name));
            if let Some(known) = found.iter_mut().find(|known| known.object == object) {
                known.proxies.push(entry.pod.clone());
                continue;
            }
            let older = policy.by.as_deref().unwrap_or("an older one");
            found.push(Finding {
                evidence: vec![policy.reason.clone(), format!("it says {}", policy.modes())],
                fix: format!("write what both say into {older}, and delete this one"),
                proxies: vec![entry.pod.clone()],
                ..RULE.found(object, format!("PeerAuthentication {} is ignored: {older} of the same scope is older.", policy.policy))
            });
        }
    }
    found
}
