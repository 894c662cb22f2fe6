//! Where a plugin's filter stands: in which chains of which listeners, and what those chains take.

mod kind;
mod words;

use serde::Serialize;

use super::era::Version;
use crate::model::envoy::{ConfigDump, Direction, DumpView, Filter, FilterChain, Listener, ListenerAddress, NameEra};
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::snapshot::Snapshot;
use crate::model::workload::ProxyKind;

pub use kind::{BLACK_HOLE, ChainKind, PASSTHROUGH, classify, is_black_hole};
pub use words::{destination, meaning, recognised_by};

/// In which direction a listener's traffic goes, seen from the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ListenerDirection {
    /// To the workload beside the proxy.
    Inbound,
    /// From the workload beside the proxy.
    Outbound,
    /// Through a gateway.
    Gateway,
    /// Through a waypoint.
    Waypoint,
    /// From within the proxy: what came through an HBONE tunnel.
    Internal,
}

impl ListenerDirection {
    /// The word of JSON and of tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Internal => "internal",
        }
    }
}

/// The kind of proxy that a dump is of: by its own word, else by the pod's.
pub fn proxy_kind(dump: &ConfigDump, of_pod: Option<ProxyKind>) -> Option<ProxyKind> {
    match dump.node.as_ref().map(|node| node.node_type()) {
        Some("waypoint") => Some(ProxyKind::Waypoint),
        Some("router") => Some(of_pod.filter(|kind| *kind == ProxyKind::Gateway).unwrap_or(ProxyKind::ClassicGateway)),
        Some("sidecar") => Some(ProxyKind::Sidecar),
        _ => of_pod,
    }
}

/// The ends of HBONE tunnels (`core/waypoint.go`).
const TUNNEL_ENDS: [&str; 5] =
    ["connect_terminate", "connect_originate", "inner_connect_originate", "outer_connect_originate", "forward_inner_connect"];
/// The kind of a proxy, with what is known of its pod.
pub fn kind_of(snapshot: &Snapshot, proxy: &ProxyId, dump: &ConfigDump) -> Option<ProxyKind> {
    let of_pod = snapshot.objects.pods.get(proxy).and_then(|pod| pod.proxy.as_ref()).map(|proxy| proxy.kind);
    proxy_kind(dump, of_pod)
}

/// What is said of a proxy that [`awaits_listeners`].
pub const NO_LISTENERS: &str = "the proxy has no listeners of istiod's yet";

/// Whether a proxy's own dump was read before the proxy had any listener of istiod's, so that what is not in it may come: a proxy that
/// starts has the listeners of its bootstrap alone. A gateway that is ready can have no others (`pilot/pkg/networking/core/gateway.go`:
/// no Gateway, no listener).
pub fn awaits_listeners(snapshot: &Snapshot, proxy: &ProxyId, dump: &ConfigDump) -> bool {
    if dump.view != DumpView::Proxy || !dump.has_all_listeners() || dump.has_sent_listeners() {
        return false;
    }
    match kind_of(snapshot, proxy, dump) {
        Some(ProxyKind::Gateway | ProxyKind::ClassicGateway) => snapshot.objects.pods.get(proxy).is_some_and(|pod| !pod.ready),
        _ => true,
    }
}

/// The direction of a listener; None for static ones and for the ends of HBONE tunnels, through which no plugin is put.
pub fn direction(listener: &Listener, proxy: Option<ProxyKind>) -> Option<ListenerDirection> {
    if listener.is_static || TUNNEL_ENDS.contains(&listener.name.as_str()) {
        return None;
    }
    match (proxy, &listener.address, listener.direction) {
        (Some(ProxyKind::Waypoint), ..) => Some(ListenerDirection::Waypoint),
        (
            Some(ProxyKind::Gateway | ProxyKind::ClassicGateway),
            // An address that could not be read is no internal one.
            ListenerAddress::Socket { .. } | ListenerAddress::Unknown,
            _,
        ) => Some(ListenerDirection::Gateway),
        (_, ListenerAddress::Internal, _) => Some(ListenerDirection::Internal),
        (_, _, Some(Direction::Inbound)) => Some(ListenerDirection::Inbound),
        (_, _, Some(Direction::Outbound)) => Some(ListenerDirection::Outbound),
        (_, _, None) => None,
    }
}

/// Whether a filter was made by a plugin, by its name.
pub fn is_of(filter: &Filter, plugin: &PluginId) -> bool {
    filter.plugin.as_ref().is_some_and(|found| found.id == *plugin)
}

/// How often the plugin's filter is in a chain: once, but for EnvoyFilters that double it.
pub fn count_in_chain(chain: &FilterChain, plugin: &PluginId) -> usize {
    chain.filters().filter(|filter| is_of(filter, plugin)).count()
}

/// How often the plugin's filter stands in a listener: the sum over its chains, of which a connection takes exactly one.
pub fn count_in_listener(listener: &Listener, plugin: &PluginId) -> usize {
    listener.chains.iter().map(|chain| count_in_chain(chain, plugin)).sum()
}

/// The same of a listener that was read as a whole; None where the plugin may be in what could not be read.
pub fn known_count(listener: &Listener, plugin: &PluginId) -> Option<usize> {
    (!listener.lacks_parts()).then(|| count_in_listener(listener, plugin))
}

/// The plugin of a filter, held against what is known of the mesh.
///
/// The bare name `ns.name` of old versions could be an EnvoyFilter's free choice too. It is taken for a plugin's unless
/// istiod is of a version that writes prefixes and there is no such plugin.
pub fn plugin_of(filter: &Filter, snapshot: &Snapshot) -> Option<PluginId> {
    let found = filter.plugin.as_ref()?;
    if found.era == NameEra::Bare && !snapshot.objects.plugins.contains_key(&found.id) {
        let versions = snapshot.objects.istiods.iter().filter_map(|istiod| Version::parse(&istiod.version));
        if versions.min().is_some_and(|oldest| !oldest.names_filters_bare()) {
            return Some(PluginId::new(PluginKind::EnvoyFilter, "", &filter.name));
        }
    }
    Some(found.id.clone())
}

/// The EnvoyFilter that put a filter of this name into a proxy: the only one that writes it there. None where that cannot be known.
pub fn envoy_filter_of<'s>(snapshot: &'s Snapshot, proxy: &ProxyId, filter: &str) -> Option<&'s ObjectName> {
    let (pod, root) = (snapshot.objects.pods.get(proxy), snapshot.objects.root_namespace());
    let reaches = |policy: &Policy| {
        let of = &policy.name.namespace;
        let selects = pod.zip(policy.selector.as_ref()).is_none_or(|(pod, selector)| selector.matches(&pod.labels));
        (*of == proxy.namespace || of == root) && selects
    };
    let writes = |policy: &Policy| match &policy.spec {
        PolicySpec::EnvoyFilter(spec) => spec.patches.iter().any(|patch| patch.writes_filter(filter)),
        _ => false,
    };
    let mut writing = snapshot.objects.policies_of(Kind::EnvoyFilter).filter(|policy| writes(policy) && reaches(policy));
    let only = writing.next()?;
    writing.next().is_none().then_some(&only.name)
}

/// The plugins that have a filter in any listener of a dump, or an entry in its ECDS section, by name.
pub fn plugins_in(dump: &ConfigDump) -> Vec<PluginId> {
    let filters = dump.listeners.iter().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let mut found: Vec<PluginId> = filters.filter_map(|filter| filter.plugin.as_ref()).map(|plugin| plugin.id.clone()).collect();
    found.extend(dump.ecds.iter().filter_map(|entry| entry.plugin.clone()));
    found.sort();
    found.dedup();
    found
}
