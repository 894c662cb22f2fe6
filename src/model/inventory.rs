//! All the objects that were read, by kind: what the watches keep up to date and snapshots are taken from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::{ObjectName, PluginId, ProxyId};
use super::kind::Kind;
use super::labels::Labels;
use super::mesh::{DEFAULT_ROOT_NAMESPACE, Istiod, MeshConfig};
use super::peer_authentication::PeerAuthentication;
use super::plugin::Plugin;
use super::policy::Policy;
use super::service::Service;
use super::workload::{OwnerObject, Pod};

/// The objects of a mesh. Values are shared, so a copy is cheap.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// WasmPlugins and TrafficExtensions.
    pub plugins: BTreeMap<PluginId, Arc<Plugin>>,
    /// Pods and WorkloadEntries.
    pub pods: BTreeMap<ProxyId, Arc<Pod>>,
    /// Those of the pods that run istiod: every answer about a proxy looks for its own.
    pub control_planes: BTreeMap<ProxyId, Arc<Pod>>,
    /// Proxies that a recording or an istiod knows by name, and nothing else says anything of.
    pub unseen: BTreeSet<ProxyId>,
    /// Deployments, ReplicaSets, StatefulSets, DaemonSets.
    pub owners: BTreeMap<(Kind, ObjectName), Arc<OwnerObject>>,
    /// Services and ServiceEntries.
    pub services: BTreeMap<(Kind, ObjectName), Arc<Service>>,
    /// PeerAuthentications.
    pub peer_authentications: BTreeMap<ObjectName, Arc<PeerAuthentication>>,
    /// EnvoyFilters, Sidecars, both kinds of Gateway, VirtualServices, DestinationRules, AuthorizationPolicies and RequestAuthentications.
    pub policies: BTreeMap<(Kind, ObjectName), Arc<Policy>>,
    /// Namespaces, with their labels.
    pub namespaces: BTreeMap<String, Labels>,
    /// The mesh configuration; None where it could not be read, so the defaults stand in.
    pub mesh: Option<Arc<MeshConfig>>,
    /// The istiods that said their version.
    pub istiods: Vec<Istiod>,
}

impl Inventory {
    /// Adds a pod or WorkloadEntry, or puts it in the place of what had its name.
    pub fn insert_pod(&mut self, pod: Pod) {
        let pod = Arc::new(pod);
        if pod.istiod.is_some() {
            self.control_planes.insert(pod.id.clone(), pod.clone());
        } else {
            self.control_planes.remove(&pod.id);
        }
        self.pods.insert(pod.id.clone(), pod);
    }

    /// Keeps those pods and WorkloadEntries that are to be kept.
    pub fn retain_pods(&mut self, keep: impl Fn(&Pod) -> bool) {
        self.pods.retain(|_, pod| keep(pod));
        self.control_planes.retain(|_, pod| keep(pod));
    }

    /// The namespace whose plugins and policies reach the whole mesh.
    pub fn root_namespace(&self) -> &str {
        self.mesh.as_deref().map_or(DEFAULT_ROOT_NAMESPACE, |mesh| &mesh.root_namespace)
    }

    /// Whether istiod sees what is in a namespace: one of `discoverySelectors` matches its labels. Without any, or where the labels are not
    /// known, it does. No namespace is an exception, the root namespace neither (`pkg/kube/namespace/filter.go`).
    pub fn discovers(&self, namespace: &str) -> bool {
        let selectors = self.mesh.as_deref().map(|mesh| mesh.discovery_selectors.as_slice()).unwrap_or_default();
        let Some(labels) = self.namespaces.get(namespace) else { return true };
        selectors.is_empty() || selectors.iter().any(|selector| selector.matches(labels))
    }

    /// Whether a pod is gone. Where no pods were read, nothing says so.
    pub fn is_gone(&self, proxy: &ProxyId) -> bool {
        !self.pods.is_empty() && !self.pods.contains_key(proxy)
    }

    /// The port of a sidecar's inbound listener (`proxyInboundListenPort`).
    pub fn inbound_port(&self) -> u16 {
        self.mesh_config().inbound_port
    }

    /// The policies of a kind, by namespace and name.
    pub fn policies_of(&self, kind: Kind) -> impl Iterator<Item = &Policy> {
        let from_first = self.policies.range((kind, ObjectName::new("", ""))..);
        from_first.take_while(move |((of, _), _)| *of == kind).map(|(_, policy)| &**policy)
    }

    /// Those of one namespace, by name.
    pub fn policies_in(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Policy> {
        let from_first = self.policies.range((kind, ObjectName::new(namespace, ""))..);
        let own = from_first.take_while(move |((of, name), _)| *of == kind && name.namespace == namespace);
        own.map(|(_, policy)| &**policy)
    }

    /// The mesh configuration, or Istio's defaults.
    pub fn mesh_config(&self) -> MeshConfig {
        self.mesh.as_deref().cloned().unwrap_or_default()
    }
}
