//! The kinds of Kubernetes objects that meshscope reads, with where the API server keeps them.

use std::fmt;

/// A kind that is watched. Names are those of the objects; where two groups share one, the Istio kind carries the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `extensions.istio.io` WasmPlugin.
    WasmPlugin,
    /// `extensions.istio.io` TrafficExtension.
    TrafficExtension,
    /// Pod.
    Pod,
    /// Service.
    Service,
    /// Namespace.
    Namespace,
    /// `security.istio.io` PeerAuthentication.
    PeerAuthentication,
    /// `security.istio.io` AuthorizationPolicy.
    AuthorizationPolicy,
    /// `security.istio.io` RequestAuthentication.
    RequestAuthentication,
    /// `networking.istio.io` EnvoyFilter.
    EnvoyFilter,
    /// `networking.istio.io` Sidecar.
    Sidecar,
    /// `networking.istio.io` Gateway.
    IstioGateway,
    /// `gateway.networking.k8s.io` Gateway.
    Gateway,
    /// `networking.istio.io` ServiceEntry.
    ServiceEntry,
    /// `networking.istio.io` WorkloadEntry.
    WorkloadEntry,
    /// `networking.istio.io` VirtualService.
    VirtualService,
    /// `networking.istio.io` DestinationRule.
    DestinationRule,
    /// `apps` Deployment.
    Deployment,
    /// `apps` ReplicaSet.
    ReplicaSet,
    /// `apps` StatefulSet.
    StatefulSet,
    /// `apps` DaemonSet.
    DaemonSet,
    /// The mesh configuration: ConfigMap `istio` (or `istio-<revision>`) of istiod's namespace.
    MeshConfigMap,
}

/// How much of a kind's objects the program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The whole object.
    Whole,
    /// Only `metadata` (owners, labels): a cheaper list.
    Metadata,
}

/// Where the inventory keeps the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// With the plugins.
    Plugins,
    /// With the pods.
    Pods,
    /// With the services.
    Services,
    /// With the owners of pods.
    Owners,
    /// With the PeerAuthentications.
    PeerAuthentications,
    /// With the policies: objects of many kinds, by kind and name.
    Policies,
    /// With the namespaces.
    Namespaces,
    /// As the mesh configuration.
    Mesh,
}

impl Kind {
    /// Where the inventory keeps its objects.
    pub fn storage(self) -> Storage {
        match self {
            Self::WasmPlugin | Self::TrafficExtension => Storage::Plugins,
            Self::Pod | Self::WorkloadEntry => Storage::Pods,
            Self::Service | Self::ServiceEntry => Storage::Services,
            Self::Deployment | Self::ReplicaSet | Self::StatefulSet | Self::DaemonSet => Storage::Owners,
            Self::PeerAuthentication => Storage::PeerAuthentications,
            Self::EnvoyFilter
            | Self::Sidecar
            | Self::IstioGateway
            | Self::Gateway
            | Self::VirtualService
            | Self::DestinationRule
            | Self::AuthorizationPolicy
            | Self::RequestAuthentication => Storage::Policies,
            Self::Namespace => Storage::Namespaces,
            Self::MeshConfigMap => Storage::Mesh,
        }
    }

    /// Every watched kind, those that the first screen needs first.
    pub const ALL: [Self; 21] = [
        Self::WasmPlugin,
        Self::TrafficExtension,
        Self::Pod,
        Self::PeerAuthentication,
        Self::MeshConfigMap,
        Self::ReplicaSet,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Gateway,
        Self::IstioGateway,
        Self::Service,
        Self::ServiceEntry,
        Self::WorkloadEntry,
        Self::EnvoyFilter,
        Self::Sidecar,
        Self::VirtualService,
        Self::DestinationRule,
        Self::AuthorizationPolicy,
        Self::RequestAuthentication,
        Self::Namespace,
    ];

    /// The kind as an object writes it in `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WasmPlugin => "WasmPlugin",
            Self::TrafficExtension => "TrafficExtension",
            Self::Pod => "Pod",
            Self::Service => "Service",
            Self::Namespace => "Namespace",
            Self::PeerAuthentication => "PeerAuthentication",
            Self::AuthorizationPolicy => "AuthorizationPolicy",
            Self::RequestAuthentication => "RequestAuthentication",
            Self::EnvoyFilter => "EnvoyFilter",
            Self::Sidecar => "Sidecar",
            Self::IstioGateway | Self::Gateway => "Gateway",
            Self::ServiceEntry => "ServiceEntry",
            Self::WorkloadEntry => "WorkloadEntry",
            Self::VirtualService => "VirtualService",
            Self::DestinationRule => "DestinationRule",
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::MeshConfigMap => "ConfigMap",
        }
    }

    /// The word before it in a sentence.
    pub fn article(self) -> &'static str {
        if self.as_str().starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
    }

    /// The API group; empty for the core group.
    pub fn group(self) -> &'static str {
        match self {
            Self::WasmPlugin | Self::TrafficExtension => "extensions.istio.io",
            Self::PeerAuthentication | Self::AuthorizationPolicy | Self::RequestAuthentication => "security.istio.io",
            Self::EnvoyFilter
            | Self::Sidecar
            | Self::IstioGateway
            | Self::ServiceEntry
            | Self::WorkloadEntry
            | Self::VirtualService
            | Self::DestinationRule => "networking.istio.io",
            Self::Gateway => "gateway.networking.k8s.io",
            Self::Deployment | Self::ReplicaSet | Self::StatefulSet | Self::DaemonSet => "apps",
            Self::Pod | Self::Service | Self::Namespace | Self::MeshConfigMap => "",
        }
    }

    /// The versions to ask for, the preferred first; which of them the mesh has is known by discovery.
    pub fn versions(self) -> &'static [&'static str] {
        match self.group() {
            "extensions.istio.io" => &["v1alpha1"],
            "security.istio.io" => &["v1", "v1beta1"],
            "networking.istio.io" if self == Self::EnvoyFilter => &["v1alpha3"],
            "networking.istio.io" => &["v1", "v1beta1", "v1alpha3"],
            "gateway.networking.k8s.io" => &["v1", "v1beta1"],
            _ => &["v1"],
        }
    }

    /// The resource's name in an API path.
    pub fn plural(self) -> &'static str {
        match self {
            Self::WasmPlugin => "wasmplugins",
            Self::TrafficExtension => "trafficextensions",
            Self::Pod => "pods",
            Self::Service => "services",
            Self::Namespace => "namespaces",
            Self::PeerAuthentication => "peerauthentications",
            Self::AuthorizationPolicy => "authorizationpolicies",
            Self::RequestAuthentication => "requestauthentications",
            Self::EnvoyFilter => "envoyfilters",
            Self::Sidecar => "sidecars",
            Self::IstioGateway | Self::Gateway => "gateways",
            Self::ServiceEntry => "serviceentries",
            Self::WorkloadEntry => "workloadentries",
            Self::VirtualService => "virtualservices",
            Self::DestinationRule => "destinationrules",
            Self::Deployment => "deployments",
            Self::ReplicaSet => "replicasets",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::MeshConfigMap => "configmaps",
        }
    }

    /// Whether its objects live in namespaces.
    pub fn namespaced(self) -> bool {
        self != Self::Namespace
    }

    /// Whether a mesh may lack it: kinds that a CRD defines.
    pub fn is_custom(self) -> bool {
        self.group().contains('.')
    }

    /// How much of its objects is used.
    pub fn depth(self) -> Depth {
        match self {
            Self::Namespace | Self::ReplicaSet => Depth::Metadata,
            _ => Depth::Whole,
        }
    }

    /// `wasmplugins.extensions.istio.io`, or just `pods` for the core group: the resource as `kubectl` and a Role name it.
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// The file of a recording folder that holds its List: core and apps kinds have no group in the name.
    pub fn file(self) -> String {
        match self.group() {
            _ if self == Self::MeshConfigMap => "k8s/configmap-istio.json".to_owned(),
            "" | "apps" => format!("k8s/{}.json", self.plural()),
            group => format!("k8s/{}.{group}.json", self.plural()),
        }
    }
}

/// Whether a group is one that only a CRD brings.
pub fn is_mesh_group(group: &str) -> bool {
    group == "istio.io" || group.ends_with(".istio.io") || group == "gateway.networking.k8s.io"
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
