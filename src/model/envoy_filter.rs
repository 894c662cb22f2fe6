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
    /// `match.proxy.proxyVersion`, a regular expression; empty is any.
    pub proxy_version: String,
    /// `match.listener.name`; empty is any.
    pub listener: String,
    /// `match.listener.portNumber`; None is any.
    pub port: Option<u16>,
    /// `patch.operation`; empty where there is no `patch`, so that istiod leaves the item out.
    pub operation: String,
    /// `patch.value.name`: of a filter, its configuration or a listener; empty where unset.
    pub value_name: String,
}

impl Patch {
    /// Whether it writes a filter of this name, or its configuration.
    pub fn writes_filter(&self, name: &str) -> bool {
        self.value_name == name && self.applies_to_filters()
    }

    /// Whether it is about filters or their configuration.
    pub fn applies_to_filters(&self) -> bool {
        matches!(self.apply_to.as_str(), "NETWORK_FILTER" | "HTTP_FILTER" | "EXTENSION_CONFIG")
    }

    /// Whether it can change which filters are in which chains of listeners that are there. Listener filters are in no chain.
    pub fn shapes_chains(&self) -> bool {
        let in_chains = matches!(self.apply_to.as_str(), "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER");
        in_chains && !self.operation.is_empty() && !self.adds_listener()
    }

    /// Whether it adds a listener. Of listeners and chains the inserting operations count as `ADD`
    /// (`pilot/pkg/model/envoyfilter.go: convertToEnvoyFilterWrapper`).
    pub fn adds_listener(&self) -> bool {
        self.apply_to == "LISTENER" && self.adds()
    }

    /// Whether it adds a filter chain.
    pub fn adds_chain(&self) -> bool {
        self.apply_to == "FILTER_CHAIN" && self.adds()
    }

    fn adds(&self) -> bool {
        matches!(self.operation.as_str(), "ADD" | "INSERT_BEFORE" | "INSERT_AFTER" | "INSERT_FIRST")
    }
}
