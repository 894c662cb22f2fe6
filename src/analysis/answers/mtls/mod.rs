//! `mtls [WORKLOAD]`: the mode in force for a workload and each of its ports, the policies that lost, and what clients send.

mod caveats;
mod clients;
mod fare;
mod note;
mod otherwise;
mod seen;
mod service_clients;
mod words;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::chains::Facts;
use crate::analysis::lookup;
use crate::analysis::mtls::fate::{self, Fate, Judged, PortFate, Scope};
use crate::analysis::mtls::ports::{self, Behind, Mistaken, PortMode};
use crate::analysis::mtls::{self, EffectiveMtls};
use crate::analysis::protocol::ProtocolClass;
use crate::analysis::targets::{ServiceTarget, service_targets};
use crate::model::ids::{ProxyId, WorkloadId};
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};
use crate::model::workload::{Pod, ProxyKind};

pub(super) use note::MODE_UNKNOWN;
pub use seen::RefusedClient;
pub use service_clients::{ClientAnswer, ServiceClients};
use world::World;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EffectiveMtlsAnswer {
    /// What could not be read, and what of the objects is not as it looks.
    pub warnings: Vec<Warning>,
    /// The workloads, by name.
    pub workloads: Vec<MtlsEntry>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MtlsEntry {
    /// `namespace/name`.
    pub workload: String,
    /// Its kind.
    pub workload_kind: &'static str,
    /// `deploy/httpbin`.
    pub short: String,
    /// The pod that was looked at, `pod.namespace`: its labels are what selectors look at.
    pub pod: ProxyId,
    /// What kind of proxy it runs; None where it has none.
    pub proxy_kind: Option<&'static str>,
    /// The workload's mode; None where PeerAuthentications could not be read.
    pub mode: Option<MtlsMode>,
    /// `PeerAuthentication namespace/name`; None where Istio's default stands.
    pub winner: Option<String>,
    /// What is not known for want of objects, or what the mode means here, where it is not what it means for a sidecar.
    pub note: Option<String>,
    /// The ports, ascending, and after them all others; none but for sidecars, and none where they are not known.
    pub ports: Vec<PortAnswer>,
    /// The policies that were looked at, the narrowest scope first, of each scope the oldest first.
    pub policies: Vec<PolicyAnswer>,
    /// What clients send, service port by service port; none for gateways and waypoints, and none where that is not known.
    pub services: Vec<ServiceClients>,
    /// What the verdicts on clients compare, and what they do not; None where there are none.
    pub compared: Option<&'static str>,
    /// The workload.
    #[serde(skip)]
    pub id: WorkloadId,
    /// Items of `portLevelMtls` that name a service's port in the place of the container's.
    #[serde(skip)]
    pub mistaken: Vec<Mistaken>,
    /// What of the objects is not as it looks; among the answer's warnings too.
    #[serde(skip)]
    pub caveats: Vec<Warning>,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortAnswer {
    /// The container port; None for all others.
    pub port: Option<u16>,
    /// The mode in force.
    pub mode: MtlsMode,
    /// The policy that says so; None where Istio's default stands.
    pub by: Option<String>,
    /// Whether `portLevelMtls` says so. Else it is the workload's mode.
    pub port_level: bool,
    /// `service`, `sidecarIngress`, `policyAlone`, `rest`: what stands behind it.
    pub behind: &'static str,
    /// The service ports that lead to it, `default/httpbin 8000 (http)`; the first decides what is spoken.
    pub services: Vec<String>,
    /// `HTTP`, `TCP`, `AUTO`, `UDP`: what kind of chains it has.
    pub protocol: &'static str,
    /// What stands behind it, for eyes.
    pub what: String,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer {
    /// `namespace/name`.
    pub policy: String,
    /// What it is for.
    pub scope: Scope,
    /// Its mode; `UNSET` where it has none.
    pub mode: &'static str,
    /// When it was created; the oldest of a scope counts.
    pub created: Option<String>,
    /// `decides`, `inherits`, `overridden`, `losesToOlder`, `selectorDiffers`, `selectorInRootNamespace`, `otherNamespace`,
    /// `otherRevision`.
    pub fate: &'static str,
    /// The policy that went before it, `namespace/name`.
    pub by: Option<String>,
    /// The fate in words.
    pub reason: String,
    /// What became of its `portLevelMtls`.
    pub port_level: PortFate,
    /// `portLevelMtls`, as written.
    pub ports: BTreeMap<u16, &'static str>,
}

/// Answers for the workloads of these pods.
pub fn mtls(snapshot: &Snapshot, pods: &[ProxyId]) -> EffectiveMtlsAnswer {
    let objects = &snapshot.objects;
    let mut by_workload: BTreeMap<WorkloadId, Vec<&Pod>> = BTreeMap::new();
    for id in pods {
        if let (Some(pod), Some(workload)) = (objects.pods.get(id), lookup::owner(snapshot, id)) {
            by_workload.entry(workload).or_default().push(pod);
        }
    }
    let world = World::of(snapshot);
    let workloads: Vec<MtlsEntry> = by_workload.iter().filter_map(|(id, pods)| entry(&world, id, pods)).collect();
    let caveats: BTreeSet<&Warning> = workloads.iter().flat_map(|entry| &entry.caveats).collect();
    let warnings = warning::once(snapshot.warnings.iter().chain(caveats));
    EffectiveMtlsAnswer { warnings, workloads }
}

/// What a verdict on clients compares.
const COMPARED: &str = "Compared: what clients send with what the mode of the port takes. Not compared: routes, authorization, plugins, whether the server answers.";

/// What the modes of ports rest on.
const OF_PORTS: [Kind; 4] = [Kind::PeerAuthentication, Kind::Service, Kind::ServiceEntry, Kind::Sidecar];

/// What the answer for clients rests on.
const OF_CLIENTS: [Kind; 6] =
    [Kind::PeerAuthentication, Kind::DestinationRule, Kind::Service, Kind::ServiceEntry, Kind::Sidecar, Kind::Pod];

/// None without a pod to look at.
fn entry(world: &World<'_>, id: &WorkloadId, pods: &[&Pod]) -> Option<MtlsEntry> {
    let pod = *pods.iter().find(|pod| pod.proxy.is_some()).or_else(|| pods.first())?;
    let effective = mtls::of_pod(world.objects, pod);
    let lacks_policies = world.lacks(&[Kind::PeerAuthentication], pod).is_some();
    let mut judged = fate::policies(world.objects, pod, &effective);
    if lacks_policies {
        judged = judged.into_iter().map(|judged| Judged { fate: judged.fate.of_some(), ..judged }).collect();
    }
    let kind = pod.proxy.as_ref().map(|proxy| proxy.kind);
    let facts = Facts::of(world.objects, pod, None, None).filter(|facts| facts.kind == ProxyKind::Sidecar);
    let targets = service_targets(world.objects, pod, world.domain, world.version);
    let known = facts.as_ref().filter(|_| world.lacks(&OF_PORTS, pod).is_none());
    let ports = known.map(|facts| ports::ports(facts, &targets, &effective)).unwrap_or_default();
    let mistaken = ports::mistaken(pod, &ports, &targets, &effective);
    let mut caveats = Vec::new();
    caveats::of_policies(&judged, &mut caveats);
    caveats::of_pods(world.objects, id, pod, pods, &effective, &mut caveats);
    caveats::without_proxy(id, pods, &mut caveats);
    caveats::of_ports(&mistaken, &mut caveats);
    caveats::of_capture(id, pod, &ports, &mut caveats);
    let served = clients::Served { pod, pods, effective: &effective, ports: &ports, targets: &targets };
    let services = if world.lacks(&OF_CLIENTS, pod).is_none() { clients::services(world, &served, &mut caveats) } else { Vec::new() };
    services.iter().for_each(|service| otherwise::of_routes(world, &service.host, &mut caveats));
    otherwise::of_pods(world, id, pods, &targets, &mut caveats);
    let mode = (!lacks_policies).then_some(effective.mode);
    caveats.sort();
    caveats.dedup();
    Some(MtlsEntry {
        workload: id.to_string(),
        workload_kind: id.kind.as_str(),
        short: id.short(),
        pod: pod.id.clone(),
        proxy_kind: kind.map(ProxyKind::as_str),
        mode,
        winner: effective.winner_text().filter(|_| mode.is_some()),
        note: note::note(world, pod, facts.as_ref(), &effective),
        ports: ports.iter().map(|port| port_answer(port, &effective)).collect(),
        policies: judged.iter().map(policy_answer).collect(),
        compared: (!services.is_empty()).then_some(COMPARED),
        services,
        id: id.clone(),
        mistaken,
        caveats,
    })
}

fn port_answer(port: &PortMode<'_>, effective: &EffectiveMtls) -> PortAnswer {
    let (behind, what) = match &port.behind {
        Behind::Services(targets) => ("service", targets.iter().map(service_port).collect::<Vec<_>>().join(", ")),
        Behind::Ingress(sidecar) => ("sidecarIngress", format!("ingress of Sidecar {sidecar}")),
        Behind::PolicyAlone => ("policyAlone", "no service: passthrough chains of its own".to_owned()),
        Behind::Rest => ("rest", "no service: the passthrough chains".to_owned()),
    };
    let by = if port.port_level { &effective.port_policy } else { &effective.winner };
    PortAnswer {
        port: port.port,
        mode: port.mode,
        by: by.as_ref().map(|name| format!("PeerAuthentication {name}")),
        port_level: port.port_level,
        behind,
        services: if let Behind::Services(targets) = &port.behind { targets.iter().map(service_port).collect() } else { Vec::new() },
        protocol: match port.class {
            ProtocolClass::Http => "HTTP",
            ProtocolClass::Tcp => "TCP",
            ProtocolClass::Auto => "AUTO",
            ProtocolClass::Udp => "UDP",
        },
        what,
    }
}

/// `default/httpbin 8000 (http)`.
fn service_port(target: &ServiceTarget<'_>) -> String {
    let name = if target.port.name.is_empty() { "unnamed" } else { &target.port.name };
    format!("{} {} ({name})", target.service.name, target.port.port)
}

fn policy_answer(judged: &Judged<'_>) -> PolicyAnswer {
    let word = |mode: Option<MtlsMode>| mode.map_or("UNSET", MtlsMode::as_str);
    PolicyAnswer {
        policy: judged.policy.name.to_string(),
        scope: judged.scope,
        mode: word(judged.policy.mode),
        created: judged.policy.created.clone(),
        fate: judged.fate.as_str(),
        by: judged.fate.by().map(ToString::to_string),
        reason: reason(judged),
        port_level: judged.ports,
        ports: judged.policy.ports.iter().map(|(port, mode)| (*port, word(*mode))).collect(),
    }
}

/// The fate of the mode, and that of the ports where it is not what the mode's says.
fn reason(judged: &Judged<'_>) -> String {
    let ports = match (judged.ports, &judged.fate) {
        (PortFate::NoSelector, _) => "; its portLevelMtls is ignored, for want of a selector",
        (PortFate::Counts, Fate::Inherits | Fate::Overridden(_)) => "; its portLevelMtls counts",
        _ => "",
    };
    format!("{}{ports}", judged.fate)
}
