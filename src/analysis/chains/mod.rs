//! The chains that istiod would make for a proxy under the objects as they are, or as they would be: listeners of the same
//! shape as those of a dump, so that whatever reads a dump reads a prediction too.
//!
//! Only what decides where plugins stand is predicted: chains, what they match, whether they speak HTTP, and the plugins in
//! them in running order. Of the built-in filters there is just the last one of each list.

mod addresses;
mod build;
mod conflict;
mod facts;
mod followed;
mod gateway;
mod hbone;
mod inbound;
mod merging;
mod outbound;
mod plugins;
mod routes;
mod servers;
mod services;
mod sets;
mod shared;
mod waypoint;

use std::collections::HashMap;

use crate::model::envoy::Listener;
use crate::model::workload::ProxyKind;

pub use facts::Facts;
pub use followed::{delegate, followed, follows, gateway_name, is_bound};
pub use inbound::{PortConfig, ports as inbound_ports, undeclared as undeclared_ports};
pub use services::{HiddenBy, hidden_by, imports};
pub use shared::Shared;

/// What istiod would send a proxy, as far as plugins can stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The listeners, by direction and port.
    pub listeners: Vec<Listener>,
    /// What could not be predicted, and why.
    pub gaps: Vec<Gap>,
    /// The places of the listeners, by name.
    places: HashMap<String, usize>,
}

/// A part of the prediction that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The listener's name, in which one `*` stands for what is not known of it; None for all but the inbound ones.
    pub listener: Option<String>,
    /// Whether only its chains without HTTP are concerned, so that counts of HTTP plugins still hold.
    pub tcp_only: bool,
    /// Why, naming the object.
    pub why: String,
}

impl Prediction {
    fn new(listeners: Vec<Listener>, gaps: Vec<Gap>) -> Self {
        let places = listeners.iter().enumerate().map(|(place, listener)| (listener.name.clone(), place)).collect();
        Self { listeners, gaps, places }
    }

    /// What is predicted under a name.
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.places.get(name).map(|place| &self.listeners[*place])
    }

    /// What is missing of the prediction of a listener.
    pub fn gaps_of(&self, name: &str, inbound: bool) -> Vec<&Gap> {
        let concerns = |gap: &&Gap| match &gap.listener {
            None => !inbound,
            Some(pattern) => match pattern.split_once('*') {
                // What is predicted after all is not meant.
                Some((start, end)) => name.starts_with(start) && name.ends_with(end) && !self.places.contains_key(name),
                None => name == pattern,
            },
        };
        self.gaps.iter().filter(concerns).collect()
    }
}

/// Predicts those of a sidecar's listeners that depend on the mutual TLS mode; nothing of other proxies does.
pub fn predict_inbound(facts: &Facts<'_>) -> Vec<Listener> {
    if facts.kind == ProxyKind::Sidecar { inbound::listeners(facts, &plugins::Plugins::of(facts)) } else { Vec::new() }
}

/// Predicts the inbound listeners of a sidecar, and all of a proxy of another kind, which has few.
pub fn predict_without_outbound(facts: &Facts<'_>) -> Prediction {
    match facts.kind {
        ProxyKind::Sidecar => {
            let plugins = plugins::Plugins::of(facts);
            let mut listeners = inbound::listeners(facts, &plugins);
            listeners.extend(hbone::listener(facts, &plugins));
            Prediction::new(listeners, Vec::new())
        }
        _ => predict(facts),
    }
}

/// Predicts the listeners of a proxy. Those of the bootstrap and the ends of HBONE tunnels, where no plugin ever stands, are
/// left out.
pub fn predict(facts: &Facts<'_>) -> Prediction {
    let plugins = plugins::Plugins::of(facts);
    let (mut listeners, mut gaps) = (Vec::new(), Vec::new());
    match facts.kind {
        ProxyKind::Sidecar => {
            listeners.extend(inbound::listeners(facts, &plugins));
            listeners.extend(hbone::listener(facts, &plugins));
            let (outbound, missing) = outbound::listeners(facts, &plugins);
            listeners.extend(outbound);
            gaps = missing;
        }
        ProxyKind::ClassicGateway | ProxyKind::Gateway => (listeners, gaps) = gateway::listeners(facts, &plugins),
        ProxyKind::Waypoint if waypoint::is_east_west(facts) => gaps.push(Gap {
            listener: None,
            tcp_only: false,
            why: "the chains of an east-west gateway follow the services of other networks, and are not predicted".to_owned(),
        }),
        ProxyKind::Waypoint => listeners.push(waypoint::listener(facts, &plugins)),
        ProxyKind::Ztunnel => {}
    }
    Prediction::new(listeners, gaps)
}
