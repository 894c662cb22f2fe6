//! Which chains `spec.match` lets a plugin into (`pilot/pkg/model/extensions.go: matchTrafficExtensionSelectors`). It never decides
//! whether a plugin attaches to a proxy, but it can keep it out of every chain there.

use crate::analysis::era::Version;
use crate::model::plugin::{Plugin, TrafficSelector, WorkloadMode};

/// What a chain is for, as `match` sees it (`pilot/pkg/networking/networking.go: ListenerClass`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A sidecar's inbound chains, and all chains of a waypoint.
    Inbound,
    /// A sidecar's outbound chains.
    Outbound,
    /// The chains of a gateway.
    Gateway,
}

impl Class {
    /// The one mode, beside both, that lets a plugin in (`workloadModeForListenerClass`).
    pub fn mode(self) -> WorkloadMode {
        match self {
            Self::Inbound => WorkloadMode::Server,
            Self::Outbound | Self::Gateway => WorkloadMode::Client,
        }
    }
}

/// Whether `matches` lets a plugin into a chain of this class; `port` is the one that istiod compares for it, 0 for chains that have
/// none (a passthrough chain, an HTTP chain of a waypoint). One item suffices; in it both the mode and the ports must hold.
pub fn accepts(matches: &[TrafficSelector], class: Class, port: u16) -> bool {
    // 0 stands for no port, so an item that names it matches nothing (`matchPorts`).
    let ports = |item: &TrafficSelector| item.ports.is_empty() || (port != 0 && item.ports.contains(&port));
    matches.is_empty() || matches.iter().any(|item| mode_of(item, class) && ports(item))
}

/// Whether `matches` lets a plugin into chains of this class by its mode; its ports may still keep it out of single ones.
pub fn allows_class(matches: &[TrafficSelector], class: Class) -> bool {
    matches.is_empty() || matches.iter().any(|item| mode_of(item, class))
}

fn mode_of(item: &TrafficSelector, class: Class) -> bool {
    item.mode == WorkloadMode::ClientAndServer || item.mode == class.mode()
}

/// `spec.match` as an istiod of this version reads it: until 1.15 it has no such field, so a plugin goes into every chain.
pub fn traffic_selectors(plugin: &Plugin, istiod: Option<Version>) -> &[TrafficSelector] {
    match istiod {
        Some(version) if version < Version::new(1, 16) => &[],
        _ => &plugin.matches,
    }
}
