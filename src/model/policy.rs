//! Objects that change a proxy's listeners beside plugins and PeerAuthentications.

use super::ids::ObjectName;
use super::kind::Kind;
use super::labels::Selector;

/// An EnvoyFilter, Sidecar, Gateway or the like: where it stands, what it selects, and the parts that answers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it is: [`Kind::EnvoyFilter`], [`Kind::Sidecar`], [`Kind::IstioGateway`] or [`Kind::Gateway`].
    pub kind: Kind,
    /// Its namespace and name.
    pub name: ObjectName,
    /// Which workloads it selects; None selects its whole scope.
    pub selector: Option<Selector>,
    /// `spec.gatewayClassName` of a Gateway API gateway; empty otherwise.
    pub gateway_class: String,
    /// `spec.targetRefs` of an EnvoyFilter, as `Kind name`.
    pub target_refs: Vec<String>,
    /// Port numbers that it opens: Gateway listeners and servers, Sidecar ingress.
    pub ports: Vec<u16>,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub created: Option<String>,
}
