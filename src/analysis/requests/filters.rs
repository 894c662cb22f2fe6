//! Answers of a filter that an EnvoyFilter, a plugin or an AuthorizationPolicy of action CUSTOM put into the proxy.

use super::blame::{Blame, NAMED};
use super::denied::of_requests;
use super::held;
use super::mesh::Mesh;
use super::upstream::said;
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Action, Policy, PolicySpec};
use crate::model::requests::{Cause, Failed};
use crate::model::workload::Pod;

/// How such filters are named: in the type of their configuration (`envoy.extensions.filters.http.lua.v3.Lua`), and in the name that is
/// customary; with what to do.
fn filter_of(cause: Cause) -> (&'static [&'static str], &'static str) {
    match cause {
        Cause::RateLimit => (&["ratelimit", "rate_limit"], "raise its limit, or send less"),
        Cause::Lua => (&["lua"], "see what its script answers, and for which requests"),
        _ => (&["ext_authz"], "see why its authorization service denies them, or does not answer"),
    }
}

pub(super) fn of_filter(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let (kind, reason) = (Kind::EnvoyFilter, &failed.reason);
    let (words, fix) = filter_of(failed.cause);
    let other = if reason.to.inbound { "SIDECAR_OUTBOUND" } else { "SIDECAR_INBOUND" };
    let adds = |policy: &&Policy| {
        let PolicySpec::EnvoyFilter(spec) = &policy.spec else { return false };
        let is_one = |text: &str| words.iter().any(|word| text.contains(word));
        let mut patches = spec.patches.iter().filter(|patch| patch.applies_to_filters() && patch.context != other);
        patches.any(|patch| is_one(&patch.value_name) || is_one(&patch.value_type))
    };
    let said = said(reason);
    let names: Vec<&ObjectName> = mesh.policies(kind, pod).filter(adds).map(|policy| &policy.name).collect();
    if let Some(name) = names.first().copied() {
        let words = format!("{said}, by {kind} {} (not a plugin)", listed(&names));
        return Blame::new(Some((kind, name)), words, fix).unless_changed(mesh, failed, kind, &names);
    }
    let custom = Kind::AuthorizationPolicy;
    if failed.cause == Cause::ExtAuthz {
        let asks = |policy: &&Policy| of_requests(policy).is_some_and(|of| of.enforces == Some(Action::Custom));
        let names: Vec<&ObjectName> = mesh.policies(custom, pod).filter(asks).map(|policy| &policy.name).collect();
        if let Some(name) = names.first().copied() {
            let words = format!("{said}, by {custom} {} of action CUSTOM (not a plugin)", listed(&names));
            return Blame::new(Some((custom, name)), words, fix).unless_changed(mesh, failed, custom, &names);
        }
    }
    let has_scripts = mesh.objects.plugins.values().any(|plugin| plugin.wasm().is_none());
    let is_gone = match failed.cause {
        Cause::Lua => !has_scripts,
        Cause::ExtAuthz => mesh.knows(custom) && !mesh.has_targeted(custom),
        _ => true,
    };
    if mesh.knows(kind) && is_gone && !mesh.has_targeted(kind) {
        let held = held::filter(mesh, pod, reason.to.inbound, words);
        return Blame::past(None, format!("{said}, and no {kind} or policy does so now")).unless_held(held);
    }
    Blame::new(None, said, format!("see which {kind} or policy of the proxy does it"))
}

fn listed(names: &[&ObjectName]) -> String {
    first(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), NAMED)
}
