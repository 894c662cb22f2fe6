//! An object that no istiod uses, for its content or its namespace.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Facts, Finding, FindingObject, Needs, PluginFacts, Rule, Severity};
use crate::analysis::attachment::{Reason, Unused};
use crate::analysis::mtls::fate::Fate;
use crate::model::kind::Kind;
use crate::model::labels::Selector;
use crate::model::peer_authentication::PeerAuthentication;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "object-not-used",
    severity: Severity::Error,
    title: "No istiod uses the object.",
    why: "It is as if it were not there, and where istiod cannot decode it, no later change to any object of its kind counts either.",
    source: "pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper; pkg/config/model.go: LabelsInRevision; pkg/kube/namespace/filter.go; \
        pilot/pkg/model/authentication.go: getConfigsForWorkload",
    needs: Needs::objects(&[Kind::WasmPlugin, Kind::TrafficExtension, Kind::PeerAuthentication, Kind::Pod], &[Kind::Pod]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let plugins = facts.plugins.iter().filter_map(|plugin| finding(plugin, &unused(facts, plugin)?));
    let policies = facts.objects().peer_authentications.values().map(Arc::as_ref);
    let root = facts.objects().root_namespace();
    let in_root = policies.filter(|policy| policy.name.namespace == root);
    let of_selector = |policy| Some(of_policy(facts, policy, policy.of_workload().filter(|selector| !selector.unread)?));
    plugins.chain(in_root.filter_map(of_selector)).collect()
}

/// A policy with a selector in the root namespace.
fn of_policy(facts: &Facts<'_>, policy: &PeerAuthentication, selector: &Selector) -> Finding {
    let meant: Vec<&Pod> = facts.pods.iter().copied().filter(|pod| selector.matches(&pod.labels)).collect();
    let pods = if meant.len() == 1 { "1 pod has".to_owned() } else { format!("{} pods have", meant.len()) };
    let root = facts.objects().root_namespace();
    let namespaces: BTreeSet<&str> = meant.iter().map(|pod| pod.id.namespace.as_str()).filter(|namespace| *namespace != root).collect();
    let there = match Vec::from_iter(namespaces)[..] {
        [] => String::new(),
        [one] => format!(": {one}"),
        ref several => format!(", one of {}", several.join(", ")),
    };
    let object = FindingObject::new(Kind::PeerAuthentication.as_str(), &policy.name);
    Finding {
        severity: Severity::Warning,
        evidence: vec![Fate::SelectorInRootNamespace.to_string(), format!("{pods} the labels of its selector {}", selector.text())],
        // Without its selector it would be for the whole mesh.
        fix: format!("create it in the namespace of the workloads that it is for{there}"),
        ..RULE.found(object, format!("istiod does not use PeerAuthentication {}.", policy.name))
    }
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
