//! A DestinationRule by which clients send what the workload does not take.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::answers::ClientAnswer;
use crate::analysis::mtls::client::Decider;
use crate::analysis::mtls::verdict::{Reason, Verdict};
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
            for (client, decider) in service.clients.iter().filter_map(refused) {
                let object = FindingObject::new(Kind::DestinationRule.as_str(), &decider.rule);
                let line = format!("{} {}, {}: {}", entry.workload_kind, entry.workload, service.name(), client.sentence());
                let fix = fix(client.outcome, &decider.field);
                match found.iter_mut().find(|known| known.object == object && known.fix == fix) {
                    Some(known) => {
                        known.evidence.push(line);
                        known.proxies.push(entry.pod.clone());
                    }
                    None => {
                        let what = format!("By {object} clients send {}, which {} does not take.", client.sends, entry.workload);
                        found.push(Finding { evidence: vec![line], fix, proxies: vec![entry.pod.clone()], ..RULE.found(object, what) });
                    }
                }
            }
        }
    }
    found.iter_mut().for_each(|finding| finding.proxies.dedup());
    found
}

/// Clients that do not come through for what a rule says. What fails for another reason is not the rule's doing.
fn refused(client: &ClientAnswer) -> Option<(&ClientAnswer, &Decider)> {
    let decider = client.decider.as_ref().filter(|_| client.proxy && client.verdict == Verdict::Fails)?;
    Some((client, decider))
}

/// What to do to the rule's field.
fn fix(outcome: Reason, field: &str) -> String {
    match outcome {
        Reason::NotTerminated => format!(
            "leave {field} out, so that auto mutual TLS decides, or set its mode to DISABLE; or let the workload take mutual TLS (PERMISSIVE, STRICT)"
        ),
        Reason::TlsToHttp => format!("leave {field} out, so that auto mutual TLS decides, or set its mode to DISABLE"),
        Reason::StrictZtunnel => format!("leave {field} out, so that clients send HBONE"),
        _ => format!("set the mode of {field} to ISTIO_MUTUAL, or leave it out, so that auto mutual TLS decides"),
    }
}
