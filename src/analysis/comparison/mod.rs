//! What a proxy has, held against what istiod would send: chain by chain, matched by what they match and never by name.

mod causes;
mod envoy_filters;

use serde::Serialize;

use super::cidr;
use super::placement::{self, BLACK_HOLE, ListenerDirection, PASSTHROUGH};
use crate::model::envoy::{ChainMatch, FilterChain, Listener};
use crate::model::ids::PluginId;

pub use causes::{Cause, causes};
pub use envoy_filters::{EnvoyFilters, PlacedPatch};

/// One way in which a listener differs from what istiod would send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The chain's 0-based place in the proxy's listener; None where the proxy lacks it.
    pub chain: Option<usize>,
    /// What connections the chain takes, in plain words.
    pub meaning: String,
    /// By what it recognises them.
    pub recognised_by: String,
    /// How it differs.
    #[serde(flatten)]
    pub how: How,
    /// Whether one of the two has HTTP in it.
    #[serde(skip)]
    pub http: bool,
}

/// How a chain differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "camelCase")]
pub enum How {
    /// istiod would send it, the proxy lacks it.
    Missing,
    /// The proxy has it, istiod would not send it.
    Unexpected,
    /// Only one of the two has an HttpConnectionManager in it.
    Protocol {
        /// Whether istiod would put one there.
        http: bool,
    },
    /// What no service takes leads elsewhere: out of the mesh, or nowhere.
    Destination {
        /// The cluster that istiod would lead it to.
        istiod: String,
        /// The one that the proxy leads it to.
        proxy: String,
    },
    /// The plugins in it are others, or stand in another order.
    Plugins {
        /// Those that istiod would put there, in order.
        predicted: Vec<String>,
        /// Those that stand there, in order.
        counted: Vec<String>,
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &[String]| if names.is_empty() { "no plugin".to_owned() } else { names.join(", ") };
        let chain = format!("the chain for {} ({})", self.meaning, self.recognised_by);
        match &self.how {
            How::Missing => write!(f, "the proxy lacks {chain}"),
            How::Unexpected => write!(f, "istiod would not make {chain}, which the proxy has"),
            How::Protocol { http: true } => write!(f, "{chain} has no HttpConnectionManager, istiod would put one there"),
            How::Protocol { http: false } => write!(f, "{chain} has an HttpConnectionManager, istiod would put none there"),
            How::Destination { istiod, proxy } => write!(f, "{chain} leads to {proxy}, istiod would lead it to {istiod}"),
            How::Plugins { predicted, counted } => {
                write!(f, "{chain} holds {}, istiod would put {} there", list(counted), list(predicted))
            }
        }
    }
}

/// The differences between two listeners of one name; none where each chain of one has its like in the other, with the same
/// plugins in the same order.
pub fn differences(counted: &Listener, predicted: &Listener, direction: Option<ListenerDirection>) -> Vec<Difference> {
    let of_pair = |pair: Pair<'_>| difference(pair, counted, direction);
    let mut found: Vec<Difference> = pairs(counted, predicted).into_iter().filter_map(of_pair).collect();
    found.sort_by_key(|difference| (difference.chain.is_none(), difference.chain));
    found
}

/// How the two chains of a pair differ; None where they do not.
pub fn difference(pair: Pair<'_>, counted: &Listener, direction: Option<ListenerDirection>) -> Option<Difference> {
    let describe = |chain: Option<usize>, of: &FilterChain, how: How| Difference {
        chain,
        meaning: placement::meaning(of, placement::classify(of, direction), counted),
        recognised_by: recognised_by(of),
        http: of.http_filters.is_some() || matches!(how, How::Protocol { .. }),
        how,
    };
    match pair {
        Pair { counted: Some((place, chain)), predicted: Some(wanted) } => how(chain, wanted).map(|how| describe(Some(place), chain, how)),
        Pair { counted: Some((place, chain)), predicted: None } => Some(describe(Some(place), chain, How::Unexpected)),
        Pair { counted: None, predicted } => predicted.map(|wanted| describe(None, wanted, How::Missing)),
    }
}

/// A chain of a proxy and the one that istiod would send in its place; one of them is None where the other stands alone.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'l> {
    /// The proxy's, with its 0-based place in the listener.
    pub counted: Option<(usize, &'l FilterChain)>,
    /// The one that istiod would send.
    pub predicted: Option<&'l FilterChain>,
}

/// The chains of two listeners, those that take the same connections side by side.
pub fn pairs<'l>(counted: &'l Listener, predicted: &'l Listener) -> Vec<Pair<'l>> {
    let mut open: Vec<(usize, &FilterChain, ChainMatch)> =
        counted.chains.iter().enumerate().map(|(place, chain)| (place, chain, normal(&chain.matches))).collect();
    let mut found = Vec::new();
    for wanted in &predicted.chains {
        let matches = normal(&wanted.matches);
        // Chains of a listener that picks by a matcher match nothing themselves: there it is where they lead that tells them apart.
        let leads =
            |chain: &FilterChain| chain.destination == wanted.destination && chain.http_filters.is_some() == wanted.http_filters.is_some();
        let same = |(_, _, other): &&(usize, &FilterChain, ChainMatch)| *other == matches;
        let place = open
            .iter()
            .position(|(_, chain, other)| *other == matches && leads(chain))
            .or_else(|| if open.iter().filter(same).count() == 1 { open.iter().position(|(_, _, other)| *other == matches) } else { None });
        let counted = place.map(|place| open.remove(place)).map(|(place, chain, _)| (place, chain));
        found.push(Pair { counted, predicted: Some(wanted) });
    }
    found.extend(open.into_iter().map(|(place, chain, _)| Pair { counted: Some((place, chain)), predicted: None }));
    found
}

/// How two chains that match the same differ; None where they do not.
fn how(counted: &FilterChain, predicted: &FilterChain) -> Option<How> {
    let http = predicted.http_filters.is_some();
    if counted.http_filters.is_some() != http {
        return Some(How::Protocol { http });
    }
    let names = |chain| plugins(chain).iter().map(PluginId::to_string).collect();
    if plugins(counted) != plugins(predicted) {
        return Some(How::Plugins { predicted: names(predicted), counted: names(counted) });
    }
    let (istiod, proxy) = (way_out(predicted)?, way_out(counted)?);
    (!http && istiod != proxy).then(|| How::Destination { istiod: istiod.to_owned(), proxy: proxy.to_owned() })
}

/// The cluster of what no service takes, by `outboundTrafficPolicy` (`core/listener.go: buildOutboundCatchAllNetworkFiltersOnly`). Of
/// other clusters the prediction does not know the whole name: routes, subsets and the release decide on it too.
fn way_out(chain: &FilterChain) -> Option<&str> {
    let name = chain.destination.as_ref()?.name();
    matches!(name, PASSTHROUGH | BLACK_HOLE).then_some(name)
}

fn plugins(chain: &FilterChain) -> Vec<PluginId> {
    chain.filters().filter_map(|filter| filter.plugin.as_ref()).map(|plugin| plugin.id.clone()).collect()
}

/// What a chain matches, with the port.
pub fn recognised_by(chain: &FilterChain) -> String {
    let port = chain.matches.destination_port.map(|port| format!("port {port} · ")).unwrap_or_default();
    let by = placement::recognised_by(chain);
    if by == port.trim_end_matches(" · ") { by } else { format!("{port}{by}") }
}

/// A match in one way of writing: lists in order, ranges by their network.
fn normal(matches: &ChainMatch) -> ChainMatch {
    let mut normal = matches.clone();
    normal.prefix_ranges = matches.prefix_ranges.iter().map(|range| cidr::network(range)).collect();
    for list in [&mut normal.prefix_ranges, &mut normal.application_protocols, &mut normal.server_names] {
        list.sort();
    }
    normal
}
