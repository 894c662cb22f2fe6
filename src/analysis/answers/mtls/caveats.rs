//! What of the objects is not as it looks: policies that count for nothing, and ports that are not those that were meant.

use crate::analysis::bypass;
use crate::analysis::mtls::fate::{Fate, Judged, PortFate};
use crate::analysis::mtls::ports::{Mistaken, PortMode};
use crate::analysis::mtls::{EffectiveMtls, of_pod};
use crate::analysis::naming::first;
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::inventory::Inventory;
use crate::model::warning::Warning;
use crate::model::workload::Pod;

/// How many pods are named.
const NAMED: usize = 3;

/// Policies that are ignored as a whole, or their ports.
pub(super) fn of_policies(judged: &[Judged<'_>], warnings: &mut Vec<Warning>) {
    for judged in judged {
        let mut say = |what: String, fix: &str| warnings.push(Warning::new(policy(&judged.policy.name), what, fix));
        match &judged.fate {
            Fate::LosesToOlder { .. } => say(judged.fate.to_string(), "delete one of them"),
            Fate::OtherRevision(_) => say(judged.fate.to_string(), "drop the label, or set it to the pod's revision"),
            Fate::SelectorInRootNamespace => say(judged.fate.to_string(), "put it into the namespace of the workloads"),
            _ => {}
        }
        if judged.ports == PortFate::NoSelector {
            say("has portLevelMtls and no selector, so its ports are ignored".to_owned(), "give it a selector");
        }
    }
}

/// `portLevelMtls` that names the service's port instead of the container's.
pub(super) fn of_ports(mistaken: &[Mistaken], warnings: &mut Vec<Warning>) {
    let warning =
        |item: &Mistaken| Warning::new(policy(&item.policy), item.to_string(), format!("name the container port, {}", item.container));
    warnings.extend(mistaken.iter().map(warning));
}

/// Ports that an annotation keeps from the proxy, so that no mode holds there.
pub(super) fn of_capture(id: &WorkloadId, pod: &Pod, ports: &[PortMode<'_>], warnings: &mut Vec<Warning>) {
    for port in ports.iter().filter_map(|port| port.port) {
        if let Some(kept) = pod.kept_from_sidecar(port) {
            let what = format!("{}, so no mode holds there: the application takes what comes", bypass::kept_away(port, kept));
            let fix = format!("correct {} in the pod template", kept.name);
            warnings.push(Warning::new(format!("{} {id}", id.kind.as_str()), what, fix));
        }
    }
}

/// Pods of one workload with other labels, and so another mode: a roll-out, or labels that were changed by hand.
pub(super) fn of_pods(
    objects: &Inventory,
    id: &WorkloadId,
    shown: &Pod,
    pods: &[&Pod],
    of_shown: &EffectiveMtls,
    warnings: &mut Vec<Warning>,
) {
    for pod in pods.iter().filter(|pod| pod.labels != shown.labels) {
        let other = of_pod(objects, pod);
        if (other.mode, &other.ports) != (of_shown.mode, &of_shown.ports) {
            let by = other.winner_text().unwrap_or_else(|| "Istio's default".to_owned());
            let what = format!("its pods differ: {} is shown, and {} has mode {} by {by}", shown.id, pod.id, other.mode);
            warnings.push(Warning::new(format!("{} {id}", id.kind.as_str()), what, "name the pod to see its own"));
        }
    }
}

/// Pods of one workload without the proxy that others of it have: made before injection was asked for, or where it failed.
pub(super) fn without_proxy(id: &WorkloadId, pods: &[&Pod], warnings: &mut Vec<Warning>) {
    let alive: Vec<&&Pod> = pods.iter().filter(|pod| !pod.deleting && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")).collect();
    let without: Vec<String> = alive.iter().filter(|pod| pod.proxy.is_none()).map(|pod| pod.id.to_string()).collect();
    if without.is_empty() || without.len() == alive.len() {
        return;
    }
    let (have, they) =
        if without.len() == 1 { ("has", "it takes what comes and sends") } else { ("have", "they take what comes and send") };
    let what = format!(
        "{} of its {} pods {have} no proxy ({}): no mode holds there, {they} plain text; this answer is about the others",
        without.len(),
        alive.len(),
        first(&without, NAMED)
    );
    warnings.push(Warning::new(format!("{} {id}", id.kind.as_str()), what, "restart the pods that have no proxy"));
}

fn policy(name: &ObjectName) -> String {
    format!("PeerAuthentication {name}")
}
