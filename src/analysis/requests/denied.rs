//! Which AuthorizationPolicy or stub of a plugin denies requests, and what of a policy they do not fulfil.

use super::blame::{Blame, NAMED};
use super::cause::Denial;
use super::custom::by_custom;
use super::held;
use super::mesh::Mesh;
use super::stub::{self, Stub};
use crate::analysis::naming::{enumerated, first};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::logs::hour;
use crate::model::policy::{Action, OfRequests, Policy, PolicySpec};
use crate::model::requests::Failed;
use crate::model::workload::Pod;

const POLICY: Kind = Kind::AuthorizationPolicy;

pub(super) fn denied(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    match Denial::of(&failed.reason) {
        Some(Denial::Rule(name, rule)) => by_rule(mesh, pod, failed, &name, &rule),
        Some(Denial::BadCustom(name, rule)) => by_custom(mesh, pod, failed, &name, &rule),
        Some(Denial::Other(name)) => Blame::new(
            None,
            format!("RBAC policy {name} of the proxy (not a plugin)"),
            "find the object that makes it in the proxy's chains",
        ),
        Some(Denial::None) | None => by_no_rule(mesh, pod, failed),
    }
}

fn by_rule(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, name: &ObjectName, rule: &str) -> Blame {
    let object = Some((POLICY, name));
    let words = format!("{POLICY} {name}, rule {rule} (not a plugin)");
    let fix = format!("if these requests are to pass, change rule {rule} of {POLICY} {name}");
    let past = |why: &str| Blame::past(object, format!("{words}, {why}")).unless_held(held::denying(mesh, pod, name, rule));
    let Some(policy) = mesh.objects.policies.get(&(POLICY, name.clone())) else {
        return if mesh.knows(POLICY) {
            past("which is gone")
        } else {
            Blame::new(object, format!("{words}; the object could not be read, its name is the log's"), fix)
        };
    };
    let of = of_requests(policy).cloned().unwrap_or_default();
    if !of.has_targets && mesh.policies(POLICY, pod).all(|other| other.name != *name) {
        return past("which is not for this workload now");
    }
    if of.enforces.is_none() {
        return past("which enforces nothing now (a dry run, or action AUDIT)");
    }
    if of.enforces != Some(Action::Deny) || rule.parse::<usize>().is_ok_and(|rule| rule >= of.rules) {
        return past("which has no such rule that denies now");
    }
    Blame::new(object, words, fix).unless_changed(mesh, failed, POLICY, &[name])
}

/// No rule allows them: those of policies, or none of a stub, which has no rules at all.
fn by_no_rule(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let allowing = mesh
        .policies(POLICY, pod)
        .filter_map(|policy| Some((&policy.name, of_requests(policy).filter(|of| of.enforces == Some(Action::Allow))?)));
    let (names, specs): (Vec<&ObjectName>, Vec<&OfRequests>) = allowing.unzip();
    let stub = stub::of(mesh, pod, failed);
    let (several, listed) = match &names[..] {
        [] => ("", String::new()),
        [one] => ("AuthorizationPolicy", one.to_string()),
        _ => ("AuthorizationPolicies", first(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), NAMED)),
    };
    let by_policy = if names.is_empty() {
        format!("no rule of an {POLICY} allowed them")
    } else {
        format!("no rule of {several} {listed} allows them")
    };
    match &stub {
        Stub::Was { plugin, since } if names.is_empty() => {
            let object = plugin.object.as_ref().map(|(kind, name)| (*kind, name));
            let words = format!(
                "the stub that denies in the place of {plugin}, whose module could not be fetched at {}; it is gone now",
                hour(*since)
            );
            return Blame::past(object, words);
        }
        Stub::Was { plugin, since } => {
            let words = format!(
                "{by_policy}, or they met the stub that denies in the place of {plugin}, whose module could not be fetched at {}",
                hour(*since)
            );
            return Blame::past(Some((POLICY, names[0])), words);
        }
        Stub::Possible(plugins) if names.is_empty() => {
            let plugins = enumerated(plugins, NAMED);
            let words = format!("{by_policy}, or a stub denied in the place of {plugins} (FAIL_CLOSE); neither is there now");
            return Blame::past(None, words);
        }
        _ => {}
    }
    let Some(name) = names.first().copied() else {
        return if mesh.knows(POLICY) {
            let is_idle = |policy: &Policy| of_requests(policy).is_some_and(|of| of.enforces.is_none());
            let which = if mesh.policies(POLICY, pod).any(is_idle) { " that enforces anything" } else { "" };
            let words = format!("{by_policy}, and none of action ALLOW is there now{which}");
            Blame::past(None, words).unless_held(held::allowing(mesh, pod))
        } else {
            Blame::new(
                None,
                "no rule of an AuthorizationPolicy allows them (they could not be read)",
                "let a rule of an AuthorizationPolicy of action ALLOW fit these requests",
            )
        };
    };
    if specs.iter().any(|of| of.fits_all) {
        return Blame::past(
            Some((POLICY, name)),
            format!("no rule allowed them (not a plugin), and a rule of {several} {listed} allows all now"),
        );
    }
    let why = unfulfilled(mesh, pod, failed, &specs).map(|why| format!(": {why}")).unwrap_or_default();
    let fix = format!("let a rule of {several} {listed} fit these requests, if they are to pass");
    Blame::new(Some((POLICY, name)), format!("{by_policy} (not a plugin){why}"), fix).unless_changed(mesh, failed, POLICY, &names)
}

/// Why none of the rules that allow something can fit these requests, where that is sure.
fn unfulfilled(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, specs: &[&OfRequests]) -> Option<String> {
    let is_tcp = failed.method.is_empty() && failed.reason.code == 0;
    if let Some(field) = specs.first()?.http_field.as_ref().filter(|_| is_tcp)
        && specs.iter().all(|of| of.http_field.is_some())
    {
        return Some(format!("{field} is a field of HTTP, and port {} is TCP, so they match nothing", failed.reason.to.name));
    }
    let kind = Kind::RequestAuthentication;
    let authenticates = mesh.policies(kind, pod).next().is_some();
    if !authenticates && mesh.knows(kind) && specs.iter().all(|of| of.needs_jwt) {
        return Some(format!("they want requestPrincipals, and no {kind} is there that takes a JWT"));
    }
    (authenticates && !is_tcp && specs.iter().any(|of| of.any_jwt)).then(|| "the requests carry no JWT".to_owned())
}

pub(super) fn of_requests(policy: &Policy) -> Option<&OfRequests> {
    if let PolicySpec::Requests(of) = &policy.spec { Some(of) } else { None }
}
