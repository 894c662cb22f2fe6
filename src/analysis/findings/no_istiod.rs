//! Proxies of a revision of which no istiod is ready.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, proxies};
use crate::analysis::outage::{self, Outage};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "no-istiod",
    severity: Severity::Error,
    title: "No istiod of the revision that serves proxies is ready.",
    why: "Proxies keep the configuration that they have: no change of a plugin, a policy or an endpoint reaches them, their certificates are \
        not renewed, and a proxy that starts gets no configuration at all.",
    source: "pilot/pkg/bootstrap/server.go: istiodReadyHandler; manifests/charts/istio-control/istio-discovery/templates/deployment.yaml",
    // Not what the istiods report: none may be there to be asked.
    needs: Needs::objects(&[Kind::Pod], &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    outage::outages(facts.snapshot).iter().filter_map(|outage| finding(facts, outage)).collect()
}

fn finding(facts: &Facts<'_>, outage: &Outage) -> Option<Finding> {
    let cut_off = facts.proxies.iter().filter(|proxy| proxy.pod.is_some_and(|pod| outage.cuts_off(pod, facts.objects())));
    let cut_off: Vec<_> = cut_off.map(|proxy| proxy.id.clone()).collect();
    let what = format!("{}: no change reaches {}, no certificate is renewed.", outage.sentence(), proxies(cut_off.len()));
    (!cut_off.is_empty()).then(|| Finding {
        evidence: outage.evidence.clone(),
        fix: fix(outage),
        proxies: cut_off,
        ..RULE.found(FindingObject::new(outage.workload.kind.as_str(), &outage.workload.name), what)
    })
}

fn fix(outage: &Outage) -> String {
    let (namespace, name) = (&outage.workload.name.namespace, outage.workload.short());
    if outage.scaled_down {
        return format!("scale it up: kubectl -n {namespace} scale {name} --replicas=1");
    }
    format!("see why: kubectl -n {namespace} describe {name}, and kubectl -n {namespace} logs {name}")
}
