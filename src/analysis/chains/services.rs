//! The services that a sidecar knows, each under one host and address, as the listeners to them are made of them.

use std::collections::BTreeMap;

use super::Facts;
use crate::model::service::{Registry, Resolution, Service, ServicePort};
use crate::model::sidecar::Egress;

/// A service under one of its hosts and addresses.
#[derive(Clone, Debug)]
pub(super) struct Known<'s> {
    pub service: &'s Service,
    pub host: String,
    /// An address, a range of them, or `0.0.0.0` where it has none.
    pub address: String,
}

/// No address of its own (`constants.UnspecifiedIP`).
pub(super) const NO_ADDRESS: &str = "0.0.0.0";

impl Known<'_> {
    pub fn ports(&self) -> &[ServicePort] {
        &self.service.ports
    }

    /// Whether a client's own choice of address decides where it goes.
    pub fn is_headless(&self) -> bool {
        self.service.resolution == Resolution::Passthrough && self.address == NO_ADDRESS
    }
}

/// All services that are visible to the proxy, oldest first (`pilot/pkg/model/push_context.go: servicesExportedToNamespace`).
pub(super) fn visible<'s>(facts: &Facts<'s>) -> Vec<Known<'s>> {
    let services = facts.objects.services.values().map(|service| &**service);
    let mut found: Vec<Known<'_>> =
        services.filter(|service| is_visible(service, facts)).flat_map(|service| under_each_name(service, facts)).collect();
    // What is private to the namespace comes before what is public, each oldest first.
    found.sort_by_cached_key(|known| {
        let service = known.service;
        let name = if service.registry == Registry::Kubernetes { service.name.name.clone() } else { known.host.clone() };
        (is_public(service, facts), service.created.clone(), name, service.name.namespace.clone())
    });
    // One host of a namespace stands for one service: a Kubernetes one before others, else the oldest.
    let mut owners: BTreeMap<(String, &str), &Service> = BTreeMap::new();
    for known in &found {
        let owner = owners.entry((known.host.clone(), &known.service.name.namespace)).or_insert(known.service);
        if owner.registry != Registry::Kubernetes && known.service.registry == Registry::Kubernetes {
            *owner = known.service;
        }
    }
    let owns = |known: &Known<'_>| {
        owners.get(&(known.host.clone(), known.service.name.namespace.as_str())).is_some_and(|owner| std::ptr::eq(*owner, known.service))
    };
    found.retain(owns);
    found
}

fn under_each_name<'s>(service: &'s Service, facts: &Facts<'s>) -> Vec<Known<'s>> {
    let addresses: Vec<String> = match (service.registry, service.addresses.first()) {
        (_, None) => vec![NO_ADDRESS.to_owned()],
        // Only the first cluster IP of a family that the proxy has is listened on.
        (Registry::Kubernetes, Some(first)) => {
            vec![service.addresses.iter().find(|address| is_reachable(address, facts)).unwrap_or(first).clone()]
        }
        (Registry::ServiceEntry, Some(_)) => service.addresses.iter().map(|address| single(address)).collect(),
    };
    let hosts = service.hosts(&facts.domain);
    let pairs = hosts.iter().flat_map(|host| addresses.iter().map(move |address| (host, address)));
    pairs.map(|(host, address)| Known { service, host: host.clone(), address: address.clone() }).collect()
}

fn is_reachable(address: &str, facts: &Facts<'_>) -> bool {
    if address.contains(':') { facts.has_ipv6() } else { facts.has_ipv4() }
}

/// A range of one address is that address.
fn single(address: &str) -> String {
    address
        .strip_suffix("/32")
        .filter(|address| !address.contains(':'))
        .or_else(|| address.strip_suffix("/128"))
        .unwrap_or(address)
        .to_owned()
}

fn export_to<'s>(service: &'s Service, facts: &'s Facts<'_>) -> &'s [String] {
    if service.export_to.is_empty() { &facts.mesh.service_export_to } else { &service.export_to }
}

fn is_public(service: &Service, facts: &Facts<'_>) -> bool {
    let to = export_to(service, facts);
    to.is_empty() || to.iter().any(|namespace| namespace == "*")
}

fn is_visible(service: &Service, facts: &Facts<'_>) -> bool {
    let to = export_to(service, facts);
    let own = |namespace: &String| namespace == facts.namespace() || (namespace == "." && service.name.namespace == facts.namespace());
    is_public(service, facts) || (!to.iter().any(|namespace| namespace == "~") && to.iter().any(own))
}

/// Whether a proxy knows a service by a host, so that it has a cluster for it: the service is exported to its namespace, and its
/// Sidecar, where `egress` narrows that, imports it.
pub fn knows(facts: &Facts<'_>, egress: &[Egress], service: &Service, host: &str) -> bool {
    is_visible(service, facts) && (egress.is_empty() || egress.iter().any(|egress| imports(egress, service, host, facts)))
}

/// The services that an egress listener imports; without one, all. A host that several namespaces have is taken from the proxy's
/// own, else from the first (`pilot/pkg/model/sidecar.go: selectServices`).
pub(super) fn imported<'s>(egress: Option<&Egress>, visible: &[Known<'s>], facts: &Facts<'s>) -> Vec<Known<'s>> {
    let mut found: Vec<Known<'_>> =
        visible.iter().filter(|known| egress.is_none_or(|egress| imports(egress, known.service, &known.host, facts))).cloned().collect();
    let mut namespaces: BTreeMap<String, String> = BTreeMap::new();
    for known in &found {
        let namespace = &known.service.name.namespace;
        if namespace == facts.namespace() || !namespaces.contains_key(&known.host) {
            namespaces.insert(known.host.clone(), namespace.clone());
        }
    }
    found.retain(|known| namespaces.get(&known.host) == Some(&known.service.name.namespace));
    found
}

fn imports(egress: &Egress, service: &Service, name: &str, facts: &Facts<'_>) -> bool {
    let mut imported = false;
    for host in &egress.hosts {
        let Some((namespace, pattern)) = host.split_once('/') else { continue };
        let excluded = namespace.strip_prefix('~');
        let namespace = match excluded.unwrap_or(namespace) {
            "." => facts.namespace(),
            // `~/` without a namespace excludes in all of them.
            "" if excluded.is_some() => "*",
            namespace => namespace,
        };
        if (namespace == "*" || namespace == service.name.namespace) && covers(pattern, name) {
            if excluded.is_some() {
                return false;
            }
            imported = true;
        }
    }
    imported
}

/// Whether a host pattern, which may begin with `*`, covers a host (`pkg/config/host/name.go: SubsetOf`).
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.trim_start_matches('*').ends_with(suffix),
        None => pattern == host,
    }
}
