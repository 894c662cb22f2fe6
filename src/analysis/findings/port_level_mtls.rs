//! `portLevelMtls` that no port of any workload follows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::failing::Failing;
use super::refused_connections::{by_ignored_ports, clients, evidence, is_since};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, once_each};
use crate::analysis::answers::MtlsEntry;
use crate::analysis::mtls::ports::Mistaken;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::kind::Kind;
use crate::model::peer_authentication::PeerAuthentication;

pub(super) const RULE: Rule = Rule {
    code: "port-level-mtls-ignored",
    severity: Severity::Error,
    title: "A PeerAuthentication's portLevelMtls is ignored: it has no selector, or names a Service's port.",
    why: "The port goes on with the mode of the workload. Modes of ports count only in a policy with a selector, and by the port of the container.",
    source: "pilot/pkg/security/authn/policy_applier.go: ComposePeerAuthentication; pkg/config/validation/validation.go: validatePeerAuthentication",
    needs: Needs::objects(&[Kind::PeerAuthentication, Kind::Pod, Kind::Service], &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.objects().peer_authentications.values().map(Arc::as_ref);
    let unselective =
        policies.filter(|policy| facts.sees(&policy.name.namespace) && policy.of_workload().is_none() && !policy.ports.is_empty());
    let mut by_policy: BTreeMap<_, Vec<(&MtlsEntry, &Mistaken)>> = BTreeMap::new();
    for entry in &facts.mtls().workloads {
        for item in &entry.mistaken {
            by_policy.entry(&item.policy).or_default().push((entry, item));
        }
    }
    let mut refused: BTreeMap<ObjectName, Vec<Failing<'_>>> = BTreeMap::new();
    if facts.objects().peer_authentications.values().any(|policy| !policy.ports.is_empty()) {
        by_ignored_ports(facts).for_each(|(policy, failing)| refused.entry(policy).or_default().push(failing));
    }
    let shown = |finding: Finding, policy: &ObjectName| match refused.get(policy) {
        Some(failing) => with_refused(facts, finding, policy, failing),
        None => finding,
    };
    let unselective = unselective.map(|policy| shown(without_selector(policy), &policy.name));
    unselective.chain(by_policy.iter().map(|(policy, found)| shown(of_service(found), policy))).collect()
}

/// The finding with the connections that fail by it.
fn with_refused(facts: &Facts<'_>, finding: Finding, policy: &ObjectName, failing: &[Failing<'_>]) -> Finding {
    let servers: BTreeSet<String> = failing.iter().filter_map(|failing| failing.workload(facts)).map(|id| id.short()).collect();
    let servers = Vec::from_iter(servers).join(", ");
    let what = finding.what_with(&format!(", and connections to {servers} are refused: {}", clients(facts, failing)));
    let proxies: BTreeSet<ProxyId> = finding.proxies.iter().cloned().chain(failing.iter().map(|failing| failing.pod.id.clone())).collect();
    let evidence = finding.evidence.iter().cloned().chain(failing.iter().map(evidence)).collect();
    // The policy asks to take what is refused: nobody can have meant that.
    let is_by_it = failing.iter().any(|failing| is_since(facts, failing, policy) && !failing.is_long_ago(facts));
    let severity = if is_by_it { RULE.severity } else { finding.severity };
    Finding { severity, what, evidence, proxies: proxies.into_iter().collect(), ..finding }
}

fn without_selector(policy: &PeerAuthentication) -> Finding {
    let object = FindingObject::new(Kind::PeerAuthentication.as_str(), &policy.name);
    let ports: Vec<String> = policy.ports.keys().map(u16::to_string).collect();
    Finding {
        severity: Severity::Warning,
        evidence: vec![format!("it names port {} and has no selector", ports.join(", "))],
        fix: "write the ports into a PeerAuthentication with a selector, in the namespace of the workloads that they are for".to_owned(),
        ..RULE.found(object, format!("portLevelMtls of PeerAuthentication {} is ignored, for want of a selector.", policy.name))
    }
}

/// `found` is about one policy.
fn of_service(found: &[(&MtlsEntry, &Mistaken)]) -> Finding {
    let policy = &found[0].1.policy;
    let object = FindingObject::new(Kind::PeerAuthentication.as_str(), policy);
    let ports: BTreeSet<(u16, u16)> = found.iter().map(|(_, item)| (item.port, item.container)).collect();
    let listed = |text: fn(&(u16, u16)) -> String| ports.iter().map(text).collect::<Vec<_>>().join(", ");
    // What holds in the place of what the policy says, where that is one mode.
    let modes: Option<BTreeSet<&str>> = found
        .iter()
        .map(|(entry, item)| entry.ports.iter().find(|port| port.port == Some(item.container)).map(|port| port.mode.as_str()))
        .collect();
    let holds = match modes.map(Vec::from_iter).as_deref() {
        Some([mode]) => format!(": the mode of container port {} is {mode}", listed(|(_, container)| container.to_string())),
        _ => String::new(),
    };
    Finding {
        severity: Severity::Warning,
        evidence: once_each(found.iter().map(|(entry, item)| (&entry.short, item.to_string()))),
        fix: format!("name the port of the container: {}", listed(|(port, container)| format!("{container} in the place of {port}"))),
        proxies: found.iter().map(|(entry, _)| entry.pod.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        ..RULE.found(
            object,
            format!(
                "portLevelMtls of PeerAuthentication {policy} names port {}, which is a Service's and no container's{holds}.",
                listed(|(port, _)| port.to_string())
            ),
        )
    }
}
