//! A plugin that applies, and that its `match` keeps out of every chain, or out of every inbound one.

use std::collections::BTreeSet;

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, once_each, proxies};
use crate::analysis::{bypass, lookup, near_miss, outlook};
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "match-excludes-all",
    severity: Severity::Error,
    title: "The plugin applies to proxies, and its match keeps it out of every chain of them.",
    why: "It does nothing. Inbound, match compares the container's port and not the service's; on a gateway SERVER never matches, on a \
        waypoint neither CLIENT nor any port.",
    source: "pilot/pkg/model/extensions.go: matchTrafficExtensionSelectors",
    needs: Needs::objects(PLUGINS, &[Kind::Pod, Kind::Service]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(facts, plugin).or_else(|| of_inbound(facts, plugin))).collect()
}

pub(super) fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let (object, objects) = (plugin.plugin, facts.objects());
    let (mut excluded, mut seen) = (Vec::new(), BTreeSet::new());
    // Pods of one workload are alike, and one that has it suffices.
    // Of a port that is no HTTP the name is wrong, and not `match`.
    if plugin.applies.iter().any(|pod| !bypass::of_all_ports(object, pod, objects).is_empty()) {
        return None;
    }
    for pod in plugin.applies.iter().filter(|pod| seen.insert(lookup::owner(facts.snapshot, &pod.id))) {
        excluded.push((*pod, near_miss::exclusion(object, pod, outlook::stands(object, pod, objects), objects)?));
    }
    let (_, first) = excluded.first()?;
    let fix = match first.service_ports.first() {
        Some((service, container)) => format!("write port {container} in the place of {service}"),
        None => "change mode or ports of match".to_owned(),
    };
    let id = &object.id;
    // One for all of a namespace may be meant for ports that no workload has yet.
    let is_meant = !first.service_ports.is_empty() || object.selects_workloads();
    Some(Finding {
        severity: if is_meant { RULE.severity } else { Severity::Warning },
        evidence: once_each(excluded.iter().map(|(pod, exclusion)| (&pod.id, exclusion.to_string()))),
        fix,
        proxies: plugin.applies.iter().map(|pod| pod.id.clone()).collect(),
        ..RULE.of_plugin(id, format!("{} {id} applies to {}, and is in no chain of them.", id.kind, proxies(plugin.applies.len())))
    })
}

/// A plugin of single workloads that is in no inbound chain of them, which serve: it may be meant so.
fn of_inbound(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let (object, objects) = (plugin.plugin, facts.objects());
    let chosen = plugin.applies.iter().filter(|_| object.selects_workloads());
    let found: Vec<(&ProxyId, String)> =
        chosen.filter_map(|pod| Some((&pod.id, near_miss::inbound_exclusion(object, pod, objects)?))).collect();
    let id = &object.id;
    (!found.is_empty()).then(|| Finding {
        severity: Severity::Information,
        evidence: once_each(found.iter().cloned()),
        fix: "where requests that come to the workload are meant, write mode SERVER, or CLIENT_AND_SERVER for both".to_owned(),
        proxies: found.iter().map(|(proxy, _)| (*proxy).clone()).collect(),
        ..RULE.of_plugin(id, format!("{} {id} applies to {}, and is in no inbound chain of them.", id.kind, proxies(found.len())))
    })
}
