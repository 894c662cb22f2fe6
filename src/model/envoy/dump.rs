//! A config dump as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::ecds::EcdsFilter;
use super::listener::Listener;
use crate::model::workload::ContainerPort;

/// Whose view a dump is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpView {
    /// The proxy's own: what it has.
    Proxy,
    /// istiod's: what it would send. It never counts as what the proxy has.
    Istiod,
}

impl DumpView {
    /// The word of JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Istiod => "istiod",
        }
    }
}

/// What was understood of one `config_dump`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigDump {
    /// Whose view it is.
    pub view: DumpView,
    /// The node of the bootstrap; None where the dump has no bootstrap section.
    pub node: Option<Node>,
    /// Every listener in every state, in the dump's order.
    pub listeners: Vec<Listener>,
    /// All ECDS entries of all sections.
    pub ecds: Vec<EcdsFilter>,
    /// Every section, known or not.
    pub sections: Vec<Section>,
    /// How large the dump was, in bytes.
    pub bytes: usize,
    /// How many parts of it could not be understood, of which nothing is known: what is missing may be in them.
    pub not_understood: usize,
    /// Whether listeners could not be read: the proxy can have others than are here.
    pub unread_listeners: bool,
    /// The clusters that its routes lead to and that it does not have, each with the domains of the virtual hosts that lead there.
    pub dead_clusters: BTreeMap<String, BTreeSet<String>>,
}

impl ConfigDump {
    /// A dump without content.
    pub fn empty(view: DumpView) -> Self {
        Self {
            view,
            node: None,
            listeners: Vec::new(),
            ecds: Vec::new(),
            sections: Vec::new(),
            bytes: 0,
            not_understood: 0,
            unread_listeners: false,
            dead_clusters: BTreeMap::new(),
        }
    }

    /// Whether it says which listeners the proxy has.
    pub fn has_listeners(&self) -> bool {
        let is_of_listeners = |section: &Section| section.type_url.contains("Listener");
        !self.listeners.is_empty() || self.sections.iter().any(is_of_listeners)
    }

    /// Whether it has a listener of istiod's, in any state: one that the bootstrap does not hold.
    pub fn has_sent_listeners(&self) -> bool {
        self.listeners.iter().any(|listener| !listener.is_static)
    }

    /// Whether it says of every listener that the proxy has one of this name: only then the proxy lacks what is not here.
    pub fn has_all_listeners(&self) -> bool {
        self.has_listeners() && !self.unread_listeners
    }

    /// What it holds in the place of listeners, as one clause.
    pub fn without_listeners(&self) -> String {
        let mut names: Vec<&str> = self.sections.iter().filter_map(|section| section.type_url.rsplit('.').next()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        format!("has no listeners, only {}", names.join(", "))
    }
}

/// One element of `configs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its `@type`.
    pub type_url: String,
    /// Its size in bytes.
    pub bytes: usize,
}

/// `bootstrap.node`: what the proxy says of itself (`pkg/model/proxy.go: NodeMetadata`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `node.id`: `sidecar~10.0.0.5~httpbin-0.default~default.svc.cluster.local`.
    pub id: String,
    /// `metadata.ISTIO_VERSION`; empty where unset.
    pub istio_version: String,
    /// Envoy's own version, `1.40.0`; empty where unset.
    pub envoy_version: String,
    /// `metadata.NAMESPACE`.
    pub namespace: String,
    /// `metadata.NAME`.
    pub name: String,
    /// `metadata.WORKLOAD_NAME`.
    pub workload_name: String,
    /// `metadata.OWNER`: `kubernetes://apis/apps/v1/namespaces/default/deployments/httpbin`.
    pub owner: String,
    /// `metadata.INSTANCE_IPS`.
    pub instance_ips: Vec<String>,
    /// `metadata.INTERCEPTION_MODE`.
    pub interception_mode: String,
    /// `metadata.ENABLE_HBONE`.
    pub enable_hbone: bool,
    /// `metadata.DNS_CAPTURE`: it answers DNS itself, with the addresses that istiod gives ServiceEntries.
    pub captures_dns: bool,
    /// `metadata.DNS_AUTO_ALLOCATE`: the same of istiods that allot the addresses in their memory.
    pub dns_auto_allocate: bool,
    /// The revision that injected it: its annotation `istio.io/rev`.
    pub revision: Option<String>,
    /// `metadata.POD_PORTS`: the declared container ports, with their names.
    pub pod_ports: Vec<ContainerPort>,
    /// `metadata.LABELS`.
    pub labels: BTreeMap<String, String>,
    /// Ports of the proxy's own static listeners (`metadata.ENVOY_STATUS_PORT`, …), for which istiod makes no chains.
    pub own_ports: Vec<u16>,
    /// `metadata.UNPRIVILEGED_POD`: ports below 1024 are not bound.
    pub unprivileged: bool,
    /// `metadata.HTTP_PROXY_PORT`.
    pub http_proxy_port: Option<u16>,
}

impl Node {
    /// The node type: the part of the ID before the first `~` (`sidecar`, `router`, `waypoint`).
    pub fn node_type(&self) -> &str {
        self.id.split('~').next().unwrap_or_default()
    }

    /// The domain of the cluster's services, `cluster.local`: the last part of the node's ID, `default.svc.cluster.local`, less
    /// what is the namespace's. Empty where the ID has another form.
    pub fn domain(&self) -> &str {
        self.id.split('~').nth(3).and_then(|domain| domain.split_once(".svc.")).map(|(_, domain)| domain).unwrap_or_default()
    }

    /// The proxy's ID, `pod.namespace`: the third part of the node's ID.
    pub fn proxy_id(&self) -> Option<crate::model::ids::ProxyId> {
        self.id.split('~').nth(2).and_then(crate::model::ids::ProxyId::parse)
    }
}
