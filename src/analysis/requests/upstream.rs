//! What stands between a proxy and what it sends to: the application beside it, or a service.

use super::blame::{Blame, MENDED};
use super::cause;
use super::mesh::Mesh;
use crate::analysis::logs::words;
use crate::analysis::mtls::rules::Merged;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::{Cause, FailedReason};
use crate::model::routing::TrafficPolicy;
use crate::model::service::{Registry, Service};
use crate::model::workload::Pod;

const RULE: Kind = Kind::DestinationRule;

/// What of the own workload's side failed: between the proxy and the application.
pub(super) fn of_own(cause: Cause, reason: &FailedReason) -> Blame {
    let fix = "look at the application's own log, and at the port that it listens on";
    match cause {
        Cause::NoConnection => Blame::of(None, "the application takes no connection", fix),
        Cause::Closed => Blame::of(None, "the application ended the connection before it had answered", fix),
        _ => Blame::of(None, said(reason), fix),
    }
}

/// What stands in the way to a service.
pub(super) fn of_service(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason, cause: Cause) -> Blame {
    let service = mesh.service(reason, &pod.id.namespace);
    let rule = service.and_then(|service| mesh.rule(pod, service));
    let by = |says: &dyn Fn(&TrafficPolicy) -> bool| rule.and_then(|rule| by(rule, says));
    let object = service.map(|service| (service_kind(service), &service.name));
    let named = service.map_or_else(|| reason.to.name.clone(), |service| format!("{} {}", service.registry, service.name));
    let looks = |what: &str| format!("look at the pods of {named}: {what}");
    match cause {
        Cause::OtherSan => {
            let has = cause::certificate_names(reason).map(|names| format!("; the server's certificate has {names}")).unwrap_or_default();
            let names = |policy: &TrafficPolicy| policy.tls.as_ref().map(|tls| tls.subject_alt_names.join(", ")).unwrap_or_default();
            match by(&|policy| !names(policy).is_empty()) {
                Some((name, policy)) => Blame::of(
                    Some((RULE, name)),
                    format!("{RULE} {name} wants SAN {}{has}", names(policy)),
                    format!("correct subjectAltNames of {RULE} {name}, or leave them out"),
                ),
                None if mesh.knows(RULE) && service.is_some_and(|service| service.subject_alt_names.is_empty()) => {
                    Blame::of(object, format!("the client wanted another SAN{has}; no {RULE} lists one now"), MENDED).now_gone()
                }
                None => Blame::of(object, format!("the client wants another SAN{has}"), "see whose proxy answers there"),
            }
        }
        Cause::Tls => {
            let said = reason.transport_failure.replace('_', " ");
            let by = by(&|policy| policy.tls.is_some()).map(|(name, _)| (RULE, name));
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
        Cause::NoEndpoint => match (service, by(&|policy| policy.outlier_detection)) {
            (_, Some((name, _))) => Blame::of(
                Some((RULE, name)),
                format!("no endpoint of {named} is healthy ({RULE} {name} has outlierDetection)"),
                looks("are they ready, and which of them fail?"),
            ),
            (Some(service), None) if mesh.knows(Kind::Pod) && !has_pods(mesh, service) => Blame::of(
                object,
                format!("no pod has the labels of {named}, so it has no endpoint"),
                format!("start its pods, or correct the selector of {named}"),
            ),
            (None, None) if mesh.knows(Kind::Service) && reason.cluster.starts_with("outbound|") => {
                Blame::of(None, format!("no endpoint of {named} was healthy, and no service has this host now"), MENDED).now_gone()
            }
            _ => Blame::of(object, format!("no endpoint of {named} is healthy"), looks("are they ready?")),
        },
        Cause::Overflow => match by(&|policy| policy.connection_pool) {
            Some((name, _)) => Blame::of(
                Some((RULE, name)),
                format!("a circuit breaker is open: connectionPool of {RULE} {name}"),
                format!("raise the limits of {RULE} {name}, or send less at once"),
            ),
            None if mesh.knows(RULE) => {
                Blame::of(object, format!("a circuit breaker to {named} was open; no {RULE} has a connectionPool for it now"), MENDED)
                    .now_gone()
            }
            None => Blame::of(
                object,
                format!("a circuit breaker to {named} is open"),
                "send less at once, or set the limits by a DestinationRule (connectionPool)",
            ),
        },
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

/// The rule that says something for the whole or for a subset, with where it does.
fn by<'o>(rule: &Merged<'o>, says: &dyn Fn(&TrafficPolicy) -> bool) -> Option<(&'o ObjectName, &'o TrafficPolicy)> {
    let of_whole = rule.policy.map(|policy| (rule.owner(None), policy));
    let of_subsets = rule.subsets.iter().filter_map(|subset| Some((rule.owner(Some(subset)), subset.policy.as_ref()?)));
    of_whole.into_iter().chain(of_subsets).find(|(_, policy)| says(policy))
}

fn has_pods(mesh: &Mesh<'_>, service: &Service) -> bool {
    service.selector.is_none() || mesh.objects.pods.values().any(|pod| service.selects(pod))
}

fn service_kind(service: &Service) -> Kind {
    if service.registry == Registry::Kubernetes { Kind::Service } else { Kind::ServiceEntry }
}

/// What the details say in words, else the flags, else as they are written.
fn said(reason: &FailedReason) -> String {
    let of_flags = || words::flags(&reason.flags).into_iter().rev().find_map(|(_, words)| words);
    words::details(&reason.details).or_else(of_flags).map_or_else(|| reason.details.clone(), str::to_owned)
}
