//! Proxies that run different modules for one plugin, told by the files that their agents put the modules into.

use std::collections::{BTreeMap, BTreeSet};

use super::{DUMPS, Facts, Finding, ProxyFacts, Rule, Severity};
use crate::model::ids::PluginId;

pub(super) const RULE: Rule = Rule {
    code: "digest-skew",
    severity: Severity::Warning,
    title: "Proxies run different modules for one plugin.",
    why: "A tag was pushed anew between two fetches, so that requests are treated otherwise from pod to pod.",
    source: "pkg/wasm/cache.go: the file is named by the checksum of what was fetched",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let plugins: BTreeSet<&PluginId> = facts.states().map(|(_, plugin, _)| plugin).collect();
    let of = |plugin: &PluginId| {
        let mut digests: BTreeMap<&str, Vec<&ProxyFacts<'_>>> = BTreeMap::new();
        // What was refused, or is left over, runs nowhere.
        facts.running(plugin).for_each(|(proxy, digest)| digests.entry(digest).or_default().push(proxy));
        (digests.len() > 1).then(|| finding(plugin, &digests))
    };
    plugins.into_iter().filter_map(of).collect()
}

fn finding(plugin: &PluginId, digests: &BTreeMap<&str, Vec<&ProxyFacts<'_>>>) -> Finding {
    let names = |proxies: &[&ProxyFacts<'_>]| proxies.iter().map(|proxy| proxy.id.to_string()).collect::<Vec<_>>().join(", ");
    // The fewest stand out.
    let odd = digests.values().min_by_key(|proxies| proxies.len());
    Finding {
        evidence: digests.iter().map(|(digest, proxies)| format!("sha256:{digest} in {}", names(proxies))).collect(),
        fix: "set sha256, or name the image by its digest; to have one module now, push it under a new tag and write that into url".to_owned(),
        proxies: digests.values().flatten().map(|proxy| proxy.id.clone()).collect(),
        place: odd.and_then(|proxies| proxies.first()?.place(plugin)),
        ..RULE.of_plugin(plugin, format!("Proxies run {} different modules for {plugin}.", digests.len()))
    }
}
