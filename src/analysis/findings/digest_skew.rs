//! Proxies that run different modules for one plugin, by the files that their agents put the modules into.

use std::collections::{BTreeMap, BTreeSet};

use super::states::with_url;
use super::{DUMPS, Facts, Finding, ProxyFacts, Rule, Severity, digest_mismatch};
use crate::analysis::health::PluginState;
use crate::model::ids::PluginId;

pub(super) const RULE: Rule = Rule {
    code: "digest-skew",
    severity: Severity::Warning,
    title: "Proxies run different images for one plugin.",
    why: "A tag was pushed again between two fetches, so that requests are treated differently from pod to pod.",
    source: "pkg/wasm/cache.go: the file is named by the checksum of what was fetched, of an OCI image its manifest's",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let plugins: BTreeSet<&PluginId> = facts.states().map(|(_, plugin, _)| plugin).collect();
    let of = |plugin: &PluginId| {
        let mut digests: BTreeMap<&str, Vec<&ProxyFacts<'_>>> = BTreeMap::new();
        let outdated = |proxy: &ProxyFacts<'_>| {
            facts.states().any(|(other, id, health)| other.id == proxy.id && id == plugin && health.state == PluginState::Outdated)
        };
        let running = || facts.running(plugin);
        if running().map(|(_, digest)| digest).collect::<BTreeSet<_>>().len() < 2 {
            return None;
        }
        // What was rejected, or is left over, runs nowhere; what is outdated has another cause.
        running().filter(|(proxy, _)| !outdated(proxy)).for_each(|(proxy, digest)| digests.entry(digest).or_default().push(proxy));
        (digests.len() > 1).then(|| finding(facts, plugin, &digests))
    };
    plugins.into_iter().filter_map(of).collect()
}

fn finding(facts: &Facts<'_>, plugin: &PluginId, digests: &BTreeMap<&str, Vec<&ProxyFacts<'_>>>) -> Finding {
    let names = |proxies: &[&ProxyFacts<'_>]| proxies.iter().map(|proxy| proxy.id.to_string()).collect::<Vec<_>>().join(", ");
    let given = |proxy: &ProxyFacts<'_>| {
        let entry = proxy.dump.as_ref().ok()?.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(plugin))?;
        entry.last_updated.clone()
    };
    let object = facts.objects().plugins.get(plugin);
    let named = |digest: &str, proxies: &[&ProxyFacts<'_>]| {
        proxies.first().map(|proxy| digest_mismatch::named(object.map(|object| &**object), proxy, digest)).unwrap_or_default()
    };
    let since = |proxies: &[&ProxyFacts<'_>]| proxies.iter().filter_map(|proxy| given(proxy)).min();
    let latest = |proxies: &[&ProxyFacts<'_>]| proxies.iter().filter_map(|proxy| given(proxy)).max();
    // What the tag has now is not asked of the registry.
    let mut times: Vec<(String, &str)> = digests.iter().filter_map(|(digest, proxies)| Some((latest(proxies)?, *digest))).collect();
    times.sort();
    let is_last = |(time, _): &(String, &str)| !times.iter().rev().skip(1).any(|(other, _)| other == time);
    let newest = times.last().filter(|last| is_last(last));
    let pulled = newest.map(|(time, digest)| {
        format!("given last: {}, at {time}; the others have what the URL had before, or another tag had", named(digest, &digests[digest]))
    });
    let of_digest = |(digest, proxies): (&&str, &Vec<&ProxyFacts<'_>>)| {
        let since = since(proxies).map(|since| format!(", since {since}")).unwrap_or_default();
        format!("{} in {}{since}", named(digest, proxies), names(proxies))
    };
    // The fewest stand out.
    let odd = digests.values().min_by_key(|proxies| proxies.len());
    Finding {
        evidence: digests.iter().map(of_digest).chain(pulled).collect(),
        fix: "set sha256, or name the image by its digest; to have one module now, push it under a new tag and write that into url"
            .to_owned(),
        proxies: digests.values().flatten().map(|proxy| proxy.id.clone()).collect(),
        place: odd.and_then(|proxies| proxies.first()?.place(plugin)),
        ..RULE.of_plugin(plugin, format!("Proxies run {} different images for {}.", digests.len(), with_url(facts, plugin)))
    }
}
