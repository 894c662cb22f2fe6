//! How a proxy's listeners would change: two predictions of it side by side, chain by chain.

use serde::Serialize;

use crate::analysis::chains::{Facts, Prediction};
use crate::analysis::comparison::{self, Difference, How};
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::Listener;
use crate::model::ids::PluginId;

/// A listener that would change, or in which the plugin stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerChange {
    /// Its name.
    pub listener: String,
    /// Its port; None for an internal one.
    pub port: Option<u16>,
    /// Its direction.
    pub direction: Option<ListenerDirection>,
    /// How often the plugin stands there as things are, by prediction.
    pub before: usize,
    /// How often it would.
    pub after: usize,
    /// How many chains it has.
    pub chains_before: usize,
    /// How many it would have.
    pub chains_after: usize,
    /// The chains that would come, go, or hold other plugins.
    pub chains: Vec<ChainChange>,
    /// What of it is not predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl std::fmt::Display for ChainChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chain = format!("{} ({})", self.meaning, self.recognised_by);
        if self.how.is_empty() { f.write_str(&chain) } else { write!(f, "{chain}: {}", self.how) }
    }
}

impl std::fmt::Display for ListenerChange {
    /// `port 15006, virtualInbound: 4 -> 2, in 8 -> 4 chains`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.port.map(|port| format!("port {port}, ")).unwrap_or_default();
        let step = |before: usize, after: usize| if before == after { before.to_string() } else { format!("{before} -> {after}") };
        let (count, chains) = (step(self.before, self.after), step(self.chains_before, self.chains_after));
        write!(f, "{port}{}: {count}, in {chains} chains", self.listener)
    }
}

/// A chain that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainChange {
    /// `comes`, `goes`, `changes`.
    pub change: &'static str,
    /// What connections it takes, in plain words.
    pub meaning: String,
    /// By what it recognises them.
    pub recognised_by: String,
    /// How it changes; empty where it comes or goes.
    pub how: String,
}

/// The listeners of a proxy that would change, and those in which the plugin stands before or after, by direction and port.
pub fn listener_changes(plugin: &PluginId, facts: &Facts<'_>, before: &Prediction, after: &Prediction) -> Vec<ListenerChange> {
    let named = |prediction: &'_ Prediction, name: &str| prediction.listeners.iter().position(|listener| listener.name == name);
    let mut names: Vec<&str> = before.listeners.iter().chain(&after.listeners).map(|listener| listener.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut found: Vec<ListenerChange> = names
        .into_iter()
        .filter_map(|name| {
            let of = |prediction: &'_ Prediction| named(prediction, name);
            let (old, new) = (of(before).map(|at| &before.listeners[at]), of(after).map(|at| &after.listeners[at]));
            let outbound =
                old.or(new).and_then(|listener| placement::direction(listener, Some(facts.kind))) == Some(ListenerDirection::Outbound);
            let note = before.gaps_of(name, outbound).into_iter().chain(after.gaps_of(name, outbound)).next().map(|gap| gap.why.clone());
            change(plugin, facts, old, new, note)
        })
        .collect();
    found.sort_by(|a, b| (a.direction, a.port, &a.listener).cmp(&(b.direction, b.port, &b.listener)));
    found
}

fn change(
    plugin: &PluginId,
    facts: &Facts<'_>,
    old: Option<&Listener>,
    new: Option<&Listener>,
    note: Option<String>,
) -> Option<ListenerChange> {
    let either = new.or(old)?;
    let none = Listener { chains: Vec::new(), ..either.clone() };
    // Read backwards: what the new one lacks goes, what only it has comes.
    let direction = placement::direction(either, Some(facts.kind));
    let differences = comparison::differences(new.unwrap_or(&none), old.unwrap_or(&none), direction);
    let chains: Vec<ChainChange> = differences.iter().map(chain_change).collect();
    let count = |listener: Option<&Listener>| listener.map_or(0, |listener| placement::count_in_listener(listener, plugin));
    let (before, after) = (count(old), count(new));
    if chains.is_empty() && before == 0 && after == 0 {
        return None;
    }
    Some(ListenerChange {
        listener: either.name.clone(),
        port: either.port(),
        direction,
        before,
        after,
        chains_before: old.map_or(0, |listener| listener.chains.len()),
        chains_after: new.map_or(0, |listener| listener.chains.len()),
        chains,
        note,
    })
}

fn chain_change(difference: &Difference) -> ChainChange {
    let list = |names: &[String]| if names.is_empty() { "no plugin".to_owned() } else { names.join(", ") };
    let (change, how) = match &difference.how {
        How::Missing => ("goes", String::new()),
        How::Unexpected => ("comes", String::new()),
        How::Protocol { http: true } => ("changes", "from HTTP to TCP".to_owned()),
        How::Protocol { http: false } => ("changes", "from TCP to HTTP".to_owned()),
        How::Plugins { predicted, counted } => ("changes", format!("{} becomes {}", list(predicted), list(counted))),
    };
    ChainChange { change, meaning: difference.meaning.clone(), recognised_by: difference.recognised_by.clone(), how }
}
