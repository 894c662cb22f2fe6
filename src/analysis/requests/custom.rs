//! AuthorizationPolicies of action CUSTOM whose provider istiod cannot use: it denies what their rules fit
//! (`pilot/pkg/security/authz/builder/builder.go: getBadCustomDenyRules`; `extauthz.go: getExtAuthz`).

use std::collections::BTreeSet;

use super::blame::Blame;
use super::denied::of_requests;
use super::mesh::Mesh;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Action, OfRequests, Policy};
use crate::model::requests::Failed;
use crate::model::workload::Pod;

const POLICY: Kind = Kind::AuthorizationPolicy;

/// Which AuthorizationPolicy of action CUSTOM denies requests, and what is wrong with its provider.
pub(super) fn by_custom(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, name: &ObjectName, rule: &str) -> Blame {
    let object = Some((POLICY, name));
    let words =
        format!("the proxy denies requests that rule {rule} of {POLICY} {name} (CUSTOM) matches, since istiod cannot use its provider");
    let fix = format!("correct provider.name of {POLICY} {name}, or define the provider in extensionProviders of meshConfig");
    let Some(of) = mesh.objects.policies.get(&(POLICY, name.clone())).and_then(|policy| of_requests(policy)) else {
        return if mesh.knows(POLICY) {
            Blame::past(object, format!("{words}; the policy is gone"))
        } else {
            Blame::new(object, format!("{words}; the policy could not be read, its name is the log's"), fix)
        };
    };
    if of.enforces != Some(Action::Custom) {
        return Blame::past(object, format!("{words}; it is not of action CUSTOM now"));
    }
    if !of.has_targets && mesh.policies(POLICY, pod).all(|other| other.name != *name) {
        return Blame::past(object, format!("{words}; it is not for this workload now"));
    }
    let provider = if of.provider.is_empty() { String::new() } else { format!(" {}", of.provider) };
    match unusable(mesh, pod, &of.provider) {
        Some(why) => Blame::new(object, format!("{words}{provider}: {why} (not a plugin)"), fix).always(),
        None => {
            let fix = format!("see why in istiod's log: failed to process CUSTOM action; {fix}");
            Blame::new(object, format!("{words}{provider} (not a plugin)"), fix).unless_changed(mesh, failed, POLICY, &[name])
        }
    }
}

/// Why istiod cannot use a provider for a pod, where the objects show it.
fn unusable(mesh: &Mesh<'_>, pod: &Pod, provider: &str) -> Option<String> {
    let providers = &mesh.objects.mesh.as_deref()?.authorizers;
    let Some(found) = providers.iter().find(|known| known.name == provider) else {
        let which = if provider.is_empty() {
            "the policy names none".to_owned()
        } else {
            format!("extensionProviders of meshConfig has no authorizer {provider}")
        };
        return Some(which);
    };
    let host = found.service.rsplit('/').next().unwrap_or_default();
    if mesh.knows_services() && !mesh.has_host(host) {
        return Some(format!("its service {host} is none that a Service or ServiceEntry has"));
    }
    let is_custom = |of: &&OfRequests| of.enforces == Some(Action::Custom);
    let custom = |policy: &'_ Policy| of_requests(policy).filter(is_custom).map(|of| of.provider.clone());
    let others: BTreeSet<String> = mesh.policies(POLICY, pod).filter_map(custom).filter(|other| other != provider).collect();
    // From 1.29 on istiod can be set to allow several (`PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS`).
    let other = others.first()?;
    Some(format!("another policy of the workload names provider {other}, and by default there may be one"))
}
