//! The mode of each port of a sidecar, with what stands behind the port. `portLevelMtls` names container ports
//! (`pilot/pkg/networking/plugin/authn/authentication.go: ForPort, ForPassthrough`).

use super::EffectiveMtls;
use crate::analysis::chains::{self, Facts, PortConfig};
use crate::analysis::protocol::ProtocolClass;
use crate::analysis::targets::ServiceTarget;
use crate::model::ids::ObjectName;
use crate::model::peer_authentication::MtlsMode;
use crate::model::workload::Pod;

/// A port of the workload, or all that are not named.
#[derive(Clone, Debug)]
pub struct PortMode<'o> {
    /// The container port; None for all others.
    pub port: Option<u16>,
    /// What kind of chains it has.
    pub class: ProtocolClass,
    /// The mode in force.
    pub mode: MtlsMode,
    /// Whether `portLevelMtls` says so. Else it is the workload's mode.
    pub port_level: bool,
    /// What it is there for.
    pub behind: Behind<'o>,
}

/// What stands behind a port.
#[derive(Clone, Debug)]
pub enum Behind<'o> {
    /// Service ports that lead to it; the first decides what is spoken.
    Services(Vec<ServiceTarget<'o>>),
    /// An ingress listener of this Sidecar, `namespace/name`.
    Ingress(String),
    /// Only `portLevelMtls` names it, which gives it passthrough chains of its own.
    PolicyAlone,
    /// Nothing names it: the passthrough chains take it.
    Rest,
}

/// The ports of a sidecar to which these service ports lead, ascending, and after them all others. Without interception there
/// are no others.
pub fn ports<'o>(facts: &Facts<'o>, targets: &[ServiceTarget<'o>], effective: &EffectiveMtls) -> Vec<PortMode<'o>> {
    let row = |port: Option<u16>, class: ProtocolClass, behind: Behind<'o>| PortMode {
        port,
        class,
        mode: port.map_or(effective.mode, |port| effective.mode_of_port(port)),
        port_level: port.is_some_and(|port| effective.ports.contains_key(&port)),
        behind,
    };
    let of_config = |config: &PortConfig| {
        let behind = match &config.sidecar {
            Some(sidecar) => Behind::Ingress(sidecar.clone()),
            None => Behind::Services(targets.iter().filter(|target| target.target == config.target).copied().collect()),
        };
        row(Some(config.target), config.class, behind)
    };
    let mut found: Vec<PortMode<'_>> = chains::inbound_ports(facts).iter().map(of_config).collect();
    if facts.intercepts {
        found.extend(chains::undeclared_ports(facts).into_iter().map(|port| row(Some(port), ProtocolClass::Auto, Behind::PolicyAlone)));
        found.push(row(None, ProtocolClass::Auto, Behind::Rest));
    }
    found.sort_by_key(|port| (port.port.is_none(), port.port));
    found
}

/// An item of `portLevelMtls` that names the port of a service, where the container's port is another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistaken {
    /// The policy.
    pub policy: ObjectName,
    /// The port that it names.
    pub port: u16,
    /// The service of that port.
    pub service: ObjectName,
    /// The container port that the service's port leads to.
    pub container: u16,
}

impl std::fmt::Display for Mistaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { port, service, container, .. } = self;
        write!(f, "portLevelMtls names {port}, which is a port of Service {service} and leads to container port {container}")
    }
}

/// The commonest mistake: each item of `portLevelMtls` that names a service's port. A port that something leads to, or that the pod
/// declares, is not mistaken.
pub fn mistaken(pod: &Pod, ports: &[PortMode<'_>], targets: &[ServiceTarget<'_>], effective: &EffectiveMtls) -> Vec<Mistaken> {
    let Some(policy) = effective.port_policy.as_ref().filter(|_| pod.proxy.is_some() || pod.injection.ambient) else { return Vec::new() };
    let is_real = |port: u16| {
        let known = ports.iter().any(|known| known.port == Some(port) && !matches!(known.behind, Behind::PolicyAlone));
        known || targets.iter().any(|target| target.target == port) || pod.container_ports.iter().any(|declared| declared.number == port)
    };
    let of_service = |port: u16| {
        let target = targets.iter().find(|target| target.port.port == port)?;
        Some(Mistaken { policy: policy.clone(), port, service: target.service.name.clone(), container: target.target })
    };
    effective.ports.keys().copied().filter(|port| !is_real(*port)).filter_map(of_service).collect()
}
