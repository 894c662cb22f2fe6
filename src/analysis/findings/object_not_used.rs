//! An object that no istiod uses, for what it says or where it stands.

use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, PluginFacts, Rule, Severity};
use crate::analysis::attachment::{Reason, Unused};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "object-not-used",
    severity: Severity::Error,
    title: "No istiod uses the object.",
    why: "It is as if it were not there, and where istiod cannot decode it, no later change to any object of its kind counts either.",
    source: "pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper; pkg/config/model.go: LabelsInRevision; pkg/kube/namespace/filter.go",
    needs: Needs::objects(PLUGINS_AND_PODS, &[Kind::Pod]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(plugin, &unused(facts, plugin)?)).collect()
}

/// Why no proxy's istiod uses the object; None where one does, and where there is no proxy.
pub(super) fn unused(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Unused> {
    let mut first = None;
    for pod in facts.pods.iter().filter(|pod| pod.runs_envoy()) {
        match facts.miss(plugin.plugin, pod) {
            Some(Reason::Unused(why)) => first = first.or(Some(why)),
            _ => return None,
        }
    }
    first
}

fn finding(plugin: &PluginFacts<'_>, why: &Unused) -> Option<Finding> {
    let (severity, fix) = match why {
        // `unusable-url` says more of it.
        Unused::BadUrl(_) => return None,
        Unused::UnknownKind => (Severity::Error, "write it as a WasmPlugin, or upgrade istiod to 1.30".to_owned()),
        Unused::Undiscovered(namespace) => {
            (Severity::Warning, format!("give namespace {namespace} the labels that discoverySelectors ask for"))
        }
        Unused::OtherRevision { istiod, .. } => {
            (Severity::Warning, format!("set label istio.io/rev={istiod} on the object, or take the label away"))
        }
        Unused::Undecodable(_) => (Severity::Error, "correct the field".to_owned()),
        Unused::NoUrl => (Severity::Error, "set url".to_owned()),
        Unused::NothingToRun => (Severity::Error, "set wasm or lua".to_owned()),
        Unused::EmptyLua => (Severity::Error, "set lua.inlineCode".to_owned()),
        Unused::LongLua(_) => (Severity::Error, "shorten the script to 65536 bytes".to_owned()),
    };
    let id = &plugin.plugin.id;
    Some(Finding { severity, evidence: vec![why.to_string()], fix, ..RULE.of_plugin(id, format!("istiod does not use {} {id}.", id.kind)) })
}
