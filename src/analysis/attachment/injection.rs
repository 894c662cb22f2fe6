//! Why a pod has no proxy, as the injection webhook decides: the selectors of
//! `manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml`, then `pkg/kube/inject/inject.go: injectRequired`.

use crate::analysis::control_plane::{self, REVISION};
use crate::model::inventory::Inventory;
use crate::model::workload::Pod;

/// The label of a namespace that asks for sidecars, or forbids them.
pub const INJECTION: &str = "istio-injection";

/// Namespaces that are never injected (`pkg/kube/inject/initializer.go: IgnoredNamespaces`).
pub(in crate::analysis) const NEVER: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/// Labels of Istio's own pods; those with a proxy have no business here.
const OF_ISTIO: [(&str, &str); 3] = [("app", "istiod"), ("k8s-app", "istio-cni-node"), ("app.kubernetes.io/part-of", "istio")];

/// Why a pod has no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProxy {
    /// The namespace is one of Kubernetes' own.
    SystemNamespace(String),
    /// The pod is a part of Istio itself: istiod, the CNI agent.
    OfIstio,
    /// The pod uses the node's network.
    HostNetwork,
    /// Ambient captures its traffic, so it needs no sidecar; plugins run in its waypoint.
    Ambient,
    /// The pod's own `sidecar.istio.io/inject` is `false`.
    OptedOut,
    /// The namespace's label `istio-injection` is neither absent nor `enabled`.
    NamespaceOff {
        /// The namespace.
        namespace: String,
        /// The label's value.
        value: String,
    },
    /// Neither the namespace nor the pod asks for a sidecar.
    NotAsked {
        /// The namespace.
        namespace: String,
    },
    /// It is asked for of a revision of which no istiod runs. A revision tag may lead to one all the same.
    NoSuchRevision(String),
    /// It is asked for, but the pod was made before, or the webhook failed.
    NotInjected,
    /// The namespace's labels are not known.
    Unknown,
}

impl NoProxy {
    /// Whether a sidecar is asked for, and there is none.
    pub fn is_asked_in_vain(&self) -> bool {
        matches!(self, Self::NoSuchRevision(_) | Self::NotInjected)
    }
}

/// Why this pod, which has no proxy, has none.
pub fn missing(pod: &Pod, objects: &Inventory) -> NoProxy {
    let namespace = &pod.id.namespace;
    if NEVER.contains(&namespace.as_str()) {
        return NoProxy::SystemNamespace(namespace.clone());
    }
    let labelled = |key: &str, value: &str| pod.labels.get(key).is_some_and(|found| found == value);
    if OF_ISTIO.iter().any(|(key, value)| labelled(key, value)) {
        return NoProxy::OfIstio;
    }
    if pod.injection.host_network {
        return NoProxy::HostNetwork;
    }
    if pod.injection.ambient {
        return NoProxy::Ambient;
    }
    let choice = pod.injection.choice.as_deref();
    if choice == Some("false") {
        return NoProxy::OptedOut;
    }
    let Some(labels) = objects.namespaces.get(namespace) else { return NoProxy::Unknown };
    let revision = match (labels.get(INJECTION).map(String::as_str), labels.get(REVISION), pod.labels.get(REVISION)) {
        (Some("enabled"), ..) => None,
        (Some(value), ..) => return NoProxy::NamespaceOff { namespace: namespace.clone(), value: value.to_owned() },
        // The namespace's revision counts before the pod's.
        (None, Some(revision), _) | (None, None, Some(revision)) => Some(revision),
        (None, None, None) if choice == Some("true") => None,
        (None, None, None) => return NoProxy::NotAsked { namespace: namespace.clone() },
    };
    match revision {
        Some(revision) if control_plane::lacks(revision, objects) => NoProxy::NoSuchRevision(revision.clone()),
        _ => NoProxy::NotInjected,
    }
}
