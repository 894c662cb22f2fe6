//! A module that could not be fetched, in whose place the agent has put a filter that allows or denies everything.

use super::{DUMPS, Facts, Finding, ProxyFacts, Rule, Severity, once_each, proxies};
use crate::analysis::health::{self, PluginState};
use crate::analysis::placement;
use crate::model::ids::PluginId;
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "stub-in-place",
    severity: Severity::Error,
    title: "The plugin's module could not be fetched, and a filter of the same name allows or denies every request.",
    why: "The plugin does not run, and nothing in `istioctl proxy-status` shows it: the proxy has accepted the filter in its place. \
        The agent does not try again by itself.",
    source: "pkg/istio-agent/xds_proxy.go: rewriteAndForward; pkg/wasm/convert.go",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: Vec<(PluginId, PluginState, Vec<(&ProxyFacts<'_>, String)>)> = Vec::new();
    for (proxy, dump) in facts.dumps() {
        for plugin in placement::plugins_in(dump) {
            let place = proxy.place(&plugin);
            let health = health::of_dump(&plugin, dump, None);
            // What stands in no listener is left over, and hurts nobody.
            if place.is_none() || !matches!(health.state, PluginState::StubDeny | PluginState::StubAllow) {
                continue;
            }
            match found.iter_mut().find(|(known, state, _)| *known == plugin && *state == health.state) {
                Some((.., said)) => said.push((proxy, health.evidence)),
                None => found.push((plugin, health.state, vec![(proxy, health.evidence)])),
            }
        }
    }
    found.into_iter().map(|(plugin, state, said)| finding(facts, &plugin, state, said)).collect()
}

fn finding(facts: &Facts<'_>, plugin: &PluginId, state: PluginState, said: Vec<(&ProxyFacts<'_>, String)>) -> Finding {
    let object = facts.objects().plugins.get(plugin);
    let guards = object.is_some_and(|object| matches!(object.phase, Phase::Authn | Phase::Authz));
    let (does, severity) = match state {
        PluginState::StubDeny => ("denies every request", Severity::Error),
        _ if guards => ("allows every request", Severity::Error),
        _ => ("allows every request", Severity::Warning),
    };
    let url = object.and_then(|object| object.wasm()).map(|module| format!(" {}", module.url)).unwrap_or_default();
    Finding {
        severity,
        evidence: once_each(said.iter().map(|(proxy, evidence)| (&proxy.id, evidence.clone()))),
        fix: format!(
            "see that the module{url} can be fetched (the agent's log has the reason), then change the object, an annotation suffices, so that it is fetched again"
        ),
        proxies: said.iter().map(|(proxy, _)| proxy.id.clone()).collect(),
        place: said.first().and_then(|(proxy, _)| proxy.place(plugin)),
        ..RULE.of_plugin(plugin, format!("On {} a filter in the place of {plugin} {does}.", proxies(said.len())))
    }
}
