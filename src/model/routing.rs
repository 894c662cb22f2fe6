//! VirtualService and DestinationRule, as far as filter chains and mutual TLS depend on them
//! (`istio.io/api networking/v1alpha3/{virtual_service,destination_rule}.proto`).

use std::collections::BTreeMap;

use super::ids::ObjectName;
use super::labels::Selector;

/// A VirtualService: its TCP and TLS routes change the chains of outbound listeners and of gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualService {
    /// `spec.hosts`.
    pub hosts: Vec<String>,
    /// `spec.gateways`; empty is `mesh`.
    pub gateways: Vec<String>,
    /// `spec.exportTo`; empty is the mesh's default.
    pub export_to: Vec<String>,
    /// Whether it has `tcp` routes.
    pub tcp: bool,
    /// Whether it has `tls` routes.
    pub tls: bool,
    /// The hosts that its routes and mirrors name, as written, each once.
    pub destinations: Vec<String>,
    /// The subsets that its routes and mirrors name.
    pub subsets: Vec<SubsetRoute>,
    /// Its routes: those of `http`, `tls` and `tcp`, each list in order.
    pub rules: Vec<RouteRule>,
}

impl VirtualService {
    /// Whether it is for sidecars.
    pub fn is_for_mesh(&self) -> bool {
        self.gateways.is_empty() || self.gateways.iter().any(|gateway| gateway == "mesh")
    }
}

/// An item of `http`, `tls` or `tcp` of a VirtualService.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRule {
    /// Of which of the lists it is.
    pub protocol: RouteProtocol,
    /// `name`, by which the access log names it; empty where it has none.
    pub name: String,
    /// `match`: a request that fits one of them takes the route. Where there is none, every request does.
    pub matches: Vec<RouteMatch>,
    /// Where it sends requests to. A destination with weight 0 beside others gets none, and is left out
    /// (`pilot/pkg/networking/core/route/route.go: applyHTTPRouteDestination`).
    pub targets: Vec<RouteTarget>,
    /// Whether it injects a `fault`.
    pub fault: bool,
    /// Whether it has a `timeout`.
    pub timeout: bool,
    /// The VirtualService to which it delegates: in the namespace of the root where `delegate.namespace` is empty.
    pub delegate: Option<ObjectName>,
}

/// The lists of routes of a VirtualService.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteProtocol {
    /// `http`.
    Http,
    /// `tls`.
    Tls,
    /// `tcp`.
    Tcp,
}

/// An item of `match`: all that it has must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMatch {
    /// `name`, which the access log has behind the route's.
    pub name: String,
    /// `uri`.
    pub uri: Option<TextMatch>,
    /// `ignoreUriCase`.
    pub ignores_case: bool,
    /// `method`.
    pub method: Option<TextMatch>,
    /// `authority`.
    pub authority: Option<TextMatch>,
    /// `port`: of the listener that takes the request.
    pub port: Option<u16>,
    /// `sourceLabels`: the client's pod has all of them.
    pub source_labels: Selector,
    /// `sourceNamespace`: the client's; empty is any.
    pub source_namespace: String,
    /// `gateways`, instead of those of the whole VirtualService.
    pub gateways: Vec<String>,
    /// Whether it asks for what no access log shows: headers, query parameters, the scheme, server names, addresses.
    pub asks_more: bool,
}

/// A `StringMatch` that asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// `exact`.
    Exact(String),
    /// `prefix`.
    Prefix(String),
    /// `regex`, which the whole text matches.
    Regex(String),
}

/// A destination of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    /// `destination.host`, as written.
    pub host: String,
    /// `destination.subset`; empty where it names none.
    pub subset: String,
    /// `destination.port.number`; None where it names no port.
    pub port: Option<u16>,
}

/// A destination of a route that names a subset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubsetRoute {
    /// `destination.host`, as written.
    pub host: String,
    /// `destination.subset`.
    pub subset: String,
    /// `destination.port.number`; None where it names no port.
    pub port: Option<u16>,
}

/// A DestinationRule: how clients speak to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRule {
    /// `spec.host`, as written.
    pub host: String,
    /// `spec.exportTo`; empty is the mesh's default.
    pub export_to: Vec<String>,
    /// `spec.trafficPolicy`; None where there is none.
    pub policy: Option<TrafficPolicy>,
    /// `spec.subsets`, in order.
    pub subsets: Vec<Subset>,
}

/// One item of `spec.subsets`: some of a host's pods, to which a VirtualService can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    /// `name`.
    pub name: String,
    /// `labels`: the pods that have all of them.
    pub labels: Selector,
    /// `trafficPolicy`; None where there is none.
    pub policy: Option<TrafficPolicy>,
}

/// A `trafficPolicy`, as far as TLS depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficPolicy {
    /// `tls`; None where there is none.
    pub tls: Option<ClientTlsSettings>,
    /// The ports of `portLevelSettings`, with their own `tls`; None where such an item has none.
    pub ports: BTreeMap<u16, Option<ClientTlsSettings>>,
    /// Whether `loadBalancer.simple` is PASSTHROUGH: connections go where the client sent them, as to a headless Service.
    pub passthrough: bool,
    /// Whether it has a `connectionPool`.
    pub connection_pool: bool,
    /// Whether it has an `outlierDetection`.
    pub outlier_detection: bool,
}

/// `ClientTLSSettings`: the TLS that a client begins, and which certificate it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTlsSettings {
    /// `mode`.
    pub mode: ClientTls,
    /// `subjectAltNames`: the server's certificate must have one of them. Empty where the rule lists none, and where the client verifies no
    /// certificate.
    pub subject_alt_names: Vec<String>,
}

/// `ClientTLSSettings.mode`: the TLS that a client begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientTls {
    /// None: plain text.
    Disable,
    /// TLS without a certificate of its own.
    Simple,
    /// TLS with a certificate that the rule names.
    Mutual,
    /// `MUTUAL`, and the rule names no certificate: istiod leaves the TLS out.
    MutualWithoutCertificate,
    /// The mesh's own mutual TLS.
    IstioMutual,
}

impl ClientTls {
    /// Every mode that can be written.
    pub const ALL: [Self; 4] = [Self::Disable, Self::Simple, Self::Mutual, Self::IstioMutual];

    /// The field's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "DISABLE",
            Self::Simple => "SIMPLE",
            Self::Mutual | Self::MutualWithoutCertificate => "MUTUAL",
            Self::IstioMutual => "ISTIO_MUTUAL",
        }
    }
}
