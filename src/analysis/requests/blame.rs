//! Which object makes requests fail, and in which words.

use super::cause::{self, Denial};
use super::mesh::Mesh;
use crate::analysis::logs::words;
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::requests::{Cause, FailedReason};
use crate::model::service::Service;
use crate::model::workload::{Pod, ProxyKind};

/// How many objects are named in a sentence.
const NAMED: usize = 3;

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
}

impl Blame {
    fn of(object: Option<(Kind, &ObjectName)>, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { object: object.map(|(kind, name)| (kind, name.clone())), words: words.into(), fix: fix.into(), gone: false }
    }

    fn now_gone(self) -> Self {
        Self { gone: true, ..self }
    }
}

/// What requests of a pod, or to it, fail by.
pub fn blame(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason, cause: Cause) -> Blame {
    match cause {
        Cause::Denied => denied(mesh, pod, reason),
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
        _ if reason.to.inbound => of_own(cause, reason),
        _ => of_service(mesh, pod, reason, cause),
    }
}

fn denied(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::AuthorizationPolicy;
    match Denial::of(reason) {
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
            let allows = |policy: &&crate::model::policy::Policy| matches!(&policy.spec, PolicySpec::Requests(of) if of.allows);
            let names: Vec<&ObjectName> = mesh.policies(kind, pod).filter(allows).map(|policy| &policy.name).collect();
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
            let words = format!("no rule of {several} {listed} allows them (not a plugin)");
            Blame::of(Some((kind, name)), words, format!("let a rule of {several} {listed} fit these requests, if they are to pass"))
        }
    }
}

fn jwt(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let kind = Kind::RequestAuthentication;
    let names: Vec<String> = mesh.policies(kind, pod).map(|policy| policy.name.to_string()).collect();
    let why = cause::within(&reason.details).map(|why| format!(": {why}")).unwrap_or_default();
    let fix = "send a JWT that an issuer of it signed and that is still valid, or change its jwtRules";
    match mesh.policies(kind, pod).next() {
        Some(policy) => Blame::of(Some((kind, &policy.name)), format!("{kind} {}{why} (not a plugin)", first(&names, NAMED)), fix),
        None if mesh.knows(kind) => {
            Blame::of(None, format!("a {kind} that is gone{why}"), "nothing, if it was deleted on purpose").now_gone()
        }
        None => Blame::of(None, format!("a {kind}{why} (they could not be read)"), fix),
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
        _ => Blame::of(None, format!("{words}; no object that is there now says so"), "nothing, if it was mended since").now_gone(),
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
            Blame::of(None, "a fault was injected, and no VirtualService injects one now", "nothing, if it was mended since").now_gone()
        }
        None => Blame::of(None, "a fault was injected", "see which VirtualService or EnvoyFilter injects it"),
    }
}

fn black_hole(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let mode = |policy: &&crate::model::policy::Policy| {
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

/// What of the own workload's side failed: between the proxy and the application.
fn of_own(cause: Cause, reason: &FailedReason) -> Blame {
    let fix = "look at the application's own log, and at the port that it listens on";
    match cause {
        Cause::NoConnection => Blame::of(None, "the application takes no connection", fix),
        Cause::Closed => Blame::of(None, "the application ended the connection before it had answered", fix),
        _ => Blame::of(None, said(reason), fix),
    }
}

/// What stands in the way to a service.
fn of_service(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason, cause: Cause) -> Blame {
    let service = mesh.service(reason, &pod.id.namespace);
    let rule = service.and_then(|service| mesh.rule(pod, service));
    let of_rule = rule.map(|rule| (Kind::DestinationRule, rule.owner(None)));
    let object = service.map(|service| (service_kind(service), &service.name));
    let named = service.map_or_else(|| reason.to.name.clone(), |service| format!("{} {}", service.registry, service.name));
    let looks = |what: &str| format!("look at the pods of {named}: {what}");
    match cause {
        Cause::OtherSan => {
            let has = cause::certificate_names(reason).map(|names| format!("; the server's certificate has {names}")).unwrap_or_default();
            let wants = rule
                .and_then(|rule| rule.policy?.tls.as_ref())
                .map(|tls| tls.subject_alt_names.join(", "))
                .filter(|names| !names.is_empty());
            match (of_rule, wants) {
                (Some((kind, name)), Some(wants)) => Blame::of(
                    of_rule,
                    format!("{kind} {name} wants SAN {wants}{has}"),
                    format!("correct subjectAltNames of {kind} {name}, or leave them out"),
                ),
                _ => Blame::of(object, format!("the client wants another SAN{has}"), "see whose proxy answers there"),
            }
        }
        Cause::Tls => {
            let said = reason.transport_failure.replace('_', " ");
            let by = rule.filter(|rule| rule.policy.is_some_and(|policy| policy.tls.is_some())).and(of_rule);
            let whose = by.map(|(kind, name)| format!(" ({kind} {name} says tls)")).unwrap_or_default();
            Blame::of(
                by.or(object),
                format!("TLS to {named} failed{whose}: {said}"),
                "see which TLS the server speaks on that port, and what the client's DestinationRule says",
            )
        }
        Cause::NoConnection => Blame::of(
            object,
            format!("no connection to {named} came about"),
            looks("does one listen on the port, and does a NetworkPolicy let it through?"),
        ),
        Cause::Closed => Blame::of(
            object,
            format!("{named} ended the connection before it had answered"),
            looks("are they restarted, and what is in their log?"),
        ),
        Cause::NoEndpoint => {
            let outlier = rule.filter(|rule| rule.policy.is_some_and(|policy| policy.outlier_detection)).and(of_rule);
            match (service, outlier) {
                (_, Some((kind, name))) => Blame::of(
                    of_rule,
                    format!("no endpoint of {named} is healthy ({kind} {name} has outlierDetection)"),
                    looks("are they ready, and which of them fail?"),
                ),
                (Some(service), None) if mesh.knows(Kind::Pod) && !has_pods(mesh, service) => Blame::of(
                    object,
                    format!("no pod has the labels of {named}, so it has no endpoint"),
                    format!("start its pods, or correct the selector of {named}"),
                ),
                _ => Blame::of(object, format!("no endpoint of {named} is healthy"), looks("are they ready?")),
            }
        }
        Cause::Overflow => {
            let pool = rule.filter(|rule| rule.policy.is_some_and(|policy| policy.connection_pool)).and(of_rule);
            match pool {
                Some((kind, name)) => Blame::of(
                    pool,
                    format!("a circuit breaker is open: connectionPool of {kind} {name}"),
                    format!("raise the limits of {kind} {name}, or send less at once"),
                ),
                None => Blame::of(
                    object,
                    format!("a circuit breaker to {named} is open"),
                    "send less at once, or set the limits by a DestinationRule (connectionPool)",
                ),
            }
        }
        Cause::Late => {
            let timeout =
                mesh.routes(pod, reason).into_iter().find(|(_, route)| route.timeouts).map(|(name, _)| (Kind::VirtualService, name));
            match timeout {
                Some((kind, name)) => Blame::of(
                    timeout,
                    format!("{named} did not answer within the timeout of {kind} {name}"),
                    format!("raise the timeout of {kind} {name}, or see why the server is slow"),
                ),
                None => Blame::of(object, format!("{named} did not answer in time"), "see why the server is slow"),
            }
        }
        _ => Blame::of(None, said(reason), "see which EnvoyFilter or policy of the proxy does it"),
    }
}

fn has_pods(mesh: &Mesh<'_>, service: &Service) -> bool {
    service.selector.is_none() || mesh.objects.pods.values().any(|pod| service.selects(pod))
}

fn service_kind(service: &Service) -> Kind {
    if service.registry == crate::model::service::Registry::Kubernetes { Kind::Service } else { Kind::ServiceEntry }
}

/// What the details say in words, else the flags, else as they are written.
fn said(reason: &FailedReason) -> String {
    let of_flags = || words::flags(&reason.flags).into_iter().find_map(|(_, words)| words);
    words::details(&reason.details).or_else(of_flags).map_or_else(|| reason.details.clone(), str::to_owned)
}

/// Whether a proxy stands at the edge, where clients of all kinds send what they like.
pub fn is_gateway(pod: &Pod) -> bool {
    pod.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar)
}
