//! EnvoyFilter: patches to what istiod generates (`istio.io/api networking/v1alpha3/envoy_filter.proto`).

use super::plugin::TargetRef;

/// What an EnvoyFilter patches, as far as listeners go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyFilter {
    /// `spec.targetRefs`.
    pub target_refs: Vec<TargetRef>,
    /// `spec.configPatches`.
    pub patches: Vec<Patch>,
}

/// One item of `spec.configPatches`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// `applyTo`: `LISTENER`, `FILTER_CHAIN`, `NETWORK_FILTER`, `HTTP_FILTER`, `CLUSTER`, …
    pub apply_to: String,
    /// `match.context`: `ANY`, `SIDECAR_INBOUND`, `SIDECAR_OUTBOUND`, `GATEWAY`, `WAYPOINT`; `ANY` where unset.
    pub context: String,
    /// `match.listener.name`; empty is any.
    pub listener: String,
    /// `match.listener.portNumber`; None is any.
    pub port: Option<u16>,
    /// `patch.value.name`: of an HTTP_FILTER, NETWORK_FILTER or EXTENSION_CONFIG the filter's name; empty where unset.
    pub value_name: String,
}

impl Patch {
    /// Whether it writes a filter of this name, or its configuration.
    pub fn writes_filter(&self, name: &str) -> bool {
        self.value_name == name && matches!(self.apply_to.as_str(), "NETWORK_FILTER" | "HTTP_FILTER" | "EXTENSION_CONFIG")
    }

    /// Whether it can change which filters stand in which chains.
    pub fn shapes_chains(&self) -> bool {
        matches!(self.apply_to.as_str(), "LISTENER" | "LISTENER_FILTER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER")
    }
}
