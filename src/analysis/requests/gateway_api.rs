//! Requests that a route of the Gateway API sends nowhere. Its object is not read: the access log has its name.

use super::blame::Blame;
use crate::model::ids::ObjectName;
use crate::model::log_details::LoggedRequest;
use crate::model::requests::FailedReason;

/// The code of the answer where a route of the Gateway API leads to what does not exist; that of a VirtualService answers 503
/// (`pilot/pkg/networking/core/route/route.go: applyHTTPRouteDestination`; `pilot/pkg/config/kube/gateway/conversion.go: convertHTTPRoute`).
const NOWHERE: u16 = 500;

/// The object and the place of a rule without a name of its own, by the name that istiod gives its route: `default.httpbin.0`
/// (`pilot/pkg/config/kube/gateway/conversion.go: convertHTTPRoute`).
fn rule(route: &str) -> Option<(ObjectName, usize)> {
    let (object, place) = route.rsplit_once('.')?;
    let (namespace, name) = object.split_once('.')?;
    Some((ObjectName::new(namespace, name), place.parse().ok()?))
}

/// Whether a route of the Gateway API, without a backend that takes a part of the requests, answered itself.
pub(super) fn has_no_backend(request: &LoggedRequest<'_>) -> bool {
    request.code == NOWHERE && rule(&request.route).is_some()
}

/// The rule that sent requests to a cluster that does not exist; None where it is none of the Gateway API. gRPC is answered with 200, so that the
/// route's name alone shows it.
pub(super) fn leads_nowhere(reason: &FailedReason) -> Option<Blame> {
    let rule = rule(&reason.route);
    if reason.code != NOWHERE && (reason.code >= 400 || rule.is_none()) {
        return None;
    }
    let (what, describe) = match rule {
        Some((name, place)) => {
            let describe = format!("kubectl -n {} describe httproute {} (or grpcroute)", name.namespace, name.name);
            (format!("rules[{place}] of HTTPRoute or GRPCRoute {name}"), describe)
        }
        None if reason.route.is_empty() => ("an HTTPRoute or GRPCRoute".to_owned(), "kubectl describe httproutes".to_owned()),
        None => (format!("rule {} of an HTTPRoute or GRPCRoute", reason.route), "kubectl describe httproutes".to_owned()),
    };
    let (words, fix) = match reason.details.starts_with("direct_response") {
        true => (
            format!("{what} has no backendRef with a weight, so that istiod lets the proxy answer 500"),
            format!("give a backendRef of it a weight: {describe}"),
        ),
        false => (
            format!(
                "{what} has a backendRef that leads to no Service: there is none of that name and port, or it is in another namespace \
                 without a ReferenceGrant"
            ),
            format!("correct backendRefs; condition ResolvedRefs in its status says which: {describe}"),
        ),
    };
    Some(Blame::new(None, words, format!("{fix}; the object is not read here, so that the next request alone shows that it is mended")))
}
