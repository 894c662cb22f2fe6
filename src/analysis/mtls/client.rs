//! What a client with a proxy sends to a service's port: as a DestinationRule says, else by auto mutual TLS
//! (`pilot/pkg/networking/core/cluster_tls.go: buildUpstreamTLSSettings`; `pilot/pkg/model/push_context.go:
//! BestEffortInferServiceMTLSMode`; `pilot/pkg/xds/endpoints/mtls_checker.go: checkMtlsEnabled`).

use std::cell::OnceCell;
use std::sync::Arc;

use serde::Serialize;

use super::EffectiveMtls;
use super::clients::Clients;
use super::rules::Merged;
use crate::analysis::chains::{self, Facts};
use crate::analysis::era::Version;
use crate::analysis::targets::{self, ServiceTarget};
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::model::peer_authentication::MtlsMode;
use crate::model::routing::{ClientTls, Subset, TrafficPolicy};
use crate::model::service::{Resolution, Service};
use crate::model::workload::{Pod, ProxyKind};

/// What goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Wire {
    /// No TLS.
    PlainText,
    /// No TLS but that of the application, which the port's protocol declares.
    ApplicationTls,
    /// The mesh's mutual TLS.
    MutualTls,
    /// TLS without a certificate of the client (`SIMPLE`).
    Tls,
    /// Mutual TLS with a certificate that a DestinationRule names (`MUTUAL`).
    OwnMutualTls,
}

/// Why that is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The client has no proxy.
    NoProxy,
    /// The service is not exported to the client's namespace, or its Sidecar does not import it.
    NotKnown,
    /// A DestinationRule says so.
    Rule(ClientTls),
    /// Auto mutual TLS, from which a mode that a DestinationRule has for the whole or (until 1.17) for a subset keeps the pod.
    Marked(ClientTls),
    /// Auto mutual TLS: the pod takes it.
    Auto,
    /// Auto mutual TLS for a headless service, whose pods are not looked at one by one.
    AutoHeadless,
    /// The service is outside the mesh, and no rule says otherwise.
    External,
    /// `meshConfig.enableAutoMtls` is false, and no rule says otherwise.
    AutoMtlsOff,
    /// The mode of the service's namespace is DISABLE; modes of workloads and ports are not looked at. By which policy.
    NamespaceDisables(Option<String>),
    /// The pod has no label `security.istio.io/tlsMode: istio`.
    NoTlsLabel,
    /// A pod of the headless service has none: this one.
    HeadlessNoTlsLabel(String),
    /// The mode of the port is DISABLE.
    PortDisabled,
}

/// The label by which istiod knows that a pod takes mutual TLS; injection sets it.
pub const TLS_MODE: &str = "security.istio.io/tlsMode";

/// What clients meet behind a service port.
#[derive(Clone, Debug)]
pub struct Server<'s> {
    /// The pod.
    pub pod: &'s Pod,
    /// Its mode.
    pub effective: &'s EffectiveMtls,
    /// The mode of its namespace, which auto mutual TLS looks at.
    pub of_namespace: &'s EffectiveMtls,
    /// A pod of the service without the label, which alone keeps mutual TLS from all of them where the client chooses the pod.
    pub unlabelled: OnceCell<Option<ProxyId>>,
}

/// What clients send. `rule` is what they use for the host, `subset` the subset of it that they were sent to; without one of
/// these the service as a whole.
pub fn sends(
    clients: &Clients<'_>,
    rule: Option<&Merged<'_>>,
    subset: Option<&Subset>,
    target: &ServiceTarget<'_>,
    host: &str,
    server: &Server<'_>,
) -> (Wire, Because) {
    let client = &clients.facts;
    if !chains::knows(client, clients.egress, target.service, host) {
        return (Wire::PlainText, Because::NotKnown);
    }
    if let Some(mode) = of_cluster(rule.and_then(|rule| rule.policy), subset, target.port.port) {
        let wire = match mode {
            ClientTls::Disable => Wire::PlainText,
            ClientTls::Simple => Wire::Tls,
            ClientTls::Mutual => Wire::OwnMutualTls,
            ClientTls::IstioMutual => Wire::MutualTls,
        };
        return (wire, Because::Rule(mode));
    }
    let passes_on = |policy: Option<&TrafficPolicy>| policy.is_some_and(|policy| policy.passthrough);
    let (whole, of_subset) = (rule.and_then(|rule| rule.policy), subset.and_then(|subset| subset.policy.as_ref()));
    let headless = target.service.resolution == Resolution::Passthrough;
    let all_count = headless || passes_on(if subset.is_some() { of_subset } else { whole });
    if let Some(because) = never(client, all_count, target, server) {
        return (Wire::PlainText, because);
    }
    // A gateway chooses among the pods of a headless service itself.
    if (headless && client.kind == ProxyKind::Sidecar) || passes_on(whole) || passes_on(of_subset) {
        return (Wire::MutualTls, Because::AutoHeadless);
    }
    by_mark(client.plane.version, rule, subset, target, server)
}

/// Why auto mutual TLS is off for a whole service; `all_count` where every pod of it must take mutual TLS.
fn never(client: &Facts<'_>, all_count: bool, target: &ServiceTarget<'_>, server: &Server<'_>) -> Option<Because> {
    if target.service.external {
        return Some(Because::External);
    }
    if !client.mesh.auto_mtls {
        return Some(Because::AutoMtlsOff);
    }
    let unlabelled = || server.unlabelled.get_or_init(|| unlabelled(client.objects, target.service));
    if let Some(Some(pod)) = all_count.then(unlabelled) {
        return Some(Because::HeadlessNoTlsLabel(pod.to_string()));
    }
    (server.of_namespace.mode == MtlsMode::Disable).then(|| Because::NamespaceDisables(server.of_namespace.winner_text()))
}

/// The TLS mode of the cluster: of the subset, of the port, of the whole. An item of `portLevelSettings` replaces the whole
/// policy, with its `tls` or without (`pilot/pkg/networking/util/util.go: MergeSubsetTrafficPolicy, GetPortLevelTrafficPolicy`).
fn of_cluster(policy: Option<&TrafficPolicy>, subset: Option<&Subset>, port: u16) -> Option<ClientTls> {
    let at_port = |policy: &TrafficPolicy| (policy.ports.get(&port).copied().unwrap_or(policy.tls), policy.ports.contains_key(&port));
    let whole = policy.and_then(|policy| at_port(policy).0);
    match subset.and_then(|subset| subset.policy.as_ref()).map(at_port) {
        Some((tls, has_port)) if tls.is_some() || has_port => tls,
        _ => whole,
    }
}

/// Under auto mutual TLS each pod is marked: by what a rule says of the port, or of the whole, though the cluster did not take
/// it over; else by its label and the mode of its port.
fn by_mark(
    version: Version,
    rule: Option<&Merged<'_>>,
    subset: Option<&Subset>,
    target: &ServiceTarget<'_>,
    server: &Server<'_>,
) -> (Wire, Because) {
    let port = target.port.port;
    let at_port = |policy: &TrafficPolicy| policy.ports.get(&port).copied().flatten().or(policy.tls);
    let labels = &server.pod.labels;
    let of_its_subset = rule
        .filter(|_| version.marks_pods_by_subset())
        .and_then(|rule| rule.subsets.iter().copied().find(|subset| subset.labels.matches(labels)));
    let of_subset = subset.or(of_its_subset).and_then(|subset| subset.policy.as_ref()).and_then(at_port);
    let marked = of_subset.or_else(|| rule.and_then(|rule| rule.policy).and_then(at_port));
    // Before 1.18 only these two modes marked a pod.
    let decides = |mode: &ClientTls| !version.marks_pods_by_subset() || matches!(mode, ClientTls::Disable | ClientTls::IstioMutual);
    match marked.filter(decides) {
        Some(ClientTls::IstioMutual) => (Wire::MutualTls, Because::Rule(ClientTls::IstioMutual)),
        Some(mode) => (Wire::PlainText, Because::Marked(mode)),
        None if !has_tls_label(server.pod) => (Wire::PlainText, Because::NoTlsLabel),
        None if server.effective.mode_of_port(target.target) == MtlsMode::Disable => (Wire::PlainText, Because::PortDisabled),
        None => (Wire::MutualTls, Because::Auto),
    }
}

fn has_tls_label(pod: &Pod) -> bool {
    pod.labels.get(TLS_MODE).is_some_and(|mode| mode == "istio")
}

fn unlabelled(objects: &Inventory, service: &Service) -> Option<ProxyId> {
    let is_off = |pod: &&Pod| pod.labels.get(TLS_MODE).is_none_or(|mode| mode == "disabled");
    let pods = objects.pods.values().map(Arc::as_ref).filter(|pod| !matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
    pods.filter(|pod| targets::leads_to(service, pod)).find(is_off).map(|pod| pod.id.clone())
}
