//! The rules by name, what each wants, and what it found.

use serde::Serialize;

use crate::analysis::attachment::injection::NoProxy;
use crate::analysis::attachment::{Behind, LabelDifference, Reason, RefMiss, TargetMiss, Unused};
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::labels::Selector;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

/// A rule of attachment, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// There is a proxy.
    Proxy,
    /// It is an Envoy.
    Envoy,
    /// Its istiod uses the object.
    Object,
    /// The object's revision is its istiod's.
    Revision,
    /// The kind of proxy and the way of attaching fit.
    Attachment,
    /// A targetRef names it.
    TargetRef,
    /// The plugin's namespace reaches it.
    Namespace,
    /// The selector's labels are on its pod.
    Labels,
    /// `match` lets the plugin into one of its chains.
    Match,
}

impl Rule {
    /// The rule as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Proxy => "A plugin runs in a proxy: a sidecar, a gateway or a waypoint.",
            Self::Envoy => "A plugin runs in Envoy.",
            Self::Object => "Istiod leaves out objects that it does not see, cannot decode or cannot use.",
            Self::Revision => "Istiod uses objects with its own revision in label istio.io/rev, and those without that label.",
            Self::Attachment => {
                "Selectors reach sidecars and gateways; targetRefs reach gateways and waypoints that a Gateway object made."
            }
            Self::TargetRef => "One of the targetRefs has to name the Gateway, or a Service or ServiceEntry that uses the waypoint.",
            Self::Namespace => "A plugin reaches its own namespace, and from the root namespace the whole mesh.",
            Self::Labels => "A selector reaches pods that have every label of it.",
            Self::Match => "A plugin goes into the chains whose mode and port an item of match accepts.",
        }
    }
}

/// The rule that failed, what it wants, and what it found; `behind` is the Gateway of a targetRef whose pods lack its label.
pub(super) fn wanted_and_found(plugin: &Plugin, pod: &Pod, reason: &Reason, behind: Option<Behind<'_>>) -> (Rule, String, String) {
    let gateway = pod.labels.get(GATEWAY_NAME).map(String::as_str).unwrap_or_default();
    let kind = pod.proxy.as_ref().map_or("no proxy", |proxy| proxy.kind.as_str());
    match reason {
        Reason::NoProxy(why) => (Rule::Proxy, "a proxy".to_owned(), no_proxy(why)),
        Reason::Ztunnel => (Rule::Envoy, "an Envoy".to_owned(), "ztunnel".to_owned()),
        Reason::Unused(Unused::OtherRevision { wants, istiod, .. }) => (Rule::Revision, istiod.clone(), wants.clone()),
        Reason::Unused(why) => (Rule::Object, "an object that istiod uses".to_owned(), why.to_string()),
        Reason::TargetsOnly => match behind {
            Some(Behind { class: Some(class), .. }) => (Rule::TargetRef, class.to_string(), RefMiss::OtherClass.to_string()),
            Some(Behind { gateway, .. }) => {
                (Rule::TargetRef, format!("label {GATEWAY_NAME}={} on the pods", gateway.name), "no such label".to_owned())
            }
            None => (Rule::Attachment, "a gateway or waypoint that a Gateway object made".to_owned(), kind.to_owned()),
        },
        Reason::WaypointNeedsTarget | Reason::GatewayNeedsTarget => (Rule::Attachment, "targetRefs".to_owned(), applies_by(plugin)),
        Reason::OtherTarget(misses) => {
            let found = closest(misses).map(|miss| miss.why[0].to_string());
            (Rule::TargetRef, names(misses), found.unwrap_or_else(|| format!("Gateway {gateway}")))
        }
        Reason::OtherNamespace { plugin, pod } => (Rule::Namespace, pod.clone(), plugin.clone()),
        Reason::LabelsDiffer(selector, differences) => (Rule::Labels, selector.text(), listed(differences)),
        Reason::TopologyLabels(selector, _) => (Rule::Labels, selector.text(), "labels that istiod adds".to_owned()),
        Reason::ExcludesEveryChain(exclusion) => (Rule::Match, exclusion.matches.clone(), format!("no such chain in a {kind}")),
        Reason::Selector(..) | Reason::NoSelector(_) | Reason::EmptySelector(_) | Reason::Target(_) => {
            (Rule::Attachment, applies_by(plugin), kind.to_owned())
        }
    }
}

/// The reference of which the least fails.
pub(super) fn closest(misses: &[TargetMiss]) -> Option<&TargetMiss> {
    // Another Gateway is the least of all: it may be a slip.
    misses
        .iter()
        .filter(|miss| !miss.why.is_empty())
        .min_by_key(|miss| (miss.why.len(), !matches!(miss.why[0], RefMiss::OtherGateway { .. })))
}

fn names(misses: &[TargetMiss]) -> String {
    misses.iter().map(|miss| miss.target.to_string()).collect::<Vec<_>>().join(", ")
}

fn listed(differences: &[LabelDifference]) -> String {
    differences.iter().map(LabelDifference::to_string).collect::<Vec<_>>().join(", ")
}

fn applies_by(plugin: &Plugin) -> String {
    match plugin.selector.as_ref().map(Selector::text) {
        Some(selector) if !selector.is_empty() => format!("selector {selector}"),
        _ if plugin.targets().is_empty() => "no selector".to_owned(),
        _ => "targetRefs".to_owned(),
    }
}

fn no_proxy(why: &NoProxy) -> String {
    match why {
        NoProxy::Unknown => "none".to_owned(),
        why => format!("none, since {why}"),
    }
}
