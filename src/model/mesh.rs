//! The mesh as a whole: its configuration and its control plane.

use super::labels::LabelSelector;

/// `rootNamespace` where it is unset (`pkg/config/mesh/mesh.go`).
pub const DEFAULT_ROOT_NAMESPACE: &str = "istio-system";

/// `trustDomain` where it is unset (`pkg/config/constants/constants.go: DefaultClusterLocalDomain`).
pub const DEFAULT_TRUST_DOMAIN: &str = "cluster.local";

/// What the mesh configuration says, as far as the answers need it (`meshConfig`, ConfigMap `istio`, key `mesh`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshConfig {
    /// `rootNamespace`: its plugins and policies reach the whole mesh. `istio-system` where unset.
    pub root_namespace: String,
    /// `trustDomain`: the first part of every identity that its CA signs; `cluster.local` where unset.
    pub trust_domain: String,
    /// `trustDomainAliases`: trust domains whose identities are taken for the same.
    pub trust_domain_aliases: Vec<String>,
    /// `discoverySelectors`: istiod sees only namespaces that match one of them; none is all.
    pub discovery_selectors: Vec<LabelSelector>,
    /// `defaultConfig.proxyAdminPort`; 15000 where unset.
    pub admin_port: u16,
    /// `proxyListenPort`: where outbound traffic is redirected to; 15001 where unset.
    pub outbound_port: u16,
    /// `proxyInboundListenPort`: where inbound traffic is redirected to; 15006 where unset.
    pub inbound_port: u16,
    /// `proxyHttpPort`: an explicit HTTP proxy for outbound traffic; None where unset or 0.
    pub http_proxy_port: Option<u16>,
    /// `enableAutoMtls`: clients use mutual TLS where the server's proxy takes it; true where unset.
    pub auto_mtls: bool,
    /// `outboundTrafficPolicy.mode`; empty is `ALLOW_ANY`.
    pub outbound_mode: String,
    /// `defaultServiceExportTo`; empty is every namespace.
    pub service_export_to: Vec<String>,
    /// `defaultVirtualServiceExportTo`; empty is every namespace.
    pub virtual_service_export_to: Vec<String>,
    /// `defaultDestinationRuleExportTo`; empty is every namespace.
    pub destination_rule_export_to: Vec<String>,
    /// The external authorizers of `extensionProviders` (`envoyExtAuthzHttp`, `envoyExtAuthzGrpc`).
    pub authorizers: Vec<Authorizer>,
    /// `accessLogFile`; empty is no access log, unless a Telemetry asks for one.
    pub access_log_file: String,
    /// `accessLogFormat`, of text or as an object of JSON; empty is Istio's own.
    pub access_log_format: String,
    /// Whether `accessLogEncoding` is `JSON`.
    pub access_log_json: bool,
}

/// An external authorizer, which an AuthorizationPolicy of action CUSTOM names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// `name`.
    pub name: String,
    /// `service`: its host, with `NAMESPACE/` before it where that is given.
    pub service: String,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self {
            root_namespace: DEFAULT_ROOT_NAMESPACE.to_owned(),
            trust_domain: DEFAULT_TRUST_DOMAIN.to_owned(),
            trust_domain_aliases: Vec::new(),
            discovery_selectors: Vec::new(),
            admin_port: 15000,
            outbound_port: 15001,
            inbound_port: 15006,
            http_proxy_port: None,
            auto_mtls: true,
            outbound_mode: String::new(),
            service_export_to: Vec::new(),
            virtual_service_export_to: Vec::new(),
            destination_rule_export_to: Vec::new(),
            authorizers: Vec::new(),
            access_log_file: String::new(),
            access_log_format: String::new(),
            access_log_json: false,
        }
    }
}

/// Switches of istiod that change what it generates: environment variables of its container, with Istio's defaults
/// (`pilot/pkg/features`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Features {
    /// `PILOT_ENABLE_AMBIENT`.
    pub ambient: bool,
    /// `PILOT_ENABLE_SIDECAR_LISTENING_HBONE`: counts only with ambient.
    pub hbone_listening: bool,
    /// `PILOT_HTTP10`: plain HTTP/1.0 is matched too.
    pub http10: bool,
    /// `ISTIO_DUAL_STACK`.
    pub dual_stack: bool,
    /// `ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY`: selectors reach Gateway API gateways.
    pub selector_on_gateways: bool,
    /// `PILOT_ALLOW_SIDECAR_SERVICE_INBOUND_LISTENER_MERGE`: a Sidecar's ingress adds to the service ports.
    pub merge_sidecar_ingress: bool,
    /// `ENABLE_TLS_ON_SIDECAR_INGRESS`.
    pub sidecar_ingress_tls: bool,
    /// `PILOT_ENABLE_QUIC_LISTENERS`.
    pub quic: bool,
    /// `PILOT_SCOPE_GATEWAY_TO_NAMESPACE`: a Gateway's selector reaches its own namespace alone.
    pub scope_gateway_to_namespace: bool,
    /// `PILOT_ENABLE_HEADLESS_FILTER_CHAIN_LISTENER`: one listener for all pods of a headless TCP port.
    pub headless_filter_chains: bool,
    /// `PILOT_ENABLE_IP_AUTOALLOCATE`: ServiceEntries without addresses are given one; None leaves it to the release.
    pub allots_addresses: Option<bool>,
    /// `PILOT_ENABLE_STRICT_GATEWAY_MERGING`: Gateways of other namespaces stay out of a gateway of the Gateway API.
    pub strict_gateway_merging: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            ambient: false,
            hbone_listening: true,
            http10: false,
            dual_stack: false,
            selector_on_gateways: true,
            merge_sidecar_ingress: false,
            sidecar_ingress_tls: false,
            quic: false,
            scope_gateway_to_namespace: false,
            headless_filter_chains: false,
            allots_addresses: None,
            strict_gateway_merging: true,
        }
    }
}

/// One istiod and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Istiod {
    /// The pod; empty where the source does not know it (a recording).
    pub pod: String,
    /// The version, as `/version` on port 15014 says it, without the build's revision and status: `1.31-alpha.eed52ebb66ad`.
    pub version: String,
}
