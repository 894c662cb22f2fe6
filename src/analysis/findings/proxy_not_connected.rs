//! Proxies that no istiod has a connection of, with the reason by their logs and the changes that they miss.

use std::collections::BTreeMap;

use super::missed::missed;
use super::{Facts, Finding, FindingObject, ProxyFacts, Rule, SYNC, Severity, proxies};
use crate::analysis::answers::log_timestamp;
use crate::analysis::headline::is_cut_off;
use crate::analysis::sync as rules;
use crate::analysis::{control_plane, lookup, outage, placement};
use crate::model::ids::{ObjectName, ProxyId, WorkloadId};
use crate::model::kind::Kind;
use crate::model::vitals::LostUpstream;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "proxy-not-connected",
    severity: Severity::Error,
    title: "A proxy is connected to no istiod.",
    why: "It keeps the configuration that it has and gets no change, and its certificate is not renewed when it ends. That it misses a \
        change, or has no listener at all, is an error; else it is a warning.",
    source: "pilot/pkg/xds/debug.go: Syncz lists the connections of each istiod; the log of istio-proxy has why it cannot connect",
    needs: SYNC,
    check,
};

/// How many proxies have the changes named that they miss, where the reason is that of several.
const MOST: usize = 3;

/// What follows where a proxy has no listener but those of its bootstrap.
const LACKS_LISTENERS: &str = "istiod has sent it no listener since it started, so that the workload has no connections through it";

/// A proxy that is cut off.
struct CutOff<'f> {
    proxy: &'f ProxyFacts<'f>,
    pod: &'f Pod,
    why: String,
    lost: Option<&'f LostUpstream>,
    /// The changes that it misses, as one clause.
    missed: Option<String>,
    /// Whether istiod has sent it no listener since it started.
    lacks_listeners: bool,
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let without_agent = facts.proxies.iter().filter(|proxy| facts.is_without_agent(proxy)).map(|proxy| entry(&proxy.id));
    let mut by_reason: BTreeMap<Option<&str>, Vec<CutOff<'_>>> = BTreeMap::new();
    for cut_off in cut_off(facts) {
        by_reason.entry(cut_off.lost.map(|lost| peerless(&lost.reason))).or_default().push(cut_off);
    }
    let of_reason = |(reason, group): (Option<&str>, Vec<CutOff<'_>>)| {
        let owners: BTreeMap<Option<WorkloadId>, usize> =
            group.iter().map(|one| (lookup::owner(facts.snapshot, &one.proxy.id), 0)).collect();
        match reason {
            // Without a reason nothing says that it is one for all.
            Some(_) if owners.len() > 1 => vec![of_several(facts, &group, owners.len())],
            _ => group.iter().map(|one| of_one(facts, one)).collect(),
        }
    };
    by_reason.into_iter().flat_map(of_reason).chain(without_agent).collect()
}

fn cut_off<'f>(facts: &'f Facts<'_>) -> Vec<CutOff<'f>> {
    let Some(sync) = facts.sync() else { return Vec::new() };
    // `no-istiod` names the cause.
    let outages = outage::outages(facts.snapshot);
    let of_proxy = |proxy: &'f ProxyFacts<'_>| {
        let is_alone = |pod: &&Pod| facts.connection(&proxy.id).is_none() && is_cut_off(pod, facts.objects(), &outages, sync);
        let pod = proxy.pod.filter(is_alone)?;
        let vitals = facts.snapshot.dump(&proxy.id).and_then(|loaded| loaded.vitals.as_ref()).filter(|vitals| !vitals.brief);
        let lost = vitals.and_then(|vitals| vitals.lost_upstream.as_ref());
        // One that starts has no connection yet; where it gets none, its log says so within a minute.
        let starts = pod.unready.is_some() && vitals.is_some() && lost.is_none();
        let why = rules::why_alone(pod, facts.objects(), true)?;
        let missed = missed(facts, proxy, pod, lost.and_then(|lost| lost.since));
        let loaded = facts.snapshot.dump(&proxy.id);
        let lacks_listeners = loaded.is_some_and(|loaded| placement::awaits_listeners(facts.snapshot, &proxy.id, &loaded.dump));
        (!starts).then_some(CutOff { proxy, pod, why, lost, missed, lacks_listeners })
    };
    facts.proxies.iter().filter_map(of_proxy).collect()
}

/// A reason without the proxy's own address: `read tcp 10.244.0.5:34962->10.96.82.11:15012: i/o timeout`.
fn peerless(reason: &str) -> &str {
    reason.split_once("->").map_or(reason, |(_, rest)| rest)
}

fn of_one(facts: &Facts<'_>, one: &CutOff<'_>) -> Finding {
    let because = one.lost.map(|lost| format!(": {}", said(lost))).unwrap_or_default();
    Finding {
        severity: one.severity(),
        evidence: [Some(one.why.clone()), one.missed.clone(), one.lacks_listeners.then(|| LACKS_LISTENERS.to_owned())]
            .into_iter()
            .flatten()
            .collect(),
        fix: fix(facts, one),
        proxies: vec![one.proxy.id.clone()],
        ..RULE.found(FindingObject::pod(&one.proxy.id), format!("{} is connected to no istiod{because}.", one.proxy.id))
    }
}

/// Proxies of several workloads with one reason: what is wrong is between them and istiod.
fn of_several(facts: &Facts<'_>, group: &[CutOff<'_>], workloads: usize) -> Finding {
    let earliest = group.iter().min_by_key(|one| one.since().map_or((true, 0), |since| (false, since))).and_then(|one| one.lost);
    let because = earliest.map(|lost| format!(": {}", said(lost))).unwrap_or_default();
    let misses = group.iter().filter_map(|one| Some(format!("{}: {}", one.proxy.id, one.missed.as_ref()?)));
    let lacking = group.iter().filter(|one| one.lacks_listeners).map(|one| format!("{}: {LACKS_LISTENERS}", one.proxy.id));
    let serving = group.iter().find_map(|one| control_plane::serving(Some(one.pod), facts.objects()));
    let object = match serving.and_then(|istiod| lookup::owner(facts.snapshot, &istiod.id)) {
        Some(owner) => FindingObject::new(owner.kind.as_str(), &owner.name),
        None => FindingObject::new(Kind::Namespace.as_str(), &ObjectName::new("", facts.objects().root_namespace())),
    };
    Finding {
        severity: group.iter().map(CutOff::severity).min().unwrap_or(Severity::Warning),
        evidence: group.first().map(|one| one.why.clone()).into_iter().chain(misses.take(MOST)).chain(lacking.take(MOST)).collect(),
        fix: group.first().map(|one| fix(facts, one)).unwrap_or_default(),
        proxies: group.iter().map(|one| one.proxy.id.clone()).collect(),
        ..RULE.found(object, format!("{} of {workloads} workloads are connected to no istiod{because}.", proxies(group.len())))
    }
}

impl CutOff<'_> {
    fn severity(&self) -> Severity {
        if self.missed.is_some() || self.lacks_listeners { Severity::Error } else { Severity::Warning }
    }

    fn since(&self) -> Option<i64> {
        self.lost.and_then(|lost| lost.since)
    }
}

/// `dial tcp 10.96.82.11:15012: i/o timeout, since 2026-11-23T19:37:49Z`.
fn said(lost: &LostUpstream) -> String {
    let since = lost.since.and_then(log_timestamp).map(|time| format!(", since {time}")).unwrap_or_default();
    format!("{}{since}", lost.reason)
}

/// What to do, by what the log says.
fn fix(facts: &Facts<'_>, one: &CutOff<'_>) -> String {
    let namespace =
        control_plane::serving(Some(one.pod), facts.objects()).map_or(facts.objects().root_namespace(), |istiod| &istiod.id.namespace);
    let reason = one.lost.map(|lost| lost.reason.to_lowercase()).unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    if has(&["no such host", "lookup "]) {
        format!("see whether the name of istiod's Service resolves in the pod: kubectl -n {namespace} get services -l app=istiod")
    } else if has(&["connection refused"]) {
        format!("see whether istiod's Service leads to its port 15012: kubectl -n {namespace} get endpointslices,services -l app=istiod")
    } else if has(&["timeout", "deadline exceeded", "no route to host", "unreachable"]) {
        "see what drops port 15012 between the proxy and istiod: a NetworkPolicy, a firewall, the node's network".to_owned()
    } else if has(&["x509", "certificate", "tls: "]) {
        format!(
            "compare the root certificate that the proxy has (ConfigMap {}/istio-ca-root-cert) with istiod's; a pod reads it when it starts",
            one.pod.id.namespace
        )
    } else if has(&["authentication failure", "unauthenticated", "token"]) {
        format!("see why istiod rejects the token of the pod's service account: kubectl -n {namespace} logs -l app=istiod")
    } else {
        "look at the log of istio-proxy for why it cannot reach istiod, and whether the istiod of its revision runs".to_owned()
    }
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
