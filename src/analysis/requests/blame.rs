//! Which object makes requests fail, whether it still does, and in which words.

use std::collections::BTreeSet;

use super::black_hole::black_hole;
use super::denied::denied;
use super::filters::of_filter;
use super::gateway_api;
use super::held;
use super::jwt::jwt;
use super::mesh::Mesh;
use super::own::of_own;
use super::routes::{Route, Routes};
use super::upstream::of_service;
use crate::analysis::control_plane;
use crate::analysis::naming::first;
use crate::model::envoy_filter::Patch;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::logs::hour;
use crate::model::requests::{Cause, Failed};
use crate::model::workload::{Pod, ProxyKind};

/// How many objects are named in a sentence.
pub(super) const NAMED: usize = 3;

/// What to do where the objects no longer make requests fail.
pub const MENDED: &str = "nothing, if requests pass now";
/// What to do where a change of the objects has not reached the proxy.
pub const REACH: &str = "see why the change does not reach the proxy: its connection to istiod, and what it refused";

/// What requests fail by.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blame {
    /// The object; None where it is not known, or none makes them fail.
    pub object: Option<(Kind, ObjectName)>,
    /// Why, as one clause.
    pub words: String,
    /// What to do, as one clause.
    pub fix: String,
    /// What else shows it: fields of objects, a line of istiod's log.
    pub evidence: Vec<String>,
    /// Whether the objects no longer make such requests fail, or were changed since.
    pub past: bool,
    /// Whether all such requests fail now, by the objects.
    pub always: bool,
}

impl Blame {
    pub(super) fn new(object: Option<(Kind, &ObjectName)>, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { object: object.map(|(kind, name)| (kind, name.clone())), words: words.into(), fix: fix.into(), ..Self::default() }
    }

    /// A cause that the objects no longer give.
    pub(super) fn past(object: Option<(Kind, &ObjectName)>, words: impl Into<String>) -> Self {
        Self { past: true, ..Self::new(object, words, MENDED) }
    }

    /// The same with what shows it.
    pub(super) fn shown_by(self, evidence: Vec<String>) -> Self {
        Self { evidence, ..self }
    }

    /// The same where the proxy's own dump still has what the objects no longer ask for, as `held` says: such requests still fail.
    pub(super) fn unless_held(self, held: Option<String>) -> Self {
        match held {
            Some(held) if self.past => Self { past: false, words: format!("{}; {held}", self.words), fix: REACH.to_owned(), ..self },
            _ => self,
        }
    }

    pub(super) fn always(self) -> Self {
        Self { always: true, ..self }
    }

    /// The same where one of these objects was changed after the last failure: whether it still makes such requests fail is shown by the next
    /// request alone.
    pub(super) fn unless_changed(self, mesh: &Mesh<'_>, failed: &Failed, kind: Kind, names: &[&ObjectName]) -> Self {
        let changed = names.iter().filter_map(|name| Some((mesh.changed_since(failed, kind, name)?, *name))).max();
        match changed {
            Some((time, name)) if !self.past && !self.always => {
                let words = format!("{}; {kind} {name} was changed since, at {}", self.words, hour(time));
                Self { words, past: true, ..self }
            }
            _ => self,
        }
    }
}

/// What requests of a pod, or to it, fail by.
pub fn blame(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let reason = &failed.reason;
    match failed.cause {
        Cause::Denied => denied(mesh, pod, failed),
        Cause::Jwt => jwt(mesh, pod, failed),
        Cause::NoCluster => no_cluster(mesh, pod, failed),
        Cause::NoRoute => no_route(mesh, pod, failed),
        Cause::Fault => fault(mesh, pod, failed),
        Cause::BlackHole => black_hole(mesh, pod, reason),
        Cause::NoChain => Blame::new(
            None,
            "no filter chain of the listener fits the connection",
            "look at the chains of the port, and at what the client sends",
        ),
        Cause::OldHttp => old_http(mesh, pod),
        cause if cause.is_of_filter() => of_filter(mesh, pod, failed),
        _ if reason.to.inbound => of_own(mesh, pod, failed),
        _ => of_service(mesh, pod, failed),
    }
}

fn no_cluster(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let (kind, reason) = (Kind::VirtualService, &failed.reason);
    if let Some(blame) = gateway_api::leads_nowhere(reason) {
        return blame;
    }
    let routes = mesh.routes(pod, failed);
    let nowhere = |route: &Route<'_>| {
        let where_to = mesh.leads_nowhere(pod, route.name, route.rule)?;
        Some((route.name.clone(), route.sure, format!("{} {where_to}", route.leads_to())))
    };
    let found: Vec<(ObjectName, bool, String)> = routes.taken.iter().filter_map(nowhere).collect();
    if let [(name, sure, _), ..] = &found[..] {
        let words: BTreeSet<String> = found.iter().map(|(.., words)| words.clone()).collect();
        let fix = format!("define what it routes to, or change the route of {kind} {name}");
        let blame = Blame::new(Some((kind, name)), first(&Vec::from_iter(words), NAMED), fix);
        return if *sure { blame.always() } else { blame };
    }
    let cluster = reason.cluster.strip_prefix("outbound|").map_or("the route's cluster", |_| &reason.cluster);
    match routes.by.first() {
        _ if !mesh.knows(kind) => Blame::new(
            None,
            format!("{cluster} does not exist (VirtualServices could not be read)"),
            "see which VirtualService or HTTPRoute routes there",
        ),
        Some(name) if !mesh.knows(Kind::DestinationRule) => Blame::new(
            Some((kind, name)),
            format!("{cluster} does not exist; {kind} {name} routes there"),
            "see whether a DestinationRule defines its subsets",
        ),
        _ => Blame::past(None, format!("{cluster} did not exist; no {kind} routes them to what does not exist now"))
            .unless_held(held::dead_route(mesh, pod, reason)),
    }
}

fn no_route(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let (kind, inbound) = (Kind::VirtualService, failed.reason.to.inbound);
    let routes = if inbound { Routes::default() } else { mesh.routes(pod, failed) };
    match routes.by.first() {
        Some(_) if !is_gateway(pod) && routes.complete => {
            let (name, text) = routes.taken.first().map(|route| (route.name, route.text())).unzip();
            let words = format!("no route fitted them, and {} has one for them now", text.unwrap_or_default());
            Blame::past(name.map(|name| (kind, name)), words)
        }
        Some(name) => {
            let words = format!("no route of {kind} {name} fits them");
            let fix = format!("let a route of {kind} {name} match these requests, or add one that matches all");
            Blame::new(Some((kind, name)), words, fix).unless_changed(mesh, failed, kind, &routes.by)
        }
        // Without a VirtualService a sidecar has a route of its own for each host, and one for hosts that it does not know
        // (`pilot/pkg/networking/core/httproute.go: buildCatchAllVirtualHost`).
        None if !inbound && mesh.knows(kind) && !is_gateway(pod) && !mesh.may_patch(pod, Patch::applies_to_routes) => {
            Blame::past(None, format!("no route fitted them, and no {kind} limits their routes now"))
        }
        None => Blame::new(None, "no route fits them", "see which host and path a route is needed for"),
    }
}

fn fault(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let kind = Kind::VirtualService;
    let routes = mesh.routes(pod, failed);
    match routes.taken.iter().find(|route| route.has(|rule| rule.fault)) {
        Some(route) => Blame::new(
            Some((kind, route.name)),
            format!("{} {} a fault", route.text(), if route.sure { "injects" } else { "may inject" }),
            format!("remove fault from {kind} {}, if it is no test", route.name),
        )
        .unless_changed(mesh, failed, kind, &[route.name]),
        None if mesh.knows(kind) && !mesh.may_patch(pod, |patch| patch.applies_to_routes() || patch.value_name.contains("fault")) => {
            Blame::past(None, "a fault was injected, and no VirtualService injects one now")
        }
        None => Blame::new(None, "a fault was injected", "see which VirtualService or EnvoyFilter injects it"),
    }
}

/// Envoy answers such requests with 426 unless it is told to accept them (`pilot/pkg/features/pilot.go: HTTP10`).
fn old_http(mesh: &Mesh<'_>, pod: &Pod) -> Blame {
    if control_plane::features(Some(pod), mesh.objects).http10 {
        return Blame::past(None, "the proxy accepted no HTTP/1.0, which istiod lets it accept now (PILOT_HTTP10)");
    }
    let fix = "let the client speak HTTP/1.1 (nginx: proxy_http_version 1.1), or set PILOT_HTTP10 to true in istiod's environment";
    Blame::new(None, "the client speaks HTTP/1.0, which the proxy does not accept", fix)
}

/// Whether a proxy is a gateway, to which clients of all kinds send what they like.
pub fn is_gateway(pod: &Pod) -> bool {
    pod.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar)
}
