//! A plugin that runs as its object was before.

use super::states::{InState, in_states};
use super::{DUMPS, Facts, Finding, ProxyFacts, Rule, Severity, digest_mismatch};
use crate::analysis::health::PluginState;

pub(super) const RULE: Rule = Rule {
    code: "plugin-outdated",
    severity: Severity::Warning,
    title: "The proxy has other settings of the plugin than its object.",
    why: "Requests pass the plugin as it was before the last change, so that what was changed is not in force there.",
    source: "pilot/pkg/model/extensions.go: what istiod makes of an object; the ECDS section of the dump has what arrived",
    needs: DUMPS,
    check,
};

const FIX: &str = "see with `meshscope sync` whether the proxy has taken what istiod sends, and with `meshscope diff` what else differs";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    in_states(facts, &[PluginState::Outdated]).into_iter().filter_map(|outdated| finding(facts, outdated)).collect()
}

fn finding(facts: &Facts<'_>, outdated: InState<'_>) -> Option<Finding> {
    let InState { plugin, object, state, on } = outdated;
    let pinned: Vec<_> = facts.running(plugin).collect();
    let has_other = |proxy: &ProxyFacts<'_>| {
        let object = facts.objects().plugins.get(plugin);
        let is_other = |(other, digest): &&(&ProxyFacts<'_>, &str)| {
            other.id == proxy.id && object.is_some_and(|object| digest_mismatch::is_other(object, proxy, digest))
        };
        pinned.iter().any(|running| is_other(&running))
    };
    // `proxy-not-connected` and `digest-mismatch` have those.
    let on: Vec<_> = on.into_iter().filter(|(proxy, _)| !facts.is_unconnected(&proxy.id) && !has_other(proxy)).collect();
    if on.is_empty() {
        return None;
    }
    let finding = InState { plugin, object, state, on }.finding(&RULE, &format!("{plugin} runs as its object was before the last change"));
    Some(Finding { fix: FIX.to_owned(), ..finding })
}
