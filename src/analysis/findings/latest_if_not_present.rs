//! An image by the tag `latest` that is not pulled again.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, unusable_url};
use crate::analysis::health::module;
use crate::model::plugin::WasmModule;

pub(super) const RULE: Rule = Rule {
    code: "latest-not-pulled",
    severity: Severity::Warning,
    title: "The image is the tag latest, and what a proxy has of it is kept.",
    why: "What is pushed under the tag reaches only proxies that have not fetched it before, so that replicas run different modules.",
    source: "pkg/wasm/cache.go: shouldIgnoreResourceVersion; pkg/wasm/imagefetcher.go",
    needs: Needs::objects(PLUGINS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |facts: &PluginFacts<'_>| {
        let (id, module) = (&facts.plugin.id, facts.plugin.wasm()?);
        // Unset is Always where the URL ends in `:latest`, and IfNotPresent everywhere else.
        let policy = match (tag(module)?, module.image_pull_policy.as_str()) {
            (Tag::Latest, "IfNotPresent") => "imagePullPolicy is IfNotPresent",
            (Tag::None, "IfNotPresent") => "url names no tag, which a registry takes for latest, and imagePullPolicy is IfNotPresent",
            (Tag::None, "" | "UNSPECIFIED_POLICY") => {
                "url names no tag, which a registry takes for latest, but only a url that ends in :latest is pulled again without an imagePullPolicy"
            }
            _ => return None,
        };
        Some(Finding {
            evidence: vec![format!("url is {}", module.url), policy.to_owned()],
            fix: "set imagePullPolicy to Always, or name a tag that is not pushed again".to_owned(),
            ..RULE.of_plugin(id, format!("{} {id} uses the tag latest, which is fetched once.", id.kind))
        })
    };
    facts.plugins.iter().filter_map(of).collect()
}

/// What an image's URL says of its version.
enum Tag {
    Latest,
    None,
}

/// None for what is no image or cannot be fetched at all, for other tags, and for what a digest pins.
fn tag(wasm: &WasmModule) -> Option<Tag> {
    let url = wasm.url.as_str();
    if !unusable_url::is_usable(wasm) || module::scheme(url) != "oci" || url.contains('@') || !wasm.sha256.is_empty() {
        return None;
    }
    if url.ends_with(":latest") { Some(Tag::Latest) } else { module::names_no_tag(url).then_some(Tag::None) }
}
