//! Why a proxy has something else than istiod would send: what the dump and the objects show.

use serde::Serialize;

use super::{Difference, How};
use crate::analysis::chains::{Facts, Gap};
use crate::analysis::era::Version;
use crate::model::envoy::{ConfigDump, Direction, Listener, ListenerState};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;

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
    let kinds: &[Kind] = if facts.is_gateway() { &[Kind::IstioGateway, Kind::Gateway] } else { &[Kind::Sidecar] };
    let policies = kinds.iter().flat_map(|kind| objects.policies_of(*kind)).filter(|policy| {
        let in_scope = facts.is_gateway() || scopes.contains(&policy.name.namespace.as_str());
        in_scope && facts.sees(policy)
    });
    found.extend(policies.map(|policy| (format!("{} {}", policy.kind, policy.name), policy.created.as_deref())));
    let of_workload: Vec<&ObjectName> = facts.targets().iter().map(|target| &target.service.name).collect();
    let services = facts.services().filter(|service| match inbound {
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
