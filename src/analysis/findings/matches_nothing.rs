//! A plugin that applies to no proxy.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, object_not_used, selector_ignored};
use crate::analysis::attachment::{Reason, distance};
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
        Outcome::Nothing(nearest) if !nearest.as_ref().is_some_and(|(_, miss)| is_near(miss)) => Some(finding(plugin, nearest.as_ref())),
        _ => None,
    };
    facts.plugins.iter().filter_map(missing).collect()
}

/// Whether one label would bring the plugin there.
pub(super) fn is_near(miss: &NearMiss) -> bool {
    miss.distance == Some(1) && miss.labels.iter().filter(|line| !line.agrees).count() == 1
}

/// The workload that comes nearest, and what keeps the plugin from it.
pub(super) type Nearest = (WorkloadId, NearMiss);

/// What is to be said of a plugin that may apply to no proxy.
pub(super) enum Outcome {
    /// It applies somewhere, that cannot be told, or another rule says why it does not.
    NotHere,
    /// It applies to none.
    Nothing(Option<Nearest>),
}

/// What becomes of a plugin.
pub(super) fn outcome(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Outcome {
    let told = || selector_ignored::ignoring(facts, plugin).next().is_some() || object_not_used::unused(facts, plugin).is_some();
    if !plugin.applies.is_empty() || told() {
        return Outcome::NotHere;
    }
    let (object, objects) = (plugin.plugin, facts.objects());
    let mut nearest: Option<(usize, &Pod, Reason)> = None;
    for pod in &facts.pods {
        let Some(reason) = facts.miss(object, pod) else { continue };
        // istiod may give the proxy a label that the pod does not show.
        if matches!(reason, Reason::TopologyLabels(..)) {
            return Outcome::NotHere;
        }
        let Some(steps) = distance(object, pod, objects) else { continue };
        if nearest.as_ref().is_none_or(|(known, ..)| steps < *known) {
            nearest = Some((steps, *pod, reason));
        }
    }
    Outcome::Nothing(nearest.and_then(|(_, pod, reason)| {
        let workload = lookup::owner(facts.snapshot, &pod.id)?;
        let miss = near_miss::near_miss(object, pod, &workload, &reason, objects);
        Some((workload, miss))
    }))
}

fn finding(plugin: &PluginFacts<'_>, nearest: Option<&Nearest>) -> Finding {
    let id = &plugin.plugin.id;
    let said = |(workload, miss): &Nearest| {
        format!("nearest is {} {workload}: wanted {}, found {}", workload.kind.as_str(), miss.wanted, miss.found)
    };
    Finding {
        evidence: vec![nearest.map_or_else(|| "there is no workload that it could reach".to_owned(), said)],
        fix: nearest.and_then(|(_, miss)| miss.change.clone()).unwrap_or_else(|| "delete it, or apply what it is for".to_owned()),
        ..RULE.of_plugin(id, format!("{} {id} applies to no proxy.", id.kind))
    }
}
