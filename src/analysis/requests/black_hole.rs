//! Why a client's proxy sends requests to BlackHoleCluster: `REGISTRY_ONLY`, and a destination that the proxy does not know.

use super::blame::{Blame, NAMED};
use super::gather::port;
use super::mesh::{DOMAIN, Mesh};
use crate::analysis::chains::{self, Facts, HiddenBy};
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::FailedReason;
use crate::model::service::Service;
use crate::model::sidecar::Sidecar;
use crate::model::workload::Pod;

const FIX: &str = "add a ServiceEntry for it, or import it in the Sidecar of the client (egress)";

pub(super) fn black_hole(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let facts = Facts::of(mesh.objects, pod, None, None);
    let known = facts.as_ref().filter(|facts| knows_mode(mesh, facts));
    let sidecar = facts.as_ref().and_then(Facts::sidecar);
    let mode = known.map(mode).into_iter();
    if known.is_some_and(|facts| facts.outbound_mode() != "REGISTRY_ONLY") {
        return Blame::past(None, "BlackHoleCluster took them, and outboundTrafficPolicy is not REGISTRY_ONLY now")
            .shown_by(mode.collect());
    }
    let own = sidecar.filter(|(_, sidecar)| sidecar.outbound_mode == "REGISTRY_ONLY").map(|(policy, _)| policy);
    let whose = match own {
        Some(policy) => format!("REGISTRY_ONLY of Sidecar {}", policy.name),
        None if known.is_some() => "REGISTRY_ONLY of meshConfig".to_owned(),
        None => "REGISTRY_ONLY".to_owned(),
    };
    let object = own.map(|policy| (Kind::Sidecar, &policy.name));
    let (what, shows) = match mesh.service(reason, &pod.id.namespace) {
        Some(service) => match unreached(facts.as_ref(), service, reason) {
            Some(Unreached { what, shows }) => (what, shows),
            None => {
                let named = format!("{} {}", service.registry, service.name);
                let words = format!("{whose} sent them to BlackHoleCluster, and the client's proxy knows {named} now");
                return Blame::past(object, words).shown_by(mode.collect());
            }
        },
        None => unknown(mesh, reason),
    };
    Blame::new(object, format!("{whose} sends them to BlackHoleCluster: {what}"), FIX).shown_by(mode.chain(shows).collect())
}

/// Whether the objects show which `outboundTrafficPolicy` is in force.
fn knows_mode(mesh: &Mesh<'_>, facts: &Facts<'_>) -> bool {
    (mesh.knows(Kind::Sidecar) || mesh.snapshot.absent.contains(&Kind::Sidecar)) && facts.knows_outbound_mode()
}

/// `outboundTrafficPolicy.mode of Sidecar default/s is REGISTRY_ONLY`.
fn mode(facts: &Facts<'_>) -> String {
    let own = facts.sidecar().filter(|(_, sidecar)| !sidecar.outbound_mode.is_empty());
    let whose = own.map_or_else(|| "meshConfig".to_owned(), |(policy, _)| format!("Sidecar {}", policy.name));
    let mode = facts.outbound_mode();
    format!("outboundTrafficPolicy.mode of {whose} is {}", if mode.is_empty() { "not set, so ALLOW_ANY" } else { mode })
}

/// That no service was found, and what was looked for in how many.
fn unknown(mesh: &Mesh<'_>, reason: &FailedReason) -> (String, Option<String>) {
    // Nothing of a single connection: what fails for one reason is one finding.
    let shows = format!("none of the {} Services and ServiceEntries has {}", mesh.objects.services.len(), reason.to.name);
    let what = match mesh.knows_services() {
        true => "no Service or ServiceEntry has this host or address",
        false => "no Service or ServiceEntry that could be read has this host or address",
    };
    (what.to_owned(), Some(shows))
}

/// Why a client's proxy does not send to a service, and the field of an object that shows it.
pub(super) struct Unreached {
    pub(super) what: String,
    pub(super) shows: Option<String>,
}

/// Why the client's proxy does not send to a service; None where it does.
pub(super) fn unreached(facts: Option<&Facts<'_>>, service: &Service, reason: &FailedReason) -> Option<Unreached> {
    let named = format!("{} {}", service.registry, service.name);
    let Some(facts) = facts else { return Some(Unreached { what: format!("the client's proxy does not know {named}"), shows: None }) };
    let sidecar = facts.sidecar().map(|(policy, sidecar)| (&policy.name, sidecar));
    let egress = sidecar.map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default();
    let hidden: Vec<HiddenBy> = service.hosts(DOMAIN).iter().map_while(|host| chains::hidden_by(facts, egress, service, host)).collect();
    if let Some(by) = hidden.last().filter(|_| hidden.len() == service.hosts(DOMAIN).len()) {
        let (why, shows) = hides(*by, sidecar, service, facts);
        return Some(Unreached { what: format!("the client's proxy does not know {named}, {why}"), shows });
    }
    let number = port(&reason.local).or_else(|| port(&reason.to.name))?;
    let ports: Vec<String> = service.ports.iter().map(|own| own.port.to_string()).collect();
    let has_it = service.ports.iter().any(|own| own.port == number);
    (!has_it).then(|| Unreached {
        what: format!("{named} has no port {number}"),
        shows: Some(format!("ports of {named}: {}", first(&ports, NAMED))),
    })
}

/// What hides a service from a proxy, as a clause, and the field that does.
fn hides(by: HiddenBy, sidecar: Option<(&ObjectName, &Sidecar)>, service: &Service, facts: &Facts<'_>) -> (String, Option<String>) {
    match (by, sidecar) {
        (HiddenBy::Sidecar, Some((name, sidecar))) => {
            let hosts: Vec<String> = sidecar.egress.iter().flat_map(|egress| egress.hosts.iter().cloned()).collect();
            (format!("which Sidecar {name} does not import"), Some(format!("egress.hosts of Sidecar {name}: {}", first(&hosts, NAMED))))
        }
        (HiddenBy::Sidecar, None) => ("which its Sidecar does not import".to_owned(), None),
        (HiddenBy::ExportTo, _) => {
            let (whose, to) = match service.export_to.as_slice() {
                [] => ("defaultServiceExportTo of meshConfig".to_owned(), &facts.mesh.service_export_to),
                _ => (format!("exportTo of {} {}", service.registry, service.name), &service.export_to),
            };
            let why = format!("which is not exported to namespace {}", facts.namespace());
            (why, Some(format!("{whose}: {}", first(to, NAMED))))
        }
    }
}
