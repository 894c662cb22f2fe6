//! The mode whose chains a proxy has: a policy counts once its chains have arrived.

use crate::analysis::placement::{self, ChainKind, ListenerDirection};
use crate::model::envoy::{ConfigDump, FilterChain, Listener, ListenerState, Transport};
use crate::model::peer_authentication::MtlsMode;

/// The mode of what no service declares, by the passthrough chains that a sidecar has for it
/// (`pilot/pkg/networking/core/filterchain_options.go: getFilterChainMatchOptions`); None where it has none.
pub fn in_proxy(dump: &ConfigDump) -> Option<MtlsMode> {
    let is_inbound = |listener: &&Listener| placement::direction(listener, None) == Some(ListenerDirection::Inbound);
    let active = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active && !listener.lacks_parts());
    let rest = |chain: &&FilterChain| {
        let kind = placement::classify(chain, Some(ListenerDirection::Inbound));
        kind == ChainKind::Passthrough && chain.matches.destination_port.is_none()
    };
    let chains: Vec<&FilterChain> = active.filter(is_inbound).flat_map(|listener| &listener.chains).filter(rest).collect();
    let mutual = chains.iter().any(|chain| chain.transport == Transport::MutualTls);
    let plain = chains.iter().any(|chain| chain.transport == Transport::Plain && chain.matches.transport_protocol != "tls");
    match (mutual, plain) {
        (true, true) => Some(MtlsMode::Permissive),
        (true, false) => Some(MtlsMode::Strict),
        (false, true) => Some(MtlsMode::Disable),
        (false, false) => None,
    }
}
