//! The services that a sidecar knows, each under one host and address, as the listeners to them are made of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::model::service::{Registry, Resolution, Service, ServicePort};
use crate::model::sidecar::Egress;

/// A service under one of its hosts and addresses.
#[derive(Clone, Debug)]
pub(super) struct Known<'s> {
    pub service: &'s Service,
    pub host: String,
    /// An address, a range of them, or `0.0.0.0` where it has none. Where the API server still has to give one, words that say so.
    pub address: String,
}

/// No address of its own (`constants.UnspecifiedIP`).
pub(super) const NO_ADDRESS: &str = "0.0.0.0";

/// One of those that istiod allots in its memory (`serviceregistry/serviceentry/auto_allocation.go`).
pub(super) const HIDDEN_ADDRESS: &str = "240.240.*";

impl Known<'_> {
    pub fn ports(&self) -> &[ServicePort] {
        &self.service.ports
    }

    /// Whether a client's own choice of address decides where it goes.
    pub fn is_headless(&self) -> bool {
        self.service.resolution == Resolution::Passthrough && self.address == NO_ADDRESS
    }
}

/// All services that are visible to the proxy: what is private to its namespace before what is public, each oldest first. Several
/// services of one host are all there (`pilot/pkg/model/push_context.go: initServiceRegistry, servicesExportedToNamespace`).
pub(super) fn visible<'s>(facts: &Facts<'s>) -> Vec<Known<'s>> {
    let seen = facts.services().filter(|service| is_visible(service, facts));
    let mut found: Vec<Known<'_>> = seen.flat_map(|service| under_each_name(service, facts)).collect();
    found.sort_by_cached_key(|known| (is_public(known.service, facts), age(known)));
    found
}

/// By what services are ordered (`SortServicesByCreationTime`).
fn age(known: &Known<'_>) -> (Option<String>, String, String) {
    let service = known.service;
    let name = if service.registry == Registry::Kubernetes { &service.name.name } else { &known.host };
    (service.created.clone(), name.clone(), service.name.namespace.clone())
}

/// One service for each host and namespace: a Kubernetes one before others, else the oldest.
fn one_for_each_host<'s>(mut services: Vec<Known<'s>>) -> Vec<Known<'s>> {
    services.sort_by_cached_key(|known| (known.service.registry != Registry::Kubernetes, age(known)));
    let mut seen = BTreeSet::new();
    services.retain(|known| seen.insert((known.host.clone(), known.service.name.namespace.clone())));
    services.sort_by_cached_key(age);
    services
}

fn under_each_name<'s>(service: &'s Service, facts: &Facts<'s>) -> Vec<Known<'s>> {
    let addresses = |host: &str| -> Vec<String> {
        match (service.registry, service.addresses.first()) {
            (Registry::ServiceEntry, None) => vec![assigned(service, host, facts)],
            (Registry::Kubernetes, None) if service.resolution == Resolution::Static => {
                vec![format!("(an address still to be given to {host})")]
            }
            (Registry::Kubernetes, None) => vec![NO_ADDRESS.to_owned()],
            // Only the first cluster IP of a family that the proxy has is listened on.
            (Registry::Kubernetes, Some(first)) => {
                vec![service.addresses.iter().find(|address| is_reachable(address, facts)).unwrap_or(first).clone()]
            }
            (Registry::ServiceEntry, Some(_)) => service.addresses.iter().map(|address| single(address)).collect(),
        }
    };
    let known = |host: String| addresses(&host).into_iter().map(move |address| Known { service, host: host.clone(), address });
    service.hosts(&facts.domain).into_iter().flat_map(known).collect()
}

/// The address that istiod gave a host of a ServiceEntry without addresses, for proxies that capture DNS
/// (`pilot/pkg/model/service.go: GetAddressForProxy`; `pilot/pkg/networking/serviceentry/ip_autoallocation.go`).
fn assigned(service: &Service, host: &str, facts: &Facts<'_>) -> String {
    if facts.hides_addresses && service.resolution != Resolution::Passthrough && !host.starts_with('*') {
        return HIDDEN_ADDRESS.to_owned();
    }
    let opted_out = service.labels.get(AUTOALLOCATE).is_some_and(|value| value.eq_ignore_ascii_case("false"));
    if !facts.captures_dns || !facts.plane.allots_addresses() || opted_out || service.resolution == Resolution::Passthrough {
        return NO_ADDRESS.to_owned();
    }
    let mut of_host: Vec<&String> = service.assigned.iter().filter(|(name, _)| name == host).map(|(_, address)| address).collect();
    of_host.retain(|address| is_reachable(address, facts));
    // IPv4 goes first.
    of_host.sort_by_key(|address| address.contains(':'));
    of_host.first().map_or_else(|| NO_ADDRESS.to_owned(), |address| (*address).clone())
}

/// The label by which a ServiceEntry takes no address.
const AUTOALLOCATE: &str = "networking.istio.io/enable-autoallocate-ip";

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

/// What keeps a proxy from knowing a service, so that it has no cluster for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiddenBy {
    /// The service is not exported to the proxy's namespace (`exportTo`).
    ExportTo,
    /// No egress listener of the proxy's Sidecar imports it.
    Sidecar,
}

/// What keeps a proxy from knowing a service by a host; None where it knows it. `egress` is that of its Sidecar.
pub fn hidden_by(facts: &Facts<'_>, egress: &[Egress], service: &Service, host: &str) -> Option<HiddenBy> {
    if !is_visible(service, facts) {
        return Some(HiddenBy::ExportTo);
    }
    let knows = |egress: &Egress| opens_port_of(egress, service) && imports(egress, &service.name.namespace, host, facts);
    let imported = egress.is_empty() || egress.iter().any(knows);
    (!imported).then_some(HiddenBy::Sidecar)
}

/// Whether an egress listener is for a port of a service: one with a port imports the services alone that have it, but for an HTTP proxy
/// (`pilot/pkg/model/sidecar.go: needsPortMatch, serviceMatchingListenerPort`).
fn opens_port_of(egress: &Egress, service: &Service) -> bool {
    let is_proxy = egress.protocol.eq_ignore_ascii_case("HTTP_PROXY");
    egress.port.is_none_or(|port| is_proxy || service.ports.iter().any(|own| own.port == port))
}

/// The services that an egress listener imports; without one, all. A host that several namespaces have is taken from the proxy's
/// own, else from the first, a Kubernetes service before others (`pilot/pkg/model/sidecar.go: selectServices`).
pub(super) fn imported<'s>(egress: Option<&Egress>, visible: &[Known<'s>], facts: &Facts<'s>) -> Vec<Known<'s>> {
    let wanted = |known: &&Known<'_>| egress.is_none_or(|egress| imports(egress, &known.service.name.namespace, &known.host, facts));
    let mut found: Vec<Known<'_>> = visible.iter().filter(wanted).cloned().collect();
    if facts.plane.version.looks_up_exact_hosts() && egress.is_some_and(names_hosts_exactly) {
        found = one_for_each_host(found);
    }
    let prefers_kubernetes = facts.plane.version.prefers_kubernetes_services();
    let mut chosen: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for known in &found {
        let namespace = &known.service.name.namespace;
        let own = namespace == facts.namespace();
        let is_kubernetes = known.service.registry == Registry::Kubernetes;
        let better = chosen.get(&known.host).is_none_or(|(before, was_kubernetes)| {
            own || (prefers_kubernetes && is_kubernetes && !was_kubernetes && before != facts.namespace())
        });
        if better {
            chosen.insert(known.host.clone(), (namespace.clone(), is_kubernetes));
        }
    }
    found.retain(|known| chosen.get(&known.host).is_some_and(|(namespace, _)| *namespace == known.service.name.namespace));
    found
}

/// Whether every host is named with its namespace and without `*`, so that istiod looks each up instead of going through all
/// (`convertIstioListenerToWrapper`).
fn names_hosts_exactly(egress: &Egress) -> bool {
    let included = egress.hosts.iter().filter(|host| !host.starts_with('~'));
    included.filter_map(|host| host.split_once('/')).all(|(namespace, name)| namespace != "*" && !name.starts_with('*'))
}

/// Whether an egress listener imports what has this host in this namespace.
pub fn imports(egress: &Egress, of: &str, name: &str, facts: &Facts<'_>) -> bool {
    imports_by(egress, of, name, facts, covers)
}

/// The same of a VirtualService, whose host may also be wider than what is imported
/// (`pilot/pkg/model/sidecar.go: VSMatches`).
pub(super) fn imports_routes(egress: &Egress, of: &str, name: &str, facts: &Facts<'_>) -> bool {
    imports_by(egress, of, name, facts, |pattern, name| covers(pattern, name) || covers(name, pattern))
}

fn imports_by(egress: &Egress, of: &str, name: &str, facts: &Facts<'_>, fits: impl Fn(&str, &str) -> bool) -> bool {
    let mut imported = false;
    for host in &egress.hosts {
        let Some((namespace, pattern)) = host.split_once('/') else { continue };
        let excluded = namespace.strip_prefix('~').filter(|_| facts.plane.version.excludes_egress_hosts());
        let namespace = match excluded.unwrap_or(namespace) {
            "." => facts.namespace(),
            // `~/` without a namespace excludes in all of them.
            "" if excluded.is_some() => "*",
            namespace => namespace,
        };
        if namespace != "*" && namespace != of {
            continue;
        }
        match excluded {
            Some(_) if covers(pattern, name) => return false,
            None => imported |= fits(pattern, name),
            Some(_) => {}
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
