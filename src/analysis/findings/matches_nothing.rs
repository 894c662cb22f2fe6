//! A plugin that applies to no proxy.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, object_not_used, selector_ignored};
use crate::analysis::attachment::injection::NoProxy;
use crate::analysis::attachment::{self, Reason, distance};
use crate::analysis::lookup;
use crate::analysis::near_miss::{self, NearMiss};
use crate::model::ids::WorkloadId;
use crate::model::kind::Kind;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "matches-nothing",
    severity: Severity::Warning,
    title: "The plugin applies to no proxy.",
    why: "It does nothing, and no status of the object says so.",
    source: "pilot/pkg/model/policyattachment.go: ShouldAttachPolicy",
    needs: Needs::objects(PLUGINS, &[Kind::Pod]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let missing = |plugin: &PluginFacts<'_>| match outcome(facts, plugin) {
        Outcome::Nothing(nearest) if !nearest.as_ref().is_some_and(|(_, miss)| miss.is_slip()) => Some(finding(plugin, nearest.as_ref())),
        Outcome::WithoutProxy(workload, miss) => Some(without_proxy(plugin, &workload, &miss)),
        Outcome::ScaledToZero(workloads) => Some(scaled_to_zero(plugin, &workloads)),
        Outcome::Nothing(_) | Outcome::NotHere => None,
    };
    facts.plugins.iter().filter_map(missing).chain(elsewhere(facts)).collect()
}

/// Plugins of other namespaces that their namespace alone keeps from a workload of the one in question.
fn elsewhere(facts: &Facts<'_>) -> Vec<Finding> {
    let missing = |plugin: PluginFacts<'_>| match outcome(facts, &plugin) {
        Outcome::Nothing(Some(near)) => {
            let (workload, miss) = &near;
            let is_it = facts.sees(&workload.name.namespace) && miss.rule == near_miss::Rule::Namespace && miss.distance == Some(1);
            is_it.then(|| finding(&plugin, Some(&near)))
        }
        _ => None,
    };
    facts.elsewhere().filter_map(missing).collect()
}

/// The workload that comes nearest, and what keeps the plugin from it.
pub(super) type Nearest = (WorkloadId, NearMiss);

/// What pods are sorted by: the smallest is the nearest.
type Nearness = (bool, usize, bool, usize);

/// What is to be said of a plugin that may apply to no proxy.
pub(super) enum Outcome {
    /// It applies somewhere, that cannot be told, or another rule says why it does not.
    NotHere,
    /// It applies to none, though it is for this workload, which has no proxy.
    WithoutProxy(WorkloadId, NearMiss),
    /// It applies to none, since these workloads are scaled to 0.
    ScaledToZero(Vec<WorkloadId>),
    /// It applies to none.
    Nothing(Option<Nearest>),
}

/// What becomes of a plugin.
pub(super) fn outcome(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Outcome {
    let is_reported = || selector_ignored::ignoring(facts, plugin).next().is_some() || object_not_used::unused(facts, plugin).is_some();
    if !plugin.applies.is_empty() || is_reported() {
        return Outcome::NotHere;
    }
    let (object, objects) = (plugin.plugin, facts.objects());
    let idle = attachment::scaled_to_zero(object, objects);
    if !idle.is_empty() {
        return Outcome::ScaledToZero(idle);
    }
    let mut nearest: Option<(Nearness, &Pod, Reason)> = None;
    for pod in &facts.pods {
        let Some(reason) = facts.miss(object, pod) else { continue };
        // istiod may give the proxy a label that the pod does not show.
        if matches!(reason, Reason::TopologyLabels(..)) {
            return Outcome::NotHere;
        }
        let Some(steps) = distance(object, pod, objects).or_else(|| is_for(plugin, pod, &reason, facts).then_some(1)) else { continue };
        // What a targetRef names comes first; of those that are as near the one that it is for, then as the screen has them.
        let named = attachment::is_meant(object, pod, &reason, objects);
        let nearness = (!named, steps, !is_alone(steps, &reason), near_miss::letters(object, pod, &reason));
        if nearest.as_ref().is_none_or(|(known, ..)| nearness < *known) {
            nearest = Some((nearness, *pod, reason));
        }
    }
    let Some((workload, (nearness, pod, reason))) = nearest.and_then(|near| Some((lookup::owner(facts.snapshot, &near.1.id)?, near)))
    else {
        return Outcome::Nothing(None);
    };
    let miss = near_miss::among(object, pod, &workload, &reason, objects, &facts.neighbours);
    if is_alone(nearness.1, &reason) { Outcome::WithoutProxy(workload, miss) } else { Outcome::Nothing(Some((workload, miss))) }
}

/// Whether the lack of a proxy is all that keeps a plugin away.
fn is_alone(steps: usize, reason: &Reason) -> bool {
    steps == 1 && matches!(reason, Reason::NoProxy(_))
}

/// Whether a plugin is for a pod that never gets a proxy: one of Istio's own, or of a namespace of the system.
fn is_for(plugin: &PluginFacts<'_>, pod: &Pod, reason: &Reason, facts: &Facts<'_>) -> bool {
    let namespace = &plugin.plugin.id.name.namespace;
    let reaches = *namespace == pod.id.namespace || namespace == facts.objects().root_namespace();
    let named = plugin.plugin.selector.as_ref().is_some_and(|selector| !selector.is_empty() && selector.matches(&pod.labels));
    matches!(reason, Reason::NoProxy(NoProxy::SystemNamespace(_) | NoProxy::OfIstio)) && reaches && named
}

fn without_proxy(plugin: &PluginFacts<'_>, workload: &WorkloadId, miss: &NearMiss) -> Finding {
    let id = &plugin.plugin.id;
    Finding {
        evidence: vec![format!("{} {workload}: {}", workload.kind.as_str(), miss.contrast())],
        fix: miss.change.clone().unwrap_or_else(|| DELETE.to_owned()),
        ..RULE.of_plugin(id, format!("{} {id} applies to no proxy: it is for {}, which has none.", id.kind, workload.short()))
    }
}

fn scaled_to_zero(plugin: &PluginFacts<'_>, workloads: &[WorkloadId]) -> Finding {
    let id = &plugin.plugin.id;
    let names: Vec<String> = workloads.iter().map(WorkloadId::short).collect();
    let said = |workload: &WorkloadId| format!("{} {workload}: spec.replicas is 0", workload.kind.as_str());
    let are = if names.len() == 1 { "is" } else { "are" };
    Finding {
        severity: Severity::Information,
        evidence: workloads.iter().map(said).collect(),
        fix: "scale it up, or delete the plugin if it is not to come back".to_owned(),
        ..RULE.of_plugin(id, format!("{} {id} applies to no proxy: {}, which it is for, {are} scaled to 0.", id.kind, names.join(", ")))
    }
}

const DELETE: &str = "delete it, or apply what it is for";

fn finding(plugin: &PluginFacts<'_>, nearest: Option<&Nearest>) -> Finding {
    let id = &plugin.plugin.id;
    let said = |(workload, miss): &Nearest| format!("nearest is {} {workload}: {}", workload.kind.as_str(), miss.contrast());
    Finding {
        evidence: vec![nearest.map_or_else(|| "there is no workload that it could reach".to_owned(), said)],
        // Labels of another workload do not say what was meant.
        fix: match nearest {
            Some((_, miss)) if miss.rule != near_miss::Rule::Labels => miss.change.clone().unwrap_or_else(|| DELETE.to_owned()),
            Some(_) => "apply what it is for, correct its selector, or delete it".to_owned(),
            None => DELETE.to_owned(),
        },
        ..RULE.of_plugin(id, format!("{} {id} applies to no proxy.", id.kind))
    }
}
