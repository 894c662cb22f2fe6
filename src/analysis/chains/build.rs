//! Chains and listeners of a prediction, in the shape of a dump's.

use super::plugins::{Place, Plugins};
use super::sets::Shape;
use crate::model::envoy::{
    ChainMatch, Destination, Direction, Filter, FilterChain, FilterSource, Listener, ListenerAddress, ListenerState, RawJson, Transport,
};

/// The last network filter of a chain with HTTP, and of one without.
const HCM: &str = "envoy.filters.network.http_connection_manager";
const TCP_PROXY: &str = "envoy.filters.network.tcp_proxy";
const ROUTER: &str = "envoy.filters.http.router";

/// Where plugins are looked for: the place of a chain's HTTP filters, and that of its network filters, which istiod compares by
/// other ports in some chains; None where it never puts any.
#[derive(Clone, Copy)]
pub(super) struct Places<'s> {
    pub http: Option<Place<'s>>,
    pub network: Option<Place<'s>>,
}

impl<'s> Places<'s> {
    /// One place for both.
    pub fn same(place: Place<'s>) -> Self {
        Self { http: Some(place), network: Some(place) }
    }

    /// No plugin ever stands there.
    pub const NONE: Self = Self { http: None, network: None };
}

/// A chain with or without HTTP, with the plugins of its place in it.
pub(super) fn chain(
    name: &str,
    matches: ChainMatch,
    http: bool,
    destination: Destination,
    places: Places<'_>,
    plugins: &Plugins<'_, '_>,
) -> FilterChain {
    let mut network_filters = places.network.map(|place| plugins.network(place)).unwrap_or_default();
    network_filters.push(built_in(if http { HCM } else { TCP_PROXY }));
    let http_filters = http.then(|| {
        let mut filters = places.http.map(|place| plugins.http(place)).unwrap_or_default();
        filters.push(built_in(ROUTER));
        filters
    });
    FilterChain {
        name: name.to_owned(),
        is_default: false,
        matches,
        matcher: Vec::new(),
        network_filters,
        http_filters,
        destination: Some(destination),
        transport: Transport::Plain,
        config_object: String::new(),
        unread: false,
        raw: RawJson::none(),
    }
}

fn built_in(name: &str) -> Filter {
    Filter { name: name.to_owned(), source: FilterSource::Unknown, plugin: None, disabled: false, raw: RawJson::none() }
}

/// What a chain of this shape matches, beside its port and addresses.
pub(super) fn matches(shape: &Shape, port: Option<u16>) -> ChainMatch {
    ChainMatch {
        destination_port: port,
        transport_protocol: shape.transport.to_owned(),
        application_protocols: shape.alpn.iter().map(|&word| word.to_owned()).collect(),
        ..ChainMatch::default()
    }
}

/// What a chain of this shape does with TLS.
pub(super) fn transport(shape: &Shape) -> Transport {
    if shape.mtls { Transport::MutualTls } else { Transport::Plain }
}

/// A listener on an address.
pub(super) fn listener(name: String, ip: &str, port: u16, direction: Direction, chains: Vec<FilterChain>) -> Listener {
    let address = ListenerAddress::Socket { ip: ip.to_owned(), port };
    Listener { address, direction: Some(direction), ..internal(name, chains) }
}

/// A listener that is reached from within Envoy alone.
pub(super) fn internal(name: String, chains: Vec<FilterChain>) -> Listener {
    Listener {
        name,
        state: ListenerState::Active,
        is_static: false,
        address: ListenerAddress::Internal,
        additional_addresses: Vec::new(),
        binds_port: false,
        direction: Some(Direction::Inbound),
        // A prediction is of chains: what runs before one is picked, and by what it is picked, is not predicted.
        filters: Vec::new(),
        matcher: None,
        chains,
        unread: false,
        error: None,
        last_updated: None,
        version: String::new(),
        raw: RawJson::none(),
    }
}
