//! What the proxy's own dump still holds of what the objects no longer ask for: such requests fail as long as the change has not reached the
//! proxy.

use serde_json::Value;

use super::mesh::{Mesh, spellings};
use crate::model::envoy::{Direction, DumpView, Filter, FilterSource, ListenerState};
use crate::model::ids::ObjectName;
use crate::model::logs::hour;
use crate::model::policy::Action;
use crate::model::requests::FailedReason;
use crate::model::snapshot::LoadedDump;
use crate::model::workload::Pod;

/// How Istio names the filters of AuthorizationPolicies (`pilot/pkg/security/authz/model/util.go: RBACHTTPFilterName, RBACTCPFilterName`).
const RBAC: [&str; 2] = ["envoy.filters.http.rbac", "envoy.filters.network.rbac"];

/// That a rule of an AuthorizationPolicy still denies (`pilot/pkg/security/authz/builder/builder.go: policyName`).
pub(super) fn denying(mesh: &Mesh<'_>, pod: &Pod, policy: &ObjectName, rule: &str) -> Option<String> {
    let key = format!("ns[{}]-policy[{}]-rule[{rule}]", policy.namespace, policy.name);
    let has = |filter: &Filter| filter.raw.as_str().contains(&key) && enforces(filter, Action::Deny, |policy| policy == key);
    has_filter(mesh, pod, true, "it", has)
}

/// That a filter still lets pass only what the rules of policies allow.
pub(super) fn allowing(mesh: &Mesh<'_>, pod: &Pod) -> Option<String> {
    has_filter(mesh, pod, true, "one", |filter| enforces(filter, Action::Allow, |_| true))
}

/// That a filter is still there whose name or type has one of these words.
pub(super) fn filter(mesh: &Mesh<'_>, pod: &Pod, inbound: bool, words: &[&str]) -> Option<String> {
    let has = |text: &str| words.iter().any(|word| text.contains(word));
    let has = |filter: &Filter| has(&filter.name) || matches!(&filter.source, FilterSource::Inline(type_url) if has(type_url));
    has_filter(mesh, pod, inbound, "such a filter", |filter| !filter.disabled && filter.plugin.is_none() && has(filter))
}

/// That a route for such requests still leads to a cluster that the proxy does not have.
pub(super) fn dead_route(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Option<String> {
    let loaded = own_dump(mesh, pod)?;
    let names = spellings(&reason.to.name, &pod.id.namespace);
    let is_its = |domain: &String| {
        let covers = || domain.strip_prefix('*').is_some_and(|suffix| names.iter().any(|name| name.ends_with(suffix)));
        names.contains(domain) || *domain == reason.to.name || covers()
    };
    let mut dead = loaded.dump.dead_clusters.iter();
    let (cluster, _) = dead.find(|(cluster, domains)| **cluster == reason.cluster || domains.iter().any(is_its))?;
    Some(still(loaded, &format!("a route to {cluster}, which it does not have")))
}

fn own_dump<'m>(mesh: &Mesh<'m>, pod: &Pod) -> Option<&'m LoadedDump> {
    mesh.snapshot.dump(&pod.id).map(|loaded| &**loaded).filter(|loaded| loaded.dump.view == DumpView::Proxy)
}

/// `the proxy still has it`, or had at the time of the reading.
fn still(loaded: &LoadedDump, what: &str) -> String {
    match loaded.read_at {
        Some(read) => format!("the proxy still had {what} at {}", hour(read)),
        None => format!("the proxy still has {what}"),
    }
}

/// That a filter of the proxy's listeners for requests to the workload, or of those for what it sends, is one of these.
fn has_filter(mesh: &Mesh<'_>, pod: &Pod, inbound: bool, what: &str, is_it: impl Fn(&Filter) -> bool) -> Option<String> {
    let loaded = own_dump(mesh, pod)?;
    let mut listeners = loaded.dump.listeners.iter().filter(|listener| {
        listener.state == ListenerState::Active && (listener.direction == Some(Direction::Inbound)) == inbound && !listener.is_static
    });
    listeners.any(|listener| listener.chains.iter().any(|chain| chain.filters().any(&is_it))).then(|| still(loaded, what))
}

/// Whether a filter of RBAC enforces a policy by this action. What it only shadows is a dry run.
fn enforces(filter: &Filter, action: Action, is_it: impl Fn(&str) -> bool) -> bool {
    let rules = || {
        let filter: Value = serde_json::from_str(filter.raw.as_str()).ok()?;
        filter.get("typed_config").or_else(|| filter.get("typedConfig"))?.get("rules").cloned()
    };
    let has = |rules: &Value| {
        // ALLOW is the default, which a dump leaves out.
        let own = if rules.get("action").and_then(Value::as_str) == Some("DENY") { Action::Deny } else { Action::Allow };
        own == action && rules.get("policies").and_then(Value::as_object).is_some_and(|policies| policies.keys().any(|key| is_it(key)))
    };
    RBAC.contains(&filter.name.as_str()) && filter.plugin.is_none() && rules().is_some_and(|rules| has(&rules))
}
