//! A DestinationRule by which clients send what the workload does not take.

use super::broken::{Broken, broken};
use super::mtls_mismatch::by_object;
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::mtls::client::{Because, Decider};
use crate::analysis::mtls::verdict::Reason;
use crate::model::kind::Kind;
use crate::model::routing::ClientTls;

pub(super) const RULE: Rule = Rule {
    code: "destination-rule-refused",
    severity: Severity::Error,
    title: "By a DestinationRule clients send what the workload's mutual TLS mode does not take.",
    why: "No filter chain of the workload takes such a connection: it is reset before any request, and no plugin runs.",
    source: "pilot/pkg/networking/core/cluster_tls.go: buildUpstreamTLSSettings; pilot/pkg/networking/core/filterchain_options.go",
    needs: Needs::objects(&[Kind::DestinationRule, Kind::VirtualService], &[Kind::Pod, Kind::Service, Kind::PeerAuthentication]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of_rules = broken(facts).filter_map(|broken| {
        // Of certificates `mtls-mismatch` says more, of ports that are kept from the proxy `port-not-captured`.
        let is_of_others = broken.client.san.is_some() || broken.client.outcome == Reason::NotCaptured;
        let decider = by_rule(&broken.client.cause).filter(|_| !is_of_others)?;
        let object = FindingObject::new(Kind::DestinationRule.as_str(), &decider.rule);
        Some((broken, object, RULE.severity, fix(broken.client.outcome, &decider.field)))
    });
    by_object(&RULE, facts, of_rules, |Broken { entry, client, .. }, object| {
        format!("By {object} clients send {}, which {} {} does not take.", client.sends, entry.workload_kind, entry.workload)
    })
}

/// What of a rule decides. Of one without a certificate `destination-rule-without-certificate` says more.
fn by_rule(cause: &Because) -> Option<&Decider> {
    if matches!(cause, Because::Rule(ClientTls::MutualWithoutCertificate, _)) { None } else { cause.decider() }
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
