//! Objects of a manifest whose kind is not read: what depends on them, so that none is passed over in silence.

use serde_json::Value;

use crate::model::warning::Warning;

/// Kinds that decide which listeners and chains there are, or which pods have a proxy, by API group (`serviceregistry/kube/controller/
/// endpointslice.go`; `pilot/pkg/config/kube/{gateway,ingress}`; `pkg/kube/inject`).
const DECIDING: [(&str, &str, &str); 15] = [
    ("discovery.k8s.io", "EndpointSlice", "listeners of a headless Service without a selector come with it"),
    ("", "Endpoints", "listeners of a headless Service without a selector come with it"),
    ("gateway.networking.k8s.io", "TLSRoute", "chains of gateways follow it"),
    ("gateway.networking.k8s.io", "TCPRoute", "chains of gateways follow it"),
    ("gateway.networking.k8s.io", "ListenerSet", "it adds listeners to its Gateway"),
    ("gateway.networking.x-k8s.io", "XListenerSet", "it adds listeners to its Gateway"),
    ("gateway.networking.k8s.io", "ReferenceGrant", "a listener with TLS of a Gateway may need it"),
    ("gateway.networking.k8s.io", "GatewayClass", "which Gateways are Istio's depends on it"),
    ("", "Secret", "a listener with TLS of a Gateway may need it"),
    ("networking.k8s.io", "Ingress", "istiod may make listeners of gateways of it"),
    ("multicluster.x-k8s.io", "ServiceImport", "listeners for hosts of several clusters come with it"),
    ("multicluster.x-k8s.io", "ServiceExport", "listeners for hosts of several clusters come with it"),
    ("networking.istio.io", "WorkloadGroup", "WorkloadEntries may be made of it"),
    ("networking.istio.io", "ProxyConfig", "pods that are injected later may be set otherwise by it"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "which pods are injected depends on it"),
];

/// Kinds on which neither chains nor the places of plugins depend.
const NEUTRAL: [(&str, &str); 22] = [
    ("", "ConfigMap"),
    ("", "LimitRange"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "ResourceQuota"),
    ("", "ServiceAccount"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "RequestAuthentication"),
    ("storage.k8s.io", "StorageClass"),
    ("telemetry.istio.io", "Telemetry"),
    ("cert-manager.io", "Certificate"),
];

/// An object on which no answer depends.
pub(super) fn neutral(object: &Value) -> Warning {
    Warning::new(named(object), "is not looked at: no answer depends on it", "")
}

/// The kind and name of an object, with the namespace that it names.
pub(super) fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match text("/metadata/namespace") {
        "" => format!("{} {}", text("/kind"), text("/metadata/name")),
        namespace => format!("{} {namespace}/{}", text("/kind"), text("/metadata/name")),
    }
}

/// What is lost with an object that is not read.
pub(super) fn warning(object: &Value) -> Warning {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, group) = (text("/kind"), text("/apiVersion").split_once('/').map_or("", |(group, _)| group));
    let what = match DECIDING.iter().find(|(of, name, _)| *of == group && *name == kind) {
        Some((.., why)) => format!("is not read, though {why}: what depends on it is not predicted"),
        None if NEUTRAL.contains(&(group, kind)) => return neutral(object),
        None => "is not read: its kind is not known here, and whether an answer depends on it neither".to_owned(),
    };
    Warning::new(named(object), what, "")
}
