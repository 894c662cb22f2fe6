//! Which EnvoyFilters may change what istiod makes for a proxy: only of those that may, nothing can be predicted.

use regex::RegexBuilder;

use crate::analysis::chains::Facts;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::envoy::{FilterChain, Listener};
use crate::model::envoy_filter::{EnvoyFilter, Patch, Removable};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::workload::ProxyKind;

/// The EnvoyFilters that reach a proxy, each with its patches for the proxy's version, by their places in `configPatches`.
#[derive(Clone, Debug)]
pub struct EnvoyFilters<'s> {
    kind: ProxyKind,
    filters: Vec<(&'s ObjectName, Vec<(usize, &'s Patch)>)>,
}

/// A patch of an EnvoyFilter, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedPatch<'s> {
    /// The EnvoyFilter.
    pub envoy_filter: &'s ObjectName,
    /// The patch's 0-based place in `configPatches`.
    pub place: usize,
    /// The patch.
    pub patch: &'s Patch,
}

impl std::fmt::Display for PlacedPatch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EnvoyFilter {}, configPatches[{}]: {}", self.envoy_filter, self.place, self.patch.words())
    }
}

impl<'s> EnvoyFilters<'s> {
    /// Those of a proxy (`pilot/pkg/model/push_context.go: EnvoyFilters`).
    pub fn of(facts: &Facts<'s>) -> Self {
        let reaching = facts.objects.policies_of(Kind::EnvoyFilter).filter_map(|policy| match &policy.spec {
            PolicySpec::EnvoyFilter(filter) if reaches(policy, filter, facts) => Some((&policy.name, filter)),
            _ => None,
        });
        let patches =
            |filter: &'s EnvoyFilter| filter.patches.iter().enumerate().filter(|(_, patch)| is_for_version(patch, facts)).collect();
        Self { kind: facts.kind, filters: reaching.map(|(name, filter)| (name, patches(filter))).collect() }
    }

    /// Those that may change which filters are in the chains of a listener (`core/envoyfilter/listener_patch.go`).
    pub fn of_listener(&self, listener: &Listener, inbound: bool) -> Vec<&'s ObjectName> {
        self.with(|patch| touches(patch, listener, inbound, self.kind))
    }

    /// Those that may change what istiod sends the proxy of a type, by the type's URL.
    pub fn of_type(&self, type_url: &str) -> Vec<&'s ObjectName> {
        let may_change = |patch: &Patch| patch.changes(type_url) && contexts(self.kind).iter().any(|context| is_in(patch, context));
        self.with(may_change)
    }

    /// Those that may change which filters are in any chain of the proxy.
    pub fn shaping_chains(&self) -> Vec<&'s ObjectName> {
        self.with(Patch::shapes_chains)
    }

    /// Those that add listeners of their own.
    pub fn adding_listeners(&self) -> Vec<&'s ObjectName> {
        self.with(Patch::adds_listener)
    }

    /// The patches that take a filter out of a chain of a listener.
    pub fn removing(&self, filter: &Removable<'_>, chain: &FilterChain, listener: &Listener, inbound: bool) -> Vec<PlacedPatch<'s>> {
        let on_port = |patch: &Patch| match listener.name.as_str() {
            // Listeners alone are matched by their own port there.
            "virtualInbound" | "virtualOutbound" if patch.apply_to != "LISTENER" => {
                patch.port.is_none() || patch.port == chain.matches.destination_port
            }
            _ => patch.port.is_none() || patch.port == listener.port(),
        };
        let removes = |patch: &Patch| patch.removes(filter, chain) && on_port(patch) && touches(patch, listener, inbound, self.kind);
        self.placed().filter(|placed| removes(placed.patch)).collect()
    }

    /// The patches that may change the TLS of the cluster for what is sent to a host, or take it away.
    pub fn of_cluster(&self, host: &str, subset: &str, port: u16) -> impl Iterator<Item = PlacedPatch<'s>> {
        let context = if self.kind == ProxyKind::Sidecar { "SIDECAR_OUTBOUND" } else { "GATEWAY" };
        let is_for_it =
            move |patch: &Patch| patch.changes_cluster_tls() && is_in(patch, context) && patch.cluster.means(host, subset, port);
        self.placed().filter(move |placed| is_for_it(placed.patch))
    }

    fn placed(&self) -> impl Iterator<Item = PlacedPatch<'s>> {
        self.filters.iter().flat_map(|(envoy_filter, patches)| {
            patches.iter().map(move |(place, patch)| PlacedPatch { envoy_filter, place: *place, patch })
        })
    }

    fn with(&self, wanted: impl Fn(&Patch) -> bool) -> Vec<&'s ObjectName> {
        let have = self.filters.iter().filter(|(_, patches)| patches.iter().any(|(_, patch)| wanted(patch)));
        have.map(|(name, _)| *name).collect()
    }
}

/// A waypoint takes only what targets it, a sidecar only what does not (`pilot/pkg/model/policyattachment.go: ShouldAttachPolicy`).
fn reaches(policy: &Policy, filter: &EnvoyFilter, facts: &Facts<'_>) -> bool {
    let own = policy.name.namespace == facts.namespace();
    let selects = policy.selector.as_ref().is_none_or(|selector| selector.matches(&facts.pod.labels));
    let selected = match (facts.pod.labels.get(GATEWAY_NAME), filter.target_refs.as_slice()) {
        _ if !facts.plane.version.targets_envoy_filters() => selects,
        (None, [_, ..]) => false,
        (Some(_), []) if facts.kind == ProxyKind::Waypoint => false,
        (_, []) => selects,
        // What names a Service is for a part of a waypoint, which still may be touched.
        (Some(gateway), refs) => refs.iter().any(|target| target.kind != "Gateway" || (own && target.name == *gateway)),
    };
    selected && (own || policy.name.namespace == facts.mesh.root_namespace) && facts.sees(policy)
}

/// How large a compiled `proxyVersion` may be: the patterns that people write are far smaller.
const MOST_REGEX: usize = 1 << 16;

/// Whether a patch may be for the version that the proxy says (`pilot/pkg/model/envoyfilter.go: proxyMatch`).
fn is_for_version(patch: &Patch, facts: &Facts<'_>) -> bool {
    let Some(version) = facts.proxy_version.as_deref().filter(|_| !patch.proxy_version.is_empty()) else { return true };
    let wanted = RegexBuilder::new(&patch.proxy_version).size_limit(MOST_REGEX).build();
    wanted.map_or(true, |wanted| !version.is_empty() && wanted.is_match(version))
}

/// The contexts of patches for a proxy, of what comes in and of what goes out (`core/cluster.go: buildClusters`).
fn contexts(kind: ProxyKind) -> [&'static str; 2] {
    match kind {
        ProxyKind::Sidecar | ProxyKind::Waypoint => ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND"],
        _ => ["GATEWAY"; 2],
    }
}

fn is_in(patch: &Patch, context: &str) -> bool {
    patch.context == "ANY" || patch.context == context
}

fn touches(patch: &Patch, listener: &Listener, inbound: bool, kind: ProxyKind) -> bool {
    let [of_inbound, of_outbound] = contexts(kind);
    // A waypoint's listeners are all patched as a sidecar's inbound ones (`core/listener_builder.go: patchListeners`).
    let context = if inbound || kind == ProxyKind::Waypoint { of_inbound } else { of_outbound };
    if !is_in(patch, context) {
        return false;
    }
    if patch.adds_listener() {
        return patch.value_name == listener.name;
    }
    // Within these a patch's port is that of a chain. Of `virtualOutbound` only one chain has one, the listener's own.
    let on_chain = match listener.name.as_str() {
        "virtualInbound" => true,
        "virtualOutbound" => patch.adds_chain(),
        _ => false,
    };
    let on_port = patch.port.is_none() || patch.port == listener.port() || on_chain;
    patch.shapes_chains() && on_port && (patch.listener.is_empty() || patch.listener == listener.name)
}
