//! Which VirtualServices a proxy follows: those that are bound to it, exported to its namespace and imported by its Sidecar.

use std::cmp::Ordering;

use super::Facts;
use super::servers::selects;
use super::services::imports_routes;
use crate::analysis::mtls::rules::full_host;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::routing::VirtualService;
use crate::model::sidecar::Egress;
use crate::model::workload::ProxyKind;

/// The VirtualServices with hosts that a proxy follows, in the order in which istiod takes them: those that its own namespace alone sees, then
/// those that are exported to it, then those of the whole mesh, each oldest first (`pilot/pkg/model/virtualservice.go: SelectVirtualServices`;
/// `push_context.go: VirtualServicesForGateway`; `config.go: configCompareByCreationTime`). `egress` is that of its Sidecar, `port` the one that
/// requests go to, where it is known.
pub fn followed<'s>(facts: &Facts<'s>, egress: &[Egress], port: Option<u16>) -> Vec<(&'s ObjectName, &'s VirtualService)> {
    let all = facts.objects.policies_of(Kind::VirtualService).filter_map(virtual_service);
    let mut found: Vec<_> = all.filter(|(policy, of)| !of.hosts.is_empty() && follows(facts, egress, port, policy)).collect();
    let class = |(policy, of): &(&Policy, &VirtualService)| {
        let to = export_to(facts, of);
        let is_own = |namespace: &String| namespace == "." || *namespace == policy.name.namespace;
        (is_public(to), !to.iter().any(is_own) || policy.name.namespace != facts.namespace())
    };
    let age = |(a, _): &(&Policy, _), (b, _): &(&Policy, _)| -> Ordering {
        (&a.created, &a.name.name, &a.name.namespace).cmp(&(&b.created, &b.name.name, &b.name.namespace))
    };
    found.sort_by(|a, b| class(a).cmp(&class(b)).then_with(|| age(a, b)));
    found.into_iter().map(|(policy, of)| (&policy.name, of)).collect()
}

/// Whether a proxy follows a VirtualService. One without hosts counts only where another delegates to it.
pub fn follows(facts: &Facts<'_>, egress: &[Egress], port: Option<u16>, policy: &Policy) -> bool {
    let Some((_, of)) = virtual_service(policy) else { return false };
    if of.hosts.is_empty() {
        let mut roots = facts.objects.policies_of(Kind::VirtualService).filter_map(virtual_service);
        return roots.any(|(root, to)| {
            let delegates = to.rules.iter().any(|rule| rule.delegate.as_ref() == Some(&policy.name));
            let sees = || delegate(facts, &root.name, &policy.name).is_some();
            delegates && !to.hosts.is_empty() && sees() && follows(facts, egress, port, root)
        });
    }
    facts.sees(policy) && is_bound(facts, &policy.name, &of.gateways) && is_exported(facts, policy, of, facts.namespace()) && {
        let namespace = &policy.name.namespace;
        let hosts = || of.hosts.iter().map(|host| full_host(host, namespace, &facts.domain));
        let imports = |egress: &&Egress| hosts().any(|host| imports_routes(egress, namespace, &host, facts));
        egress.is_empty() || facts.is_gateway() || listeners(egress, port).any(|egress| imports(&egress))
    }
}

/// The VirtualService without hosts to which a root delegates, where the root sees it
/// (`pilot/pkg/model/virtualservice.go: mergeVirtualServicesIfNeeded`).
pub fn delegate<'s>(facts: &Facts<'s>, root: &ObjectName, name: &ObjectName) -> Option<(&'s ObjectName, &'s VirtualService)> {
    let (policy, of) = virtual_service(facts.objects.policies.get(&(Kind::VirtualService, name.clone()))?)?;
    let is_seen = of.hosts.is_empty() && facts.sees(policy) && is_exported(facts, policy, of, &root.namespace);
    is_seen.then_some((&policy.name, of))
}

fn virtual_service(policy: &Policy) -> Option<(&Policy, &VirtualService)> {
    if let PolicySpec::VirtualService(of) = &policy.spec { Some((policy, of)) } else { None }
}

/// The egress listeners that take requests to a port: that of the port, else those of all ports
/// (`pilot/pkg/model/sidecar.go: GetEgressListenerForRDS`).
fn listeners(egress: &[Egress], port: Option<u16>) -> impl Iterator<Item = &Egress> {
    let has_own = port.is_some() && egress.iter().any(|egress| egress.port == port);
    egress.iter().filter(move |egress| port.is_none() || egress.port == port.filter(|_| has_own))
}

/// Whether gateways that a VirtualService names have a proxy among them: `mesh`, which is also meant where none is named, has the sidecars, and
/// a Gateway the proxies that it selects. Where no Gateway was read, any may be the proxy's.
pub fn is_bound(facts: &Facts<'_>, of: &ObjectName, gateways: &[String]) -> bool {
    if facts.kind == ProxyKind::Sidecar {
        return gateways.is_empty() || gateways.iter().any(|gateway| gateway == "mesh");
    }
    let all = || facts.objects.policies_of(Kind::IstioGateway);
    let is_its = |gateway: &String| {
        let name = gateway_name(gateway, &of.namespace);
        all().any(|other| other.name == name && selects(other, facts))
    };
    let mut own = gateways.iter().filter(|gateway| *gateway != "mesh");
    own.any(|gateway| all().next().is_none() || is_its(gateway))
}

/// The Gateway that a VirtualService of a namespace names: `namespace/name`, else a name of its own namespace, where a dot ends the name and
/// begins the namespace (`pilot/pkg/model: resolveGatewayName`).
pub fn gateway_name(gateway: &str, own: &str) -> ObjectName {
    match gateway.split_once('/') {
        Some((".", name)) => ObjectName::new(own, name),
        Some((namespace, name)) => ObjectName::new(namespace, name),
        None => {
            let mut parts = gateway.split('.');
            let name = parts.next().unwrap_or_default();
            ObjectName::new(parts.next().unwrap_or(own), name)
        }
    }
}

/// `exportTo`, else the mesh's default (`pilot/pkg/model/push_context.go: initDefaultExportMaps`).
fn export_to<'f>(facts: &'f Facts<'_>, of: &'f VirtualService) -> &'f [String] {
    if of.export_to.is_empty() { &facts.mesh.virtual_service_export_to } else { &of.export_to }
}

fn is_public(export_to: &[String]) -> bool {
    export_to.is_empty() || export_to.iter().any(|namespace| namespace == "*")
}

fn is_exported(facts: &Facts<'_>, policy: &Policy, of: &VirtualService, to: &str) -> bool {
    let all = export_to(facts, of);
    let reaches = |namespace: &String| namespace == to || (namespace == "." && policy.name.namespace == to);
    is_public(all) || (!all.iter().any(|namespace| namespace == "~") && all.iter().any(reaches))
}
