//! One filter chain: its match, its filters, where it leads.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::filter::{self, NetworkFilter};
use super::json::{Fault, Text, field, object, owned, piece, values};
use crate::model::envoy::{ChainMatch, FilterChain, RawJson, SourceType, Transport};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawChain<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, alias = "filterChainMatch")]
    filter_chain_match: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filters: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "transportSocket")]
    transport_socket: Option<&'a RawValue>,
    /// What Envoys up to 1.14 write in its place; up to 1.17 under the other names.
    #[serde(
        borrow,
        default,
        alias = "tlsContext",
        alias = "hidden_envoy_deprecated_tls_context",
        alias = "hiddenEnvoyDeprecatedTlsContext"
    )]
    tls_context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawSocket<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, alias = "typedConfig")]
    typed_config: Option<RawTls<'a>>,
    #[serde(borrow, default, alias = "hidden_envoy_deprecated_config", alias = "hiddenEnvoyDeprecatedConfig")]
    config: Option<RawTls<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawTls<'a> {
    #[serde(borrow, default, rename = "@type")]
    type_url: Text<'a>,
    #[serde(default, alias = "requireClientCertificate")]
    require_client_certificate: Option<bool>,
}

/// Reads a chain. `whole` is the listener's text, of which `raw` is a part. What of it could not be read is pushed to `faults`.
pub(super) fn parse(raw: &RawValue, is_default: bool, whole: &RawJson, text: &str, faults: &mut Vec<Fault>) -> FilterChain {
    let found_before = faults.len();
    let mut chain = unreadable(is_default, piece(whole, text, raw));
    let Some(fields) = Fault::note(faults, "", object::<RawChain<'_>>(raw)) else { return chain };
    chain.name = owned(fields.name);
    if let Some(found) = fields.filter_chain_match.map_or(Some(Map::new()), |raw| Fault::note(faults, ".filter_chain_match", object(raw))) {
        chain.matches = matches(found, faults);
    }
    chain.transport = match (fields.transport_socket, fields.tls_context) {
        (Some(raw), _) => Fault::note(faults, ".transport_socket", object(raw)).map_or(Transport::Other, transport),
        (None, Some(raw)) => Fault::note(faults, ".tls_context", object(raw)).map_or(Transport::Other, |tls: RawTls<'_>| secured(&tls)),
        (None, None) => Transport::Plain,
    };
    chain.config_object = fields.metadata.map(config_object).unwrap_or_default();
    for (index, raw) in values(fields.filters, ".filters", faults).into_iter().enumerate() {
        let place = format!(".filters[{index}]");
        let Some(found) = filter::network(raw, whole, text, &place, faults) else { continue };
        let NetworkFilter { filter, http_filters, destination } = found;
        chain.network_filters.push(filter);
        if let Some(more) = http_filters {
            chain.http_filters.get_or_insert_default().extend(more);
        }
        chain.destination = destination.or(chain.destination);
    }
    chain.unread = faults.len() > found_before;
    chain
}

/// A chain of which nothing is known but that it is there; what it matches above all.
fn unreadable(is_default: bool, raw: RawJson) -> FilterChain {
    FilterChain {
        name: String::new(),
        is_default,
        matches: ChainMatch { other: vec!["what it matches could not be read".to_owned()], ..ChainMatch::default() },
        matcher: Vec::new(),
        network_filters: Vec::new(),
        http_filters: None,
        destination: None,
        transport: Transport::Plain,
        config_object: String::new(),
        unread: true,
        raw,
    }
}

fn transport(socket: RawSocket<'_>) -> Transport {
    let name = owned(socket.name);
    match (socket.typed_config, socket.config) {
        (Some(tls), _) if tls.type_url.as_deref().unwrap_or_default().ends_with("DownstreamTlsContext") => secured(&tls),
        // A Struct has no type: the name says which it is.
        (None, Some(tls)) if name == "tls" || name.ends_with(".tls") => secured(&tls),
        _ if name.ends_with("raw_buffer") => Transport::Plain,
        _ if name.ends_with("tls") => Transport::Tls,
        _ => Transport::Other,
    }
}

/// By a `DownstreamTlsContext`.
fn secured(tls: &RawTls<'_>) -> Transport {
    if tls.require_client_certificate == Some(true) { Transport::MutualTls } else { Transport::Tls }
}

/// Reads a `FilterChainMatch`; what it does not know is kept as text, since a condition that is not shown misleads. A value of a field that
/// it knows is a fault.
fn matches(fields: Map<String, Value>, faults: &mut Vec<Fault>) -> ChainMatch {
    let mut found = ChainMatch::default();
    for (key, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        let mut is_known = true;
        let understood = match key.as_str() {
            // 0 is no port (`FilterChainManagerImpl::addFilterChainForDestinationPorts`).
            "destination_port" | "destinationPort" => port(&value).map(|port| found.destination_port = Some(port).filter(|port| *port > 0)),
            "prefix_ranges" | "prefixRanges" => prefixes(&value).map(|ranges| found.prefix_ranges = ranges),
            "transport_protocol" | "transportProtocol" => value.as_str().map(|name| found.transport_protocol = name.to_owned()),
            "application_protocols" | "applicationProtocols" => strings(&value).map(|names| found.application_protocols = names),
            "server_names" | "serverNames" => strings(&value).map(|names| found.server_names = names),
            "direct_source_prefix_ranges" | "directSourcePrefixRanges" => {
                prefixes(&value).map(|ranges| found.direct_source_prefix_ranges = ranges)
            }
            "source_type" | "sourceType" => source_type(&value).map(|source_type| found.source_type = source_type),
            "source_prefix_ranges" | "sourcePrefixRanges" => prefixes(&value).map(|ranges| found.source_prefix_ranges = ranges),
            "source_ports" | "sourcePorts" => list(&value, port).map(|ports| found.source_ports = ports),
            _ => {
                is_known = false;
                None
            }
        };
        if understood.is_none() {
            let text = format!("{key}={value}");
            if is_known {
                faults.push(Fault::new(".filter_chain_match", format_args!("{text} is no such field's value")));
            }
            found.other.push(text);
        }
    }
    found
}

/// Every item as `read` understands it; None where it does not understand one.
fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

fn source_type(value: &Value) -> Option<Option<SourceType>> {
    match value.as_str()? {
        "ANY" => Some(None),
        "SAME_IP_OR_LOOPBACK" => Some(Some(SourceType::SameIpOrLoopback)),
        "EXTERNAL" => Some(Some(SourceType::External)),
        _ => None,
    }
}

fn port(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    list(value, |item| item.as_str().map(str::to_owned))
}

/// `CidrRange`s as `10.0.0.0/8`; an absent length is 0, as in protobuf.
fn prefixes(value: &Value) -> Option<Vec<String>> {
    list(value, |range| {
        let address = field(range, "address_prefix", "addressPrefix")?.as_str()?;
        let length = field(range, "prefix_len", "prefixLen").map_or(Some(0), Value::as_u64)?;
        Some(format!("{address}/{length}"))
    })
}

/// `filter_metadata.istio.config`: the object that Istio made the chain from.
fn config_object(raw: &RawValue) -> String {
    let metadata: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let all = field(&metadata, "filter_metadata", "filterMetadata");
    all.and_then(|all| all.pointer("/istio/config")).and_then(Value::as_str).unwrap_or_default().to_owned()
}
