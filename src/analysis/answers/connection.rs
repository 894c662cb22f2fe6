//! `chains [WORKLOAD] --connection …`: the filter chain that takes a connection, and why each other one does not.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::chains::{ChainAnswer, chain_answer};
use super::filters::with_states;
use crate::analysis::connection::{self, Asked, Assumed, Chosen, Criterion, Http, NoListener, Outcome, Seen, Tls};
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, FilterChain, Transport};
use crate::model::ids::ProxyId;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectionAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// One entry a proxy.
    pub proxies: Vec<ProxyConnection>,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyConnection {
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// Whose view the dump is: `proxy`, or `istiod`, which does not say what the proxy has.
    pub view: &'static str,
    /// The connection, with what was assumed.
    pub connection: Assumed,
    /// The listener that it comes to.
    pub listener: Option<TakingListener>,
    /// What the listener has to pick a chain by; None where there is no listener, or that cannot be told.
    pub seen: Option<Seen>,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why, as whole sentences.
    pub why: String,
    /// The chain that takes it.
    pub chain: Option<ChainAnswer>,
    /// What comes of it in that chain, where it does not go well.
    pub consequence: Option<&'static str>,
    /// The plugins that it passes there, in running order; none where it does not get that far.
    pub plugins: Vec<String>,
    /// The chains that do not take it.
    pub losers: Vec<Loser>,
}

impl ProxyConnection {
    /// The outcome as a sentence without its end.
    pub fn verdict(&self) -> String {
        match (self.outcome, &self.chain) {
            (Outcome::Chain | Outcome::Default, Some(chain)) => format!("Chain {} takes it", chain.place),
            (Outcome::Closed, _) => "No chain takes it".to_owned(),
            _ => "Which chain takes it is not known".to_owned(),
        }
    }
}

/// The listener that a connection comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakingListener {
    /// Its name.
    pub name: String,
    /// Its port; None for an internal one.
    pub port: Option<u16>,
    /// Its direction; None for static ones.
    pub direction: Option<ListenerDirection>,
    /// Why it is this one, as one clause.
    pub why: String,
}

/// A chain that does not take the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loser {
    /// Its 0-based place in the listener.
    pub place: usize,
    /// Its name, which need not be unique.
    pub name: String,
    /// What it takes, in plain words.
    pub meaning: String,
    /// The first criterion at which it dropped out.
    pub lost_at: Criterion,
    /// Why, as one clause.
    pub why: String,
}

/// Answers for the given proxies, as far as their dumps were read.
pub fn connection(snapshot: &Snapshot, proxies: &[ProxyId], asked: &Asked) -> ConnectionAnswer {
    let proxies = proxies.iter().filter_map(|proxy| of_proxy(snapshot, proxy, asked)).collect();
    ConnectionAnswer { warnings: warning::once(&snapshot.warnings), proxies }
}

fn of_proxy(snapshot: &Snapshot, proxy: &ProxyId, asked: &Asked) -> Option<ProxyConnection> {
    let dump = &snapshot.dump(proxy)?.dump;
    let kind = placement::kind_of(snapshot, proxy, dump);
    let direction = connection::direction(kind, asked.direction);
    let assumed = connection::assume(asked, direction, &addresses(snapshot, proxy, dump));
    let mut answer = ProxyConnection {
        proxy: proxy.clone(),
        view: dump.view.as_str(),
        connection: assumed,
        listener: None,
        seen: None,
        outcome: Outcome::Unknown,
        why: String::new(),
        chain: None,
        consequence: None,
        plugins: Vec::new(),
        losers: Vec::new(),
    };
    if placement::awaits_listeners(snapshot, proxy, dump) {
        answer.why = format!("It cannot be told: {}.", placement::NO_LISTENERS);
        return Some(answer);
    }
    match connection::choose(dump, &answer.connection) {
        Ok(chosen) => judge(&mut answer, snapshot, &chosen, placement::direction(chosen.listener, kind)),
        Err(NoListener::None(why)) => (answer.outcome, answer.why) = (Outcome::Closed, why),
        Err(NoListener::Unknown(why)) => answer.why = why,
    }
    Some(answer)
}

fn judge(answer: &mut ProxyConnection, snapshot: &Snapshot, chosen: &Chosen<'_>, direction: Option<ListenerDirection>) {
    let listener = chosen.listener;
    answer.listener = Some(TakingListener { name: listener.name.clone(), port: listener.port(), direction, why: chosen.why.clone() });
    let verdict = match connection::see(listener, &answer.connection) {
        Ok(seen) => connection::take(listener, answer.seen.insert(seen)),
        Err(what) => return answer.why = format!("It cannot be told: it depends on {what}."),
    };
    let is_unread = verdict.chain.is_some_and(|place| listener.chains[place].unread);
    let of = |place: usize| {
        let mut chain = chain_answer(snapshot, &answer.proxy, place, listener, direction);
        with_states(&Outlooks::sharing(snapshot, &answer.proxy, &Arc::default()), chain.filters_mut());
        chain
    };
    answer.outcome = verdict.outcome;
    answer.why = verdict.why;
    answer.why.push_str(if is_unread { " Its filters could not all be read." } else { "" });
    answer.chain = verdict.chain.map(of);
    answer.consequence = verdict.chain.and_then(|place| consequence(&listener.chains[place], &answer.connection));
    let reached = answer.chain.iter().filter(|_| answer.consequence.is_none());
    let filters = reached.flat_map(|chain| chain.network_filters.iter().chain(&chain.http_filters));
    let plugins = filters.filter(|filter| filter.plugin_kind.is_some());
    answer.plugins = plugins.map(|filter| filter.own_plugin().unwrap_or(&filter.name).to_owned()).collect();
    let losers = verdict.losses.into_iter().map(|loss| {
        let ChainAnswer { name, place, meaning, .. } = of(loss.chain);
        Loser { place, name, meaning, lost_at: loss.at, why: loss.why }
    });
    answer.losers = losers.collect();
}

/// The proxy's own addresses, by its pod and by what it says of itself.
pub(super) fn addresses(snapshot: &Snapshot, proxy: &ProxyId, dump: &ConfigDump) -> Vec<IpAddr> {
    let of_pod = snapshot.objects.pods.get(proxy).map(|pod| &pod.ips);
    let of_node = dump.node.as_ref().map(|node| &node.instance_ips);
    let all: BTreeSet<IpAddr> = of_pod.into_iter().chain(of_node).flatten().filter_map(|ip| ip.parse().ok()).collect();
    all.into_iter().collect()
}

/// What comes of the connection in a chain that it does not suit.
fn consequence(chain: &FilterChain, connection: &Assumed) -> Option<&'static str> {
    let http = chain.http_filters.is_some();
    match (chain.transport, connection.tls) {
        _ if chain.unread => None,
        _ if chain.network_filters.is_empty() => Some("The chain has no filter, so Envoy closes the connection."),
        _ if placement::is_black_hole(chain) => Some("The chain leads to BlackHoleCluster, so Envoy closes the connection."),
        (Transport::MutualTls | Transport::Tls, Tls::None) => {
            Some("The chain terminates TLS, and the connection has none, so the handshake fails.")
        }
        (Transport::MutualTls, Tls::Foreign) => {
            Some("The chain requires a client certificate of the mesh, so the handshake fails without one.")
        }
        (Transport::Plain, Tls::Mesh | Tls::Foreign) if http => {
            Some("The chain does not terminate TLS and expects HTTP, so the handshake is a bad request to it.")
        }
        _ if http && connection.http == Some(Http::None) => Some("The chain expects HTTP, so other bytes are a bad request to it."),
        _ => None,
    }
}
