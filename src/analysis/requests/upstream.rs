//! What makes a proxy's requests to a service fail, and whether the objects still do.

use super::black_hole;
use super::blame::Blame;
use super::cause;
use super::endpoints::{kind_of, none_healthy};
use super::gateway::not_programmed;
use super::gather::{host, port};
use super::mesh::Mesh;
use super::routes::Route;
use super::tls;
use crate::analysis::chains::Facts;
use crate::analysis::logs::words;
use crate::analysis::mtls::rules::Merged;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::{Cause, Failed, FailedReason};
use crate::model::routing::TrafficPolicy;
use crate::model::service::{Registry, Service};
use crate::model::workload::Pod;

/// Where a sidecar sends connections to what it does not know (`pilot/pkg/networking/util/util.go: PassthroughCluster`).
const PASSTHROUGH: &str = "PassthroughCluster";
const RULE: Kind = Kind::DestinationRule;

/// The service that requests were sent to, with its object and its name in sentences.
struct Upstream<'o> {
    service: Option<&'o Service>,
    object: Option<(Kind, &'o ObjectName)>,
    named: String,
}

/// What makes requests to a service fail.
pub(super) fn of_service(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let reason = &failed.reason;
    let service = mesh.service(reason, &pod.id.namespace);
    let rule = service.and_then(|service| mesh.rule(pod, service));
    let by = |says: &dyn Fn(&TrafficPolicy) -> bool| rule.and_then(|rule| by(rule, says));
    let object = service.map(|service| (kind_of(service), &service.name));
    let named = service.map_or_else(|| reason.to.name.clone(), |service| format!("{} {}", service.registry, service.name));
    let to = Upstream { service, object, named };
    let blame = match failed.cause {
        Cause::OtherSan => other_san(mesh, failed, &to, by(&|policy| !wanted_names(policy).is_empty())),
        Cause::Tls => of_tls(mesh, failed, &to, by(&|policy| policy.tls.is_some()).map(|(name, _)| name)),
        Cause::NoConnection | Cause::Closed => connection(mesh, pod, failed, &to),
        Cause::NoEndpoint => none_healthy(mesh, pod, failed, by(&|policy| policy.outlier_detection).map(|(name, _)| name)),
        Cause::Overflow => overflow(mesh, failed, &to, by(&|policy| policy.connection_pool).map(|(name, _)| name)),
        Cause::Late => late(mesh, pod, failed, &to),
        _ => Blame::new(None, said(reason), "see which EnvoyFilter or policy of the proxy does it"),
    };
    // A cluster whose service is gone is gone as well.
    if service.is_none() && !blame.past && reason.cluster.starts_with("outbound|") && mesh.knows_services() {
        return Blame::past(None, format!("{}; no Service or ServiceEntry has this host now", blame.words));
    }
    blame
}

fn wanted_names(policy: &TrafficPolicy) -> &[String] {
    policy.tls.as_ref().map(|tls| tls.subject_alt_names.as_slice()).unwrap_or_default()
}

fn other_san(mesh: &Mesh<'_>, failed: &Failed, to: &Upstream<'_>, by: Option<(&ObjectName, &TrafficPolicy)>) -> Blame {
    let names = cause::certificate_names(&failed.reason);
    let has = names.map(|names| format!("; the server's certificate has {names}")).unwrap_or_default();
    let has_one = |wanted: &[String]| {
        names.is_some_and(|names| names.split(',').any(|name| wanted.iter().any(|one| one == name.trim_matches([' ', '_']))))
    };
    match by {
        Some((name, policy)) if has_one(wanted_names(policy)) => {
            Blame::past(Some((RULE, name)), format!("the client wanted another SAN{has}, which {RULE} {name} lists now"))
        }
        Some((name, policy)) => {
            let words = format!("{RULE} {name} wants SAN {}{has}", wanted_names(policy).join(", "));
            let blame = Blame::new(Some((RULE, name)), words, format!("correct subjectAltNames of {RULE} {name}, or remove them"));
            if names.is_some() { blame.always() } else { blame.unless_changed(mesh, failed, RULE, &[name]) }
        }
        // Without a rule the client accepts the identities of the service's pods (`pilot/pkg/model/push_context.go: addServiceAccounts`).
        None if mesh.knows(RULE)
            && to.service.is_some_and(|service| has_one(&service.subject_alt_names) || is_of_pods(mesh, service, names)) =>
        {
            Blame::past(to.object, format!("the client wanted another SAN{has}, and no {RULE} lists one now"))
        }
        None => Blame::new(to.object, format!("the client wants another SAN{has}"), "see whose proxy answers there"),
    }
}

/// Whether a certificate is that of a service account of the service's pods, in whichever trust domain.
fn is_of_pods(mesh: &Mesh<'_>, service: &Service, names: Option<&str>) -> bool {
    let mut pods = mesh.objects.pods.values().filter(|pod| service.selects(pod));
    pods.any(|pod| {
        let path = pod.service_account.as_ref().map(|account| format!("/ns/{}/sa/{account}", pod.id.namespace));
        path.zip(names).is_some_and(|(path, names)| names.split(',').any(|name| name.trim_matches([' ', '_']).ends_with(&path)))
    })
}

fn of_tls(mesh: &Mesh<'_>, failed: &Failed, to: &Upstream<'_>, by: Option<&ObjectName>) -> Blame {
    let (named, said) = (&to.named, tls::said(&failed.reason));
    let fix = tls::fix(&said, named, by)
        .unwrap_or_else(|| format!("see which TLS the server speaks on that port, and what the client's {RULE} sets"));
    match by {
        Some(name) => Blame::new(Some((RULE, name)), format!("TLS to {named} failed ({RULE} {name} sets tls): {said}"), fix)
            .unless_changed(mesh, failed, RULE, &[name]),
        // Auto mutual TLS sends plain text to what has no proxy, so that the client began TLS by a rule.
        None if mesh.knows(RULE) && to.service.is_some() && said.contains("WRONG VERSION NUMBER") => {
            Blame::past(to.object, format!("TLS to {named} failed, and no {RULE} sets tls for it now: {said}"))
        }
        None => Blame::new(to.object, format!("TLS to {named} failed: {said}"), fix),
    }
}

fn connection(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, to: &Upstream<'_>) -> Blame {
    let named = &to.named;
    let of_objects = to.service.is_some_and(|service| service.selector.is_none());
    let at = if failed.upstream.is_empty() || !of_objects { named.clone() } else { format!("{} of {named}", failed.upstream) };
    let words = match failed.cause {
        Cause::Closed => format!("{at} ended the connection before it answered"),
        _ if failed.rejected && of_objects => format!("{at} rejects connections"),
        _ => format!("no connection to {at} could be made"),
    };
    // To what a proxy does not know it connects by the address that the client used, which may be the service's own.
    let by_endpoint = failed.reason.cluster.starts_with("outbound|");
    if by_endpoint && to.service.is_some_and(|service| is_gone(mesh, service, &failed.upstream)) {
        return Blame::past(to.object, format!("{words}; it went to {}, which is no endpoint of {named} now", failed.upstream));
    }
    if let Some(service) = to.service.filter(|_| failed.reason.cluster == PASSTHROUGH) {
        return match black_hole::unreached(Facts::of(mesh.objects, pod, None, None).as_ref(), service, &failed.reason) {
            Some(black_hole::Unreached { what, shows }) => {
                let words = format!("{words}; {what}, so {PASSTHROUGH} sends them on as they come");
                let fix = format!("let the client's proxy know {named}: exportTo, and egress of its Sidecar");
                Blame::new(to.object, words, fix).shown_by(shows.into_iter().collect())
            }
            None => Blame::past(to.object, format!("{words}; {PASSTHROUGH} took them, and the client's proxy knows {named} now")),
        };
    }
    if failed.cause == Cause::NoConnection
        && let Some(blame) = to.service.and_then(|service| not_programmed(mesh, service, &failed.reason))
    {
        return blame;
    }
    let fix = match (failed.cause, of_objects) {
        (Cause::Closed, true) => "see what the server logs, and whether it speaks the protocol of the port".to_owned(),
        (_, true) => "see whether the server listens there, and whether a firewall lets the client's node through".to_owned(),
        (Cause::Closed, false) => format!("look at the pods of {named}: are they restarted, and what is in their log?"),
        (_, false) => format!("look at the pods of {named}: does one listen on the port, and does a NetworkPolicy let it through?"),
    };
    Blame::new(to.object, words, fix)
}

/// Whether an address was that of an endpoint of a service, and is none now: its pod is gone, as in a roll-out, or the object names others.
fn is_gone(mesh: &Mesh<'_>, service: &Service, upstream: &str) -> bool {
    let address = host(upstream);
    if address.is_empty() || address.parse::<core::net::IpAddr>().is_err() {
        return false;
    }
    if service.selector.is_some() {
        let mut pods = mesh.objects.pods.values().filter(|pod| service.selects(pod) && !pod.deleting);
        return mesh.knows(Kind::Pod) && !pods.any(|pod| pod.ips.iter().any(|own| own == address));
    }
    // Endpoints of a Service without a selector are in EndpointSlices; a name can resolve to any address.
    let are_addresses = service.endpoints.iter().all(|endpoint| endpoint.address.parse::<core::net::IpAddr>().is_ok());
    let is_listed =
        || service.endpoints.iter().any(|endpoint| endpoint.address == address) || service.addresses.iter().any(|own| own == address);
    service.registry == Registry::ServiceEntry && !service.endpoints.is_empty() && are_addresses && !is_listed() && port(upstream).is_some()
}

fn overflow(mesh: &Mesh<'_>, failed: &Failed, to: &Upstream<'_>, by: Option<&ObjectName>) -> Blame {
    let named = &to.named;
    if failed.reason.flags.split(',').any(|flag| flag == "OM") {
        return Blame::new(
            None,
            "the overload manager of the proxy rejects them",
            "see the memory and connections of the proxy, and its limits",
        );
    }
    match by {
        Some(name) => {
            let words = format!("a circuit breaker is open: connectionPool of {RULE} {name}");
            let fix = format!("raise the limits of {RULE} {name}, or send less at once");
            Blame::new(Some((RULE, name)), words, fix).unless_changed(mesh, failed, RULE, &[name])
        }
        None if mesh.knows(RULE) => {
            Blame::past(to.object, format!("a circuit breaker to {named} was open; no {RULE} has a connectionPool for it now"))
        }
        None => Blame::new(
            to.object,
            format!("a circuit breaker to {named} is open"),
            "send less at once, or set the limits by a DestinationRule (connectionPool)",
        ),
    }
}

fn late(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, to: &Upstream<'_>) -> Blame {
    let (named, kind) = (&to.named, Kind::VirtualService);
    match mesh.routes(pod, failed).taken.into_iter().find(|route| route.has(|rule| rule.timeout)) {
        Some(route @ Route { name, .. }) => Blame::new(
            Some((kind, name)),
            format!("{named} did not answer within the timeout{} of {}", if route.sure { "" } else { ", which may be that" }, route.text()),
            format!("raise the timeout of {kind} {name}, or see why the server is slow"),
        )
        .unless_changed(mesh, failed, kind, &[name]),
        None => Blame::new(to.object, format!("{named} did not answer in time"), "see why the server is slow"),
    }
}

/// The rule that says something for the whole or for a subset, with where it does.
fn by<'o>(rule: &Merged<'o>, says: &dyn Fn(&TrafficPolicy) -> bool) -> Option<(&'o ObjectName, &'o TrafficPolicy)> {
    let of_whole = rule.policy.map(|policy| (rule.owner(None), policy));
    let of_subsets = rule.subsets.iter().filter_map(|subset| Some((rule.owner(Some(subset)), subset.policy.as_ref()?)));
    of_whole.into_iter().chain(of_subsets).find(|(_, policy)| says(policy))
}

/// What the details say in words, else the flags, else as they are written.
pub(super) fn said(reason: &FailedReason) -> String {
    let of_flags = || words::flags(&reason.flags).into_iter().rev().find_map(|(_, words)| words);
    words::details(&reason.details).or_else(of_flags).map_or_else(|| reason.details.clone(), str::to_owned)
}
