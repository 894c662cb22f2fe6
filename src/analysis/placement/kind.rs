//! What sort of chain a chain is, by where it leads: names are not unique, and other versions use others.

use serde::Serialize;

use super::ListenerDirection;
use crate::model::envoy::{Destination, FilterChain};

/// Sorts of filter chain, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChainKind {
    /// For a port that a service declares.
    Service,
    /// For what no declared port takes.
    Passthrough,
    /// What it takes goes nowhere.
    Blackhole,
    /// For an ingress port of a Sidecar.
    Ingress,
    /// Of a gateway.
    Gateway,
    /// Of a waypoint.
    Waypoint,
    /// From the workload to elsewhere.
    Outbound,
    /// The listener's `default_filter_chain` that passes through, or of which no more is known.
    Default,
    /// None of these.
    Other,
}

impl ChainKind {
    /// The word of JSON and of tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Passthrough => "passthrough",
            Self::Blackhole => "blackhole",
            Self::Ingress => "ingress",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Outbound => "outbound",
            Self::Default => "default",
            Self::Other => "other",
        }
    }
}

/// The cluster that drops what comes to it (`pilot/pkg/networking/util/util.go`).
pub const BLACK_HOLE: &str = "BlackHoleCluster";
/// The cluster that passes on what leaves the workload to where it was sent.
pub const PASSTHROUGH: &str = "PassthroughCluster";

/// Whether what a chain takes goes nowhere.
pub fn is_black_hole(chain: &FilterChain) -> bool {
    matches!(&chain.destination, Some(Destination::Cluster(name)) if name == BLACK_HOLE)
}

/// Whether what a chain takes goes on to where it was sent.
pub(super) fn is_passed_through(chain: &FilterChain) -> bool {
    matches!(&chain.destination, Some(Destination::Cluster(name)) if name == PASSTHROUGH)
}

/// The sort of a chain of a listener with this direction (`core/listener_inbound.go`, `core/listener.go`). The `default_filter_chain` of a
/// port whose protocol is not known leads to the port's service, and is that service's.
pub fn classify(chain: &FilterChain, direction: Option<ListenerDirection>) -> ChainKind {
    let cluster = match &chain.destination {
        Some(Destination::Cluster(name)) => name.as_str(),
        Some(Destination::Route(_)) | None => "",
    };
    if is_black_hole(chain) {
        return ChainKind::Blackhole;
    }
    if chain.is_default && (chain.destination.is_none() || direction.is_none() || cluster == PASSTHROUGH) {
        return ChainKind::Default;
    }
    match direction {
        Some(ListenerDirection::Inbound | ListenerDirection::Internal) => {
            if cluster.starts_with("InboundPassthroughCluster") {
                ChainKind::Passthrough
            } else if !cluster.starts_with("inbound|") {
                ChainKind::Other
            } else if chain.config_object.to_ascii_lowercase().contains("/sidecar/") {
                ChainKind::Ingress
            } else {
                ChainKind::Service
            }
        }
        Some(ListenerDirection::Outbound) if cluster == PASSTHROUGH => ChainKind::Passthrough,
        Some(ListenerDirection::Outbound) => ChainKind::Outbound,
        Some(ListenerDirection::Gateway) => ChainKind::Gateway,
        Some(ListenerDirection::Waypoint) => ChainKind::Waypoint,
        None => ChainKind::Other,
    }
}
