//! PeerAuthentications of one scope, of which only the oldest counts.

use std::sync::Arc;

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::mtls::fate::Fate;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::peer_authentication::PeerAuthentication;

pub(super) const RULE: Rule = Rule {
    code: "conflicting-peer-authentications",
    severity: Severity::Warning,
    title: "A PeerAuthentication is ignored, since there is an older one of the same scope.",
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
                proxies: vec![entry.pod.clone()],
                ..finding(object, older)
            });
        }
    }
    for (policy, older) in without_pods(facts) {
        let object = FindingObject::new(Kind::PeerAuthentication.as_str(), &policy.name);
        if !found.iter().any(|known| known.object == object) {
            let older_created = older.created.clone();
            let fate = Fate::LosesToOlder { older: older.name.clone(), older_created, created: policy.created.clone() };
            found.push(Finding { evidence: vec![fate.to_string()], ..finding(object, &older.name.to_string()) });
        }
    }
    found
}

fn finding(object: FindingObject, older: &str) -> Finding {
    let what = format!("{object} is ignored: {older} of the same scope is older.");
    Finding { fix: format!("write what both say into {older}, and delete this one"), ..RULE.found(object, what) }
}

/// Policies beside an older one of the same selector, whether or not there are pods yet that show it, each with the oldest. One that is
/// for another revision's istiod does not count.
fn without_pods<'o>(facts: &Facts<'o>) -> impl Iterator<Item = (&'o PeerAuthentication, &'o PeerAuthentication)> {
    let objects = facts.objects();
    let root = objects.root_namespace();
    // In the root namespace one with a selector counts for nobody: `object-not-used` says so.
    let counts = |policy: &PeerAuthentication| policy.of_workload().is_none() || policy.name.namespace != root;
    let age = |policy: &'o PeerAuthentication| (&policy.created, &policy.name.name);
    let all = move || objects.peer_authentications.values().map(Arc::as_ref);
    let seen: Vec<&PeerAuthentication> = all().filter(|policy| facts.sees(&policy.name.namespace) && counts(policy)).collect();
    seen.into_iter().filter_map(move |policy| {
        let same =
            |other: &&PeerAuthentication| other.name.namespace == policy.name.namespace && other.of_workload() == policy.of_workload();
        let before = |other: &&PeerAuthentication| other.revision.is_none() || other.revision == policy.revision;
        let oldest = all().filter(same).filter(before).min_by_key(|other| age(other))?;
        (oldest.name != policy.name && age(oldest) < age(policy)).then_some((policy, oldest))
    })
}
