//! A plugin that does not apply to a proxy, and that listeners of the proxy have.

use super::states::in_states;
use super::{Facts, Finding, Needs, Rule, Severity};
use crate::analysis::health::PluginState;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "plugin-unexpected",
    severity: Severity::Warning,
    title: "The plugin does not apply to the proxy, and listeners of it have it.",
    why: "Requests still pass a plugin that was deleted, or that selects others now.",
    source: "pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo, compared with the proxy's config dump",
    needs: Needs { dumps: true, sync: false, some: &[], all: &[Kind::Pod, Kind::WasmPlugin, Kind::TrafficExtension] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let finding = |plugin: &super::states::InState<'_>| {
        Finding {
        fix: "look again in a moment, a change takes a while to arrive; where it stays, see whether the proxy is connected and accepts what it is sent"
            .to_owned(),
        ..plugin.finding(&RULE, &format!("{} is there and does not apply", plugin.plugin))
    }
    };
    in_states(facts, &[PluginState::Unexpected]).iter().map(finding).collect()
}
