//! A connection that a chain might take, as a person would describe it: to begin with where one is asked about.

use super::asked::Tls;
use super::range;
use crate::analysis::placement::ListenerDirection;
use crate::model::envoy::{Condition, FilterChain, Input, Listener, Transport};

/// The description. Where the chain is for any port, it ends with `port=`, for the person to go on.
pub fn example(chain: &FilterChain, listener: &Listener, direction: Option<ListenerDirection>) -> String {
    let matches = &chain.matches;
    let way = listener.matcher.as_ref().and_then(|matcher| matcher.ways().remove(chain.name.as_str())?.into_iter().next());
    let picked = |wanted: &Input| {
        way.iter().flatten().find_map(|condition| match condition {
            Condition::Is(input, value) if input == wanted => Some(value.clone()),
            Condition::In(input, ranges) if input == wanted => ranges.first().cloned(),
            _ => None,
        })
    };
    let of_listener = || listener.port().filter(|_| matches!(direction, Some(ListenerDirection::Outbound | ListenerDirection::Gateway)));
    // virtualOutbound takes what has no listener of its own, not its own port.
    let port = matches.destination_port.or_else(|| of_listener().filter(|_| listener.name != "virtualOutbound"));
    let port = port.map(|port| port.to_string()).or_else(|| picked(&Input::Port));
    let ranges = |ranges: &[String]| ranges.first().and_then(|range| address(range));
    let tls = tls(chain);
    let http = (chain.http_filters.is_none() && tls != Tls::Foreign).then_some("none");
    let sni = matches.server_names.first().map(|name| name.replacen('*', "www", 1));
    let rest = [
        ("address", ranges(&matches.prefix_ranges).or_else(|| address(&picked(&Input::Address)?))),
        ("tls", Some(tls.as_str().to_owned())),
        ("http", http.map(str::to_owned)),
        ("sni", sni.filter(|_| tls != Tls::None)),
        ("source", ranges(&matches.source_prefix_ranges)),
        ("direction", (direction == Some(ListenerDirection::Outbound)).then(|| "outbound".to_owned())),
    ];
    let rest: Vec<String> = rest.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect();
    match port {
        Some(port) => format!("port={port},{}", rest.join(",")),
        None => format!("{},port=", rest.join(",")),
    }
}

/// The first address of a range; None where it holds all addresses.
fn address(range: &str) -> Option<String> {
    range::parse(range).filter(|(_, length)| *length > 0).map(|(address, _)| address.to_string())
}

fn tls(chain: &FilterChain) -> Tls {
    let matches = &chain.matches;
    let of_mesh = match matches.application_protocols.as_slice() {
        [] => chain.transport == Transport::MutualTls,
        names => names.iter().any(|name| name.starts_with("istio")),
    };
    match (matches.transport_protocol.as_str(), chain.transport) {
        ("tls", _) | ("", Transport::MutualTls | Transport::Tls) if of_mesh => Tls::Mesh,
        ("tls", _) | ("", Transport::MutualTls | Transport::Tls) => Tls::Foreign,
        _ => Tls::None,
    }
}
