//! Two plugins that run the same module with the same root id in one proxy.

use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, PluginFacts, Rule, Severity, proxies, unusable_url};
use crate::analysis::logs::attribution::module::Module;
use crate::model::ids::ProxyId;

pub(super) const RULE: Rule = Rule {
    code: "same-root-id",
    severity: Severity::Warning,
    title: "Two plugins run one image with one pluginName in the same proxy.",
    why: "Lines that the module logs when it starts, is configured or ticks name neither. By its design Envoy gives both one VM, so that a fault \
        of one would end the other; of Istio's Envoy that was not verified.",
    source: "proxy-wasm-cpp-host src/wasm.cc: VMs by code and configuration; src/context.cc: makeRootLogPrefix",
    needs: Needs::objects(PLUGINS_AND_PODS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pairs = facts.plugins.iter().enumerate().flat_map(|(place, first)| facts.plugins[place + 1..].iter().map(move |second| (first, second)));
    pairs.filter_map(|(first, second)| finding(facts, first, second)).collect()
}

fn finding(facts: &Facts<'_>, first: &PluginFacts<'_>, second: &PluginFacts<'_>) -> Option<Finding> {
    let (module, other) = (first.plugin.wasm()?, second.plugin.wasm()?);
    let is_same = Module::of(&module.url) == Module::of(&other.url) && module.plugin_name == other.plugin_name;
    if !is_same || ![module, other].into_iter().all(unusable_url::is_usable) {
        return None;
    }
    let urls = if module.url == other.url { format!("both have url {}", module.url) } else { format!("url {} is the module of {}", other.url, module.url) };
    let both = first.applies.iter().filter(|pod| second.applies_to(&pod.id));
    let on: Vec<ProxyId> = both.map(|pod| pod.id.clone()).collect();
    let proxy = facts.proxies.iter().find(|proxy| on.contains(&proxy.id));
    let (id, other) = (&second.plugin.id, &first.plugin.id);
    let root = if module.plugin_name.is_empty() { "no pluginName".to_owned() } else { format!("pluginName {}", module.plugin_name) };
    (!on.is_empty()).then(|| Finding {
        evidence: vec![format!("{urls}, and both have {root}")],
        fix: "give each its own pluginName, where the module has several root contexts, or make one plugin of both".to_owned(),
        place: proxy.and_then(|proxy| proxy.place(id)),
        ..Finding { proxies: on.clone(), ..RULE.of_plugin(id, format!("{id} and {other} run the same module with the same root id on {}.", proxies(on.len()))) }
    })
}
