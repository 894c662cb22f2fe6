//! What the objects say of where a client's requests go: the service behind an authority, and the routes and rules for it.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::gather::host;
use crate::analysis::control_plane;
use crate::analysis::era::Version;
use crate::analysis::mtls::rules::{Merged, Rules, full_host};
use crate::model::envoy_filter::Patch;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::logs::LogTime;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::requests::{Failed, FailedReason};
use crate::model::routing::{RouteRule, RouteTarget};
use crate::model::service::{Registry, Service};
use crate::model::snapshot::Snapshot;
use crate::model::workload::Pod;

/// Without a dump nothing says what the domain is.
pub(super) const DOMAIN: &str = "cluster.local";

/// How long after the last reading an object may have been changed, in nanoseconds: objects are watched, and proxies are read now and then.
const AHEAD: LogTime = 600_000_000_000;

/// The objects, ready for many questions.
pub struct Mesh<'o> {
    pub(super) snapshot: &'o Snapshot,
    pub(super) objects: &'o Inventory,
    /// The release of istiod.
    pub(super) version: Version,
    /// When the proxies and istiods were read last; None over a recording.
    read_at: Option<LogTime>,
    pub(super) rules: Rules<'o>,
    hosts: OnceCell<HashMap<String, &'o Service>>,
}

impl<'o> Mesh<'o> {
    /// The objects of a snapshot.
    pub fn of(snapshot: &'o Snapshot) -> Self {
        let objects: &Inventory = &snapshot.objects;
        let version = control_plane::control_plane(objects, None, None).version;
        let proxies = snapshot.dumps.keys().filter_map(|proxy| snapshot.dump(proxy)?.read_at);
        let istiods = snapshot.sync.as_ref().and_then(|sync| sync.as_ref().ok()?.asked);
        let read_at = proxies.chain(istiods).max();
        Self { snapshot, objects, version, read_at, rules: Rules::of(objects, DOMAIN, version), hosts: OnceCell::new() }
    }

    /// Whether all objects of a kind were read, so that one that is not there is gone.
    pub(super) fn knows(&self, kind: Kind) -> bool {
        let Snapshot { unread, settled, absent, .. } = self.snapshot;
        !unread.contains(&kind) && settled.contains(&kind) && !absent.contains(&kind)
    }

    /// When an object was last changed, where that was after the last failure.
    pub(super) fn changed_since(&self, failed: &Failed, kind: Kind, name: &ObjectName) -> Option<LogTime> {
        let changed = self.objects.policies.get(&(kind, name.clone()))?.changed?;
        self.is_since(Some(changed), failed).then_some(changed)
    }

    /// Whether a time of an object is after the last failure. One that is long after all that was read is by a clock that goes wrong, and shows
    /// nothing.
    pub(super) fn is_since(&self, time: Option<LogTime>, failed: &Failed) -> bool {
        let can_be = |time: LogTime| self.read_at.is_none_or(|read| time <= read.saturating_add(AHEAD));
        time.zip(failed.last).is_some_and(|(time, last)| time > last && can_be(time))
    }

    /// Whether an EnvoyFilter of the proxy may have such a patch: also where that is not known.
    pub(super) fn may_patch(&self, pod: &Pod, is_one: impl Fn(&Patch) -> bool) -> bool {
        let kind = Kind::EnvoyFilter;
        let has_one = |policy: &Policy| matches!(&policy.spec, PolicySpec::EnvoyFilter(spec) if spec.patches.iter().any(&is_one));
        let knows = self.knows(kind) || self.snapshot.absent.contains(&kind);
        !knows || self.has_targeted(kind) || self.policies(kind, pod).any(has_one)
    }

    /// Whether an object of a kind names its targets, so that it is not known from its selector which proxies it is for.
    pub(super) fn has_targeted(&self, kind: Kind) -> bool {
        self.objects.policies_of(kind).any(has_targets)
    }

    /// Whether all services of the mesh were read.
    pub(super) fn knows_services(&self) -> bool {
        self.knows(Kind::Service) && (self.knows(Kind::ServiceEntry) || self.snapshot.absent.contains(&Kind::ServiceEntry))
    }

    /// The service that requests failed on the way to.
    pub fn service(&self, reason: &FailedReason, namespace: &str) -> Option<&'o Service> {
        let of_cluster = reason.cluster.strip_prefix("outbound|").and_then(|rest| rest.rsplit('|').next());
        let names = of_cluster.map_or_else(|| spellings(&reason.to.name, namespace), |host| vec![host.to_owned()]);
        let address = host(&reason.local);
        let mut services = self.objects.services.values().map(|service| &**service);
        // The cluster's domain need not be the default one.
        let short = of_cluster.and_then(|host| host.split_once(".svc.")).map(|(short, _)| short);
        let is_short = |service: &Service| {
            let name = || format!("{}.{}", service.name.name, service.name.namespace);
            service.registry == Registry::Kubernetes && short.is_some_and(|short| short == name())
        };
        let is_named = |service: &&Service| is_short(service) || service.hosts(DOMAIN).iter().any(|host| names.contains(host));
        let by_name = services.clone().find(is_named);
        by_name.or_else(|| services.find(|service| !address.is_empty() && service.addresses.iter().any(|own| own == address)))
    }

    /// The DestinationRule that a client uses for a service.
    pub(super) fn rule(&self, client: &Pod, service: &Service) -> Option<&Merged<'o>> {
        let namespace = &client.id.namespace;
        service.hosts(DOMAIN).iter().find_map(|host| self.rules.for_client(namespace, &client.labels, host, &service.name.namespace))
    }

    /// Where a route of a VirtualService leads that is nowhere: a subset, a port or a host that nothing defines.
    pub(super) fn leads_nowhere(&self, client: &Pod, of: &ObjectName, rule: &RouteRule) -> Option<String> {
        rule.targets.iter().find_map(|target| self.is_nowhere(client, &full_host(&target.host, &of.namespace, DOMAIN), target))
    }

    fn is_nowhere(&self, client: &Pod, host: &str, target: &RouteTarget) -> Option<String> {
        let service = self.hosts().get(host).copied();
        if !target.subset.is_empty() && self.knows(Kind::DestinationRule) {
            let namespace = service.map_or("", |service| &service.name.namespace);
            let rule = self.rules.for_client(&client.id.namespace, &client.labels, host, namespace);
            if rule.is_none_or(|rule| rule.subsets.iter().all(|known| known.name != target.subset)) {
                let which = match self.defining(host, &target.subset) {
                    Some(rule) => format!("which DestinationRule {rule} defines, but not for this client"),
                    None => "which no DestinationRule defines".to_owned(),
                };
                return Some(format!("subset {}, {which}", target.subset));
            }
        }
        if !self.knows_services() {
            return None;
        }
        if !self.has_host(host) {
            return Some(format!("host {host}, which no Service or ServiceEntry has"));
        }
        let port = target.port.filter(|port| service.is_some_and(|service| service.ports.iter().all(|own| own.port != *port)))?;
        Some(format!("port {port} of {host}, which has no such port"))
    }

    /// A rule that defines a subset of a host, whoever uses it.
    fn defining(&self, host: &str, subset: &str) -> Option<&'o ObjectName> {
        self.objects.policies_of(Kind::DestinationRule).find_map(|policy| match &policy.spec {
            PolicySpec::DestinationRule(rule) => {
                let is_it = full_host(&rule.host, &policy.name.namespace, DOMAIN) == host;
                (is_it && rule.subsets.iter().any(|known| known.name == subset)).then_some(&policy.name)
            }
            _ => None,
        })
    }

    /// Whether a service has a host, its own or a pattern that covers it.
    pub(super) fn has_host(&self, host: &str) -> bool {
        let hosts = self.hosts();
        hosts.contains_key(host) || hosts.keys().any(|own| own.strip_prefix('*').is_some_and(|suffix| host.ends_with(suffix)))
    }

    /// The services by their hosts.
    fn hosts(&self) -> &HashMap<String, &'o Service> {
        self.hosts.get_or_init(|| {
            let services = self.objects.services.values().map(|service| &**service);
            services.flat_map(|service| service.hosts(DOMAIN).into_iter().map(move |host| (host, service))).collect()
        })
    }

    /// The policies of a kind that are for a pod.
    pub(super) fn policies(&self, kind: Kind, pod: &Pod) -> impl Iterator<Item = &'o Policy> {
        policies_for(self.objects, kind, pod).into_iter()
    }
}

/// The policies of a kind that are for a pod: of its namespace or the root namespace, and by their selector. One that names its targets
/// is for gateways and waypoints (`pilot/pkg/model/policyattachment.go`).
pub(super) fn policies_for<'o>(objects: &'o Inventory, kind: Kind, pod: &Pod) -> Vec<&'o Policy> {
    let own = pod.id.namespace.as_str();
    let namespaces = std::iter::once(own).chain(Some(objects.root_namespace()).filter(|root| *root != own));
    let is_for_it =
        |policy: &&Policy| !has_targets(policy) && policy.selector.as_ref().is_none_or(|selector| selector.matches(&pod.labels));
    namespaces.flat_map(|namespace| objects.policies_in(kind, namespace)).filter(is_for_it).collect()
}

/// Whether a policy names what it is for, and not by a selector.
fn has_targets(policy: &Policy) -> bool {
    match &policy.spec {
        PolicySpec::Requests(of) => of.has_targets,
        PolicySpec::EnvoyFilter(of) => !of.target_refs.is_empty(),
        _ => false,
    }
}

/// The hosts that an authority can mean: as it is written, and as short names of Kubernetes are completed.
pub(super) fn spellings(authority: &str, namespace: &str) -> Vec<String> {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    let name = name.trim_end_matches('.');
    let mut found = vec![name.to_owned()];
    match name.split('.').count() {
        1 => found.push(format!("{name}.{namespace}.svc.{DOMAIN}")),
        2 => found.push(format!("{name}.svc.{DOMAIN}")),
        3 if name.ends_with(".svc") => found.push(format!("{name}.{DOMAIN}")),
        _ => {}
    }
    found
}
