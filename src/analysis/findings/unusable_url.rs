//! A URL that istiod drops the object for, or that no agent can fetch.

use super::{Facts, Finding, Needs, PLUGINS, Rule, Severity};
use crate::ingest::go_url;
use crate::model::plugin::WasmModule;

pub(super) const RULE: Rule = Rule {
    code: "unusable-url",
    severity: Severity::Error,
    title: "The module's url is one that istiod discards the object for, or that no proxy can fetch.",
    why: "istiod says so in its log alone, and no proxy gets the plugin; with a scheme that the agent does not know, a stub takes its place.",
    source: "pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper; pkg/wasm/cache.go: getOrFetch",
    needs: Needs::objects(PLUGINS, &[]),
    check,
};

/// Whether istiod takes a module's URL and an agent can fetch it.
pub(super) fn is_usable(module: &WasmModule) -> bool {
    !module.url.is_empty() && module.url_fault.is_none() && go_url::scheme(&module.url).is_ok_and(|scheme| is_known(&scheme))
}

fn is_known(scheme: &str) -> bool {
    matches!(scheme, "" | "oci" | "http" | "https" | "file")
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |plugin: &super::PluginFacts<'_>| {
        let (id, module) = (&plugin.plugin.id, plugin.plugin.wasm()?);
        // Redaction leaves the scheme as it is.
        let (what, evidence) = match (module.url_fault, go_url::scheme(&module.url)) {
            (Some(fault), _) => ("istiod discards", format!("Go's net/url refuses it: {fault}")),
            (None, Ok(scheme)) if !is_known(&scheme) => {
                ("no proxy can fetch the module of", format!("it reads as scheme {scheme}, which the agent does not know"))
            }
            _ => return None,
        };
        Some(Finding {
            evidence: vec![format!("url is {}", module.url), evidence],
            fix: "write the scheme and the registry's port, as oci://registry:5000/name:tag".to_owned(),
            ..RULE.of_plugin(id, format!("For its url {what} {} {id}.", id.kind))
        })
    };
    facts.plugins.iter().filter_map(of).collect()
}
