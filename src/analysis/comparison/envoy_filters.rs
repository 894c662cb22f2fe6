//! Which EnvoyFilters may change what istiod makes for a proxy: only of those that may, nothing can be predicted.

use regex::RegexBuilder;

use crate::analysis::chains::Facts;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::envoy::Listener;
use crate::model::envoy_filter::{EnvoyFilter, Patch};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::workload::ProxyKind;

/// The EnvoyFilters that may change which filters are in the chains of a listener
/// (`core/envoyfilter/listener_patch.go`; `pilot/pkg/model/push_context.go: EnvoyFilters`).
pub fn envoy_filters<'s>(facts: &Facts<'s>, listener: &Listener, inbound: bool) -> Vec<&'s ObjectName> {
    named(facts, |patch| touches(patch, listener, inbound, facts))
}

/// The EnvoyFilters that may change which filters are in any chain of a proxy.
pub fn envoy_filters_of_proxy<'s>(facts: &Facts<'s>) -> Vec<&'s ObjectName> {
    named(facts, Patch::shapes_chains)
}

/// The EnvoyFilters that add listeners of their own to a proxy.
pub fn envoy_filters_with_listeners<'s>(facts: &Facts<'s>) -> Vec<&'s ObjectName> {
    named(facts, Patch::adds_listener)
}

/// The EnvoyFilters that reach a proxy and have such a patch for it.
fn named<'s>(facts: &Facts<'s>, wanted: impl Fn(&Patch) -> bool) -> Vec<&'s ObjectName> {
    let policies = facts.objects.policies.iter().filter(|((kind, _), _)| *kind == Kind::EnvoyFilter).map(|(_, policy)| &**policy);
    let has = |policy: &&Policy| match &policy.spec {
        PolicySpec::EnvoyFilter(filter) => {
            reaches(policy, filter, facts) && filter.patches.iter().any(|patch| wanted(patch) && is_for_version(patch, facts))
        }
        _ => false,
    };
    policies.filter(has).map(|policy| &policy.name).collect()
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

fn touches(patch: &Patch, listener: &Listener, inbound: bool, facts: &Facts<'_>) -> bool {
    let context = match facts.kind {
        ProxyKind::Sidecar if !inbound => "SIDECAR_OUTBOUND",
        // A waypoint's listeners are patched as a sidecar's inbound ones (`core/listener_builder.go: patchListeners`).
        ProxyKind::Sidecar | ProxyKind::Waypoint => "SIDECAR_INBOUND",
        _ => "GATEWAY",
    };
    if patch.context != "ANY" && patch.context != context {
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
