//! A plugin that applies to a proxy, and that no listener of the proxy has.

use super::states::in_states;
use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, Rule, Severity};
use crate::analysis::health::PluginState;

pub(super) const RULE: Rule = Rule {
    code: "plugin-absent",
    severity: Severity::Error,
    title: "The plugin applies to the proxy, and none of its listeners has it.",
    why: "Requests pass as if there were no plugin, though everything that the objects say speaks for it.",
    source: "pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo, held against the proxy's config dump",
    needs: Needs { dumps: true, sync: false, some: PLUGINS_AND_PODS, all: &[] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let absent = in_states(facts, &[PluginState::Absent]);
    let finding = |plugin: &super::states::InState<'_>| Finding {
        fix: "look again in a moment, a change takes a while to arrive; where it stays, see whether the proxy is connected to an istiod of its revision"
            .to_owned(),
        ..plugin.finding(&RULE, &format!("{} applies and is not there", plugin.plugin))
    };
    absent.iter().map(finding).collect()
}
