//! A DestinationRule that asks for mutual TLS with a certificate and names none.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::routing::{ClientTls, ClientTlsSettings, DestinationRule, TrafficPolicy};

pub(super) const RULE: Rule = Rule {
    code: "destination-rule-without-certificate",
    severity: Severity::Error,
    title: "A DestinationRule has tls.mode MUTUAL, and names no client certificate.",
    why: "istiod cannot make the TLS settings and leaves them out, so that clients send plain text: a STRICT workload or a server with TLS \
        resets the connection, and all others get the requests unencrypted.",
    source: "pilot/pkg/networking/core/cluster_tls.go: applyUpstreamTLSSettings, constructUpstreamTLS",
    needs: Needs::objects(&[Kind::DestinationRule], &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let policies = facts.objects().policies_of(Kind::DestinationRule);
    let found = policies.filter(|policy| facts.sees(&policy.name.namespace)).filter_map(|policy| match &policy.spec {
        PolicySpec::DestinationRule(rule) => finding(policy, rule),
        _ => None,
    });
    found.collect()
}

fn finding(policy: &Policy, rule: &DestinationRule) -> Option<Finding> {
    let of_whole = rule.policy.iter().flat_map(|policy| fields(policy, ""));
    let of_subsets = rule.subsets.iter().filter_map(|subset| Some((subset, subset.policy.as_ref()?)));
    let of_subsets = of_subsets.flat_map(|(subset, policy)| fields(policy, &format!(" of subset {}", subset.name)));
    let fields: Vec<String> = of_whole.chain(of_subsets).collect();
    let object = FindingObject::new(Kind::DestinationRule.as_str(), &policy.name);
    (!fields.is_empty()).then(|| Finding {
        evidence: fields.iter().map(|field| format!("{field} has mode MUTUAL, and neither credentialName nor clientCertificate with privateKey")).collect(),
        fix: "set mode ISTIO_MUTUAL, which uses the mesh's own certificates, or name the certificate: clientCertificate and privateKey, or credentialName".to_owned(),
        ..RULE.found(object, format!("DestinationRule {} asks for mutual TLS to {}, and there is no client certificate.", policy.name, rule.host))
    })
}

/// The fields of a `trafficPolicy` that do so.
fn fields(policy: &TrafficPolicy, of: &str) -> Vec<String> {
    let is_bare = |tls: &Option<ClientTlsSettings>| tls.as_ref().is_some_and(|tls| tls.mode == ClientTls::MutualWithoutCertificate);
    let whole = is_bare(&policy.tls).then(|| format!("trafficPolicy.tls{of}"));
    let ports = policy.ports.iter().filter(|(_, tls)| is_bare(tls));
    whole.into_iter().chain(ports.map(|(port, _)| format!("trafficPolicy.portLevelSettings.tls (port {port}){of}"))).collect()
}
