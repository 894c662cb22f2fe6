//! A listener in one of its states.

use serde::Serialize;

use super::chain::FilterChain;
use super::listener_filter::ListenerFilter;
use super::matcher::Matcher;
use super::raw::RawJson;

/// One listener in one state. A listener that is being replaced stands here twice, once a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name; for a static listener without one, its address as `ip_port`.
    pub name: String,
    /// Which state this is.
    pub state: ListenerState,
    /// Whether it comes from the bootstrap.
    pub is_static: bool,
    /// Where it listens.
    pub address: ListenerAddress,
    /// `additional_addresses`: where it listens too.
    pub additional_addresses: Vec<ListenerAddress>,
    /// Whether it listens on its port itself (`bind_to_port`), or has its connections handed over by another listener.
    pub binds_port: bool,
    /// `traffic_direction`, where the configuration says it.
    pub direction: Option<Direction>,
    /// What runs before a chain is picked, in order.
    pub filters: Vec<ListenerFilter>,
    /// By what it picks a chain; None where each chain's own match decides.
    pub matcher: Option<Matcher>,
    /// Its chains in the order of `filter_chains`, the `default_filter_chain` last.
    pub chains: Vec<FilterChain>,
    /// Why the proxy refused it; only in [`ListenerState::Error`].
    pub error: Option<String>,
    /// `last_updated` of this state, RFC 3339.
    pub last_updated: Option<String>,
    /// `version_info` of this state; empty where unset.
    pub version: String,
    /// Whether more than single chains of it could not be read: it can have other chains than are here.
    pub unread: bool,
    /// The listener as the proxy wrote it.
    pub raw: RawJson,
}

impl Listener {
    /// The port it listens on; None for an internal listener.
    pub fn port(&self) -> Option<u16> {
        match &self.address {
            ListenerAddress::Socket { port, .. } => Some(*port),
            ListenerAddress::Internal | ListenerAddress::Pipe(_) | ListenerAddress::Unknown => None,
        }
    }

    /// Whether parts of it could not be read, so that nothing follows from what is not here.
    pub fn lacks_parts(&self) -> bool {
        self.unread || self.chains.iter().any(|chain| chain.unread)
    }

    /// The same listener without its chains, to compare with where there is none.
    #[must_use]
    pub fn without_chains(&self) -> Self {
        Self {
            name: self.name.clone(),
            address: self.address.clone(),
            additional_addresses: self.additional_addresses.clone(),
            filters: self.filters.clone(),
            matcher: self.matcher.clone(),
            chains: Vec::new(),
            error: self.error.clone(),
            last_updated: self.last_updated.clone(),
            version: self.version.clone(),
            raw: self.raw.clone(),
            ..*self
        }
    }
}

/// Which state of a listener is shown (`envoy/admin/v3/config_dump_shared.proto`, `ListenersConfigDump.DynamicListener`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ListenerState {
    /// Takes connections.
    Active,
    /// Waits for what it refers to (an ECDS resource, a certificate) before it takes connections.
    Warming,
    /// Serves the connections it has, takes no new ones.
    Draining,
    /// Refused: the configuration that istiod sent and the proxy did not take.
    Error,
}

impl ListenerState {
    /// A word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Warming => "warming",
            Self::Draining => "draining",
            Self::Error => "error",
        }
    }
}

/// `traffic_direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To this workload.
    Inbound,
    /// From this workload.
    Outbound,
}

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerAddress {
    /// An IP address and port.
    Socket {
        /// The address, as written.
        ip: String,
        /// The port.
        port: u16,
    },
    /// An internal listener (`internal_listener`), reached from within Envoy only.
    Internal,
    /// A Unix domain socket.
    Pipe(String),
    /// Not said.
    Unknown,
}
