//! A plugin that applies to no proxy, and would with one label.

use super::matches_nothing::{Outcome, outcome};
use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "near-miss",
    severity: Severity::Warning,
    title: "The plugin applies to no proxy, and one label would change that.",
    why: "It does nothing, and a slip is likely: a selector looks at the labels of pods, and nothing says that it matches none.",
    source: "pilot/pkg/model/policyattachment.go: ShouldAttachPolicy",
    needs: Needs::objects(PLUGINS, &[Kind::Pod]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let near = |plugin: &PluginFacts<'_>| {
        let Outcome::Nothing(Some((workload, miss))) = outcome(facts, plugin) else { return None };
        if !miss.is_slip() {
            return None;
        }
        let id = &plugin.plugin.id;
        Some(Finding {
            evidence: vec![format!("{} {workload}: {}", workload.kind.as_str(), miss.contrast())],
            fix: miss.change.unwrap_or_default(),
            ..RULE.of_plugin(id, format!("{} {id} applies to no proxy; one label keeps it from {}.", id.kind, workload.short()))
        })
    };
    facts.plugins.iter().filter_map(near).collect()
}
