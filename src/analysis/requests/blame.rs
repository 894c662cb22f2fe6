//! Which object makes requests fail, and in which words.

use super::denied::{denied, jwt};
use super::mesh::Mesh;
use super::own::of_own;
use super::upstream::{of_service, said};
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::requests::{Cause, Failed, FailedReason};
use crate::model::workload::{Pod, ProxyKind};

/// How many objects are named in a sentence.
pub(super) const NAMED: usize = 3;

/// What to do about what is gone.
pub(super) const MENDED: &str = "nothing, if it was mended since";

/// What requests fail by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blame {
    /// The object; None where it is not known, or none makes them fail.
    pub object: Option<(Kind, ObjectName)>,
    /// Why, as one clause.
    pub words: String,
    /// What to do, as one clause.
    pub fix: String,
    /// Whether what made them fail is gone, by the objects.
    pub gone: bool,
    /// Whether all requests fail there, by the objects.
    pub always: bool,
}

impl Blame {
    pub(super) fn of(object: Option<(Kind, &ObjectName)>, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { object: object.map(|(kind, name)| (kind, name.clone())), words: words.into(), fix: fix.into(), ..Self::default() }
    }

    pub(super) fn now_gone(self) -> Self {
        Self { gone: true, ..self }
    }

    pub(super) fn always(self) -> Self {
        Self { always: true, ..self }
    }
}

/// What requests of a pod, or to it, fail by.
pub fn blame(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let reason = &failed.reason;
    match failed.cause {
        Cause::Denied => denied(mesh, pod, failed),
        Cause::Jwt => jwt(mesh, pod, reason),
        Cause::NoCluster => no_cluster(mesh, pod, reason),
        Cause::NoRoute => no_route(mesh, pod, reason),
        Cause::Fault => fault(mesh, pod, reason),
        Cause::BlackHole => black_hole(mesh, pod, reason),
        Cause::NoChain => Blame::of(
            None,
            "no filter chain of the listener fits the connection",
            "look at the chains of the port, and at what the client sends",
        ),
        Cause::RateLimit => of_filter(mesh, pod, reason, "ratelimit", "raise the limit of it, or send less"),
        Cause::Lua => of_filter(mesh, pod, reason, "lua", "see what its script answers, and for which requests"),
        Cause::ExtAuthz => of_filter(mesh, pod, reason, "ext_authz", "see why the authorization service of it says no, or does not answer"),
        _ if reason.to.inbound => of_own(mesh, pod, failed),
        _ => of_service(mesh, pod, failed),
    }
}

fn no_cluster(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::VirtualService;
    let routes = mesh.routes(pod, reason);
    let found: Vec<(&ObjectName, String)> =
        routes.iter().filter_map(|(name, route)| Some((*name, mesh.leads_nowhere(pod, name, route)?))).collect();
    if let [(name, _), ..] = &found[..] {
        let words: Vec<String> = found.iter().map(|(name, what)| format!("{kind} {name} {what}")).collect();
        return Blame::of(
            Some((kind, *name)),
            first(&words, NAMED),
            format!("define what it routes to, or change the route of {kind} {name}"),
        );
    }
    let named = reason.cluster.strip_prefix("outbound|").map(|_| format!("cluster {} does not exist", reason.cluster));
    let words = named.unwrap_or_else(|| "the route's cluster does not exist".to_owned());
    match routes.first().copied() {
        _ if !mesh.knows(kind) => {
            Blame::of(None, format!("{words} (VirtualServices could not be read)"), "see which VirtualService or HTTPRoute routes there")
        }
        Some((name, _)) if !mesh.knows(Kind::DestinationRule) => Blame::of(
            Some((kind, name)),
            format!("{words}; {kind} {name} routes there"),
            "see whether a DestinationRule defines its subsets",
        ),
        _ => Blame::of(None, format!("{words}; no object that is there now says so"), MENDED).now_gone(),
    }
}

fn no_route(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::VirtualService;
    match mesh.routes(pod, reason).first().copied() {
        Some((name, _)) if !reason.to.inbound => Blame::of(
            Some((kind, name)),
            format!("no route of {kind} {name} fits them"),
            format!("let a route of {kind} {name} match these requests, or add one that matches all"),
        ),
        _ => Blame::of(None, "no route fits them", "see which host and path a route is needed for"),
    }
}

fn fault(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::VirtualService;
    let routes = mesh.routes(pod, reason);
    match routes.iter().find(|(_, route)| route.faults).copied() {
        Some((name, _)) => Blame::of(
            Some((kind, name)),
            format!("{kind} {name} injects a fault"),
            format!("take fault out of {kind} {name}, if it is no test"),
        ),
        None if mesh.knows(kind) && !routes.is_empty() => {
            Blame::of(None, "a fault was injected, and no VirtualService injects one now", MENDED).now_gone()
        }
        None => Blame::of(None, "a fault was injected", "see which VirtualService or EnvoyFilter injects it"),
    }
}

/// What a filter answered that an EnvoyFilter puts into the proxy; its name in `patch.value` says what it is.
fn of_filter(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason, filter: &str, fix: &str) -> Blame {
    let kind = Kind::EnvoyFilter;
    let other = if reason.to.inbound { "SIDECAR_OUTBOUND" } else { "SIDECAR_INBOUND" };
    let adds = |policy: &&Policy| {
        let PolicySpec::EnvoyFilter(spec) = &policy.spec else { return false };
        spec.patches.iter().any(|patch| patch.applies_to_filters() && patch.value_name.contains(filter) && patch.context != other)
    };
    let names: Vec<&ObjectName> = mesh.policies(kind, pod).filter(adds).map(|policy| &policy.name).collect();
    let said = said(reason);
    match names.first().copied() {
        Some(name) => {
            let listed = first(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), NAMED);
            Blame::of(Some((kind, name)), format!("{said}, by {kind} {listed} (not a plugin)"), fix)
        }
        None => Blame::of(None, said, format!("see which {kind} or policy of the proxy does it")),
    }
}

fn black_hole(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let mode = |policy: &&Policy| {
        let selects = policy.selector.as_ref().is_none_or(|selector| selector.matches(&pod.labels));
        selects && matches!(&policy.spec, PolicySpec::Sidecar(sidecar) if sidecar.outbound_mode == "REGISTRY_ONLY")
    };
    let root = mesh.objects.root_namespace();
    let sidecar =
        [pod.id.namespace.as_str(), root].into_iter().find_map(|namespace| mesh.objects.policies_in(Kind::Sidecar, namespace).find(mode));
    let of_mesh = mesh.objects.mesh.as_deref().is_some_and(|mesh| mesh.outbound_mode == "REGISTRY_ONLY");
    let whose = match sidecar {
        Some(sidecar) => format!("REGISTRY_ONLY of Sidecar {}", sidecar.name),
        None if of_mesh => "REGISTRY_ONLY of meshConfig".to_owned(),
        None => "REGISTRY_ONLY".to_owned(),
    };
    let what = match mesh.service(reason, &pod.id.namespace) {
        Some(service) => format!("the client's proxy does not know {} {}", service.registry, service.name),
        None => "no Service or ServiceEntry is known for it".to_owned(),
    };
    let fix = "add a ServiceEntry for it, or import it in the Sidecar of the client (egress)";
    let blame =
        Blame::of(sidecar.map(|sidecar| (Kind::Sidecar, &sidecar.name)), format!("{whose} sends them to BlackHoleCluster: {what}"), fix);
    let knows = mesh.knows(Kind::Sidecar) || mesh.snapshot.absent.contains(&Kind::Sidecar);
    if sidecar.is_none() && !of_mesh && knows && mesh.objects.mesh.is_some() { blame.now_gone() } else { blame }
}

/// Whether a proxy stands at the edge, where clients of all kinds send what they like.
pub fn is_gateway(pod: &Pod) -> bool {
    pod.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar)
}
