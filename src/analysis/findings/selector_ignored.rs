//! A selector that matches the pods of a waypoint or gateway, which ignores selectors.

use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, PluginFacts, Rule, Severity, once_each};
use crate::analysis::attachment::{self, Reason};
use crate::analysis::{lookup, near_miss};
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "selector-ignored",
    severity: Severity::Warning,
    title: "The plugin's selector matches a waypoint or gateway that ignores selectors.",
    why: "The labels agree, and still the plugin is not there: such a proxy takes only plugins that name its Gateway in targetRefs.",
    source: "pilot/pkg/model/policyattachment.go: ShouldAttachPolicy; ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY",
    needs: Needs::objects(PLUGINS_AND_PODS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(facts, plugin)).collect()
}

/// The pods that the selector matches and that ignore it, with the reason.
pub(super) fn ignoring<'f>(facts: &'f Facts<'_>, plugin: &'f PluginFacts<'_>) -> impl Iterator<Item = (&'f Pod, Reason)> {
    let object = plugin.plugin;
    let selector = object.selector.as_ref().filter(|selector| !selector.is_empty());
    let reached =
        move |pod: &&Pod| object.id.name.namespace == pod.id.namespace || object.id.name.namespace == facts.objects().root_namespace();
    let pods = facts.pods.iter().copied().filter(|pod| pod.labels.contains_key(GATEWAY_NAME)).filter(reached);
    let matched = pods.filter(move |pod| selector.is_some_and(|selector| attachment::differences(selector, &pod.labels).is_empty()));
    matched.filter_map(move |pod| match facts.miss(object, pod)? {
        reason @ (Reason::WaypointNeedsTarget | Reason::GatewayNeedsTarget) => Some((pod, reason)),
        _ => None,
    })
}

fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let found: Vec<(&Pod, Reason)> = ignoring(facts, plugin).collect();
    let (pod, reason) = found.first()?;
    let gateway = pod.labels.get(GATEWAY_NAME)?;
    let id = &plugin.plugin.id;
    // A Gateway is targeted from its own namespace alone.
    let workload = lookup::owner(facts.snapshot, &pod.id)?;
    let change = near_miss::among(plugin.plugin, pod, &workload, reason, facts.objects(), &facts.neighbours).change;
    Some(Finding {
        evidence: once_each(found.iter().map(|(pod, reason)| (&pod.id, reason.to_string()))),
        fix: change.unwrap_or_default(),
        proxies: found.iter().map(|(pod, _)| pod.id.clone()).collect(),
        ..RULE.of_plugin(id, format!("Gateway {gateway} ignores the selector of {} {id}, which its labels match.", id.kind))
    })
}
