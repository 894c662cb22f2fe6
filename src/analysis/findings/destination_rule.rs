//! A DestinationRule by which clients send what the workload does not take.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::mtls::verdict::Verdict;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "destination-rule-refused",
    severity: Severity::Error,
    title: "By a DestinationRule clients send what the workload's mutual TLS mode does not take.",
    why: "No filter chain of the workload takes such a connection: it is reset before any request, and no plugin runs.",
    source: "pilot/pkg/networking/core/cluster_tls.go: buildUpstreamTLSSettings; pilot/pkg/networking/core/filterchain_options.go",
    needs: Needs::objects(&[Kind::DestinationRule], &[Kind::Pod, Kind::Service, Kind::PeerAuthentication]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for entry in &facts.mtls().workloads {
        for service in &entry.services {
            let failing = |client: &&_| is_refused(client);
            for client in service.clients.iter().filter(failing) {
                let Some((namespace, name)) = client.rules.first().and_then(|rule| rule.split_once('/')) else { continue };
                let object = FindingObject::new(Kind::DestinationRule.as_str(), &ObjectName::new(namespace, name));
                let line = format!("{} {}, {}: {}", entry.workload_kind, entry.workload, service.name(), client.sentence());
                match found.iter_mut().find(|known| known.object == object) {
                    Some(known) => {
                        known.evidence.push(line);
                        known.proxies.push(entry.pod.clone());
                    }
                    None => found.push(Finding {
                        evidence: vec![line],
                        fix: "set trafficPolicy.tls.mode to ISTIO_MUTUAL, or leave it out, so that auto mutual TLS decides".to_owned(),
                        proxies: vec![entry.pod.clone()],
                        ..RULE.found(object, format!("By DestinationRule {namespace}/{name} clients send {}, which {} refuses.", client.sends, entry.workload))
                    }),
                }
            }
        }
    }
    found.iter_mut().for_each(|finding| finding.proxies.dedup());
    found
}

fn is_refused(client: &crate::analysis::answers::ClientAnswer) -> bool {
    client.proxy && client.verdict == Verdict::Fails && !client.rules.is_empty()
}
