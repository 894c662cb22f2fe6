//! A Wasm VM that failed while its plugin is in place.

use super::refused_push::{because, root_id_fix};
use super::states::{InState, by_state, with_url};
use super::{DUMPS, Facts, Finding, FindingObject, ProxyFacts, Rule, Severity, once_each, proxies};
use crate::analysis::health::{self, Answering, Evidence, Health, PluginState};
use crate::model::envoy::ExtensionConfig;
use crate::model::ids::PluginId;

pub(super) const RULE: Rule = Rule {
    code: "vm-failed",
    severity: Severity::Error,
    title: "A Wasm VM of a plugin that is in place has failed.",
    why: "A failed VM is restarted only under FAIL_RELOAD: under FAIL_CLOSE that worker of Envoy answers every further request with 503, \
        under FAIL_OPEN requests pass without the plugin. Neither the dump nor `istioctl proxy-status` shows it.",
    source: "proxy-wasm-cpp-host src/wasm.cc; source/extensions/common/wasm/{context,wasm,stats_handler}.cc",
    needs: DUMPS,
    check,
};

const FIX: &str = "mend what the log says of the module, then push it under a new tag or change the object; pods that are restarted have whole VMs until \
    one fails again";

/// Why it matters, and what to do, where no VM ever started: a pod that is restarted is no better off.
const NEVER_STARTED: &str = "Envoy rejects the plugin's configuration and has none before it, so that it has nothing to run. istiod counts the \
    configuration as sent, and pods that have an older configuration go on with it until they are restarted.";
const CHANGE_MODULE: &str = "mend what the log says of the module or its pluginConfig, then push it under a new tag or change the object";
/// What is added where some pods are better off.
const KEEP_PODS: &str = "; until then do not restart pods that still run what they had before";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let failed = by_state(facts, |health| !health.failures.is_empty());
    let unnamed = facts.proxies.iter().filter_map(|proxy| of_several(facts, proxy));
    failed.iter().map(|plugin| of_plugin(facts, plugin)).chain(unnamed).collect()
}

fn of_plugin(facts: &Facts<'_>, failed: &InState<'_>) -> Finding {
    let InState { plugin, on, .. } = failed;
    let named = with_url(facts, plugin);
    if on.iter().all(|(_, health)| health.answering == Some(Answering::Nothing)) {
        let finding = failed.finding(&RULE, &format!("no VM of {named} started{}; {}", because(failed), Answering::Nothing));
        let keep_pods = if runs_somewhere(facts, plugin) { KEEP_PODS } else { "" };
        let fix = match root_id_fix(plugin, &finding.what, &finding.evidence) {
            Some(fix) => fix.to_owned(),
            None => format!("{CHANGE_MODULE}{keep_pods}"),
        };
        return Finding { why: NEVER_STARTED, fix, ..finding };
    }
    // FAIL_RELOAD restarts a VM that ran, not one that never started.
    let never_started = on.iter().all(|(_, health)| health.without_vms);
    let (then, severity) = match strategy(facts, failed) {
        "FAIL_OPEN" => ("requests pass without it", Severity::Warning),
        "FAIL_RELOAD" if !never_started => ("it is restarted with a later request", Severity::Warning),
        // What Envoy counts may be of long ago.
        _ if !on.iter().any(|(_, health)| health.state == PluginState::VmFailed) => ("requests may have failed", Severity::Warning),
        _ => ("requests fail", Severity::Error),
    };
    let said = |(proxy, health): &(&ProxyFacts<'_>, &Health)| {
        let id = proxy.id.clone();
        health.failures.iter().map(move |failure| (id.clone(), Evidence::said(failure))).collect::<Vec<_>>()
    };
    let evidence = once_each(on.iter().flat_map(said));
    let has = if never_started { format!("no Wasm VM of {named} runs") } else { format!("a Wasm VM of {named} has failed") };
    Finding {
        severity,
        object: failed.object.clone(),
        fix: root_id_fix(plugin, "", &evidence).unwrap_or(FIX).to_owned(),
        evidence,
        proxies: on.iter().map(|(proxy, _)| proxy.id.clone()).collect(),
        place: on.first().and_then(|(proxy, _)| proxy.place(plugin)),
        ..RULE.of_plugin(plugin, format!("On {} {has}, and {then}.", proxies(on.len())))
    }
}

/// Whether some proxy goes on with a module of the plugin that it had before.
fn runs_somewhere(facts: &Facts<'_>, plugin: &PluginId) -> bool {
    let runs = |health: &Health| {
        let is_before = matches!(health.answering, Some(Answering::ModuleBefore(_)));
        is_before || matches!(health.state, PluginState::Running | PluginState::Unverified | PluginState::Outdated)
    };
    facts.states().any(|(_, id, health)| id == plugin && runs(health))
}

/// `failStrategy` of the object, else as the proxy has it.
fn strategy<'f>(facts: &'f Facts<'_>, failed: &InState<'f>) -> &'f str {
    let object = facts.objects().plugins.get(failed.plugin).and_then(|object| object.wasm()).map(|module| module.fail_strategy.as_str());
    let held = || {
        let dump = failed.on.first()?.0.dump.as_ref().ok()?;
        match &dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(failed.plugin))?.config {
            ExtensionConfig::Wasm { failure_policy, .. } => Some(failure_policy.as_str()),
            _ => None,
        }
    };
    object.or_else(held).unwrap_or_default()
}

/// Failures of which the log does not show whose VM failed.
fn of_several(facts: &Facts<'_>, proxy: &ProxyFacts<'_>) -> Option<Finding> {
    let dump = proxy.dump.as_ref().ok()?;
    let found = health::unnamed(dump, facts.snapshot.dump(&proxy.id)?.vitals.as_ref()?)?;
    let severity = match (found.former, found.requests) {
        // What was changed since may have been what failed.
        (true, _) => Severity::Information,
        (false, true) => Severity::Error,
        (false, false) => Severity::Warning,
    };
    Some(Finding {
        severity,
        evidence: found.evidence.iter().map(Evidence::said).collect(),
        fix: format!("raise the level of Envoy's logger wasm to see which of them it is; {FIX}"),
        proxies: vec![proxy.id.clone()],
        place: found.plugins.first().and_then(|plugin| proxy.place(plugin)),
        ..RULE.found(FindingObject::pod(&proxy.id), format!("On {} a Wasm VM has failed, of {}.", proxy.id, found.whose()))
    })
}
