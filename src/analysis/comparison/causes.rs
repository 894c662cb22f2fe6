//! Why a proxy has something else than istiod would send: what the dump and the objects show.

use serde::Serialize;

use super::differences;
use crate::analysis::attachment::attach;
use crate::analysis::chains::{Facts, Gap};
use crate::analysis::era::Version;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::envoy_filter::EnvoyFilter;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};

/// A named cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// A stable word: `envoyFilter`, `refused`, `warming`, `draining`, `notPredicted`, `olderThanObject`, `versionSkew`, `unexplained`.
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

fn reaches(policy: &Policy, facts: &Facts<'_>) -> bool {
    let in_reach = policy.name.namespace == facts.namespace() || policy.name.namespace == facts.mesh.root_namespace;
    let selected = policy.selector.as_ref().is_none_or(|selector| selector.matches(&facts.pod.labels));
    let PolicySpec::EnvoyFilter(EnvoyFilter { target_refs, .. }) = &policy.spec else { return false };
    let gateway = facts.pod.labels.get(crate::ingest::workloads::GATEWAY_NAME);
    // Of those with targetRefs the ones that name a Service are for a part of a waypoint, which still may be touched.
    let targeted = target_refs.is_empty()
        || gateway.is_some_and(|gateway| target_refs.iter().any(|target| target.name == *gateway || target.kind != "Gateway"));
    in_reach && selected && targeted && facts.sees_revision(policy)
}

fn touches(policy: &Policy, listener: &Listener, inbound: bool, facts: &Facts<'_>) -> bool {
    let PolicySpec::EnvoyFilter(EnvoyFilter { patches, .. }) = &policy.spec else { return false };
    let context = match facts.kind {
        crate::model::workload::ProxyKind::Sidecar if inbound => "SIDECAR_INBOUND",
        crate::model::workload::ProxyKind::Sidecar => "SIDECAR_OUTBOUND",
        crate::model::workload::ProxyKind::Waypoint => "WAYPOINT",
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

/// The causes of a listener's differences, the most telling first; one of them is `unexplained` where nothing shows why.
pub fn causes(counted: &Listener, predicted: &Listener, dump: &ConfigDump, facts: &Facts<'_>, gaps: &[&Gap]) -> Vec<Cause> {
    let mut found: Vec<Cause> = gaps.iter().map(|gap| Cause::new("notPredicted", gap.why.clone())).collect();
    let others = dump.listeners.iter().filter(|other| other.name == counted.name && other.state != counted.state);
    for other in others {
        let is_it = differences(other, predicted, None).is_empty();
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
    if counted.state == ListenerState::Draining {
        found.push(Cause::new("draining", "the listener was replaced and only serves the connections it has"));
    }
    if found.is_empty() {
        found.extend(older(counted, facts));
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
    found
}

/// Objects that were created after the listener was last updated: the dump, or what istiod sent last, may be older.
fn older(counted: &Listener, facts: &Facts<'_>) -> Vec<Cause> {
    let Some(updated) = counted.last_updated.as_deref().and_then(second) else { return Vec::new() };
    let objects = facts.objects;
    let plugins = objects.plugins.values().filter(|plugin| attach(plugin, facts.pod, objects).attached);
    let plugins = plugins.map(|plugin| (format!("{} {}", plugin.id.kind, plugin.id), plugin.created.as_deref()));
    let scopes = [facts.namespace(), facts.mesh.root_namespace.as_str()];
    let modes = objects.peer_authentications.values().filter(|policy| scopes.contains(&policy.name.namespace.as_str()));
    let modes = modes.map(|policy| (format!("PeerAuthentication {}", policy.name), policy.created.as_deref()));
    let policies = objects.policies.values().filter(|policy| scopes.contains(&policy.name.namespace.as_str()));
    let policies = policies.map(|policy| (format!("{} {}", policy.kind, policy.name), policy.created.as_deref()));
    let targets = facts.targets();
    let services = targets.iter().map(|target| (format!("Service {}", target.service.name), target.service.created.as_deref()));
    let mut found: Vec<Cause> = plugins
        .chain(modes)
        .chain(policies)
        .chain(services)
        .filter_map(|(name, created)| {
            Some((name, created?)).filter(|(_, created)| second(created).is_some_and(|created| created >= updated))
        })
        .map(|(name, created)| {
            Cause::new("olderThanObject", format!("the listener was last updated at {updated}, {name} was created at {created}"))
        })
        .collect();
    found.dedup();
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
