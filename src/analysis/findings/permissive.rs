//! PERMISSIVE mode where every client that is known uses mutual TLS anyway.

use std::collections::{BTreeMap, BTreeSet};

use super::refused_connections::refused;
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::answers::MtlsEntry;
use crate::analysis::attachment::injection;
use crate::analysis::mtls::client::Wire;
use crate::analysis::mtls::verdict::Reason;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "permissive-without-need",
    severity: Severity::Information,
    title: "The mode is PERMISSIVE, though every client that is known uses mutual TLS.",
    why: "Plain text is taken from anyone, and each port has twice the chains; STRICT would refuse only clients that are not known.",
    source: "pilot/pkg/security/authn/policy_applier.go: ComposePeerAuthentication; pilot/pkg/networking/core/cluster_tls.go",
    needs: Needs::objects(&[], &[Kind::Pod, Kind::Service, Kind::PeerAuthentication, Kind::DestinationRule]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // Pods of namespaces that have proxies are clients; those of Kubernetes itself hardly are.
    let meshed: BTreeSet<&str> = facts.pods.iter().filter(|pod| pod.runs_envoy()).map(|pod| pod.id.namespace.as_str()).collect();
    let is_plain = |pod: &Pod| pod.proxy.is_none() && pod.istiod.is_none() && !pod.injection.ambient;
    if facts.pods.iter().any(|pod| is_plain(pod) && meshed.contains(pod.id.namespace.as_str())) {
        return Vec::new();
    }
    let mut outside: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in facts.pods.iter().filter(|pod| is_plain(pod) && !injection::NEVER.contains(&pod.id.namespace.as_str())) {
        *outside.entry(&pod.id.namespace).or_default() += 1;
    }
    let outside: Vec<String> = outside.into_iter().map(|(namespace, pods)| format!("{namespace} ({pods})")).collect();
    let mut by_namespace: BTreeMap<&str, Vec<&MtlsEntry>> = BTreeMap::new();
    // A client whose plain text was refused sends it, and would fail by STRICT again.
    let plain = refused(facts).filter(|(reason, ..)| reason.plain && !reason.works);
    let needed: BTreeSet<&str> = plain.map(|(_, failing, _)| failing.pod.id.namespace.as_str()).collect();
    for entry in facts.mtls().workloads.iter().filter(|entry| is_needless(entry) && !needed.contains(entry.pod.namespace.as_str())) {
        by_namespace.entry(&entry.pod.namespace).or_default().push(entry);
    }
    by_namespace.into_iter().map(|(namespace, entries)| finding(namespace, &entries, &outside)).collect()
}

/// Whether every client with a proxy sends mutual TLS to every port.
fn is_needless(entry: &MtlsEntry) -> bool {
    let mut clients = entry.services.iter().flat_map(|service| &service.clients).filter(|client| client.proxy).peekable();
    let sidecar = entry.proxy_kind == Some("sidecar") && entry.mode == Some(MtlsMode::Permissive);
    sidecar && clients.peek().is_some() && clients.all(|client| client.sends == Wire::MutualTls && client.outcome != Reason::NotCaptured)
}

/// `outside` are the namespaces of pods without a proxy that may be clients all the same, with how many there are.
fn finding(namespace: &str, entries: &[&MtlsEntry], outside: &[String]) -> Finding {
    let client = if outside.is_empty() { "no known client" } else { "no client with a proxy" };
    let may = (!outside.is_empty()).then(|| format!("pods without a proxy may send plain text, by namespace: {}", outside.join(", ")));
    let names: Vec<&str> = entries.iter().map(|entry| entry.short.as_str()).collect();
    Finding {
        evidence: [
            format!("every client with a proxy sends mutual TLS to {}", names.join(", ")),
            "no pod of a namespace with proxies is without one".to_owned(),
        ]
        .into_iter()
        .chain(may)
        .collect(),
        fix: "see what would change with `meshscope why PLUGIN --mode STRICT`, then set STRICT by a PeerAuthentication".to_owned(),
        proxies: entries.iter().map(|entry| entry.pod.clone()).collect(),
        ..RULE.found(
            FindingObject::new(Kind::Namespace.as_str(), &ObjectName::new("", namespace)),
            format!("In namespace {namespace} plain text is taken that {client} sends."),
        )
    }
}
