//! Proxies that no istiod has a connection of.

use super::{Facts, Finding, FindingObject, Rule, SYNC, Severity};
use crate::analysis::outage;
use crate::analysis::sync as rules;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::kind::Kind;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "proxy-not-connected",
    severity: Severity::Warning,
    title: "A proxy is connected to no istiod.",
    why: "It keeps the configuration that it has and hears of no change, and its certificate is not renewed when it ends.",
    source: "pilot/pkg/xds/debug.go: Syncz lists the connections of each istiod",
    needs: SYNC,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let outages = outage::outages(facts.snapshot);
    // `no-istiod` names the cause.
    let is_explained = |pod: &Pod| outages.iter().any(|outage| outage.cuts_off(pod, facts.objects()));
    let without_agent = facts.proxies.iter().filter(|proxy| facts.is_without_agent(proxy)).map(|proxy| &proxy.id);
    let alone = facts.proxies.iter().filter(|proxy| facts.is_unconnected(&proxy.id)).filter_map(|proxy| {
        // A proxy that does not run yet, or any more, is no trouble of the connection.
        let pod = proxy.pod.filter(|pod| pod.proxy.as_ref().is_some_and(|proxy| proxy.running) && !is_explained(pod))?;
        Some((&proxy.id, rules::why_alone(pod, facts.objects(), true)?))
    });
    alone
        .map(|(proxy, why)| Finding {
            evidence: vec![why],
            fix: "look at the log of istio-proxy for why it cannot reach istiod, and whether the istiod of its revision runs".to_owned(),
            proxies: vec![proxy.clone()],
            ..RULE.found(FindingObject::pod(proxy), format!("{proxy} is connected to no istiod."))
        })
        .chain(without_agent.map(entry))
        .collect()
}

/// A machine outside of the cluster need not run a proxy.
fn entry(proxy: &ProxyId) -> Finding {
    let object = FindingObject::new(Kind::WorkloadEntry.as_str(), &ObjectName::new(&proxy.namespace, &proxy.pod));
    Finding {
        severity: Severity::Information,
        evidence: vec!["no istiod has a connection of it: no agent runs on the machine, or it cannot reach istiod".to_owned()],
        fix: "nothing, where no proxy is to run there; else look at the log of its agent".to_owned(),
        proxies: vec![proxy.clone()],
        ..RULE.found(object.clone(), format!("{object} is connected to no istiod."))
    }
}
