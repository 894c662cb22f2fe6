//! How far a plugin is from a proxy that it does not reach: which conditions fail, not only the first.

use std::fmt;

use super::named::{Behind, gateway_behind, is_not_for, is_of_waypoint, names};
use super::reason::{LabelDifference, Reason, RefMiss, Unused};
use super::rules::Rules;
use super::waypoint::NotServed;
use super::{Attachment, attach, differences, injection::NoProxy, reach, takes_selectors, usage};
use crate::analysis::control_plane;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::inventory::Inventory;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

/// A condition that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is no proxy.
    Proxy(NoProxy),
    /// istiod does not use the object.
    Unused(Unused),
    /// The plugin's namespace does not reach the pod's.
    Namespace {
        /// The plugin's namespace.
        plugin: String,
        /// The pod's.
        pod: String,
    },
    /// A label that the selector wants is not there.
    Label(LabelDifference),
    /// What a targetRef wants is not so.
    Target(RefMiss),
    /// The pod lacks the label of the Gateway that a targetRef names.
    GatewayLabel(String),
    /// It has targetRefs, which have to go.
    HasTargets,
    /// A selector has to come.
    NoSelector,
    /// It has no targetRefs, which alone are looked at.
    SelectorIgnored,
    /// A targetRef has to come.
    NoTarget,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(NoProxy::Unknown) => f.write_str("there is no proxy"),
            Self::Proxy(why) => write!(f, "there is no proxy: {why}"),
            Self::Unused(why) => write!(f, "istiod does not use the object: {why}"),
            Self::Namespace { plugin, pod } => write!(f, "the plugin is in namespace {plugin}, the workload in {pod}"),
            Self::Label(LabelDifference { key, wanted, has: Some(has) }) => write!(f, "label {key} is {has} and not {wanted}"),
            Self::Label(LabelDifference { key, wanted, has: None }) => write!(f, "there is no label {key}={wanted}"),
            Self::Target(miss) => miss.fmt(f),
            Self::GatewayLabel(name) => write!(f, "the pods have no label {GATEWAY_NAME}={name}"),
            Self::HasTargets => f.write_str("the plugin has targetRefs, which do not reach such a proxy"),
            Self::NoSelector => f.write_str("it has no selector that is looked at"),
            Self::SelectorIgnored => f.write_str("the proxy ignores selectors"),
            Self::NoTarget => f.write_str("no targetRef names its Gateway"),
        }
    }
}

/// The conditions that keep `plugin` from the proxy of `pod`; none where it applies, None where no change could bring it there.
pub fn failing(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<Vec<Condition>> {
    let Attachment { attached, reason } = attach(plugin, pod, objects);
    if attached {
        return Some(Vec::new());
    }
    if matches!(reason, Reason::Ztunnel | Reason::NoProxy(NoProxy::SystemNamespace(_) | NoProxy::OfIstio)) {
        return None;
    }
    let rules = Rules::of(control_plane::version(pod, objects));
    let mut found = Vec::new();
    if let (None, Reason::NoProxy(why)) = (&pod.proxy, &reason) {
        found.push(Condition::Proxy(why.clone()));
    }
    found.extend(usage::unused(plugin, pod, rules, objects).map(Condition::Unused));
    let elsewhere = || Condition::Namespace { plugin: plugin.id.name.namespace.clone(), pod: pod.id.namespace.clone() };
    let out_of_reach = reach(plugin, pod, objects).is_err().then(elsewhere);
    match (&reason, rules.targets(plugin)) {
        (Reason::OtherTarget(misses), _) => {
            let nearest = misses.iter().filter(|miss| can_be_met(&miss.why)).min_by_key(|miss| miss.why.len())?;
            found.extend(nearest.why.iter().cloned().map(Condition::Target));
        }
        (_, []) => {
            found.extend(out_of_reach);
            let gateway = rules.gateway_name(&pod.labels).is_some();
            if gateway && rules.needs_target(plugin.selector.as_ref()) && takes_selectors(pod, objects).is_err() {
                found.extend([Condition::SelectorIgnored, Condition::NoTarget]);
            } else {
                let differences = plugin.selector.as_ref().map(|selector| differences(selector, &pod.labels)).unwrap_or_default();
                found.extend(differences.into_iter().map(Condition::Label));
            }
        }
        // One label makes the proxy one of the Gateway, which is targeted from its own namespace.
        (_, _) if rules.gateway_name(&pod.labels).is_none() => match gateway_behind(plugin, pod, objects) {
            Some(Behind { gateway, class }) => {
                let own = gateway.namespace == plugin.id.name.namespace;
                found.extend(class.map(|_| Condition::Target(RefMiss::OtherClass)));
                found.extend((!own).then(elsewhere));
                found.push(Condition::GatewayLabel(gateway.name.clone()));
            }
            None if is_not_for(plugin, pod, objects) => return None,
            None => {
                found.extend(out_of_reach);
                found.extend([Condition::HasTargets, Condition::NoSelector]);
            }
        },
        _ => found.extend(out_of_reach),
    }
    Some(found)
}

/// How many conditions keep `plugin` from the proxy of `pod`; 0 where none does, None where no change could bring it there.
pub fn distance(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<usize> {
    failing(plugin, pod, objects).map(|failing| failing.len())
}

/// Whether a targetRef of the plugin means the pod, which makes it nearer than whatever else is as near; `reason` is why it does not
/// reach it.
pub fn is_meant(plugin: &Plugin, pod: &Pod, reason: &Reason, objects: &Inventory) -> bool {
    let by_waypoint =
        |reason: &Reason| matches!(reason, Reason::OtherTarget(misses) if misses.iter().any(|miss| is_of_waypoint(&miss.why, pod)));
    names(plugin, pod, objects) || by_waypoint(reason)
}

/// No label puts some services behind a waypoint.
fn can_be_met(why: &[RefMiss]) -> bool {
    let hopeless = |miss: &RefMiss| matches!(miss, RefMiss::NotServed { why: NotServed::ExternalName | NotServed::OfWaypoint, .. });
    !why.iter().any(hopeless)
}
