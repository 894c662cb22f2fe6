//! A filter chain: what it takes, and what it does with it.

use super::filter::Filter;
use super::raw::RawJson;

/// One filter chain of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterChain {
    /// Its name; empty where it has none. Names are not unique within a listener.
    pub name: String,
    /// Whether it is the listener's `default_filter_chain`.
    pub is_default: bool,
    /// What a connection must be for this chain to take it; empty takes all that no narrower chain took.
    pub matches: ChainMatch,
    /// The conditions under which the listener's `filter_chain_matcher` picks it, in words; empty where there is no matcher.
    pub matcher: Vec<String>,
    /// The network filters, in order.
    pub network_filters: Vec<Filter>,
    /// The HTTP filters of its HttpConnectionManager, in order; None for a chain without one.
    pub http_filters: Option<Vec<Filter>>,
    /// Where it leads.
    pub destination: Option<Destination>,
    /// What it does with TLS.
    pub transport: Transport,
    /// The name of the Istio object in its metadata (`istio.config`, such as a Sidecar); empty where there is none.
    pub config_object: String,
    /// Whether parts of it could not be read: it can match by more, and hold more filters, than is here.
    pub unread: bool,
    /// The chain as the proxy wrote it.
    pub raw: RawJson,
}

impl FilterChain {
    /// All its filters: the network filters, then the HTTP filters.
    pub fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.network_filters.iter().chain(self.http_filters.iter().flatten())
    }
}

/// `FilterChainMatch` (`envoy/config/listener/v3/listener_components.proto`): the fields that Istio uses, and the others as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainMatch {
    /// `destination_port`.
    pub destination_port: Option<u16>,
    /// `prefix_ranges`, as `10.0.0.0/8`.
    pub prefix_ranges: Vec<String>,
    /// `transport_protocol`: `tls` or `raw_buffer`; empty is any.
    pub transport_protocol: String,
    /// `application_protocols`: ALPN.
    pub application_protocols: Vec<String>,
    /// `server_names`: SNI.
    pub server_names: Vec<String>,
    /// `direct_source_prefix_ranges`: where the connection itself comes from, whatever PROXY protocol says; as `10.0.0.0/8`.
    pub direct_source_prefix_ranges: Vec<String>,
    /// `source_type`; None is `ANY`.
    pub source_type: Option<SourceType>,
    /// `source_prefix_ranges`, as `10.0.0.0/8`.
    pub source_prefix_ranges: Vec<String>,
    /// `source_ports`.
    pub source_ports: Vec<u16>,
    /// Fields and values that this program does not know, as `name=value`.
    pub other: Vec<String>,
}

/// `ConnectionSourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// From the same address, or from loopback.
    SameIpOrLoopback,
    /// From anywhere else.
    External,
}

impl SourceType {
    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameIpOrLoopback => "SAME_IP_OR_LOOPBACK",
            Self::External => "EXTERNAL",
        }
    }
}

impl ChainMatch {
    /// Whether it names no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a chain sends what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A cluster: of a TCP proxy, or the only one of an inline route.
    Cluster(String),
    /// A route configuration, by RDS or inline, where it leads to several clusters.
    Route(String),
}

impl Destination {
    /// The name of the cluster or route.
    pub fn name(&self) -> &str {
        match self {
            Self::Cluster(name) | Self::Route(name) => name,
        }
    }
}

/// What a chain does with TLS, by its transport socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// None: bytes are taken as they come.
    Plain,
    /// It terminates TLS and requires a client certificate: mutual TLS.
    MutualTls,
    /// It terminates TLS without requiring a client certificate.
    Tls,
    /// Another transport socket (QUIC, tap, …).
    Other,
}
