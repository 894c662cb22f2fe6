//! Names of things: what a person types and what an answer prints.

use std::fmt;

use serde::{Serialize, Serializer};

use super::kind::Kind;

/// A namespace and a name, written `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

impl ObjectName {
    /// Puts a namespace and a name together.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The kind of object that brought an extension into a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum PluginKind {
    /// `WasmPlugin` of `extensions.istio.io`.
    WasmPlugin,
    /// `TrafficExtension` of `extensions.istio.io` (Istio 1.30 and later), Wasm or Lua.
    TrafficExtension,
    /// A Wasm filter that no Istio extension object made: an EnvoyFilter, or the bootstrap.
    EnvoyFilter,
}

impl PluginKind {
    /// The kind as its object writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WasmPlugin => "WasmPlugin",
            Self::TrafficExtension => "TrafficExtension",
            Self::EnvoyFilter => "EnvoyFilter",
        }
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which plugin: its kind with its namespace and name. A WasmPlugin and a TrafficExtension of one name can stand side by side.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginId {
    /// Namespace and name; compared first, so that lists sort by name.
    pub name: ObjectName,
    /// What made it.
    pub kind: PluginKind,
}

impl PluginId {
    /// Puts the parts together.
    pub fn new(kind: PluginKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { name: ObjectName::new(namespace, name), kind }
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// What owns a set of pods, or stands for a machine outside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `apps/v1` ReplicaSet without a Deployment.
    ReplicaSet,
    /// `batch/v1` Job.
    Job,
    /// A Gateway API gateway or waypoint, named by its Gateway.
    Gateway,
    /// A machine outside the cluster (`networking.istio.io` WorkloadEntry).
    WorkloadEntry,
    /// A pod that nothing else owns.
    Pod,
    /// A proxy of which no object was read.
    Proxy,
}

impl WorkloadKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::Job,
        Self::Gateway,
        Self::WorkloadEntry,
        Self::Pod,
        Self::Proxy,
    ];

    /// The kind as its object writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
            Self::Gateway => "Gateway",
            Self::WorkloadEntry => "WorkloadEntry",
            Self::Pod => "Pod",
            Self::Proxy => "Proxy",
        }
    }

    /// The kind of the object that owns the pods, where such objects are read.
    pub fn object_kind(self) -> Option<Kind> {
        match self {
            Self::Deployment => Some(Kind::Deployment),
            Self::StatefulSet => Some(Kind::StatefulSet),
            Self::DaemonSet => Some(Kind::DaemonSet),
            Self::ReplicaSet => Some(Kind::ReplicaSet),
            Self::Job | Self::Gateway | Self::WorkloadEntry | Self::Pod | Self::Proxy => None,
        }
    }

    /// The word that stands before the slash on the command line: `deploy`, `statefulset`, `gateway`, …
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Deployment => "deploy",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::ReplicaSet => "replicaset",
            Self::Job => "job",
            Self::Gateway => "gateway",
            Self::WorkloadEntry => "workloadentry",
            Self::Pod => "pod",
            Self::Proxy => "proxy",
        }
    }
}

/// Which workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkloadId {
    /// Namespace and name; compared first, so that lists sort by name.
    pub name: ObjectName,
    /// What kind of owner it is.
    pub kind: WorkloadKind,
}

impl WorkloadId {
    /// Puts the parts together.
    pub fn new(kind: WorkloadKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { name: ObjectName::new(namespace, name), kind }
    }

    /// `deploy/httpbin`: as the command line takes it, without the namespace.
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind.prefix(), self.name.name)
    }
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// Which proxy, by istiod's proxy ID: the pod (or WorkloadEntry) and its namespace, written `pod.namespace`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProxyId {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
}

impl ProxyId {
    /// Puts a pod's name and namespace together.
    pub fn new(pod: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), pod: pod.into() }
    }

    /// Reads `pod.namespace`: a namespace has no dot, so the last one divides.
    pub fn parse(text: &str) -> Option<Self> {
        let (pod, namespace) = text.rsplit_once('.')?;
        (!pod.is_empty() && !namespace.is_empty()).then(|| Self::new(pod, namespace))
    }
}

impl fmt::Display for ProxyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The proxy of a lone dump that does not say whose it is has a name only.
        if self.namespace.is_empty() { f.write_str(&self.pod) } else { write!(f, "{}.{}", self.pod, self.namespace) }
    }
}

impl Serialize for ProxyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether a text is a label of a DNS name in lower case, of whatever length.
pub fn is_dns_label(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && text.chars().all(|c| alphanumeric(c) || c == '-')
}
