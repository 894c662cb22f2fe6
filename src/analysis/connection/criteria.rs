//! The criteria of `FilterChainMatch`, one by one: whether a chain matches a connection by it, and how narrowly.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::assume::{Seen, or_none};
use super::range::narrowest;
use crate::model::envoy::{ChainMatch, SourceType};

/// What a chain can be lost at. The criteria stand in the order in which Envoy looks at them
/// (`source/common/listener_manager/filter_chain_manager_impl.cc: findFilterChain`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Criterion {
    /// `destination_port`.
    DestinationPort,
    /// `prefix_ranges`.
    DestinationAddress,
    /// `server_names`: SNI.
    ServerName,
    /// `transport_protocol`: TLS or not.
    TransportProtocol,
    /// `application_protocols`: ALPN, or what the HTTP inspector detected.
    ApplicationProtocol,
    /// `direct_source_prefix_ranges`.
    DirectSource,
    /// `source_type`.
    SourceType,
    /// `source_prefix_ranges`.
    Source,
    /// `source_ports`.
    SourcePort,
    /// Something in the listener's `filter_chain_matcher` that is none of these.
    Matcher,
    /// It is the `default_filter_chain`, and another one matches.
    Default,
}

/// How a chain matches by one criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// How narrowly: of several, only the narrowest go on. 0 is that of a chain that names nothing.
    pub(super) rank: u32,
    /// The value that matches; empty for a chain that names nothing.
    pub(super) by: String,
}

impl Fit {
    fn new(rank: u32, by: impl Into<String>) -> Self {
        Self { rank, by: by.into() }
    }

    fn any() -> Self {
        Self::new(0, "")
    }
}

impl Criterion {
    /// Those of `FilterChainMatch`, in Envoy's order.
    pub(super) const OF_A_MATCH: [Self; 9] = [
        Self::DestinationPort,
        Self::DestinationAddress,
        Self::ServerName,
        Self::TransportProtocol,
        Self::ApplicationProtocol,
        Self::DirectSource,
        Self::SourceType,
        Self::Source,
        Self::SourcePort,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::DestinationPort => "destination port",
            Self::DestinationAddress => "destination address",
            Self::ServerName => "SNI",
            Self::TransportProtocol => "transport protocol",
            Self::ApplicationProtocol => "application protocol",
            Self::DirectSource => "direct source address",
            Self::SourceType => "source type",
            Self::Source => "source address",
            Self::SourcePort => "source port",
            Self::Matcher => "matcher",
            Self::Default => "default",
        }
    }

    /// How a chain matches the connection by this criterion alone; None where it does not.
    ///
    /// # Errors
    /// What is not known of the connection, or not understood of the chain.
    pub(super) fn fit(self, chain: &ChainMatch, seen: &Seen) -> Result<Option<Fit>, String> {
        Ok(match self {
            Self::DestinationPort => {
                chain.destination_port.map_or(Some(Fit::any()), |port| (port == seen.port).then(|| Fit::new(1, port.to_string())))
            }
            Self::DestinationAddress => in_range(&chain.prefix_ranges, seen.address, "the destination address; say address=IP")?,
            Self::ServerName => server_name(&chain.server_names, seen.server_name.as_deref())?,
            Self::TransportProtocol if chain.transport_protocol.is_empty() => Some(Fit::any()),
            Self::TransportProtocol => (chain.transport_protocol == seen.transport_protocol).then(|| Fit::new(1, seen.transport_protocol)),
            Self::ApplicationProtocol => application_protocol(&chain.application_protocols, &seen.application_protocols),
            Self::DirectSource => in_range(&chain.direct_source_prefix_ranges, seen.source, SOURCE)?,
            Self::SourceType => source_type(chain.source_type, seen)?,
            Self::Source => in_range(&chain.source_prefix_ranges, seen.source, SOURCE)?,
            Self::SourcePort if chain.source_ports.is_empty() => Some(Fit::any()),
            Self::SourcePort => {
                let port = seen.source_port.ok_or("the source port; say source=IP:PORT")?;
                chain.source_ports.contains(&port).then(|| Fit::new(1, port.to_string()))
            }
            Self::Matcher | Self::Default => None,
        })
    }

    /// What a chain wants by this criterion, as one text; empty where it names nothing.
    pub(super) fn wanted(self, chain: &ChainMatch) -> String {
        let ports = |ports: &mut dyn Iterator<Item = &u16>| ports.map(u16::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::DestinationPort => ports(&mut chain.destination_port.iter()),
            Self::DestinationAddress => chain.prefix_ranges.join(", "),
            Self::ServerName => chain.server_names.join(", "),
            Self::TransportProtocol => chain.transport_protocol.clone(),
            Self::ApplicationProtocol => chain.application_protocols.join(", "),
            Self::DirectSource => chain.direct_source_prefix_ranges.join(", "),
            Self::SourceType => chain.source_type.map(SourceType::as_str).unwrap_or_default().to_owned(),
            Self::Source => chain.source_prefix_ranges.join(", "),
            Self::SourcePort => ports(&mut chain.source_ports.iter()),
            Self::Matcher | Self::Default => String::new(),
        }
    }

    /// What the connection has, as one text.
    pub(super) fn had(self, seen: &Seen) -> String {
        let address = |address: Option<IpAddr>| address.map_or_else(|| "not known".to_owned(), |address| address.to_string());
        match self {
            Self::DestinationPort => seen.port.to_string(),
            Self::DestinationAddress => address(seen.address),
            Self::ServerName => seen.server_name.as_deref().map_or("not known", or_none).to_owned(),
            Self::TransportProtocol => seen.transport_protocol.to_owned(),
            Self::ApplicationProtocol => or_none(&seen.application_protocols.join(", ")).to_owned(),
            Self::DirectSource | Self::SourceType | Self::Source => address(seen.source),
            Self::SourcePort => seen.source_port.map_or_else(|| "not known".to_owned(), |port| port.to_string()),
            Self::Matcher | Self::Default => String::new(),
        }
    }
}

const SOURCE: &str = "the source address; say source=IP";

/// A chain that names no range is one for 0.0.0.0/0 and ::/0.
fn in_range(ranges: &[String], address: Option<IpAddr>, missing: &str) -> Result<Option<Fit>, String> {
    if ranges.is_empty() {
        return Ok(Some(Fit::any()));
    }
    let found = narrowest(ranges, address.ok_or(missing)?)?;
    Ok(found.map(|(length, range)| Fit::new(length, range)))
}

/// The name itself, then `*.` and ever shorter ends of it.
fn server_name(names: &[String], seen: Option<&str>) -> Result<Option<Fit>, String> {
    if names.is_empty() {
        return Ok(Some(Fit::any()));
    }
    let seen = seen.ok_or("the SNI; say sni=HOST, or sni=none")?;
    let rank = |name: &str| match name.strip_prefix('*').filter(|end| end.starts_with('.')) {
        Some(end) => (seen.len() > end.len() && seen.ends_with(&end.to_ascii_lowercase())).then_some(end.len()),
        None => seen.eq_ignore_ascii_case(name).then_some(usize::MAX),
    };
    let fits = names.iter().filter_map(|name| Some(Fit::new(u32::try_from(rank(name)?).unwrap_or(u32::MAX), name)));
    Ok(fits.max_by_key(|fit| fit.rank))
}

/// The first of the client's protocols that any chain names goes before all others.
fn application_protocol(names: &[String], seen: &[String]) -> Option<Fit> {
    if names.is_empty() {
        return Some(Fit::any());
    }
    let (place, name) = seen.iter().enumerate().find(|(_, name)| names.contains(name))?;
    Some(Fit::new(u32::try_from(seen.len() - place).unwrap_or(u32::MAX), name))
}

/// `Network::Utility::isSameIpOrLoopback`.
fn source_type(wanted: Option<SourceType>, seen: &Seen) -> Result<Option<Fit>, String> {
    let Some(wanted) = wanted else { return Ok(Some(Fit::any())) };
    let source = seen.source.ok_or(SOURCE)?;
    let local = source == Ipv4Addr::LOCALHOST || source == Ipv6Addr::LOCALHOST || {
        source == seen.address.ok_or("the destination address; say address=IP")?
    };
    let is = if local { SourceType::SameIpOrLoopback } else { SourceType::External };
    Ok((wanted == is).then(|| Fit::new(1, wanted.as_str())))
}
