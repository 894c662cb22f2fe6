//! A module that could not be fetched, in whose place the agent has put a filter that allows or denies everything.

use super::states::{InState, in_states};
use super::{DUMPS, Facts, Finding, Rule, Severity};
use crate::analysis::health::{EvidenceSource, PluginState};
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "stub-in-place",
    severity: Severity::Error,
    title: "The plugin's module could not be fetched, and a filter of the same name allows or denies every request.",
    why: "The plugin does not run, and nothing in `istioctl proxy-status` shows it: to the proxy the filter in its place is one like any \
        other. The agent does not try again by itself.",
    source: "pkg/istio-agent/xds_proxy.go: rewriteAndForward; pkg/wasm/convert.go",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    in_states(facts, &[PluginState::StubDeny, PluginState::StubAllow]).iter().map(|stub| finding(facts, stub)).collect()
}

fn finding(facts: &Facts<'_>, stub: &InState<'_>) -> Finding {
    let object = facts.objects().plugins.get(stub.plugin);
    let guards = object.is_some_and(|object| matches!(object.phase, Phase::Authn | Phase::Authz));
    let (does, severity) = match stub.state {
        PluginState::StubDeny => ("denies every request", Severity::Error),
        _ if guards => ("allows every request", Severity::Error),
        _ => ("allows every request", Severity::Warning),
    };
    let url = object.and_then(|object| object.wasm()).map(|module| format!(" {}", module.url)).unwrap_or_default();
    let lines = stub.on.iter().flat_map(|(_, health)| &health.evidence).filter(|evidence| evidence.source == EvidenceSource::Log);
    let reason = lines.map(|line| format!(" at {}: {}", line.field, line.what)).next_back().unwrap_or_default();
    Finding {
        severity,
        fix: format!(
            "see that the module{url} can be fetched (the agent's log has the reason{reason}), then change the object, an annotation suffices, so that it is fetched again"
        ),
        ..stub.finding(&RULE, &format!("a filter in the place of {} {does}", stub.plugin))
    }
}
