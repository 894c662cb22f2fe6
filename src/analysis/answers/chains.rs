//! `chains [WORKLOAD]`: every listener of a proxy with its filter chains and their filters, in plain words.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::chain_match::{self, ChainMatchAnswer};
use super::filters::{FilterAnswer, filter_answer, with_states};
use super::prediction::{self, PredictionAnswer};
use crate::analysis::chains::Shared;
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement::{self, ChainKind, ListenerDirection};
use crate::model::envoy::{Filter, FilterChain, Listener, ListenerAddress, ListenerState};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainsAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// One entry a proxy.
    pub proxies: Vec<ProxyChains>,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyChains {
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// Its Istio version, as it says it; empty where it does not.
    pub istio_version: String,
    /// Its Envoy version; empty where the dump does not say.
    pub envoy_version: String,
    /// Whose view the dump is: `proxy`, or `istiod`, which does not say what the proxy has.
    pub view: &'static str,
    /// Every listener in every state.
    pub listeners: Vec<ListenerAnswer>,
    /// Why that says nothing of the listeners that istiod sends; absent where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listeners_note: Option<&'static str>,
    /// Listeners that istiod would send and the proxy does not have.
    pub absent: Vec<String>,
    /// Why nothing can be predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_note: Option<String>,
}

/// One listener in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerAnswer {
    /// Its name.
    pub name: String,
    /// Its port; None for one that has none, and where it is not known.
    pub port: Option<u16>,
    /// Where else than on a port it listens, or that this is not known; None for an internal one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_note: Option<String>,
    /// Its direction; None for static ones and tunnels.
    pub direction: Option<ListenerDirection>,
    /// Which state this is.
    pub state: ListenerState,
    /// Whether it comes from the bootstrap.
    #[serde(rename = "static")]
    pub is_static: bool,
    /// Why the proxy refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When this state was last updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// How it stands to what istiod would send; None for listeners that are never predicted.
    pub prediction: Option<PredictionAnswer>,
    /// Its chains, the default one last.
    pub filter_chains: Vec<ChainAnswer>,
    /// Its place among the dump's listeners.
    #[serde(skip)]
    pub index: usize,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainAnswer {
    /// Its name, which need not be unique.
    pub name: String,
    /// Its 0-based place in the listener.
    pub place: usize,
    /// What sort of chain it is.
    pub kind: ChainKind,
    /// What it takes, in plain words.
    pub meaning: String,
    /// By what it recognises that.
    #[serde(rename = "match")]
    pub matches: ChainMatchAnswer,
    /// Where it leads: a cluster or a route configuration; empty where it leads nowhere.
    pub destination: String,
    /// Its network filters, in order.
    pub network_filters: Vec<FilterAnswer>,
    /// Its HTTP filters, in order; empty for a chain without HTTP.
    pub http_filters: Vec<FilterAnswer>,
    /// Whether parts of it could not be read, so that it can match by more and hold more filters.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// By what it recognises its connections, as one text.
    #[serde(skip)]
    pub recognised_by: String,
}

impl ChainAnswer {
    /// Its filters, those of the network first.
    pub(super) fn filters_mut(&mut self) -> impl Iterator<Item = &mut FilterAnswer> {
        self.network_filters.iter_mut().chain(&mut self.http_filters)
    }
}

/// Narrows the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainsFilter {
    /// Only listeners on this port.
    pub port: Option<u16>,
    /// Only listeners of this name.
    pub listener: Option<String>,
    /// Only chains that have a filter of this plugin.
    pub plugin: Option<PluginId>,
}

/// Answers for the given proxies, as far as their dumps were read.
pub fn chains(snapshot: &Snapshot, proxies: &[ProxyId], filter: &ChainsFilter) -> ChainsAnswer {
    let shared = Arc::default();
    let proxies = proxies.par_iter().filter_map(|proxy| proxy_chains(snapshot, proxy, filter, &shared)).collect();
    ChainsAnswer { warnings: warning::once(&snapshot.warnings), proxies }
}

fn proxy_chains(snapshot: &Snapshot, proxy: &ProxyId, filter: &ChainsFilter, shared: &Arc<Shared>) -> Option<ProxyChains> {
    let dump = &snapshot.dump(proxy)?.dump;
    let outlooks = Outlooks::sharing(snapshot, proxy, shared);
    let outlook = outlooks.whole();
    let kind = placement::kind_of(snapshot, proxy, dump);
    let wanted = |listener: &Listener| {
        filter.port.is_none_or(|port| listener.port() == Some(port)) && filter.listener.as_ref().is_none_or(|name| *name == listener.name)
    };
    let mut listeners: Vec<ListenerAnswer> = dump
        .listeners
        .iter()
        .enumerate()
        .filter(|(_, listener)| wanted(listener))
        .map(|(index, listener)| ListenerAnswer {
            index,
            prediction: outlook.ok().and_then(|outlook| prediction::of(outlook, listener, dump)),
            ..listener_answer(snapshot, proxy, listener, placement::direction(listener, kind), filter.plugin.as_ref())
        })
        .filter(|listener| filter.plugin.is_none() || !listener.filter_chains.is_empty())
        .collect();
    listeners.sort_by(|a, b| order(a).cmp(&order(b)));
    let chains = listeners.iter_mut().flat_map(|listener| &mut listener.filter_chains);
    with_states(&outlooks, chains.flat_map(ChainAnswer::filters_mut));
    let node = dump.node.as_ref();
    let narrowed = *filter != ChainsFilter::default();
    let awaits = placement::awaits_listeners(snapshot, proxy, dump);
    let absent = outlook.ok().filter(|_| !narrowed && !awaits).map(|outlook| prediction::absent(outlook, dump));
    Some(ProxyChains {
        proxy: proxy.clone(),
        istio_version: node.map(|node| node.istio_version.clone()).unwrap_or_default(),
        envoy_version: node.map(|node| node.envoy_version.clone()).unwrap_or_default(),
        view: dump.view.as_str(),
        listeners,
        absent: absent.unwrap_or_default(),
        prediction_note: outlook.err().cloned(),
        listeners_note: awaits.then_some(placement::NO_LISTENERS),
    })
}

/// Inbound first, then outbound and the others; static ones last; by port and name, so that the order is stable.
fn order(listener: &ListenerAnswer) -> (bool, Option<ListenerDirection>, Option<u16>, &str, ListenerState) {
    (listener.direction.is_none(), listener.direction, listener.port, &listener.name, listener.state)
}

fn listener_answer(
    snapshot: &Snapshot,
    proxy: &ProxyId,
    listener: &Listener,
    direction: Option<ListenerDirection>,
    plugin: Option<&PluginId>,
) -> ListenerAnswer {
    let wanted = |(_, chain): &(usize, &FilterChain)| plugin.is_none_or(|plugin| placement::count_in_chain(chain, plugin) > 0);
    ListenerAnswer {
        index: 0,
        name: listener.name.clone(),
        port: listener.port(),
        port_note: match &listener.address {
            ListenerAddress::Socket { .. } | ListenerAddress::Internal => None,
            ListenerAddress::Pipe(path) => Some(format!("socket {path}")),
            ListenerAddress::Unknown => Some("address not known".to_owned()),
        },
        direction,
        state: listener.state,
        is_static: listener.is_static,
        error: listener.error.clone(),
        last_updated: listener.last_updated.clone(),
        prediction: None,
        filter_chains: listener
            .chains
            .iter()
            .enumerate()
            .filter(wanted)
            .map(|(place, _)| chain_answer(snapshot, proxy, place, listener, direction))
            .collect(),
    }
}

/// The chain of a listener of this proxy at a place.
pub(super) fn chain_answer(
    snapshot: &Snapshot,
    proxy: &ProxyId,
    place: usize,
    listener: &Listener,
    direction: Option<ListenerDirection>,
) -> ChainAnswer {
    let chain = &listener.chains[place];
    let kind = placement::classify(chain, direction);
    let filters = |filters: &[Filter]| filters.iter().map(|filter| filter_answer(snapshot, proxy, filter)).collect();
    ChainAnswer {
        name: chain.name.clone(),
        place,
        kind,
        meaning: placement::meaning(chain, kind, listener),
        matches: chain_match::answer(&chain.matches, &chain.matcher),
        destination: placement::destination(chain),
        network_filters: filters(&chain.network_filters),
        http_filters: chain.http_filters.as_deref().map(filters).unwrap_or_default(),
        unread: chain.unread,
        recognised_by: placement::recognised_by(chain),
    }
}
