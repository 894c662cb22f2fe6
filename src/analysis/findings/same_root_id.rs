//! Plugins that run the same module with the same root id in one proxy.

use std::collections::{BTreeMap, BTreeSet};

use super::together::{Together, listed};
use super::{Facts, Finding, NAMED, Needs, PLUGINS_AND_PODS, PluginFacts, Rule, Severity, proxies, unusable_url};
use crate::analysis::logs::attribution::module::Module;
use crate::analysis::naming::enumerated;
use crate::model::ids::{PluginId, ProxyId};

pub(super) const RULE: Rule = Rule {
    code: "same-root-id",
    severity: Severity::Warning,
    title: "Plugins run one image with one pluginName in the same proxy.",
    why: "Lines that the module logs when it starts, is configured or ticks name none of them. By its design Envoy gives them one VM, so that a \
        fault of one would end the others; of Istio's Envoy that was not verified.",
    source: "proxy-wasm-cpp-host src/wasm.cc: VMs by code and configuration; src/context.cc: makeRootLogPrefix",
    needs: Needs::objects(PLUGINS_AND_PODS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut alike: BTreeMap<(Module<'_>, &str), Vec<&PluginFacts<'_>>> = BTreeMap::new();
    for plugin in &facts.plugins {
        if let Some(module) = plugin.plugin.wasm().filter(|module| unusable_url::is_usable(module)) {
            alike.entry((Module::of(&module.url), &module.plugin_name)).or_default().push(plugin);
        }
    }
    alike.into_iter().flat_map(|((_, root), plugins)| of_module(facts, root, &plugins)).collect()
}

/// The groups that meet in a proxy, among plugins of one module and root id.
fn of_module(facts: &Facts<'_>, root: &str, plugins: &[&PluginFacts<'_>]) -> Vec<Finding> {
    let mut together: Together<usize> = Together::default();
    let mut first_on: BTreeMap<&ProxyId, usize> = BTreeMap::new();
    let mut shared: BTreeSet<(&ProxyId, usize)> = BTreeSet::new();
    for (place, plugin) in plugins.iter().enumerate() {
        for pod in &plugin.applies {
            let first = *first_on.entry(&pod.id).or_insert(place);
            if first != place {
                together.join(first, place);
                shared.insert((&pod.id, first));
            }
        }
    }
    let groups = together.groups_with(shared.into_iter().map(|(proxy, first)| (first, proxy.clone())));
    let of_group = |(mut group, on): (Vec<usize>, Vec<ProxyId>)| {
        group.sort_unstable();
        finding(facts, root, &group.iter().map(|place| plugins[*place]).collect::<Vec<_>>(), on)
    };
    groups.into_iter().map(of_group).collect()
}

fn finding(facts: &Facts<'_>, root: &str, plugins: &[&PluginFacts<'_>], on: Vec<ProxyId>) -> Finding {
    let ids: Vec<&PluginId> = plugins.iter().map(|plugin| &plugin.plugin.id).collect();
    let urls: BTreeSet<&str> = plugins.iter().filter_map(|plugin| Some(plugin.plugin.wasm()?.url.as_str())).collect();
    let each = if plugins.len() == 2 { "both" } else { "all" };
    let first = plugins[0].plugin.wasm().map(|module| module.url.as_str()).unwrap_or_default();
    let others: Vec<&str> = urls.iter().copied().filter(|url| *url != first).collect();
    let urls =
        if others.is_empty() { format!("{each} have url {first}") } else { format!("url {} is the module of {first}", others.join(", ")) };
    let root = if root.is_empty() { "no pluginName".to_owned() } else { format!("pluginName {root}") };
    let last = ids[ids.len() - 1];
    let place = facts.proxies.iter().find(|proxy| on.binary_search(&proxy.id).is_ok()).and_then(|proxy| proxy.place(last));
    Finding {
        evidence: vec![format!("{urls}, and {each} have {root}")],
        fix: format!("give each its own pluginName, where the module has several root contexts, or make one plugin of {each}"),
        place,
        plugins: listed(&ids),
        ..Finding {
            proxies: on.clone(),
            ..RULE
                .of_plugin(last, format!("{} run the same module with the same root id on {}.", enumerated(&ids, NAMED), proxies(on.len())))
        }
    }
}
