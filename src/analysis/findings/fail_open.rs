//! A plugin that guards, and that lets everything pass when it fails.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity};
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "fail-open-guard",
    severity: Severity::Warning,
    title: "A plugin of phase AUTHN or AUTHZ has failStrategy FAIL_OPEN.",
    why: "When its module cannot be fetched or its VM fails, every request passes as if it had been checked.",
    source: "pkg/wasm/convert.go: a filter that allows all takes its place; pilot/pkg/model/extensions.go: failure_policy",
    needs: Needs::objects(PLUGINS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |facts: &PluginFacts<'_>| {
        let plugin = facts.plugin;
        let guards = matches!(plugin.phase, Phase::Authn | Phase::Authz);
        (guards && plugin.wasm()?.fail_strategy == "FAIL_OPEN").then(|| Finding {
            evidence: vec![format!("phase is {}, failStrategy is FAIL_OPEN", plugin.phase.as_str())],
            fix: "set failStrategy to FAIL_CLOSE, or leave it out".to_owned(),
            ..RULE.of_plugin(&plugin.id, format!("{} {} guards, and fails open.", plugin.id.kind, plugin.id))
        })
    };
    facts.plugins.iter().filter_map(of).collect()
}
