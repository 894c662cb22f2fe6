//! Pods, workloads and the proxies in them.

use super::capture::{Capture, KeptBy};
use super::ids::{ObjectName, ProxyId, WorkloadId};
use super::labels::Labels;
use super::logs::LogTime;
use super::mesh::Features;

/// What kind of proxy a pod runs, which decides what can be attached to it (`pilot/pkg/model/policyattachment.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProxyKind {
    /// An Envoy beside an application.
    Sidecar,
    /// A gateway of its own Deployment (Helm, operator), without a Gateway object.
    ClassicGateway,
    /// A gateway that a Gateway object made.
    Gateway,
    /// A waypoint: selectors never reach it.
    Waypoint,
    /// ztunnel: no Envoy, so Wasm never runs in it.
    Ztunnel,
}

impl ProxyKind {
    /// A word for tables and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::ClassicGateway | Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Ztunnel => "ztunnel",
        }
    }
}

/// One pod, or one WorkloadEntry, as far as the answers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name, which is also the proxy's ID.
    pub id: ProxyId,
    /// Its labels: what selectors look at.
    pub labels: Labels,
    /// Who owns it, as its `ownerReferences` say: `ReplicaSet`, `StatefulSet`, …; None for a bare pod or a WorkloadEntry.
    pub owner: Option<Owner>,
    /// Whether it is a WorkloadEntry, a machine without a pod.
    pub is_workload_entry: bool,
    /// Whether no object of it was read, and this is what the proxy's node says of itself.
    pub by_node: bool,
    /// The proxy in it; None where it has none.
    pub proxy: Option<ProxyContainer>,
    /// `status.phase`: `Running`, `Pending`, `Succeeded`, …; empty where unknown.
    pub phase: String,
    /// Whether all its containers are ready.
    pub ready: bool,
    /// Since when it is ready; None where it is not, or nothing says when.
    pub ready_since: Option<LogTime>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `status.podIPs` (or the WorkloadEntry's address).
    pub ips: Vec<String>,
    /// The declared container ports; of a WorkloadEntry its `ports`.
    pub container_ports: Vec<ContainerPort>,
    /// The revision that injected it: annotation `istio.io/rev`, or what `sidecar.istio.io/status` says.
    pub revision: Option<String>,
    /// `spec.serviceAccountName`, of which its certificate is; None where nothing says it.
    pub service_account: Option<String>,
    /// What decides whether it is injected.
    pub injection: Injection,
    /// The switches of the istiod in it; None for every other pod.
    pub istiod: Option<Features>,
    /// Why it is known not to be ready, in a word: `CrashLoopBackOff`, `ContainersNotReady`; None where it is ready, or nothing says it.
    pub unready: Option<String>,
}

/// A port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its number.
    pub number: u16,
    /// `TCP`, `UDP` or `SCTP`; of a WorkloadEntry, which says none, `TCP`.
    pub protocol: String,
}

/// What of a pod decides whether it gets a sidecar (`pkg/kube/inject/inject.go: injectRequired`), beside its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injection {
    /// `sidecar.istio.io/inject`: the label, else the annotation.
    pub choice: Option<String>,
    /// Whether it uses the node's network.
    pub host_network: bool,
    /// Whether ambient captures its traffic (annotation `ambient.istio.io/redirection`).
    pub ambient: bool,
}

impl Pod {
    /// What keeps a port from its sidecar; None where the sidecar gets what comes to the port, and where there is none.
    pub fn kept_from_sidecar(&self, port: u16) -> Option<KeptBy<'_>> {
        let proxy = self.proxy.as_ref().filter(|proxy| proxy.kind == ProxyKind::Sidecar && proxy.interception_mode != "NONE")?;
        proxy.capture.keeps_inbound(port)
    }

    /// Whether its proxy is to have a connection to an istiod: its container runs, and the pod is not being deleted. Of a WorkloadEntry
    /// nothing says whether a proxy runs there.
    pub fn runs_proxy(&self) -> bool {
        !self.deleting && !self.is_workload_entry && self.proxy.as_ref().is_some_and(|proxy| proxy.running)
    }

    /// What keeps it from being ready, in a word: `CrashLoopBackOff`, `ImagePullBackOff`; None where it is ready, and where no more is known than
    /// that its containers are not.
    pub fn hindrance(&self) -> Option<&str> {
        self.unready.as_deref().filter(|reason| *reason != "ContainersNotReady")
    }

    /// Whether there is an Envoy in it to be asked: ztunnel is none.
    pub fn runs_envoy(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Ztunnel)
    }
}

/// The container that runs the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyContainer {
    /// The container's name, `istio-proxy`.
    pub container: String,
    /// What kind of proxy it is.
    pub kind: ProxyKind,
    /// Envoy's admin port where the pod sets its own `proxyAdminPort`; None is the mesh's.
    pub admin_port: Option<u16>,
    /// Whether it is a native sidecar (an init container that stays).
    pub native: bool,
    /// Whether the container runs now.
    pub running: bool,
    /// Since when it runs; None where it does not, or nothing says when.
    pub started: Option<LogTime>,
    /// Whether it ran before that: the log begins with its start.
    pub restarted: bool,
    /// How traffic comes to it, where the pod says so: `REDIRECT`, `TPROXY`, `NONE`; empty is the default, `REDIRECT`.
    pub interception_mode: String,
    /// Whether it takes HBONE (`ISTIO_META_ENABLE_HBONE`).
    pub hbone: bool,
    /// What of the pod's traffic is redirected to it.
    pub capture: Capture,
}

impl ProxyContainer {
    /// That of a proxy whose container was not read: it runs, and is as Istio's defaults make it.
    pub fn assumed(kind: ProxyKind) -> Self {
        Self {
            container: "istio-proxy".to_owned(),
            kind,
            admin_port: None,
            native: false,
            running: true,
            started: None,
            restarted: false,
            interception_mode: String::new(),
            hbone: false,
            capture: Capture::default(),
        }
    }
}

/// An owner reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The owner's kind.
    pub kind: String,
    /// The owner's name, in the same namespace.
    pub name: String,
}

/// An object that owns pods: Deployment, ReplicaSet, StatefulSet, DaemonSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerObject {
    /// Its namespace and name.
    pub name: ObjectName,
    /// Its own labels (which a selector does not look at).
    pub labels: Labels,
    /// Who owns it in turn.
    pub owner: Option<Owner>,
    /// `spec.replicas`, where there is one.
    pub replicas: Option<u32>,
    /// The labels of its pods (`spec.template.metadata.labels`); empty where they were not read.
    pub pod_labels: Labels,
    /// `status.readyReplicas`; None where there is no status, or only the metadata was read.
    pub ready: Option<u32>,
}

/// A workload with its pods: the unit in which a person thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its kind and name.
    pub id: WorkloadId,
    /// Its pods, by name; never empty but for a gateway or owner that has none yet.
    pub pods: Vec<ProxyId>,
    /// What kind of proxies they run; None where none has one.
    pub proxy_kind: Option<ProxyKind>,
}
