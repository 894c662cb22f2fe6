//! Workloads that ask for a sidecar and have none.

use std::collections::BTreeMap;

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::attachment::injection::{self, NoProxy};
use crate::analysis::{control_plane, lookup, mtls};
use crate::model::ids::WorkloadId;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "sidecar-not-injected",
    severity: Severity::Warning,
    title: "A workload asks for a sidecar and has none: no istiod of its revision runs, or its pods were made before.",
    why: "Without a proxy nothing holds a mode, a policy or a plugin: the application takes what comes, plain text too, and what it sends \
        goes without mutual TLS.",
    source: "manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml; pkg/kube/inject/inject.go: injectRequired",
    needs: Needs::objects(&[Kind::PeerAuthentication], &[Kind::Pod, Kind::Namespace]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // An istiod outside the cluster has no pod here, and may serve any revision.
    if control_plane::istiods(facts.objects()).next().is_none() {
        return Vec::new();
    }
    let mut found: BTreeMap<WorkloadId, Vec<(&Pod, NoProxy)>> = BTreeMap::new();
    for pod in facts.pods.iter().filter(|pod| facts.is_own(&pod.id.namespace) && is_alive(pod) && pod.proxy.is_none()) {
        let why = injection::missing(pod, facts.objects());
        if why.is_asked_in_vain()
            && let Some(workload) = lookup::owner(facts.snapshot, &pod.id)
        {
            found.entry(workload).or_default().push((pod, why));
        }
    }
    let mut all: BTreeMap<WorkloadId, usize> = BTreeMap::new();
    for pod in facts.pods.iter().filter(|pod| !found.is_empty() && is_alive(pod)) {
        if let Some(workload) = lookup::owner(facts.snapshot, &pod.id) {
            *all.entry(workload).or_default() += 1;
        }
    }
    let of = |(workload, pods): (&WorkloadId, &Vec<(&Pod, NoProxy)>)| {
        finding(facts, workload, pods, all.get(workload).copied().unwrap_or_default())
    };
    found.iter().map(of).collect()
}

fn is_alive(pod: &Pod) -> bool {
    !pod.is_workload_entry && !pod.by_node && !pod.deleting && pod.istiod.is_none() && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
}

/// `pods` are those without a proxy, of so many in all.
fn finding(facts: &Facts<'_>, workload: &WorkloadId, pods: &[(&Pod, NoProxy)], all: usize) -> Finding {
    let (pod, why) = &pods[0];
    let (which, lack, there) = if pods.len() < all {
        let have = if pods.len() == 1 { "has" } else { "have" };
        ("some pods", format!("{} of its {all} pods {have} no proxy", pods.len()), " there")
    } else {
        ("its pods", "no proxy".to_owned(), "")
    };
    let (short, namespace) = (workload.short(), &pod.id.namespace);
    let effective = mtls::of_pod(facts.objects(), pod);
    let strict = effective.mode == MtlsMode::Strict && !facts.snapshot.lacks(Kind::PeerAuthentication, namespace);
    let by = effective.winner.as_ref().map(|by| format!(" of {by}")).unwrap_or_default();
    let follows = if strict {
        format!("{lack}, so STRICT{by} does not hold{there}")
    } else {
        format!("{lack}, so no plugin and no mutual TLS{there}")
    };
    let restart = format!("restart it (kubectl -n {namespace} rollout restart {short})");
    let (cause, fix) = match why {
        NoProxy::NoSuchRevision(revision) => (
            format!("{short} asks for revision {revision}, of which no istiod runs"),
            format!(
                "set istio.io/rev to a revision that runs, and {restart}; if {revision} is a tag, its pods were made before it, or injection failed"
            ),
        ),
        _ => (format!("{short} asks for a sidecar, and {which} were made before that or injection failed"), restart),
    };
    let names: Vec<String> = pods.iter().map(|(pod, _)| pod.id.to_string()).collect();
    Finding {
        evidence: vec![
            format!("without a proxy: {}", crate::analysis::naming::first(&names, 3)),
            format!("Pod {}: {}", pod.id, asked(facts, pod)),
        ],
        fix,
        ..RULE.found(FindingObject::new(workload.kind.as_str(), &workload.name), format!("{cause}: {follows}."))
    }
}

/// What asks for the sidecar.
fn asked(facts: &Facts<'_>, pod: &Pod) -> String {
    let labels = facts.objects().namespaces.get(&pod.id.namespace);
    let label =
        |key: &str| labels.and_then(|labels| labels.get(key)).map(|value| format!("label {key}={value} of namespace {}", pod.id.namespace));
    let own = || pod.labels.get(control_plane::REVISION).map(|value| format!("label {}={value} of the pod", control_plane::REVISION));
    let found = label(injection::INJECTION).or_else(|| label(control_plane::REVISION)).or_else(own);
    format!("{} asks for it", found.unwrap_or_else(|| "sidecar.istio.io/inject of the pod".to_owned()))
}
