//! VirtualService and DestinationRule, as far as filter chains and mutual TLS depend on them
//! (`istio.io/api networking/v1alpha3/{virtual_service,destination_rule}.proto`).

use std::collections::BTreeMap;

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
}

/// A DestinationRule: how clients speak to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRule {
    /// `spec.host`, as written.
    pub host: String,
    /// `spec.exportTo`; empty is the mesh's default.
    pub export_to: Vec<String>,
    /// `spec.trafficPolicy.tls.mode`, as written; None where there is no `tls`.
    pub tls_mode: Option<String>,
    /// The same by port, of `spec.trafficPolicy.portLevelSettings`.
    pub port_tls: BTreeMap<u16, String>,
    /// The same by subset: `spec.subsets[].trafficPolicy.tls.mode`.
    pub subset_tls: BTreeMap<String, String>,
}
