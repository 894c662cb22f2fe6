//! The changes that a proxy misses: objects that are newer than what it was sent last.

use super::{Facts, ProxyFacts};
use crate::analysis::health::PluginState;
use crate::analysis::sync::changed;
use crate::analysis::{naming, placement};
use crate::ingest::logs::instant;
use crate::model::envoy::ConfigDump;
use crate::model::ids::{PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::labels::Selector;
use crate::model::logs::{LogTime, hour};
use crate::model::peer_authentication::PeerAuthentication;
use crate::model::workload::Pod;

/// How many are named.
const MOST: usize = 3;
/// The kinds that change more than a proxy's listeners.
const POLICIES: [Kind; 6] =
    [Kind::VirtualService, Kind::DestinationRule, Kind::Sidecar, Kind::EnvoyFilter, Kind::AuthorizationPolicy, Kind::RequestAuthentication];

/// The changes that a proxy without a connection misses, as one clause; None where none is known. `lost` is when the connection was lost.
pub(super) fn missed(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, pod: &Pod, lost: Option<LogTime>) -> Option<String> {
    let dump = proxy.dump.as_ref().ok().copied();
    let mut found = dump.map(|dump| deleted(facts, dump)).unwrap_or_default();
    // The dump has listeners and ECDS: what changes these has not come, if it is newer than all of them.
    let seen = dump.and_then(newest).into_iter().chain(lost).max();
    let is_newer = |time: LogTime| seen.is_some_and(|seen| time > seen);
    // A connection on which nothing comes is given up after a while: what was changed meanwhile has not come either.
    let is_outdated = |plugin: &PluginId| {
        facts.states().any(|(on, other, health)| on.id == proxy.id && other == plugin && health.state == PluginState::Outdated)
    };
    let plugins = facts.plugins.iter().filter(|plugin| plugin.applies_to(&proxy.id));
    let plugins = plugins.filter_map(|plugin| Some((changed(plugin.plugin)?, &plugin.plugin.id)));
    let plugins = plugins.filter(|(time, id)| is_newer(*time) || is_outdated(id)).map(|(time, id)| (time, format!("{} {id}", id.kind)));
    let policies = peer_authentications(facts, pod).filter(|(time, _)| is_newer(*time));
    let mut newer: Vec<(LogTime, String)> = plugins.chain(policies).collect();
    if let Some(lost) = lost {
        newer.extend(of_policies(facts, pod).filter(|(time, _)| *time > lost));
    }
    newer.sort_by(|a, b| b.cmp(a));
    found.extend(newer.into_iter().map(|(time, name)| format!("{name} of {}", hour(time))));
    (!found.is_empty()).then(|| format!("changes that it misses: {}", naming::first(&found, MOST)))
}

/// When the newest part of a dump came.
fn newest(dump: &ConfigDump) -> Option<LogTime> {
    let listeners = dump.listeners.iter().filter(|listener| !listener.is_static).filter_map(|listener| listener.last_updated.as_deref());
    listeners.chain(dump.ecds.iter().filter_map(|entry| entry.last_updated.as_deref())).filter_map(instant).max()
}

/// The plugins that a proxy still has and of which there is no object any more.
fn deleted(facts: &Facts<'_>, dump: &ConfigDump) -> Vec<String> {
    let is_known = |kind: Kind| facts.snapshot.settled.contains(&kind) && !facts.snapshot.unread.contains(&kind);
    let is_read = |plugin: &PluginId| match plugin.kind {
        PluginKind::WasmPlugin => is_known(Kind::WasmPlugin),
        PluginKind::TrafficExtension => is_known(Kind::TrafficExtension),
        PluginKind::EnvoyFilter => false,
    };
    let plugins = placement::plugins_in(dump).into_iter().filter(|plugin| is_read(plugin) && !facts.objects().plugins.contains_key(plugin));
    plugins.map(|plugin| format!("{} {plugin}, which was deleted", plugin.kind)).collect()
}

/// The PeerAuthentications that are for a pod, each with its last change.
fn peer_authentications<'f>(facts: &'f Facts<'_>, pod: &'f Pod) -> impl Iterator<Item = (LogTime, String)> + 'f {
    let objects = facts.objects();
    let is_for = move |policy: &&PeerAuthentication| match policy.of_workload() {
        Some(selector) => policy.name.namespace == pod.id.namespace && selector.matches(&pod.labels),
        None => policy.name.namespace == pod.id.namespace || policy.name.namespace == objects.root_namespace(),
    };
    let own = objects.peer_authentications.values().map(|policy| &**policy).filter(is_for);
    own.filter_map(|policy| {
        Some((
            policy.changed.or_else(|| instant(policy.created.as_deref()?))?,
            format!("{} {}", Kind::PeerAuthentication.as_str(), policy.name),
        ))
    })
}

/// The policies of the pod's namespace and of the root namespace, each with its last change.
fn of_policies<'f>(facts: &'f Facts<'_>, pod: &'f Pod) -> impl Iterator<Item = (LogTime, String)> + 'f {
    let objects = facts.objects();
    let mut namespaces = vec![pod.id.namespace.as_str(), objects.root_namespace()];
    namespaces.dedup();
    let all =
        namespaces.into_iter().flat_map(move |namespace| POLICIES.into_iter().flat_map(move |kind| objects.policies_in(kind, namespace)));
    let is_for = |selector: Option<&Selector>| selector.is_none_or(|selector| selector.matches(&pod.labels));
    let own = all.filter(move |policy| is_for(policy.selector.as_ref()));
    own.filter_map(|policy| {
        Some((policy.changed.or_else(|| instant(policy.created.as_deref()?))?, format!("{} {}", policy.kind.as_str(), policy.name)))
    })
}
