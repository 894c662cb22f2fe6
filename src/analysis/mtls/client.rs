//! What a client with a proxy sends to a service's port: as a DestinationRule says, else by auto mutual TLS
//! (`pilot/pkg/networking/core/cluster_tls.go: buildUpstreamTLSSettings`; `pilot/pkg/model/push_context.go:
//! BestEffortInferServiceMTLSMode`; `pilot/pkg/xds/endpoints/mtls_checker.go: checkMtlsEnabled`).

use std::cell::OnceCell;
use std::sync::Arc;

use serde::Serialize;

use super::EffectiveMtls;
use super::clients::Clients;
use super::cluster_patch::ClusterPatch;
use super::hidden::Hidden;
use super::past_proxy::PastProxy;
use super::rules::Merged;
use crate::analysis::chains::Facts;
use crate::analysis::era::Version;
use crate::analysis::targets::{self, ServiceTarget};
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::peer_authentication::MtlsMode;
use crate::model::routing::{ClientTls, ClientTlsSettings, Subset, TrafficPolicy};
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
    /// Nothing: the client's proxy has no way to the service.
    Nothing,
}

/// Why that is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The client has no proxy.
    NoProxy,
    /// The connection does not pass the client's proxy, or may not.
    PastProxy(PastProxy),
    /// The client's proxy does not know the service.
    Hidden(Hidden),
    /// This patch of an EnvoyFilter takes the client's cluster away.
    ClusterRemoved(ClusterPatch),
    /// A DestinationRule says so.
    Rule(ClientTls, Decider),
    /// Auto mutual TLS, from which a mode that a DestinationRule has for the whole or (until 1.17) for a subset keeps the pod.
    Marked(ClientTls, Decider),
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

/// Where a DestinationRule says a TLS mode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decider {
    /// The rule.
    pub rule: ObjectName,
    /// The field, `trafficPolicy.tls`, as a person finds it in the rule.
    pub field: String,
    /// Its `subjectAltNames`.
    pub subject_alt_names: Vec<String>,
}

impl Decider {
    /// The mode of a subset or of the whole, and of a port, where its `portLevelSettings` have it.
    fn of(rule: &Merged<'_>, subset: Option<&Subset>, at_port: Option<u16>, names: &[String]) -> Self {
        let owner = rule.owner(subset);
        let of_subset = subset.map(|subset| format!(" of subset {}", subset.name)).unwrap_or_default();
        let level = at_port.map_or_else(|| "tls".to_owned(), |port| format!("portLevelSettings.tls (port {port})"));
        Self { rule: owner.clone(), field: format!("trafficPolicy.{level}{of_subset}"), subject_alt_names: names.to_vec() }
    }
}

impl Because {
    /// What of a DestinationRule decides; None where none does.
    pub fn decider(&self) -> Option<&Decider> {
        match self {
            Self::Rule(_, decider) | Self::Marked(_, decider) => Some(decider),
            _ => None,
        }
    }
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

/// What clients send whose proxies know the service. `rule` is what they use for the host, `subset` the subset of it that they were sent to; without one of
/// these the service as a whole.
pub fn sends(
    clients: &Clients<'_>,
    rule: Option<&Merged<'_>>,
    subset: Option<&Subset>,
    target: &ServiceTarget<'_>,
    server: &Server<'_>,
) -> (Wire, Because) {
    let client = &clients.facts;
    if let Some((mode, decider)) = rule.and_then(|rule| of_cluster(rule, subset, target.port.port)) {
        let wire = match mode {
            ClientTls::Disable | ClientTls::MutualWithoutCertificate => Wire::PlainText,
            ClientTls::Simple => Wire::Tls,
            ClientTls::Mutual => Wire::OwnMutualTls,
            ClientTls::IstioMutual => Wire::MutualTls,
        };
        return (wire, Because::Rule(mode, decider));
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
fn of_cluster<'r>(rule: &Merged<'r>, subset: Option<&'r Subset>, port: u16) -> Option<(ClientTls, Decider)> {
    let at_port = |policy: &'r TrafficPolicy| {
        let own = policy.ports.get(&port);
        (own.map_or(policy.tls.as_ref(), Option::as_ref), own.is_some())
    };
    let (tls, has_port, of_subset) = match subset.and_then(|subset| subset.policy.as_ref()).map(at_port) {
        Some((tls, has_port)) if tls.is_some() || has_port => (tls, has_port, subset),
        _ => {
            let (tls, has_port) = rule.policy.map(at_port)?;
            (tls, has_port, None)
        }
    };
    let tls: &ClientTlsSettings = tls?;
    Some((tls.mode, Decider::of(rule, of_subset, has_port.then_some(port), &tls.subject_alt_names)))
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
    let labels = &server.pod.labels;
    let marked = rule.and_then(|rule| {
        let at_port = |policy: &TrafficPolicy, subset: Option<&Subset>| {
            let own = policy.ports.get(&port).and_then(Option::as_ref);
            // The cluster demands what auto mutual TLS does.
            Some((own.or(policy.tls.as_ref())?.mode, Decider::of(rule, subset, own.map(|_| port), &[])))
        };
        let of_its_subset = || rule.subsets.iter().copied().find(|subset| version.marks_pods_by_subset() && subset.labels.matches(labels));
        let of_subset = subset.or_else(of_its_subset).and_then(|subset| at_port(subset.policy.as_ref()?, Some(subset)));
        of_subset.or_else(|| at_port(rule.policy?, None))
    });
    // Before 1.18 only these two modes marked a pod.
    let decides = |mode: ClientTls| !version.marks_pods_by_subset() || matches!(mode, ClientTls::Disable | ClientTls::IstioMutual);
    match marked.filter(|(mode, _)| decides(*mode)) {
        Some((ClientTls::IstioMutual, decider)) => (Wire::MutualTls, Because::Rule(ClientTls::IstioMutual, decider)),
        Some((mode, decider)) => (Wire::PlainText, Because::Marked(mode, decider)),
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
