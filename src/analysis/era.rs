//! What each version of Istio does differently, as its release branches have it.

use crate::ingest::plugin_name::TRANSLATED;
use crate::model::ids::{PluginId, PluginKind};

use crate::model::inventory::Inventory;
pub use crate::model::version::Version;

impl Version {
    /// The newest version whose rules are known here.
    pub const NEWEST: Self = Self::new(1, 31);

    /// The name of a plugin's filter (`pilot/pkg/model/extensions.go` of each release; the typo of 1.21 to 1.25 is Istio's).
    pub fn filter_name(self, plugin: &PluginId) -> String {
        let (namespace, name) = (&plugin.name.namespace, &plugin.name.name);
        let marker = if plugin.kind == PluginKind::WasmPlugin { TRANSLATED } else { "" };
        match self.minor {
            _ if self.since(30) => format!("extensions.istio.io/trafficextension/{namespace}.{name}{marker}"),
            _ if self.since(26) => format!("extensions.istio.io/wasmplugin/{namespace}.{name}"),
            _ if self.since(21) => format!("extenstions.istio.io/wasmplugin/{namespace}.{name}"),
            _ => format!("{namespace}.{name}"),
        }
    }

    /// Until 1.22 the passthrough chains stand once for each IP family of the pod (`core/listener_inbound.go:
    /// buildInboundPassthroughChains`; one set from 1.23 on).
    pub fn passthrough_by_family(self) -> bool {
        !self.since(23)
    }

    /// Until 1.12 plain HTTP/1.0 is always matched; later only with `PILOT_HTTP10` (`core/listener.go: plaintextHTTPALPNs`).
    pub fn matches_http10(self) -> bool {
        !self.since(13)
    }

    /// Until 1.13 plugins stand in a sidecar's inbound chains and in gateways only (1.12:
    /// `core/v1alpha3/listener_builder.go: buildInboundFilterchains`; 1.14: `core/v1alpha3/listener.go: buildHTTPConnectionManager`).
    pub fn plugins_outbound(self) -> bool {
        self.since(14)
    }

    /// `discoverySelectors` narrow Istio's own objects from 1.16 on, Services and pods before.
    fn narrows_objects(self) -> bool {
        self.since(16)
    }

    /// Whether an istiod of this version sees the objects of a namespace.
    pub fn discovers(self, objects: &Inventory, namespace: &str) -> bool {
        !self.narrows_objects() || objects.discovers(namespace)
    }

    /// `spec.match` counts from 1.16 on (`pilot/pkg/model/extensions.go: MatchListener`).
    pub fn matches_listeners(self) -> bool {
        self.since(16)
    }

    /// `spec.type: NETWORK` counts from 1.20 on; before, every plugin is an HTTP filter.
    pub fn network_plugins(self) -> bool {
        self.since(20)
    }

    /// Whether `thrift` is no protocol of its own (`pkg/config/protocol/instance.go`, which dropped it in 1.14).
    pub fn has_no_thrift(self) -> bool {
        self.since(14)
    }

    /// `appProtocol: kubernetes.io/h2c` is known from 1.19 on (`pkg/config/kube/conversion.go`).
    pub fn knows_app_protocol_h2c(self) -> bool {
        self.since(19)
    }

    /// `appProtocol: kubernetes.io/ws` and `wss` are known from 1.24 on (1.23 knows h2c alone).
    pub fn knows_app_protocol_ws(self) -> bool {
        self.since(24)
    }

    /// Until 1.19 plugins of the root namespace stand before those of the proxy's own
    /// (`pilot/pkg/model/push_context.go: WasmPluginsByListenerInfo`).
    pub fn puts_root_namespace_first(self) -> bool {
        !self.since(20)
    }

    /// What an unset `priority` counts as: the smallest of the field's numbers, which had 64 bits until 1.18
    /// (`pilot/pkg/model/push_context.go: sortByPriority`).
    pub fn unset_priority(self) -> i64 {
        if self.since(19) { i64::from(i32::MIN) } else { i64::MIN }
    }

    /// Until 1.22 objects of one second are ordered by `name.namespace`, later by the name and then the namespace
    /// (`pilot/pkg/model/config.go: sortConfigByCreationTime`).
    pub fn compares_names_with_namespaces(self) -> bool {
        !self.since(23)
    }

    /// Until 1.20 a Service of type ExternalName is listened to like one without an address; later it is another name alone
    /// (`ENABLE_EXTERNAL_NAME_ALIAS`).
    pub fn listens_to_external_names(self) -> bool {
        !self.since(21)
    }

    /// Until 1.22 the listener behind a sidecar's HBONE tunnels has no passthrough chains, and takes any address
    /// (`core/listener_inbound.go: buildInboundHBONEListeners`).
    pub fn passes_through_hbone(self) -> bool {
        self.since(23)
    }

    /// From 1.24 on a host that several namespaces have is a Kubernetes service before a ServiceEntry
    /// (`PILOT_UNIFIED_SIDECAR_SCOPE`).
    pub fn prefers_kubernetes_services(self) -> bool {
        self.since(24)
    }

    /// From 1.25 on istiod gives ServiceEntries without addresses one in their status (`PILOT_ENABLE_IP_AUTOALLOCATE`).
    pub fn allots_addresses(self) -> bool {
        self.since(25)
    }

    /// EnvoyFilters have targetRefs from 1.27 on; before, their selector counts for every proxy.
    pub fn targets_envoy_filters(self) -> bool {
        self.since(27)
    }

    /// From 1.31 on a Sidecar whose egress hosts are all exact has one service for each of them, and `~namespace/host` excludes
    /// (`pilot/pkg/model/sidecar.go: convertIstioListenerToWrapper`).
    pub fn looks_up_exact_hosts(self) -> bool {
        self.since(31)
    }

    /// See [`Version::looks_up_exact_hosts`].
    pub fn excludes_egress_hosts(self) -> bool {
        self.since(31)
    }

    /// From 1.32 on a second service of which the protocol is detected adds its chain to a listener that both share; before, it
    /// is left out (`core/listener.go: buildSidecarOutboundListener`).
    pub fn merges_detecting_services(self) -> bool {
        self.since(32)
    }

    /// From 1.31 on Gateways of other namespaces are not merged into a gateway that a Gateway API object made
    /// (`PILOT_ENABLE_STRICT_GATEWAY_MERGING`).
    pub fn merges_gateways_strictly(self) -> bool {
        self.since(31)
    }

    /// `workloadSelector` of a DestinationRule counts from 1.14 on (`pilot/pkg/model/destination_rule.go`).
    pub fn destination_rules_select_clients(self) -> bool {
        self.since(14)
    }

    /// From 1.21 on a DestinationRule that is exported to its own namespace alone is private, as with `.`
    /// (`pilot/pkg/model/push_context.go: setDestinationRules`).
    pub fn takes_own_namespace_for_private(self) -> bool {
        self.since(21)
    }

    /// From 1.22 on DestinationRules with a `workloadSelector` are merged before all others
    /// (`pilot/pkg/model/push_context.go: sortConfigBySelectorAndCreationTime`).
    pub fn sorts_selecting_rules_first(self) -> bool {
        self.since(22)
    }

    /// From 1.24 on DestinationRules of one host are merged only as far as their `exportTo` agrees; before, that of the first
    /// counts for all (`ENABLE_ENHANCED_DESTINATIONRULE_MERGE`).
    pub fn exports_rules_one_by_one(self) -> bool {
        self.since(24)
    }

    /// Until 1.17 a subset's TLS mode marks its pods for clients that do not choose the subset too
    /// (`pilot/pkg/xds/endpoint_builder.go: mtlsModeForDestinationRule`).
    pub fn marks_pods_by_subset(self) -> bool {
        !self.since(18)
    }

    /// From 1.30 on istiod knows TrafficExtensions, and makes one with a marked name of each WasmPlugin
    /// (`pilot/pkg/config/kube/extensions/translate.go`).
    pub fn translates_wasm_plugins(self) -> bool {
        self.since(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_era_names_filters_in_its_own_way() {
        let plugin = PluginId::new(PluginKind::WasmPlugin, "default", "a.b");
        for (minor, name) in [
            (12, "default.a.b"),
            (20, "default.a.b"),
            (21, "extenstions.istio.io/wasmplugin/default.a.b"),
            (26, "extensions.istio.io/wasmplugin/default.a.b"),
            (30, "extensions.istio.io/trafficextension/default.a.b~istio-translated-wasmplugin"),
        ] {
            assert_eq!(Version { major: 1, minor }.filter_name(&plugin), name);
        }
        let native = PluginId::new(PluginKind::TrafficExtension, "default", "a");
        assert_eq!(Version::NEWEST.filter_name(&native), "extensions.istio.io/trafficextension/default.a");
    }
}
