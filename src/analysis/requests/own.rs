//! What fails between a proxy and its own application: the object that sends requests to a port where nothing listens, or by a protocol that
//! the application does not speak.

use super::blame::Blame;
use super::gather::port;
use super::mesh::Mesh;
use super::upstream::said;
use crate::analysis::protocol::Protocol;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::requests::{Cause, Failed};
use crate::model::service::{Service, ServicePort};
use crate::model::sidecar::Ingress;
use crate::model::workload::Pod;

/// The port of the sidecar's own metrics, by its name (`pkg/kube/inject`).
const OF_PROXY: &str = "http-envoy-prom";

/// What makes requests fail that the proxy sends to its own application.
pub(super) fn of_own(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    match failed.cause {
        Cause::NoConnection => no_connection(mesh, pod, failed),
        Cause::Closed => closed(mesh, pod, failed),
        _ => Blame::new(None, said(&failed.reason), "look at the application's own log, and at the port that it listens on"),
    }
}

fn no_connection(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let where_to = if failed.rejected { "where nothing listens" } else { "which takes no connection" };
    let number = port(&failed.upstream);
    if let Some((name, index, ingress)) = ingress(mesh, pod, failed)
        && is_at(&ingress.endpoint, &failed.upstream)
    {
        let (kind, field, endpoint) = (Kind::Sidecar, format!("ingress[{index}].defaultEndpoint"), &ingress.endpoint);
        return Blame::new(
            Some((kind, name)),
            format!("{kind} {name} sends port {} to {endpoint}, {where_to} ({field})", ingress.port),
            format!("correct {field} of {kind} {name}, or let the application listen there"),
        );
    }
    let declared: Vec<u16> = pod.container_ports.iter().filter(|port| port.name != OF_PROXY).map(|port| port.number).collect();
    let leading =
        number.filter(|port| !declared.is_empty() && !declared.contains(port)).and_then(|port| Some((port, leading_to(mesh, pod, port)?)));
    if let Some((port, (service, of))) = leading {
        let (name, numbers) = (&service.name, declared.iter().map(u16::to_string).collect::<Vec<_>>().join(", "));
        return Blame::new(
            Some((Kind::Service, name)),
            format!("Service {name} leads to port {port}, {where_to}; the container declares {numbers}"),
            format!("correct targetPort of port {} of Service {name}, or let the application listen on {port}", of.port),
        );
    }
    if let Some(port) = number.filter(|port| leads_nowhere(mesh, pod, failed, *port)) {
        return Blame::past(
            None,
            format!("requests went to port {port} of the application, {where_to}, and no object sends them there now"),
        );
    }
    if pod.ready && mesh.is_since(pod.ready_since, failed) {
        return Blame::past(None, "the application took no connection before its pod was ready");
    }
    let log = "look at the application's own log";
    match number {
        Some(port) if failed.rejected => Blame::new(
            None,
            format!("nothing listens on port {port} of the application"),
            format!("{log}: does it run, and does it listen on port {port} of all addresses, and not of 127.0.0.1 alone?"),
        ),
        _ => Blame::new(None, "the application takes no connection", format!("{log}, and at the port that it listens on")),
    }
}

fn closed(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Blame {
    let fix = "look at the application's own log, and at the port that it listens on";
    let ended = "the application ended the connection before it had answered";
    let by_protocol = failed.reason.flags.split(',').any(|flag| flag == "UPE");
    let (object, named, correct) = match speaks_http2(mesh, pod, failed) {
        Some(found) => found,
        None if by_protocol => {
            return Blame::new(None, "what the application answers breaks the protocol that the proxy speaks to it", fix);
        }
        None => return Blame::new(None, ended, fix),
    };
    let object = Some((object.0, object.1));
    if by_protocol {
        let words = format!("{named}, so the proxy speaks HTTP/2, which the application does not");
        return Blame::new(object, words, format!("{correct}, or let the application speak HTTP/2")).always();
    }
    Blame::new(None, ended, format!("{fix}; {named}, so the proxy speaks HTTP/2 to it: does the application?"))
}

type Named<'o> = ((Kind, &'o ObjectName), String, String);

/// What makes the proxy speak HTTP/2 to the application, and what to do about it
/// (`pilot/pkg/networking/core/cluster_builder.go: setUpstreamProtocol`; `pkg/config/protocol/instance.go: IsHTTP2`).
fn speaks_http2<'o>(mesh: &Mesh<'o>, pod: &Pod, failed: &Failed) -> Option<Named<'o>> {
    let is_http2 = |protocol| matches!(protocol, Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb);
    let version = mesh.version;
    if let Some((name, index, ingress)) = ingress(mesh, pod, failed) {
        let kind = Kind::Sidecar;
        return is_http2(Protocol::parse(&ingress.protocol, version)).then(|| {
            let field = format!("ingress[{index}].port.protocol");
            ((kind, name), format!("{field} of {kind} {name} is {}", ingress.protocol), format!("set {field} of {kind} {name} to HTTP"))
        });
    }
    let number = port(&failed.upstream).or_else(|| failed.reason.to.name.parse().ok())?;
    let (service, port) = leading_to(mesh, pod, number)?;
    let whose = format!("port {} of Service {}", port.port, service.name);
    is_http2(Protocol::of_port(port, service.registry, version)).then(|| {
        let object = (Kind::Service, &service.name);
        if port.app_protocol.is_empty() {
            (object, format!("{whose} is named {}", port.name), "name the port http, or http-…".to_owned())
        } else {
            (object, format!("{whose} has appProtocol {}", port.app_protocol), "set appProtocol to http".to_owned())
        }
    })
}

/// Whether requests went to a port to which no Service and no Sidecar sends them now. Where no Service declares a port, the client chose it.
fn leads_nowhere(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed, port: u16) -> bool {
    let is_declared = failed.reason.cluster.starts_with("inbound|");
    let is_ingress = ingress(mesh, pod, failed).is_some_and(|(_, _, ingress)| is_at(&ingress.endpoint, &failed.upstream));
    is_declared && mesh.knows(Kind::Service) && !is_ingress && leading_to(mesh, pod, port).is_none()
}

/// The Service that leads to a port of the pod: of several the oldest, as istiod takes it.
fn leading_to<'o>(mesh: &Mesh<'o>, pod: &Pod, port: u16) -> Option<(&'o Service, &'o ServicePort)> {
    let leads = |service: &'o Service| service.ports.iter().find(|of| of.container_port(pod) == Some(port)).map(|of| (service, of));
    let selecting = mesh.objects.services.values().map(|service| &**service).filter(|service| service.selects(pod));
    selecting.filter_map(leads).min_by_key(|(service, _)| (&service.created, &service.name))
}

/// The Sidecar's `ingress` by which requests to a port of the workload go.
fn ingress<'o>(mesh: &Mesh<'o>, pod: &Pod, failed: &Failed) -> Option<(&'o ObjectName, usize, &'o Ingress)> {
    let is_own = |policy: &&Policy| policy.name.namespace == pod.id.namespace;
    let mut all: Vec<_> = mesh.policies(Kind::Sidecar, pod).filter(|policy| is_own(policy) || policy.selector.is_none()).collect();
    all.sort_by_key(|policy| (!is_own(policy), policy.selector.is_none(), &policy.created));
    let policy = *all.first()?;
    let PolicySpec::Sidecar(sidecar) = &policy.spec else { return None };
    let (index, ingress) = sidecar.ingress.iter().enumerate().find(|(_, ingress)| ingress.port.to_string() == failed.reason.to.name)?;
    Some((&policy.name, index, ingress))
}

/// Whether a `defaultEndpoint`, `127.0.0.1:8080` or `unix:///path`, is where the request was sent.
fn is_at(endpoint: &str, upstream: &str) -> bool {
    let of_port = || port(endpoint).is_some() && port(endpoint) == port(upstream);
    !endpoint.is_empty() && (upstream.is_empty() || of_port() || endpoint.strip_prefix("unix://").is_some_and(|path| path == upstream))
}
