//! A selector that is there and names no label: the object applies to all that its namespace reaches.

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::labels::Selector;

pub(super) const RULE: Rule = Rule {
    code: "empty-selector",
    severity: Severity::Warning,
    title: "A selector is empty, so the object applies to every workload that its namespace reaches.",
    why: "Who writes a selector means some workloads. The API server drops a field that it does not know, such as labels in the place of matchLabels, \
        and what is left selects them all.",
    source: "istio.io/api type/v1beta1/selector.proto: WorkloadSelector; pilot/pkg/model/policyattachment.go: ShouldAttachPolicy",
    needs: Needs::objects(
        &[Kind::WasmPlugin, Kind::TrafficExtension, Kind::PeerAuthentication, Kind::EnvoyFilter, Kind::Sidecar, Kind::DestinationRule],
        &[],
    ),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let objects = facts.objects();
    let mut found = Vec::new();
    for plugin in &facts.plugins {
        let object = plugin.plugin;
        if object.targets().is_empty() && is_empty(object.selector.as_ref()) {
            let proxies = plugin.applies.iter().map(|pod| pod.id.clone()).collect();
            let finding = finding(facts, object.id.kind.as_str(), &object.id.name, "selector.matchLabels");
            found.push(Finding { proxies, plugin: Some(object.id.clone()), ..finding });
        }
    }
    let modes =
        objects.peer_authentications.values().filter(|policy| is_empty(policy.selector.as_ref()) && facts.sees(&policy.name.namespace));
    found.extend(modes.map(|policy| finding(facts, Kind::PeerAuthentication.as_str(), &policy.name, "selector.matchLabels")));
    for ((kind, name), policy) in &objects.policies {
        let labels = match kind {
            Kind::EnvoyFilter | Kind::Sidecar => "workloadSelector.labels",
            Kind::DestinationRule => "workloadSelector.matchLabels",
            // An empty selector is how a Gateway says that it is for every gateway.
            _ => continue,
        };
        if facts.sees(&name.namespace) && is_empty(policy.selector.as_ref()) {
            found.push(finding(facts, kind.as_str(), name, labels));
        }
    }
    found
}

fn is_empty(selector: Option<&Selector>) -> bool {
    selector.is_some_and(Selector::is_empty)
}

fn finding(facts: &Facts<'_>, kind: &'static str, name: &ObjectName, labels: &str) -> Finding {
    let namespace = &name.namespace;
    let is_root = namespace == facts.objects().root_namespace();
    let reached = if is_root { "the whole mesh".to_owned() } else { format!("every workload of namespace {namespace}") };
    let (whole, _) = labels.split_once('.').unwrap_or((labels, ""));
    Finding {
        evidence: vec![format!("spec.{whole} is there, and spec.{labels} is not")],
        fix: format!("name labels in spec.{labels}; where all are meant, leave spec.{whole} out"),
        ..RULE.found(FindingObject::new(kind, name), format!("The selector of {kind} {name} is empty, so it applies to {reached}."))
    }
}
