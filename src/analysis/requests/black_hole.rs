//! Why a client's proxy sends requests to BlackHoleCluster: `REGISTRY_ONLY`, and a destination that the proxy does not know.

use super::blame::Blame;
use super::gather::port;
use super::mesh::{DOMAIN, Mesh};
use crate::analysis::chains::{self, Facts};
use crate::model::kind::Kind;
use crate::model::requests::FailedReason;
use crate::model::service::Service;
use crate::model::workload::Pod;

const FIX: &str = "add a ServiceEntry for it, or import it in the Sidecar of the client (egress)";

pub(super) fn black_hole(mesh: &Mesh<'_>, pod: &Pod, reason: &FailedReason) -> Blame {
    let facts = Facts::of(mesh.objects, pod, None, None);
    let known = facts.as_ref().filter(|facts| knows_mode(mesh, facts));
    let sidecar = facts.as_ref().and_then(Facts::sidecar);
    if known.is_some_and(|facts| facts.outbound_mode() != "REGISTRY_ONLY") {
        return Blame::past(None, "BlackHoleCluster took them, and outboundTrafficPolicy is not REGISTRY_ONLY now");
    }
    let own = sidecar.filter(|(_, sidecar)| sidecar.outbound_mode == "REGISTRY_ONLY").map(|(policy, _)| policy);
    let whose = match own {
        Some(policy) => format!("REGISTRY_ONLY of Sidecar {}", policy.name),
        None if known.is_some() => "REGISTRY_ONLY of meshConfig".to_owned(),
        None => "REGISTRY_ONLY".to_owned(),
    };
    let object = own.map(|policy| (Kind::Sidecar, &policy.name));
    let service = mesh.service(reason, &pod.id.namespace);
    let what = match service {
        Some(service) => match unreached(facts.as_ref(), service, reason) {
            Some(what) => what,
            None => {
                let named = format!("{} {}", service.registry, service.name);
                return Blame::past(object, format!("{whose} sent them to BlackHoleCluster, and the client's proxy knows {named} now"));
            }
        },
        None => "no Service or ServiceEntry has this host or address".to_owned(),
    };
    Blame::new(object, format!("{whose} sends them to BlackHoleCluster: {what}"), FIX)
}

/// Whether the objects show which `outboundTrafficPolicy` is in force.
fn knows_mode(mesh: &Mesh<'_>, facts: &Facts<'_>) -> bool {
    (mesh.knows(Kind::Sidecar) || mesh.snapshot.absent.contains(&Kind::Sidecar)) && facts.knows_outbound_mode()
}

/// Why the client's proxy does not send to a service; None where it does.
pub(super) fn unreached(facts: Option<&Facts<'_>>, service: &Service, reason: &FailedReason) -> Option<String> {
    let named = format!("{} {}", service.registry, service.name);
    let hidden = |facts: &Facts<'_>| {
        let egress = facts.sidecar().map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default();
        service.hosts(DOMAIN).iter().all(|host| chains::hidden_by(facts, egress, service, host).is_some())
    };
    let number = port(&reason.local).or_else(|| port(&reason.to.name));
    match number.filter(|number| service.ports.iter().all(|own| own.port != *number)) {
        _ if facts.is_none_or(hidden) => Some(format!("the client's proxy does not know {named}")),
        Some(number) => Some(format!("{named} has no port {number}")),
        None => None,
    }
}
