//! What stands between a proxy and a service that it sends to.

use super::blame::{Blame, MENDED};
use super::cause;
use super::endpoints::{kind_of, none_healthy};
use super::mesh::Mesh;
use crate::analysis::logs::words;
use crate::analysis::mtls::rules::Merged;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::{Cause, Failed, FailedReason};
use crate::model::routing::TrafficPolicy;
use crate::model::workload::Pod;

const RULE: Kind = Kind::DestinationRule;

/// What stands in the way to a service.
pub(super) fn of_service(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let reason = &failed.reason;
    let service = mesh.service(reason, &pod.id.namespace);
    let rule = service.and_then(|service| mesh.rule(pod, service));
    let by = |says: &dyn Fn(&TrafficPolicy) -> bool| rule.and_then(|rule| by(rule, says));
    let object = service.map(|service| (kind_of(service), &service.name));
    let named = service.map_or_else(|| reason.to.name.clone(), |service| format!("{} {}", service.registry, service.name));
    let looks = |what: &str| format!("look at the pods of {named}: {what}");
    match failed.cause {
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
        // Endpoints that are no pods.
        Cause::NoConnection | Cause::Closed if service.is_some_and(|service| service.selector.is_none()) => {
            let at = if failed.upstream.is_empty() { named.clone() } else { format!("{} of {named}", failed.upstream) };
            let words = match failed.cause {
                Cause::Closed => format!("{at} ended the connection before it had answered"),
                _ if failed.rejected => format!("{at} rejects connections"),
                _ => format!("no connection to {at} came about"),
            };
            let fix = match failed.cause {
                Cause::Closed => "see what the server logs, and whether it speaks the protocol of the port",
                _ => "see whether the server listens there, and whether a firewall lets the client's node through",
            };
            Blame::of(object, words, fix)
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
        Cause::NoEndpoint => none_healthy(mesh, pod, reason, by(&|policy| policy.outlier_detection).map(|(name, _)| name)),
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

/// What the details say in words, else the flags, else as they are written.
pub(super) fn said(reason: &FailedReason) -> String {
    let of_flags = || words::flags(&reason.flags).into_iter().rev().find_map(|(_, words)| words);
    words::details(&reason.details).or_else(of_flags).map_or_else(|| reason.details.clone(), str::to_owned)
}
