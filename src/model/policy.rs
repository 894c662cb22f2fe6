//! Objects that change a proxy's listeners beside plugins and PeerAuthentications.

use super::ids::ObjectName;
use super::kind::Kind;
use super::labels::{LabelSelector, Labels, Selector};

/// An EnvoyFilter, Sidecar, Gateway or the like: where it stands, what it selects, and the parts that answers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it is: [`Kind::EnvoyFilter`], [`Kind::Sidecar`], [`Kind::IstioGateway`] or [`Kind::Gateway`].
    pub kind: Kind,
    /// Its namespace and name.
    pub name: ObjectName,
    /// Its labels (`istio.io/waypoint-for` among them).
    pub labels: Labels,
    /// Which workloads it selects; None selects its whole scope.
    pub selector: Option<Selector>,
    /// `spec.gatewayClassName` of a Gateway API gateway; empty otherwise.
    pub gateway_class: String,
    /// `spec.targetRefs` of an EnvoyFilter, as `Kind name`.
    pub target_refs: Vec<String>,
    /// Port numbers that it opens: Gateway listeners and servers, Sidecar ingress.
    pub ports: Vec<u16>,
    /// From which namespaces the HBONE listener of a waypoint's Gateway takes what is sent through it.
    pub routes_from: RoutesFrom,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub created: Option<String>,
}

/// `allowedRoutes.namespaces` of a Gateway API listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RoutesFrom {
    /// The Gateway's own namespace, also where the field is unset.
    #[default]
    Same,
    /// Every namespace.
    All,
    /// Namespaces with these labels.
    Selector(LabelSelector),
}
