//! The tree of a proxy: listener, chain, filter.

use std::collections::BTreeSet;

use super::{Key, Row};
use crate::analysis::answers::{ChainAnswer, FilterAnswer, ListenerAnswer, ProxyChains, taken};
use crate::analysis::logs::facts;
use crate::app::screen::Screen;
use crate::model::envoy::ListenerState;
use crate::model::ids::PluginId;
use crate::model::snapshot::Snapshot;

fn proxy(screen: &Screen) -> Option<&ProxyChains> {
    screen.chains()?.proxies.first()
}

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(proxy) = proxy(screen) else { return Vec::new() };
    let plugin = screen.plugin();
    let mut order: Vec<usize> = (0..proxy.listeners.len()).collect();
    // Listeners that have the plugin come first; else the order is the answer's.
    order.sort_by_key(|index| plugin.is_some_and(|plugin| listener_count(&proxy.listeners[*index], plugin) == 0));
    let searching = !screen.find.is_empty();
    let mut rows = Vec::new();
    for index in order {
        let listener = &proxy.listeners[index];
        rows.push(Row::Listener(index));
        if !searching && !screen.open.contains(&key(listener, None)) {
            continue;
        }
        for (place, chain) in listener.filter_chains.iter().enumerate() {
            rows.push(Row::Chain(index, place));
            if screen.open.contains(&key(listener, Some(place))) {
                rows.extend((0..chain.network_filters.len()).map(|filter| Row::NetworkFilter(index, place, filter)));
                rows.extend((0..chain.http_filters.len()).map(|filter| Row::HttpFilter(index, place, filter)));
            }
        }
    }
    rows
}

fn key(listener: &ListenerAnswer, chain: Option<usize>) -> Key {
    Key { listener: listener.name.clone(), state: listener.state.as_str(), chain }
}

/// The key of a row that can be opened.
pub fn key_of(screen: &Screen, row: &Row) -> Option<Key> {
    let listeners = &proxy(screen)?.listeners;
    match row {
        Row::Listener(index) => Some(key(&listeners[*index], None)),
        Row::Chain(index, place) => Some(key(&listeners[*index], Some(*place))),
        _ => None,
    }
}

/// Every key there is.
pub(in crate::app) fn all_keys(screen: &Screen) -> BTreeSet<Key> {
    let listeners = proxy(screen).map(|proxy| proxy.listeners.as_slice()).unwrap_or_default();
    let of = |listener: &ListenerAnswer| {
        std::iter::once(key(listener, None))
            .chain((0..listener.filter_chains.len()).map(|place| key(listener, Some(place))))
            .collect::<Vec<_>>()
    };
    listeners.iter().flat_map(of).collect()
}

/// What is open when the screen opens: the first active listener with the plugin, and the first chain in it that has it.
pub fn open_by_default(screen: &Screen) -> BTreeSet<Key> {
    let Some(proxy) = proxy(screen) else { return BTreeSet::new() };
    let found = match screen.plugin() {
        Some(plugin) => proxy.listeners.iter().find(|listener| listener_count(listener, plugin) > 0),
        None => proxy.listeners.first(),
    };
    let Some(listener) = found else { return BTreeSet::new() };
    let first = screen.plugin().and_then(|plugin| listener.filter_chains.iter().position(|chain| chain_count(chain, plugin) > 0));
    std::iter::once(key(listener, None)).chain(first.map(|place| key(listener, Some(place)))).collect()
}

/// Opens and selects what a line of a log is about, once there are rows: the listener that took the request's connection and its
/// chain; where the line does not have it, the chain that leads to the request's cluster, else the listener that the line names.
pub(in crate::app) fn select_line(screen: &mut Screen, snapshot: &Snapshot, height: usize) {
    let Some(proxy) = proxy(screen) else { return };
    let Some(record) = screen.seek_line.clone() else { return };
    let active = || proxy.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
    let (cluster, tls) = facts::cluster(&record).unwrap_or_default();
    let chain_to = |listener: &ListenerAnswer| {
        let leads = |chain: &&ChainAnswer| !cluster.is_empty() && chain.destination == cluster;
        let alike = |chain: &&ChainAnswer| leads(chain) && (chain.matches.transport_protocol == "tls") == tls;
        let chains = &listener.filter_chains;
        chains.iter().find(alike).or_else(|| chains.iter().find(leads)).map(|chain| chain.place)
    };
    let taken = taken(snapshot, &proxy.proxy, &record).and_then(|taken| {
        let listener = active().find(|listener| listener.name == taken.listener)?;
        Some(key(listener, taken.chain.or_else(|| chain_to(listener))))
    });
    let found = taken.or_else(|| active().find_map(|listener| Some(key(listener, Some(chain_to(listener)?)))));
    let port: Option<u16> = cluster.strip_prefix("outbound|").and_then(|rest| rest.split('|').next()?.parse().ok());
    let found = found.or_else(|| active().find(|listener| port.is_some() && listener.port == port).map(|listener| key(listener, None)));
    let found = found.or_else(|| active().find(|listener| record.message.contains(&listener.name)).map(|listener| key(listener, None)));
    screen.seek_line = None;
    let Some(found) = found else { return };
    screen.open = super::opening(found.clone());
    super::lay_out(screen, 0, height);
    if let Some(row) = screen.rows.iter().position(|row| key_of(screen, row).as_ref() == Some(&found)) {
        screen.list.select(row, height, screen.rows.len());
    }
}

/// How often the plugin's filter is in a listener of the answer.
pub fn listener_count(listener: &ListenerAnswer, plugin: &PluginId) -> usize {
    listener.filter_chains.iter().map(|chain| chain_count(chain, plugin)).sum()
}

/// How often it is in a chain.
pub fn chain_count(chain: &ChainAnswer, plugin: &PluginId) -> usize {
    chain.network_filters.iter().chain(&chain.http_filters).filter(|filter| filter.id.as_ref() == Some(plugin)).count()
}

/// The filter of a row.
pub fn filter<'s>(screen: &'s Screen, row: &Row) -> Option<&'s FilterAnswer> {
    let listeners = &proxy(screen)?.listeners;
    match row {
        Row::NetworkFilter(listener, chain, filter) => listeners[*listener].filter_chains[*chain].network_filters.get(*filter),
        Row::HttpFilter(listener, chain, filter) => listeners[*listener].filter_chains[*chain].http_filters.get(*filter),
        _ => None,
    }
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let listeners = &proxy(screen)?.listeners;
    match row {
        Row::Listener(index) => {
            let listener = &listeners[*index];
            let port = listener.port.map(|port| format!("{port} ")).unwrap_or_default();
            Some(format!("{port}{}", listener.name))
        }
        Row::Chain(index, place) => {
            let chain = &listeners[*index].filter_chains[*place];
            Some(format!("{} {}", chain.meaning, chain.name))
        }
        _ => filter(screen, row).map(|filter| filter.name.clone()),
    }
}
