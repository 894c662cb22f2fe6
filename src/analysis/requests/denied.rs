//! Which AuthorizationPolicy or RequestAuthentication denies requests, and what of it they do not fulfil.

use super::blame::{Blame, NAMED};
use super::cause::{self, Denial};
use super::mesh::Mesh;
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{OfRequests, Policy, PolicySpec};
use crate::model::requests::{Failed, FailedReason};
use crate::model::workload::Pod;

pub(super) fn denied(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let kind = Kind::AuthorizationPolicy;
    match Denial::of(&failed.reason) {
        Some(Denial::Rule(name, rule)) => {
            let words = format!("{kind} {name}, rule {rule} (not a plugin)");
            let fix = format!("if these requests are to pass, change rule {rule} of {kind} {name}");
            let there = mesh.objects.policies.contains_key(&(kind, name.clone()));
            match there {
                false if mesh.knows(kind) => {
                    Blame::of(Some((kind, &name)), format!("{words}, which is gone"), "nothing, if it was deleted on purpose").now_gone()
                }
                false => Blame::of(Some((kind, &name)), format!("{words}; the object could not be read, its name is the log's"), fix),
                true => Blame::of(Some((kind, &name)), words, fix),
            }
        }
        Some(Denial::Other(name)) => Blame::of(
            None,
            format!("RBAC policy {name} of the proxy (not a plugin)"),
            "find the object that makes it in the proxy's chains",
        ),
        Some(Denial::None) | None => {
            let allowing = mesh.policies(kind, pod).filter_map(|policy| Some((&policy.name, of_requests(policy).filter(|of| of.allows)?)));
            let (names, specs): (Vec<&ObjectName>, Vec<&OfRequests>) = allowing.unzip();
            let Some(name) = names.first().copied() else {
                let blame = Blame::of(
                    None,
                    "no rule of an AuthorizationPolicy allows them",
                    "let a rule of an AuthorizationPolicy of action ALLOW fit these requests",
                );
                return if mesh.knows(kind) {
                    Blame { words: format!("{}, and none of action ALLOW is there now", blame.words), ..blame }.now_gone()
                } else {
                    blame
                };
            };
            let several = if names.len() == 1 { "AuthorizationPolicy" } else { "AuthorizationPolicies" };
            let listed = first(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), NAMED);
            let why = unfulfilled(mesh, pod, failed, &specs).map(|why| format!(": {why}")).unwrap_or_default();
            let words = format!("no rule of {several} {listed} allows them (not a plugin){why}");
            Blame::of(Some((kind, name)), words, format!("let a rule of {several} {listed} fit these requests, if they are to pass"))
        }
    }
}

pub(super) fn jwt(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::RequestAuthentication;
    let names: Vec<String> = mesh.policies(kind, pod).map(|policy| policy.name.to_string()).collect();
    let why = cause::within(&reason.details).map(|why| format!(": {why}")).unwrap_or_default();
    let fetched = mesh.policies(kind, pod).filter_map(of_requests).flat_map(|of| of.fetched_keys.iter().cloned());
    let fetched: Vec<String> = if lacks_key(&reason.details) { fetched.collect() } else { Vec::new() };
    let (or, fix) = match first(&fetched, NAMED) {
        of if of.is_empty() => (of, "send a JWT that an issuer of it signed and that is still valid, or change its jwtRules".to_owned()),
        of => (
            format!(", or the keys of {of} could not be fetched"),
            format!("send a JWT that an issuer of it signed, and see whether istiod logs that it failed to refresh the keys of {of}"),
        ),
    };
    match mesh.policies(kind, pod).next() {
        Some(policy) => Blame::of(Some((kind, &policy.name)), format!("{kind} {}{why}{or} (not a plugin)", first(&names, NAMED)), fix),
        None if mesh.knows(kind) => {
            Blame::of(None, format!("a {kind} that is gone{why}"), "nothing, if it was deleted on purpose").now_gone()
        }
        None => Blame::of(None, format!("a {kind}{why} (they could not be read)"), fix),
    }
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

fn of_requests(policy: &Policy) -> Option<&OfRequests> {
    if let PolicySpec::Requests(of) = &policy.spec { Some(of) } else { None }
}

/// Whether Envoy had no key that fits: where istiod cannot fetch them, it gives it one that fits nothing
/// (`pilot/pkg/model/jwks_resolver.go: BuildLocalJwks`; the words are those of `jwt_verify_lib/status.cc`).
fn lacks_key(details: &str) -> bool {
    details.contains("Jwks") || details.contains("verification_fails")
}
