//! Services that the proxies of clients do not know: they are not exported to their namespace, or their Sidecar does not import them. What is
//! sent there all the same goes where `outboundTrafficPolicy` sends it (`pilot/pkg/model/sidecar.go: initSidecarScopeInternalIndexes`;
//! `pilot/pkg/networking/core/listener_builder.go: buildOutboundCatchAllNetworkFiltersOnly`; `httproute.go: buildCatchAllVirtualHost`).

use std::collections::{BTreeMap, BTreeSet};

use super::clients::Clients;
use super::rules::full_host;
use crate::analysis::chains::{self, Facts, HiddenBy};
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::mesh::DEFAULT_ROOT_NAMESPACE;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::service::{Registry, Service};
use crate::model::sidecar::Sidecar;
use crate::model::workload::ProxyKind;

/// How many Sidecars are listed in a sentence.
const MOST: usize = 3;

/// What a proxy does with traffic to what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outbound {
    /// `ALLOW_ANY`: it passes it on as it gets it.
    Passes,
    /// `REGISTRY_ONLY`: it drops it.
    Drops,
    /// The mesh configuration, which decides, could not be read.
    Unknown,
    /// It is a gateway, which has no such traffic.
    Gateway,
}

impl Outbound {
    /// The Sidecar's own policy goes before the mesh's.
    pub(super) fn of(facts: &Facts<'_>, sidecar: Option<&Sidecar>) -> Self {
        let own = sidecar.map(|sidecar| sidecar.outbound_mode.as_str()).filter(|mode| !mode.is_empty());
        match own.unwrap_or(&facts.mesh.outbound_mode) {
            _ if facts.kind != ProxyKind::Sidecar => Self::Gateway,
            // Without interception only what is sent to its listeners comes to the proxy.
            _ if !facts.intercepts || (own.is_none() && facts.objects.mesh.is_none()) => Self::Unknown,
            "REGISTRY_ONLY" => Self::Drops,
            _ => Self::Passes,
        }
    }
}

/// That a proxy does not know a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hidden {
    /// What hides it.
    pub by: HiddenBy,
    /// What the proxy does with traffic to it.
    pub outbound: Outbound,
    /// The service, `httpbin.default`.
    pub service: String,
    /// What shows that the Sidecar was to import it; None where it may well be hidden on purpose.
    pub mistake: Option<Mistake>,
}

/// A Sidecar that does not import what it was to import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The Sidecar.
    pub sidecar: ObjectName,
    /// What is wrong with its `egress.hosts`.
    pub of: MistakeOf,
}

/// What is wrong with the `egress.hosts` of a Sidecar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MistakeOf {
    /// It imports nothing but Istio's own services, and not by `~/*`, which says that the workload calls nothing.
    NothingImported,
    /// This host is that of no service, and has the service's name.
    NoSuchHost(String),
}

impl Hidden {
    /// `Sidecar default/default does not import httpbin.default`.
    pub fn sentence(&self, sidecars: &[ObjectName]) -> String {
        let Self { service, .. } = self;
        let named = first(&sidecars.iter().map(ToString::to_string).collect::<Vec<_>>(), MOST);
        match (self.by, sidecars) {
            (HiddenBy::ExportTo, _) => format!("{service} is not exported to its namespace (exportTo)"),
            (HiddenBy::Sidecar, []) => format!("its Sidecar does not import {service}"),
            (HiddenBy::Sidecar, [_]) => format!("Sidecar {named} does not import {service}"),
            (HiddenBy::Sidecar, _) => format!("Sidecars {named} do not import {service}"),
        }
    }
}

/// What brings a service to clients whose Sidecar does not list it.
#[derive(Debug)]
pub struct Imports<'o> {
    objects: &'o Inventory,
    /// The VirtualServices that lead to a host.
    routes: BTreeMap<String, Vec<&'o Policy>>,
    /// The hosts of ServiceEntries, which may be those of other services.
    entries: BTreeMap<&'o str, Vec<&'o Service>>,
    domain: &'o str,
}

impl<'o> Imports<'o> {
    /// Those of a mesh.
    pub fn of(objects: &'o Inventory, domain: &'o str) -> Self {
        let (mut routes, mut entries): (BTreeMap<String, Vec<_>>, BTreeMap<&str, Vec<_>>) = (BTreeMap::new(), BTreeMap::new());
        for policy in objects.policies_of(Kind::VirtualService) {
            let PolicySpec::VirtualService(of) = &policy.spec else { continue };
            let hosts: BTreeSet<String> = of.destinations.iter().map(|host| full_host(host, &policy.name.namespace, domain)).collect();
            hosts.into_iter().for_each(|host| routes.entry(host).or_default().push(policy));
        }
        for service in objects.services.values().filter(|service| service.registry == Registry::ServiceEntry) {
            service.entry_hosts.iter().for_each(|host| entries.entry(host).or_default().push(&**service));
        }
        Self { objects, routes, entries, domain }
    }

    /// Whether and why clients do not know a service by a host.
    pub fn hidden(&self, clients: &Clients<'_>, service: &Service, host: &str) -> Option<Hidden> {
        let by = chains::hidden_by(&clients.facts, clients.egress, service, host)?;
        if self.is_known_otherwise(clients, service, host) {
            return None;
        }
        let mistake = clients.sidecar.filter(|_| by == HiddenBy::Sidecar).and_then(|sidecar| {
            let of = self.misspelt(clients, service).or_else(|| imports_nothing(clients, service, self.objects.root_namespace()))?;
            Some(Mistake { sidecar: sidecar.clone(), of })
        });
        let service = format!("{}.{}", service.name.name, service.name.namespace);
        Some(Hidden { by, outbound: clients.outbound, service, mistake })
    }

    /// A VirtualService that is imported brings the services that it leads to (`pilot/pkg/model/sidecar.go: collectImportedServices`), and
    /// another service may have the host.
    fn is_known_otherwise(&self, clients: &Clients<'_>, service: &Service, host: &str) -> bool {
        let leads = |policy: &&Policy| chains::follows(&clients.facts, clients.egress, None, policy);
        let by_route = self.routes.get(host).is_some_and(|routes| routes.iter().any(leads));
        let is_other =
            |other: &&&Service| other.name != service.name && chains::hidden_by(&clients.facts, clients.egress, other, host).is_none();
        // What is not exported to the namespace, a VirtualService does not bring either.
        let exported = chains::hidden_by(&clients.facts, &[], service, host).is_none();
        (by_route && exported) || self.entries.get(host).is_some_and(|entries| entries.iter().any(|entry| is_other(&entry)))
    }

    /// A host of the Sidecar that no service has and that names the service: short names count for nothing there.
    fn misspelt(&self, clients: &Clients<'_>, service: &Service) -> Option<MistakeOf> {
        if service.registry != Registry::Kubernetes {
            return None;
        }
        let hosts = clients.egress.iter().flat_map(|egress| &egress.hosts).filter(|host| !host.starts_with('~'));
        let mut named = hosts.filter(|host| {
            let Some((namespace, name)) = host.split_once('/') else { return false };
            let namespace = if namespace == "." { clients.facts.namespace() } else { namespace };
            let mut labels = name.split('.');
            let is_named = labels.next() == Some(&service.name.name)
                && match labels.next() {
                    Some(of) => of == service.name.namespace,
                    None => namespace == "*" || namespace == service.name.namespace,
                };
            is_named && !self.is_host_of_a_service(namespace, name)
        });
        named.next().map(|host| MistakeOf::NoSuchHost(host.clone()))
    }

    fn is_host_of_a_service(&self, namespace: &str, host: &str) -> bool {
        let is_in = |service: &Service| namespace == "*" || service.name.namespace == namespace;
        let kubernetes = host.strip_suffix(self.domain).and_then(|rest| rest.strip_suffix(".svc.")).and_then(|name| name.split_once('.'));
        let of_kubernetes = kubernetes.and_then(|(name, of)| self.objects.services.get(&(Kind::Service, ObjectName::new(of, name))));
        of_kubernetes.is_some_and(|service| is_in(service)) || self.entries.get(host).is_some_and(|all| all.iter().any(|one| is_in(one)))
    }
}

/// Whether a Sidecar imports nothing of its own namespace, where the service is, nor of any other but Istio's own: then clients can call nothing.
fn imports_nothing(clients: &Clients<'_>, service: &Service, root: &str) -> Option<MistakeOf> {
    let own = clients.facts.namespace();
    let hosts = clients.egress.iter().flat_map(|egress| &egress.hosts);
    let of_istio = |host: &String| {
        let namespace = host.split_once('/').map_or(host.as_str(), |(namespace, _)| namespace);
        namespace != own && (namespace == root || namespace == DEFAULT_ROOT_NAMESPACE)
    };
    let is_so = service.name.namespace == own && hosts.clone().all(of_istio) && hosts.count() > 0;
    is_so.then_some(MistakeOf::NothingImported)
}
