//! What the proxy's own dump still holds of what the objects no longer ask for: such requests fail as long as the change has not reached the
//! proxy.

use serde_json::Value;

use super::mesh::Mesh;
use crate::model::envoy::{Direction, DumpView, Filter, FilterSource, ListenerState};
use crate::model::ids::ObjectName;
use crate::model::logs::hour;
use crate::model::policy::Action;
use crate::model::workload::Pod;

/// How Istio names the filters of AuthorizationPolicies (`pilot/pkg/security/authz/model/util.go: RBACHTTPFilterName, RBACTCPFilterName`).
const RBAC: [&str; 2] = ["envoy.filters.http.rbac", "envoy.filters.network.rbac"];

/// That a rule of an AuthorizationPolicy still denies (`pilot/pkg/security/authz/builder/builder.go: policyName`).
pub(super) fn denying(mesh: &Mesh<'_>, pod: &Pod, policy: &ObjectName, rule: &str) -> Option<String> {
    let key = format!("ns[{}]-policy[{}]-rule[{rule}]", policy.namespace, policy.name);
    let has = |filter: &Filter| filter.raw.as_str().contains(&key) && enforces(filter, Action::Deny, |policy| policy == key);
    still(mesh, pod, true, "it", has)
}

/// That a filter still lets pass only what the rules of policies allow.
pub(super) fn allowing(mesh: &Mesh<'_>, pod: &Pod) -> Option<String> {
    still(mesh, pod, true, "one", |filter| enforces(filter, Action::Allow, |_| true))
}

/// That a filter is still there whose name or type has one of these words.
pub(super) fn filter(mesh: &Mesh<'_>, pod: &Pod, inbound: bool, words: &[&str]) -> Option<String> {
    let has = |text: &str| words.iter().any(|word| text.contains(word));
    let has = |filter: &Filter| has(&filter.name) || matches!(&filter.source, FilterSource::Inline(type_url) if has(type_url));
    still(mesh, pod, inbound, "such a filter", |filter| !filter.disabled && filter.plugin.is_none() && has(filter))
}

/// `the proxy still has it`, or had at the time of the reading.
fn still(mesh: &Mesh<'_>, pod: &Pod, inbound: bool, what: &str, is_it: impl Fn(&Filter) -> bool) -> Option<String> {
    let loaded = mesh.snapshot.dump(&pod.id).filter(|loaded| loaded.dump.view == DumpView::Proxy)?;
    let mut listeners = loaded.dump.listeners.iter().filter(|listener| {
        listener.state == ListenerState::Active && (listener.direction == Some(Direction::Inbound)) == inbound && !listener.is_static
    });
    listeners.any(|listener| listener.chains.iter().any(|chain| chain.filters().any(&is_it))).then(|| match loaded.read_at {
        Some(read) => format!("the proxy still had {what} at {}", hour(read)),
        None => format!("the proxy still has {what}"),
    })
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
