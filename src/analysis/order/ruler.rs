//! The ruler: the built-in filters of a list in Istio's order, with the places of the four phases among them.
//!
//! Each list is written in the order of the code that builds it, every version's alternatives beside each other
//! (`pilot/pkg/networking/core`; until 1.20 `…/core/v1alpha3`).

use serde::Serialize;

use super::built_in::{self, BuiltIn};
use crate::analysis::era::Version;
use crate::analysis::placement::ListenerDirection;
use crate::model::plugin::{Phase, PluginType};

/// A list of filters that Istio builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FilterList {
    /// The HTTP filters of a chain's HttpConnectionManager.
    Http,
    /// The network filters of a chain with an HttpConnectionManager, which is the last of them.
    NetworkOfHttp,
    /// The network filters of any other chain.
    NetworkOfTcp,
}

impl FilterList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::NetworkOfHttp, Self::NetworkOfTcp];

    /// A name for headings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP filters",
            Self::NetworkOfHttp => "network filters of HTTP chains",
            Self::NetworkOfTcp => "network filters of TCP chains",
        }
    }

    /// Which plugins stand in it. Before NETWORK plugins came every plugin was an HTTP filter.
    pub fn takes(self, plugin_type: PluginType, version: Version) -> bool {
        let network = plugin_type == PluginType::Network && version.network_plugins();
        network == (self != Self::Http)
    }
}

/// One mark of a ruler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A built-in filter.
    BuiltIn(BuiltIn),
    /// The place of a phase's plugins.
    Phase(Phase),
}

/// The ruler of a list of filters in chains of this direction.
///
/// `custom` says whether an AuthorizationPolicy of action CUSTOM applies: until 1.13 that moves phase AUTHZ. The network lists are
/// those of 1.20 and later, since no plugin stands in one before.
pub fn ruler(list: FilterList, direction: ListenerDirection, version: Version, custom: bool) -> Vec<Mark> {
    let marks = match list {
        FilterList::Http => http(direction, version, custom),
        FilterList::NetworkOfHttp => network_of_http(direction, version),
        FilterList::NetworkOfTcp => network_of_tcp(direction, version),
    };
    marks.into_iter().filter(|(there, _)| *there).map(|(_, mark)| mark).collect()
}

/// `listener_builder.go: buildHTTPConnectionManager`, `listener_waypoint.go: buildWaypointHTTPFilters`; until 1.13
/// `listener.go: buildHTTPConnectionManager` with `extension/wasmplugin.go: injectExtensions` before it.
fn http(direction: ListenerDirection, version: Version, custom: bool) -> Vec<(bool, Mark)> {
    let from = |minor| version.since(minor);
    let (outbound, waypoint) = (direction == ListenerDirection::Outbound, direction == ListenerDirection::Waypoint);
    let gateway = direction == ListenerDirection::Gateway;
    // Authentication and authorization are of what comes in (`plugin/authn`, `plugin/authz`: BuildHTTP).
    let guarded = !outbound;
    // Before 1.14 plugins were put before filters that were found by name, and the first RBAC filter is that of CUSTOM.
    let injected = !from(14);
    let plugins = !(injected && outbound);
    let early = injected && custom;
    vec![
        (from(16) && !waypoint, built_in::METADATA_EXCHANGE.into()),
        (from(30) && waypoint, built_in::CLIENT_IDENTITY.into()),
        (!injected && guarded, built_in::CUSTOM.into()),
        (plugins, Phase::Authn.into()),
        (early && plugins, Phase::Authz.into()),
        (early && guarded, built_in::CUSTOM.into()),
        (guarded, built_in::JWT.into()),
        (guarded && !from(24), built_in::ISTIO_AUTHENTICATION.into()),
        (!early && plugins, Phase::Authz.into()),
        (guarded, built_in::RBAC.into()),
        (plugins && !waypoint, Phase::Stats.into()),
        (plugins && !waypoint, Phase::Unspecified.into()),
        (!from(16), built_in::METADATA_EXCHANGE.into()),
        (from(27) && gateway, built_in::INFERENCE.into()),
        (true, built_in::GRPC_WEB.into()),
        (from(18), built_in::GRPC_STATISTICS.into()),
        (!from(18), built_in::GRPC_STATISTICS_OF_GRPC.into()),
        (outbound || gateway && from(14), built_in::ALPN.into()),
        (!from(13), built_in::CORS.into()),
        (true, built_in::FAULT.into()),
        (from(13), built_in::CORS.into()),
        (!waypoint, telemetry(version)),
        (from(17) && (outbound || gateway), built_in::SESSION.into()),
        (from(28) && waypoint, built_in::FORWARD_OF_WAYPOINT.into()),
        (from(30) && outbound, built_in::FORWARD.into()),
        (waypoint, Phase::Stats.into()),
        (waypoint, Phase::Unspecified.into()),
        (from(19) && waypoint, built_in::UPSTREAM_METADATA.into()),
        (waypoint, telemetry(version)),
        (true, built_in::ROUTER.into()),
    ]
}

/// `listener_inbound.go: buildInboundNetworkFiltersForHTTP`, `listener.go: buildListenerFromEntry`,
/// `gateway.go: buildGatewayTCPBasedFilterChains`, `listener_waypoint.go: buildWaypointInternal`.
fn network_of_http(direction: ListenerDirection, version: Version) -> Vec<(bool, Mark)> {
    let waypoint = direction == ListenerDirection::Waypoint;
    let inbound = matches!(direction, ListenerDirection::Inbound | ListenerDirection::Internal);
    let plugins = !waypoint && version.network_plugins();
    vec![
        (waypoint && version.since(25), built_in::DESTINATION.into()),
        (waypoint, built_in::AUTHORITY.into()),
        (inbound, built_in::METADATA_EXCHANGE.into()),
        (plugins, Phase::Authn.into()),
        (plugins, Phase::Authz.into()),
        (plugins, Phase::Stats.into()),
        (plugins, Phase::Unspecified.into()),
        (true, built_in::HTTP_CONNECTION_MANAGER.into()),
    ]
}

/// `networkfilter.go: buildCompleteNetworkFilters, buildNetworkFiltersStack`, `listener_waypoint.go: buildWaypointNetworkFilters`.
fn network_of_tcp(direction: ListenerDirection, version: Version) -> Vec<(bool, Mark)> {
    let from = |minor| version.since(minor);
    let (outbound, waypoint) = (direction == ListenerDirection::Outbound, direction == ListenerDirection::Waypoint);
    let gateway = direction == ListenerDirection::Gateway;
    let plugins = version.network_plugins();
    vec![
        (waypoint && from(25), built_in::DESTINATION.into()),
        (waypoint, built_in::AUTHORITY.into()),
        (!outbound && !gateway, built_in::METADATA_EXCHANGE.into()),
        (gateway, built_in::METADATA_EXCHANGE_OF_GATEWAY.into()),
        (!outbound, built_in::TCP_CUSTOM.into()),
        (plugins, Phase::Authn.into()),
        (plugins, Phase::Authz.into()),
        (!outbound, built_in::TCP_RBAC.into()),
        (plugins, Phase::Stats.into()),
        (plugins, Phase::Unspecified.into()),
        (true, telemetry(version)),
        (from(29) && waypoint || from(30) && outbound, built_in::SNI_FORWARD.into()),
        (true, built_in::PROTOCOL.into()),
        (true, built_in::TCP_PROXY.into()),
    ]
}

/// Stackdriver was a provider of metrics until 1.22 (`pilot/pkg/model/telemetry.go: buildHTTPTelemetryFilter`).
fn telemetry(version: Version) -> Mark {
    if version.since(23) { built_in::TELEMETRY.into() } else { built_in::TELEMETRY_WITH_STACKDRIVER.into() }
}

impl From<BuiltIn> for Mark {
    fn from(built_in: BuiltIn) -> Self {
        Self::BuiltIn(built_in)
    }
}

impl From<Phase> for Mark {
    fn from(phase: Phase) -> Self {
        Self::Phase(phase)
    }
}
