//! Which RequestAuthentication does not accept the JWT of requests, and whether istiod could not fetch its keys.

use super::blame::{Blame, NAMED};
use super::cause;
use super::denied::of_requests;
use super::mesh::{Mesh, policies_for};
use crate::analysis::naming::first;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::logs::{LogTime, hour};
use crate::model::policy::{FetchedKeys, Policy};
use crate::model::requests::{Cause, Failed, LostKeys};
use crate::model::workload::Pod;

const KIND: Kind = Kind::RequestAuthentication;

pub(super) fn jwt(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let why = cause::within(&failed.reason.details).map(|why| format!(": {why}")).unwrap_or_default();
    let policies = policies_for(mesh.objects, KIND, pod);
    let names: Vec<&ObjectName> = policies.iter().map(|policy| &policy.name).collect();
    let Some(name) = names.first().copied() else {
        return if mesh.knows(KIND) {
            Blame::past(None, format!("a {KIND} that is gone{why}"))
        } else {
            Blame::new(None, format!("a {KIND}{why} (they could not be read)"), "see which RequestAuthentication is for the workload")
        };
    };
    let fetched: Vec<(&ObjectName, &FetchedKeys)> =
        if lacks_key(&failed.reason.details) { fetched(&policies).collect() } else { Vec::new() };
    let requests = mesh.snapshot.dump(&pod.id).and_then(|loaded| loaded.vitals.as_ref()?.requests.as_ref());
    let lost = requests.map(|requests| requests.lost_keys.as_slice()).unwrap_or_default();
    let is_lost = |(name, keys): &(&'_ ObjectName, &FetchedKeys)| {
        Some(((*name).clone(), (*keys).clone(), lost.iter().find(|lost| lost.source == keys.value)?))
    };
    if let Some((name, keys, lost)) = fetched.iter().find_map(is_lost) {
        return without_keys(&name, &keys, lost, &why).unless_changed(mesh, failed, KIND, &[&name]);
    }
    let fields: Vec<String> = fetched.iter().map(|(_, keys)| keys.field.clone()).collect();
    let listed = first(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), NAMED);
    let (or, fix) = match first(&fields, NAMED) {
        of if of.is_empty() => (of, "send a JWT that an issuer of it signed and that is still valid, or change its jwtRules".to_owned()),
        of => (
            format!(", or the keys of {of} could not be fetched"),
            format!("send a JWT that an issuer of it signed, and see whether istiod logs that it failed to refresh the keys of {of}"),
        ),
    };
    Blame::new(Some((KIND, name)), format!("{KIND} {listed}{why}{or} (not a plugin)"), fix).unless_changed(mesh, failed, KIND, &names)
}

/// Keys that istiod could not fetch: it gives the proxy one in their place by which no JWT is valid.
fn without_keys(name: &ObjectName, keys: &FetchedKeys, lost: &LostKeys, why: &str) -> Blame {
    let FetchedKeys { field, value } = keys;
    let words = format!("{KIND} {name}: istiod could not fetch the keys of {field} ({value}), so that no JWT is valid{why} (not a plugin)");
    let fix = format!("correct {field} of {KIND} {name}, or let istiod reach {value}");
    let at = |time: LogTime| format!(" at {}", hour(time));
    let line = format!("log of istiod{}: {}", lost.time.map(at).unwrap_or_default(), lost.line);
    Blame::new(Some((KIND, name)), words, fix).shown_by(vec![line])
}

fn fetched<'o>(policies: &[&'o Policy]) -> impl Iterator<Item = (&'o ObjectName, &'o FetchedKeys)> {
    let specs = policies.iter().filter_map(|policy| Some((&policy.name, of_requests(policy)?)));
    specs.flat_map(|(name, of)| of.fetched_keys.iter().map(move |keys| (name, keys)))
}

/// Where istiod fetches the keys from that requests to a proxy lacked; none where none failed for lack of a key.
pub fn key_sources(objects: &Inventory, proxy: &ProxyId, failed: &[Failed]) -> Vec<String> {
    let lacks = |group: &Failed| group.cause == Cause::Jwt && lacks_key(&group.reason.details);
    let Some(pod) = objects.pods.get(proxy).filter(|_| failed.iter().any(lacks)) else { return Vec::new() };
    fetched(&policies_for(objects, KIND, pod)).map(|(_, keys)| keys.value.clone()).collect()
}

/// Whether Envoy had no key that fits: where istiod cannot fetch them, it gives it one that fits nothing
/// (`pilot/pkg/model/jwks_resolver.go: BuildLocalJwks`; the words are those of `jwt_verify_lib/status.cc`).
fn lacks_key(details: &str) -> bool {
    details.contains("Jwks") || details.contains("verification_fails")
}
