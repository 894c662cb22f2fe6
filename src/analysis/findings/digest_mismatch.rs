//! A module that runs, and is not the one that `sha256` asks for.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, ProxyFacts, Rule, Severity, once_each, proxies};
use crate::analysis::era::Version;
use crate::analysis::health::module;
use crate::model::plugin::Plugin;

pub(super) const RULE: Rule = Rule {
    code: "digest-mismatch",
    severity: Severity::Error,
    title: "A proxy runs another module than sha256 asks for.",
    why: "What was pinned is not what requests pass: the proxy has not taken the object as it is, and goes on with the module of before.",
    source: "pkg/wasm/cache.go: getOrFetch compares the checksum, and the file is named by it",
    needs: Needs { dumps: true, sync: false, some: PLUGINS, all: &[] },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(facts, plugin)).collect()
}

/// The version of a proxy's agent.
fn agent(proxy: &ProxyFacts<'_>) -> Option<Version> {
    Version::parse(&proxy.dump.as_ref().ok()?.node.as_ref()?.istio_version)
}

/// A digest that a proxy runs for a plugin, with what it is of.
pub(super) fn named(plugin: Option<&Plugin>, proxy: &ProxyFacts<'_>, digest: &str) -> String {
    match plugin.and_then(Plugin::wasm) {
        Some(wasm) => module::named_digest(digest, &wasm.url, agent(proxy)),
        None => format!("sha256:{digest}"),
    }
}

/// Whether a module's digest is not the one that the object asks for.
pub(super) fn is_other(plugin: &Plugin, proxy: &ProxyFacts<'_>, digest: &str) -> bool {
    let Some(module) = plugin.wasm().filter(|module| !module.sha256.is_empty()) else { return false };
    !module.sha256.eq_ignore_ascii_case(digest) && module::is_comparable(&module.url, agent(proxy))
}

fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let (id, module) = (&plugin.plugin.id, plugin.plugin.wasm().filter(|module| !module.sha256.is_empty())?);
    let other: Vec<(&ProxyFacts<'_>, &str)> = facts
        .running(id)
        .filter(|(proxy, digest)| is_other(plugin.plugin, proxy, digest) && !facts.is_fresh(plugin.plugin, &proxy.id))
        .collect();
    let (first, _) = other.first()?;
    let wanted = std::iter::once(format!("sha256 is {}", module.sha256));
    Some(Finding {
        evidence: wanted.chain(once_each(other.iter().map(|(proxy, digest)| (&proxy.id, format!("runs {}", named(Some(plugin.plugin), proxy, digest)))))).collect(),
        fix: "see with `meshscope sync` whether the proxy has taken what istiod sends; where it has, see whether sha256 is that of the image's manifest"
            .to_owned(),
        proxies: other.iter().map(|(proxy, _)| proxy.id.clone()).collect(),
        place: first.place(id),
        ..RULE.of_plugin(id, format!("On {} {id} runs another module than its sha256 asks for.", proxies(other.len())))
    })
}
