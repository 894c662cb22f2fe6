//! Why a proxy has something else than istiod would send: what the dump and the objects show.

use serde::Serialize;

use super::{Difference, How};
use crate::analysis::chains::{Facts, Gap};
use crate::analysis::era::Version;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::envoy::{ConfigDump, Direction, Listener, ListenerState};
use crate::model::envoy_filter::EnvoyFilter;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::workload::ProxyKind;

/// A named cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// A stable word: `refused`, `warming`, `olderThanObject`, `versionSkew`, `notPredicted`, `unexplained`.
    pub cause: &'static str,
    /// The same as a clause that names the object or the state.
    pub why: String,
}

impl Cause {
    fn new(cause: &'static str, why: impl Into<String>) -> Self {
        Self { cause, why: why.into() }
    }
}

/// The EnvoyFilters that may change which filters stand in the chains of a listener
/// (`core/envoyfilter/listener_patch.go`; `pilot/pkg/model/push_context.go: EnvoyFilters`).
pub fn envoy_filters<'s>(facts: &Facts<'s>, listener: &Listener, inbound: bool) -> Vec<&'s ObjectName> {
    reaching(facts).filter(|policy| touches(policy, listener, inbound, facts)).map(|policy| &policy.name).collect()
}

/// The EnvoyFilters that may change which filters stand in any chain of a proxy.
pub fn envoy_filters_of_proxy<'s>(facts: &Facts<'s>) -> Vec<&'s ObjectName> {
    let shapes = |policy: &&Policy| match &policy.spec {
        PolicySpec::EnvoyFilter(filter) => filter.patches.iter().any(|patch| patch.shapes_chains()),
        _ => false,
    };
    reaching(facts).filter(shapes).map(|policy| &policy.name).collect()
}

fn reaching<'s>(facts: &Facts<'s>) -> impl Iterator<Item = &'s Policy> {
    let policies = facts.objects.policies.iter().filter(|((kind, _), _)| *kind == Kind::EnvoyFilter).map(|(_, policy)| &**policy);
    policies.filter(move |policy| reaches(policy, facts))
}

/// A waypoint takes only what targets it, a sidecar only what does not (`pilot/pkg/model/policyattachment.go: ShouldAttachPolicy`).
fn reaches(policy: &Policy, facts: &Facts<'_>) -> bool {
    let PolicySpec::EnvoyFilter(EnvoyFilter { target_refs, .. }) = &policy.spec else { return false };
    let own = policy.name.namespace == facts.namespace();
    let selects = policy.selector.as_ref().is_none_or(|selector| selector.matches(&facts.pod.labels));
    let selected = match (facts.pod.labels.get(GATEWAY_NAME), target_refs.as_slice()) {
        _ if !facts.plane.version.targets_envoy_filters() => selects,
        (None, [_, ..]) => false,
        (Some(_), []) if facts.kind == ProxyKind::Waypoint => false,
        (_, []) => selects,
        // What names a Service is for a part of a waypoint, which still may be touched.
        (Some(gateway), refs) => refs.iter().any(|target| target.kind != "Gateway" || (own && target.name == *gateway)),
    };
    selected && (own || policy.name.namespace == facts.mesh.root_namespace) && facts.sees_revision(policy)
}

fn touches(policy: &Policy, listener: &Listener, inbound: bool, facts: &Facts<'_>) -> bool {
    let PolicySpec::EnvoyFilter(EnvoyFilter { patches, .. }) = &policy.spec else { return false };
    let context = match facts.kind {
        ProxyKind::Sidecar if !inbound => "SIDECAR_OUTBOUND",
        // A waypoint's listeners are patched as a sidecar's inbound ones (`core/listener_builder.go: patchListeners`).
        ProxyKind::Sidecar | ProxyKind::Waypoint => "SIDECAR_INBOUND",
        _ => "GATEWAY",
    };
    let port = listener.port();
    patches.iter().filter(|patch| patch.shapes_chains()).any(|patch| {
        let in_context = patch.context == "ANY" || patch.context == context;
        // Within `virtualInbound` a patch's port is that of a chain, so it may touch the listener whatever it names.
        let on_port = patch.port.is_none() || patch.port == port || inbound;
        in_context && on_port && (patch.listener.is_empty() || patch.listener == listener.name)
    })
}

/// The causes of a listener's differences, the most telling first; one of them is `unexplained` where nothing shows why. What is not
/// predicted, of chains without HTTP alone, explains no difference in others.
pub fn causes(
    counted: &Listener,
    predicted: &Listener,
    differences: &[Difference],
    dump: &ConfigDump,
    facts: &Facts<'_>,
    gaps: &[&Gap],
) -> Vec<Cause> {
    let is_untold = |difference: &Difference| !gaps.is_empty() && !difference.http;
    let mut untold: Vec<Cause> = Vec::new();
    if differences.iter().any(is_untold) {
        untold.extend(gaps.iter().map(|gap| Cause::new("notPredicted", gap.why.clone())));
        untold.dedup();
    }
    if differences.iter().all(is_untold) {
        return untold;
    }
    let mut found: Vec<Cause> = Vec::new();
    let others = dump.listeners.iter().filter(|other| other.name == counted.name && other.state != counted.state);
    for other in others {
        let is_it = super::differences(other, predicted, None).iter().all(is_untold);
        match other.state {
            ListenerState::Error if is_it && counted.state == ListenerState::Active => {
                let error = other.error.as_deref().unwrap_or("it does not say why");
                found.push(Cause::new("refused", format!("the proxy refused what istiod sent, and keeps what it had: {error}")));
            }
            ListenerState::Warming if is_it && counted.state == ListenerState::Active => {
                found
                    .push(Cause::new("warming", "what istiod sent is there and warms: it waits for something before it takes connections"));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.extend(older(counted, differences, facts));
    }
    if found.is_empty() {
        found.extend(skew(dump, facts));
    }
    if found.is_empty() {
        found.push(Cause::new(
            "unexplained",
            "neither the dump nor the objects show why; look again in a moment, a change takes a while to arrive",
        ));
    }
    found.extend(untold);
    found
}

/// Objects that were created after the listener was last updated, so that it may be older than what istiod sent for them. Those of the
/// same second may be in it already, and are not named.
fn older(counted: &Listener, differences: &[Difference], facts: &Facts<'_>) -> Vec<Cause> {
    let Some(updated) = counted.last_updated.as_deref().and_then(second) else { return Vec::new() };
    let found = deciding(counted, differences, facts).into_iter().filter_map(|(name, created)| {
        let created = created.filter(|created| second(created).is_some_and(|created| created > updated))?;
        Some(Cause::new("olderThanObject", format!("the listener was last updated at {updated}, {name} was created at {created}")))
    });
    let mut found: Vec<Cause> = found.collect();
    found.dedup();
    found
}

/// The objects that could have made these differences by being new, by kind and name, with the times of their creation: the plugins
/// that chains lack, and where the chains themselves are others, what decides on those.
fn deciding<'s>(counted: &Listener, differences: &[Difference], facts: &Facts<'s>) -> Vec<(String, Option<&'s str>)> {
    let objects = facts.objects;
    let is_lacking = |plugin: &String| {
        differences.iter().any(|difference| match &difference.how {
            How::Plugins { predicted, counted } => predicted.contains(plugin) && !counted.contains(plugin),
            _ => false,
        })
    };
    let plugins = objects.plugins.values().filter(|plugin| is_lacking(&plugin.id.to_string()));
    let mut found: Vec<(String, Option<&str>)> =
        plugins.map(|plugin| (format!("{} {}", plugin.id.kind, plugin.id), plugin.created.as_deref())).collect();
    if differences.iter().all(|difference| matches!(difference.how, How::Plugins { .. })) {
        return found;
    }
    let inbound = !facts.is_gateway() && counted.direction == Some(Direction::Inbound);
    let scopes = [facts.namespace(), facts.mesh.root_namespace.as_str()];
    let modes = objects.peer_authentications.values().filter(|policy| inbound && scopes.contains(&policy.name.namespace.as_str()));
    found.extend(modes.map(|policy| (format!("PeerAuthentication {}", policy.name), policy.created.as_deref())));
    let kinds: &[Kind] = if facts.is_gateway() { &[Kind::Gateway, Kind::IstioGateway] } else { &[Kind::Sidecar] };
    let policies = objects.policies.values().filter(|policy| {
        let in_scope = facts.is_gateway() || scopes.contains(&policy.name.namespace.as_str());
        kinds.contains(&policy.kind) && in_scope && facts.sees_revision(policy)
    });
    found.extend(policies.map(|policy| (format!("{} {}", policy.kind, policy.name), policy.created.as_deref())));
    let of_workload: Vec<&ObjectName> = facts.targets().iter().map(|target| &target.service.name).collect();
    let services = objects.services.values().filter(|service| match inbound {
        true => of_workload.contains(&&service.name),
        false => service.ports.iter().any(|port| Some(port.port) == counted.port()),
    });
    found.extend(services.map(|service| (format!("{} {}", service.registry, service.name), service.created.as_deref())));
    found
}

/// A time to the second, which compares as text: the API server writes no more.
fn second(time: &str) -> Option<&str> {
    time.get(..19)
}

/// An istiod and a proxy whose versions make chains in different ways.
fn skew(dump: &ConfigDump, facts: &Facts<'_>) -> Option<Cause> {
    let versions: std::collections::BTreeSet<&str> = facts.objects.istiods.iter().map(|istiod| istiod.version.as_str()).collect();
    if versions.len() > 1 {
        let versions: Vec<&str> = versions.into_iter().collect();
        return Some(Cause::new(
            "versionSkew",
            format!("the istiods are of several versions, {}, and any of them may have sent it", versions.join(", ")),
        ));
    }
    let proxy = &dump.node.as_ref()?.istio_version;
    let parsed = Version::parse(proxy)?;
    (parsed != facts.plane.version).then(|| Cause::new("versionSkew", format!("the proxy is {proxy}, and {}", facts.plane.basis)))
}
