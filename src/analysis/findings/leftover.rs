//! What the ECDS section still holds of a plugin that no listener refers to.

use super::states::in_states;
use super::{Facts, Finding, Needs, Rule, Severity};
use crate::analysis::health::PluginState;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "plugin-leftover",
    severity: Severity::Information,
    title: "The proxy still holds the configuration of a plugin that none of its listeners refers to.",
    why: "It hurts nobody: istiod never takes ECDS resources back. A plugin of the same name finds it there.",
    source: "pilot/pkg/xds/delta.go: neverRemoveDelta",
    needs: Needs { dumps: true, sync: false, some: &[], all: &[Kind::Pod, Kind::WasmPlugin, Kind::TrafficExtension] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let finding = |plugin: &super::states::InState<'_>| Finding {
        fix: "nothing has to be done; it goes when the proxy restarts".to_owned(),
        ..plugin.finding(&RULE, &format!("{} is left over", plugin.plugin))
    };
    in_states(facts, &[PluginState::Leftover]).iter().map(finding).collect()
}
