//! Proxies that no istiod has a connection of.

use super::{Facts, Finding, FindingObject, ProxyFacts, Rule, SYNC, Severity};
use crate::analysis::sync as rules;

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
    // It may be connected to an istiod that did not answer.
    let Some(sync) = facts.snapshot.sync.as_ref().and_then(|sync| sync.as_ref().ok()).filter(|sync| !sync.partial) else {
        return Vec::new();
    };
    let is_alone = |proxy: &&ProxyFacts<'_>| sync.tells_of(&proxy.id.namespace) && rules::connection(sync, &proxy.id).is_none();
    let alone = facts.proxies.iter().filter(is_alone).filter_map(|proxy| {
        // A proxy that does not run yet, or any more, is no trouble of the connection.
        let pod = proxy.pod.filter(|pod| pod.proxy.as_ref().is_some_and(|proxy| proxy.running))?;
        Some((&proxy.id, rules::why_alone(pod, facts.objects(), true)?))
    });
    alone
        .map(|(proxy, why)| Finding {
            evidence: vec![why],
            fix: "look at the log of istio-proxy for why it cannot reach istiod, and whether the istiod of its revision runs".to_owned(),
            proxies: vec![proxy.clone()],
            ..RULE.found(FindingObject::pod(proxy), format!("{proxy} is connected to no istiod."))
        })
        .collect()
}
