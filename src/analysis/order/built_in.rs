//! The filters that Istio itself puts into a chain: their names, what each does, and when it is there.

use serde::Serialize;

use crate::model::envoy::Filter;

/// One built-in filter, or filters that always stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BuiltIn {
    /// The names of its filters, in their order.
    pub names: &'static [&'static str],
    /// What it does, in a few words that fit into a sentence.
    pub what: &'static str,
    /// When it is there.
    pub when: &'static str,
}

/// What both filters of a CUSTOM policy hold: the RBAC filter writes what its shadow rules find under this prefix, and ext_authz asks where
/// something is written there (`pilot/pkg/security/authz/builder/extauthz.go`, `authz/model/model.go: RBACExtAuthzShadowRulesStatPrefix`). For
/// a provider that istiod cannot use it makes an RBAC filter alone, whose policies begin with the second (`builder.go: getBadCustomDenyRules`).
const OF_CUSTOM: [&str; 2] = ["istio_ext_authz_", "istio-ext-authz-"];

/// Whether istiod made a filter for a CUSTOM policy. Its names alone do not show it: that of RBAC is also that of the other actions, and an
/// EnvoyFilter can insert ext_authz.
pub fn is_custom(filter: &Filter) -> bool {
    filter.plugin.is_none() && OF_CUSTOM.iter().any(|mark| filter.raw.as_str().contains(mark))
}

impl BuiltIn {
    /// Whether a filter is one of it.
    pub fn is(&self, filter: &Filter) -> bool {
        self.names.contains(&filter.name.as_str()) && (self.when == IF_CUSTOM) == is_custom(filter)
    }
}

macro_rules! built_in {
    ($($constant:ident $what:literal, $when:expr, [$($name:literal),+];)+) => {
        $(pub(super) const $constant: BuiltIn = BuiltIn { names: &[$($name),+], what: $what, when: $when };)+
    };
}

const ALWAYS: &str = "always";
const IF_CUSTOM: &str = "if an AuthorizationPolicy of action CUSTOM applies";
const IF_AUTHORIZATION: &str = "if an AuthorizationPolicy of another action applies";
const IF_METRICS: &str = "if metrics are on, by Telemetry or by Istio's installation";

built_in! {
    METADATA_EXCHANGE "metadata exchange", "unless PILOT_ENABLE_METADATA_EXCHANGE is off in istiod; not in chains for HBONE",
        ["istio.metadata_exchange"];
    CLIENT_IDENTITY "the client's identity as a header", "if the waypoint is annotated for it", ["istio.waypoint.xfcc_client_identity"];
    CUSTOM "CUSTOM authorization", IF_CUSTOM, ["envoy.filters.http.rbac", "envoy.filters.http.ext_authz"];
    JWT "JWT authentication", "if a RequestAuthentication applies", ["envoy.filters.http.jwt_authn"];
    ISTIO_AUTHENTICATION "Istio authentication", "if a RequestAuthentication applies, in proxies before 1.21", ["istio_authn"];
    RBAC "authorization (RBAC)", IF_AUTHORIZATION, ["envoy.filters.http.rbac"];
    INFERENCE "inference routing", "if the Gateway has an InferencePool", ["envoy.filters.http.ext_proc"];
    GRPC_WEB "gRPC-Web", "if the port's protocol is GRPC-Web", ["envoy.filters.http.grpc_web"];
    GRPC_STATISTICS "gRPC statistics", ALWAYS, ["envoy.filters.http.grpc_stats"];
    GRPC_STATISTICS_OF_GRPC "gRPC statistics", "if the port's protocol is gRPC; from 1.17.3 on always", ["envoy.filters.http.grpc_stats"];
    ALPN "ALPN override", "unless PILOT_ENABLE_ALPN_FILTER is off in istiod", ["istio.alpn"];
    FAULT "fault injection", ALWAYS, ["envoy.filters.http.fault"];
    CORS "CORS", ALWAYS, ["envoy.filters.http.cors"];
    TELEMETRY "telemetry", IF_METRICS, ["istio.stats"];
    TELEMETRY_WITH_STACKDRIVER "telemetry", IF_METRICS, ["istio.stats", "istio.stackdriver"];
    SESSION "stateful sessions", "if PILOT_ENABLE_PERSISTENT_SESSION_FILTER is on in istiod", ["envoy.filters.http.stateful_session"];
    FORWARD_OF_WAYPOINT "dynamic forwarding", "if the service's host is a wildcard", ["envoy.filters.http.dynamic_forward_proxy"];
    FORWARD "dynamic forwarding", "if a wildcard host is resolved by DYNAMIC_DNS, or the outbound policy is ALLOW_ANY_DYNAMIC_DNS",
        ["envoy.filters.http.dynamic_forward_proxy"];
    UPSTREAM_METADATA "metadata of the upstream peer", ALWAYS, ["waypoint_upstream_peer_metadata"];
    ROUTER "routing", ALWAYS, ["envoy.filters.http.router"];

    DESTINATION "the original destination", "if ambient multi-network is on", ["set_dst_address"];
    AUTHORITY "the tunnel's authority", "in chains straight to a pod", ["connect_authority"];
    HTTP_CONNECTION_MANAGER "the HTTP filters", ALWAYS, ["envoy.filters.network.http_connection_manager"];
    METADATA_EXCHANGE_OF_GATEWAY "metadata exchange", "if the server's TLS mode is ISTIO_MUTUAL", ["istio.metadata_exchange"];
    TCP_CUSTOM "CUSTOM authorization", IF_CUSTOM, ["envoy.filters.network.rbac", "envoy.filters.network.ext_authz"];
    TCP_RBAC "authorization (RBAC)", IF_AUTHORIZATION, ["envoy.filters.network.rbac"];
    SNI_FORWARD "dynamic forwarding by SNI", "if a wildcard host is resolved by DYNAMIC_DNS",
        ["envoy.extensions.filters.network.sni_dynamic_forward_proxy"];
    PROTOCOL "the protocol's own filter", "if the port's protocol is Mongo, MySQL or Redis and the istiod has its filter on",
        ["envoy.filters.network.mongo_proxy", "envoy.filters.network.mysql_proxy", "envoy.filters.network.redis_proxy"];
    TCP_PROXY "forwarding of the bytes", "unless the chain ends in Redis", ["envoy.filters.network.tcp_proxy"];
}
