//! How far a plugin is from a proxy that it does not reach: how many conditions fail, not only the first.

use super::reason::{Reason, RefMiss};
use super::rules::Rules;
use super::waypoint::NotServed;
use super::{Attachment, attach, differences, injection::NoProxy, reach, takes_selectors, usage};
use crate::analysis::control_plane;
use crate::model::inventory::Inventory;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

/// Targets in the place of a selector, or the other way round, are two changes: one has to go, the other to come.
const OTHER_WAY: usize = 2;

/// How many conditions keep `plugin` from the proxy of `pod`; 0 where none does, None where no change could bring it there.
pub fn distance(plugin: &Plugin, pod: &Pod, objects: &Inventory) -> Option<usize> {
    let Attachment { attached, reason } = attach(plugin, pod, objects);
    if attached {
        return Some(0);
    }
    if matches!(reason, Reason::Ztunnel | Reason::NoProxy(NoProxy::SystemNamespace(_) | NoProxy::OfIstio)) {
        return None;
    }
    let rules = Rules::of(control_plane::version(pod, objects));
    let proxy = usize::from(pod.proxy.is_none());
    let unused = usize::from(usage::unused(plugin, pod, rules, objects).is_some());
    let out_of_reach = usize::from(reach(plugin, pod, objects).is_err());
    let rest = match (&reason, rules.targets(plugin)) {
        (Reason::OtherTarget(misses), _) => misses.iter().filter_map(|miss| target_distance(&miss.why)).min()?,
        (_, []) => {
            let gateway = rules.gateway_name(&pod.labels).is_some();
            let ignored = gateway && rules.needs_target(plugin.selector.as_ref()) && takes_selectors(pod, objects).is_err();
            let labels = plugin.selector.as_ref().map_or(0, |selector| differences(selector, &pod.labels).len());
            out_of_reach + if ignored { OTHER_WAY } else { labels }
        }
        _ => out_of_reach + if rules.gateway_name(&pod.labels).is_none() { OTHER_WAY } else { 0 },
    };
    Some(proxy + unused + rest)
}

/// None where the reference can never be met: no label puts such a service behind a waypoint.
fn target_distance(why: &[RefMiss]) -> Option<usize> {
    let hopeless = |miss: &RefMiss| matches!(miss, RefMiss::NotServed { why: NotServed::ExternalName | NotServed::OfWaypoint, .. });
    (!why.iter().any(hopeless)).then_some(why.len())
}
