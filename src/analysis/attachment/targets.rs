//! What a targetRef must fulfil to be a gateway, a waypoint, its class, or a service that it serves.

use super::reason::{RefMiss, TargetMiss};
use super::rules::Rules;
use super::waypoint::{self, NotServed};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::plugin::{Plugin, TargetRef};
use crate::model::service::{Registry, Service};
use crate::model::workload::{Pod, ProxyKind};

/// The GatewayClass of waypoints, the only one that can be targeted (`pkg/config/constants/constants.go: WaypointGatewayClassName`).
pub const WAYPOINT_CLASS: &str = "istio-waypoint";

/// A proxy that a Gateway object made, as a target.
pub(super) struct Target<'o> {
    pub(super) plugin: &'o Plugin,
    pub(super) pod: &'o Pod,
    /// The name of its Gateway.
    pub(super) gateway: &'o str,
    /// The services in question: all that the waypoint serves, or the one of a chain.
    pub(super) services: &'o [&'o Service],
    pub(super) rules: Rules,
    pub(super) objects: &'o Inventory,
}

impl Target<'_> {
    /// Which of the references is met; else, of each, what is not.
    pub(super) fn decide(&self, targets: &[TargetRef]) -> Result<TargetRef, Vec<TargetMiss>> {
        let mut misses = Vec::new();
        for target in targets {
            let why = self.misses(target);
            if why.is_empty() {
                return Ok(target.clone());
            }
            misses.push(TargetMiss { target: target.clone(), why });
        }
        Err(misses)
    }

    /// The conditions that the reference fails, the most fundamental first.
    fn misses(&self, target: &TargetRef) -> Vec<RefMiss> {
        let Some(group) = group_of(&target.kind) else { return vec![RefMiss::UnknownKind] };
        if !self.rules.knows_target(&target.kind) {
            return vec![RefMiss::TooNew];
        }
        let mut misses = Vec::new();
        // The core group may be written out (`pkg/config/model.go: CanonicalGroup`).
        if target.group != group && !(group.is_empty() && target.group == "core") {
            misses.push(RefMiss::Group { wanted: group });
        }
        if target.kind != "Gateway" && !self.is_waypoint() {
            misses.push(RefMiss::NotWaypoint);
        }
        misses.extend(match target.kind.as_str() {
            "Gateway" => self.gateway_misses(target),
            "GatewayClass" => self.class_misses(target),
            "Service" => self.service_miss(target, Registry::Kubernetes).into_iter().collect(),
            _ => self.service_miss(target, Registry::ServiceEntry).into_iter().collect(),
        });
        misses
    }

    fn is_waypoint(&self) -> bool {
        self.pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Waypoint)
    }

    fn is_root(&self) -> bool {
        self.plugin.id.name.namespace == self.objects.root_namespace()
    }

    fn gateway_misses(&self, target: &TargetRef) -> Vec<RefMiss> {
        let (plugin, own) = (&self.plugin.id.name.namespace, &self.pod.id.namespace);
        let mut misses = Vec::new();
        if target.name != self.gateway {
            misses.push(RefMiss::OtherGateway { gateway: self.gateway.to_owned() });
        }
        if plugin != own && !(self.is_root() && self.rules.gateway_targets_from_root()) {
            misses.push(RefMiss::PluginNamespace { gateway: own.clone(), plugin: plugin.clone() });
        }
        misses.extend(self.ref_namespace(target));
        misses
    }

    fn ref_namespace(&self, target: &TargetRef) -> Option<RefMiss> {
        let foreign = !target.namespace.is_empty() && target.namespace != self.pod.id.namespace;
        foreign.then(|| RefMiss::RefNamespace(target.namespace.clone()))
    }

    fn class_misses(&self, target: &TargetRef) -> Vec<RefMiss> {
        let class = (target.name != WAYPOINT_CLASS).then_some(RefMiss::OtherClass);
        let root = (!self.is_root()).then(|| RefMiss::NotRoot { root: self.objects.root_namespace().to_owned() });
        class.into_iter().chain(root).collect()
    }

    /// A service is named by the object's name, and the plugin has to stand in its namespace.
    fn service_miss(&self, target: &TargetRef, registry: Registry) -> Option<RefMiss> {
        let (plugin, own) = (&self.plugin.id.name.namespace, &self.pod.id.namespace);
        let named = |service: &Service| service.registry == registry && service.name.name == target.name;
        let is_it = |service: &Service| named(service) && (self.rules.services_by_name_alone() || service.name.namespace == *plugin);
        let looked_at = self.rules.looks_in_service_namespaces() || plugin == own || self.is_root();
        if !looked_at {
            return Some(RefMiss::PluginNamespace { gateway: own.clone(), plugin: plugin.clone() });
        }
        if let Some(foreign) = self.ref_namespace(target).filter(|_| self.rules.services_by_name_alone()) {
            return Some(foreign);
        }
        if self.services.iter().any(|service| is_it(service)) {
            return None;
        }
        let kind = if registry == Registry::Kubernetes { Kind::Service } else { Kind::ServiceEntry };
        let all = || self.objects.services.iter().filter(|((of, _), _)| *of == kind).map(|(_, service)| &**service);
        let Some(service) = all().find(|service| is_it(service)) else {
            let elsewhere = all().filter(|service| named(service)).map(|service| service.name.clone()).collect();
            return Some(RefMiss::NoService { namespace: plugin.clone(), elsewhere });
        };
        let waypoint = waypoint::waypoint_of(self.pod)?;
        // A service that the waypoint does serve is missed only in the chains of another.
        let why = waypoint::serves(&waypoint, service, self.objects).err().unwrap_or(NotServed::OtherChain);
        Some(RefMiss::NotServed { waypoint, why })
    }
}

/// The API group of a kind that can be targeted.
pub(super) fn group_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Gateway" | "GatewayClass" => "gateway.networking.k8s.io",
        "Service" => "",
        "ServiceEntry" => "networking.istio.io",
        _ => return None,
    })
}
