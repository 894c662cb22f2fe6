//! How a proxy's listeners would change: two predictions of it side by side, chain by chain.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::chains::Gap;
use crate::analysis::comparison::{self, Difference, How, Pair};
use crate::analysis::outlook::Outlook;
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, Listener, ListenerState, Transport};
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
    /// How often the plugin is there as things are, by prediction; None where that cannot be predicted.
    pub before: Option<usize>,
    /// How often it would; None where that cannot be predicted.
    pub after: Option<usize>,
    /// How many chains it has.
    pub chains_before: Option<usize>,
    /// How many it would have.
    pub chains_after: Option<usize>,
    /// The chains that would come, go, or hold other plugins; none where one of the two cannot be predicted.
    pub chains: Vec<ChainChange>,
    /// What of it is not predicted, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ListenerChange {
    /// Whether both sides are predicted.
    pub fn is_predicted(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }
}

impl std::fmt::Display for ChainChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let becomes = self.becomes.as_ref().map(|becomes| format!(" becomes {becomes}")).unwrap_or_default();
        let chain = format!("{} ({}){becomes}", self.meaning, self.recognised_by);
        if self.how.is_empty() { f.write_str(&chain) } else { write!(f, "{chain}: {}", self.how) }
    }
}

impl std::fmt::Display for ListenerChange {
    /// `port 15006, virtualInbound: 4 -> 2, in 8 -> 4 chains`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.port.map(|port| format!("port {port}, ")).unwrap_or_default();
        let word = |number: Option<usize>| number.map_or_else(|| "not predicted".to_owned(), |number| number.to_string());
        let step = |before, after| if before == after { word(before) } else { format!("{} -> {}", word(before), word(after)) };
        write!(f, "{port}{}: {}", self.listener, step(self.before, self.after))?;
        match (self.chains_before, self.chains_after) {
            (Some(_), Some(_)) => write!(f, ", in {} chains", step(self.chains_before, self.chains_after)),
            _ => Ok(()),
        }
    }
}

/// A chain that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainChange {
    /// `comes`, `goes`, `changes`.
    pub change: &'static str,
    /// What connections it takes, in plain words; of one that changes, as things are.
    pub meaning: String,
    /// What connections it would take, where it changes and that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
    /// By what it recognises them.
    pub recognised_by: String,
    /// How it changes; empty where it comes or goes, and where `becomes` says all.
    pub how: String,
}

/// A proxy as it is, and as it would be. What is predicted is decided as for every other answer: by [`Outlook::count`].
pub struct Sides<'o, 's> {
    /// As things are; None where the proxy is not there yet.
    pub before: Option<&'o Result<Outlook<'s>, String>>,
    /// As they would be.
    pub after: &'o Result<Outlook<'s>, String>,
    /// What the proxy has.
    pub dump: Option<&'o ConfigDump>,
}

impl Sides<'_, '_> {
    /// The listeners of a proxy that would change, those that have the plugin before or after, and those of which that cannot be
    /// predicted, by direction and port.
    pub fn changes(&self, plugin: &PluginId) -> Vec<ListenerChange> {
        let sides = self.before.into_iter().chain([self.after]).filter_map(|side| side.as_ref().ok());
        // What the proxy has counts where nothing is predicted.
        let has_plugin =
            |listener: &&Listener| listener.state != ListenerState::Draining && placement::count_in_listener(listener, plugin) > 0;
        let counted = self.dump.into_iter().flat_map(|dump| dump.listeners.iter().filter(has_plugin));
        let mut seen = BTreeSet::new();
        let all = sides.flat_map(|outlook| &outlook.prediction.listeners).chain(counted).filter(|listener| seen.insert(&listener.name));
        let mut found: Vec<ListenerChange> = all.filter_map(|listener| self.change(plugin, listener)).collect();
        found.sort_by(|a, b| (a.direction, a.port, &a.listener).cmp(&(b.direction, b.port, &b.listener)));
        found
    }

    /// `listener` is what one of the sides has under its name.
    fn change(&self, plugin: &PluginId, listener: &Listener) -> Option<ListenerChange> {
        let side = |side: Option<&'_ Result<Outlook<'_>, String>>| match side {
            None => Ok(0),
            Some(Err(why)) => Err(why.clone()),
            Some(Ok(outlook)) => outlook.count(plugin, listener),
        };
        let (before, after) = (side(self.before), side(Some(self.after)));
        let (of_before, of_after) = (self.before.and_then(|before| before.as_ref().ok()), self.after.as_ref().ok());
        let outlook = of_after.or(of_before);
        let old = of_before.and_then(|outlook| outlook.predicted(&listener.name));
        let new = of_after.and_then(|outlook| outlook.predicted(&listener.name));
        let direction = placement::direction(listener, outlook.map(|outlook| outlook.facts.kind));
        let none = listener.without_chains();
        // Read backwards: what the new one lacks goes, what only it has comes.
        let is_certain = |difference: &Difference| of_before.into_iter().chain(of_after).all(|outlook| outlook.is_certain(difference));
        let chains = chain_changes(old.unwrap_or(&none), new.unwrap_or(&none), direction, is_certain);
        let is_predicted = before.is_ok() && after.is_ok();
        // What the proxy has and istiod would send neither now nor then is no part of the difference.
        let counted = (!is_predicted).then_some(listener);
        let has_plugin = [old, new, counted].into_iter().flatten().any(|one| placement::count_in_listener(one, plugin) > 0);
        // What is not predicted on one side alone may be a difference.
        let only_of = |one: Option<&Outlook<'_>>, other: Option<&Outlook<'_>>| {
            let known = other?.gaps(listener);
            let gap = one?.gaps(listener).into_iter().find(|gap| !known.iter().any(|known| known.why == gap.why))?;
            Some(gap.why.clone())
        };
        let (gap_before, gap_after) = (only_of(of_before, of_after), only_of(of_after, of_before));
        let is_covered = gap_before.is_none() && gap_after.is_none();
        if chains.is_empty() && is_covered && before.is_ok() == after.is_ok() && !has_plugin {
            return None;
        }
        let length = |side: &Result<usize, String>, gap: &Option<String>, listener: Option<&Listener>| {
            (side.is_ok() && gap.is_none()).then(|| listener.map_or(0, |one| one.chains.len()))
        };
        let as_is = |why: &String| format!("as things are, {why}");
        let gap = || outlook.and_then(|outlook| outlook.gaps(listener).first().map(|gap| gap.why.clone()));
        Some(ListenerChange {
            listener: listener.name.clone(),
            port: listener.port(),
            direction,
            chains_before: length(&before, &gap_before, old),
            chains_after: length(&after, &gap_after, new),
            chains: if is_predicted { chains } else { Vec::new() },
            note: after
                .as_ref()
                .err()
                .cloned()
                .or_else(|| before.as_ref().err().map(as_is))
                .or(gap_after)
                .or_else(|| gap_before.as_ref().map(as_is))
                .or_else(gap),
            before: before.ok(),
            after: after.ok(),
        })
    }

    /// What else is not predicted of the proxy as it would be, a clause each: listeners of which not even the name is known, or the whole.
    pub fn unpredicted(&self, changes: &[ListenerChange]) -> Vec<String> {
        let mut found = self.gaps();
        let mut seen = BTreeSet::new();
        found.retain(|why| !changes.iter().any(|change| change.note.as_ref() == Some(why)) && seen.insert(why.clone()));
        found
    }

    fn gaps(&self) -> Vec<String> {
        let after = match self.after {
            Ok(after) => after,
            Err(why) => return vec![why.clone()],
        };
        let before = self.before.and_then(|before| before.as_ref().ok());
        let (gaps, known) = (&after.prediction.gaps, before.map(|before| before.prediction.gaps.as_slice()).unwrap_or_default());
        // Of a whole side it is always said, of single names where that is new.
        let is_said = |gap: &&Gap| match &gap.listener {
            None => true,
            Some(name) => name.contains('*') && !known.contains(gap),
        };
        let mut found: Vec<String> = gaps.iter().filter(|gap| !gap.tcp_only).filter(is_said).map(|gap| gap.why.clone()).collect();
        let adding = |outlook: &Outlook<'_>| outlook.envoy_filters.adding_listeners().into_iter().cloned().collect::<Vec<_>>();
        let already = before.map(adding).unwrap_or_default();
        let new = adding(after).into_iter().filter(|name| !already.contains(name));
        found.extend(new.map(|name| format!("EnvoyFilter {name} adds listeners of its own, which are not predicted")));
        found
    }
}

/// The chains of a listener that would change, in the order of the new one, those that go last.
fn chain_changes(
    old: &Listener,
    new: &Listener,
    direction: Option<ListenerDirection>,
    is_certain: impl Fn(&Difference) -> bool,
) -> Vec<ChainChange> {
    let change = |pair: Pair<'_>| {
        let found = comparison::difference(pair, new, direction);
        let (difference, uncertain) = if found.as_ref().is_some_and(&is_certain) { (found, None) } else { (None, found) };
        // Where a chain leads is in what it means too.
        let is_meaning_certain = !matches!(uncertain, Some(Difference { how: How::Destination { .. }, .. }));
        match pair {
            Pair { counted: Some((_, after)), predicted: Some(before) } => {
                let meaning = |chain, listener| placement::meaning(chain, placement::classify(chain, direction), listener);
                let (meaning, then) = (meaning(before, old), meaning(after, new));
                let becomes = (is_meaning_certain && meaning != then).then_some(then);
                let transport = (becomes.is_none() && before.transport != after.transport)
                    .then(|| format!("from {} to {}", word(before.transport), word(after.transport)));
                let how = difference.as_ref().map(how).or(transport).unwrap_or_default();
                let recognised_by = comparison::recognised_by(after);
                let is_same = becomes.is_none() && how.is_empty();
                (!is_same).then_some(ChainChange { change: "changes", meaning, becomes, recognised_by, how })
            }
            Pair { counted, .. } => difference.map(|Difference { meaning, recognised_by, .. }| ChainChange {
                change: if counted.is_some() { "comes" } else { "goes" },
                meaning,
                becomes: None,
                recognised_by,
                how: String::new(),
            }),
        }
    };
    let mut pairs = comparison::pairs(new, old);
    pairs.sort_by_key(|pair| (pair.counted.is_none(), pair.counted.map(|(place, _)| place)));
    pairs.into_iter().filter_map(change).collect()
}

/// How a chain changes that takes the same connections; empty where it comes or goes.
fn how(difference: &Difference) -> String {
    let list = |names: &[String]| if names.is_empty() { "no plugin".to_owned() } else { names.join(", ") };
    match &difference.how {
        How::Missing | How::Unexpected => String::new(),
        How::Protocol { http: true } => "from HTTP to TCP".to_owned(),
        How::Protocol { http: false } => "from TCP to HTTP".to_owned(),
        How::Destination { istiod, proxy } => format!("from {istiod} to {proxy}"),
        How::Plugins { predicted, counted } => format!("{} becomes {}", list(predicted), list(counted)),
    }
}

/// How the bytes come to a chain, in the words of Istio.
fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Plain => "no TLS of its own",
        Transport::Tls => "TLS",
        Transport::MutualTls => "mutual TLS",
        Transport::Other => "another transport",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ingest::config_dump;
    use crate::model::envoy::DumpView;

    /// The chain changes between two chains that take the same connections, where no difference is certain.
    fn changes(before: Value, after: Value) -> Vec<ChainChange> {
        let listener = |chain: Value| {
            let address = json!({"socket_address": {"address": "0.0.0.0", "port_value": 15001}});
            let listener = json!({"name": "l", "address": address, "traffic_direction": "OUTBOUND", "filter_chains": [chain]});
            let dump = json!({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
                "dynamic_listeners": [{"name": "l", "active_state": {"listener": listener}}]}]});
            let mut parsed = config_dump::parse(dump.to_string().as_bytes(), DumpView::Proxy, "config dump").unwrap();
            parsed.dump.listeners.pop().unwrap()
        };
        chain_changes(&listener(before), &listener(after), Some(ListenerDirection::Outbound), |_| false)
    }

    fn chain(filters: Value, tls: bool) -> Value {
        let context = json!({"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"});
        let socket = json!({"name": "envoy.transport_sockets.tls", "typed_config": context});
        json!({"filters": filters, "transport_socket": if tls { socket } else { Value::Null }})
    }

    #[test]
    fn an_uncertain_difference_hides_no_other() {
        let of_type = |kind: &str, key: &str, value: Value| {
            let kind = format!("type.googleapis.com/envoy.extensions.filters.network.{kind}");
            json!([{"name": "f", "typed_config": {"@type": kind, key: value}}])
        };
        let http = |filters: Value| of_type("http_connection_manager.v3.HttpConnectionManager", "http_filters", filters);
        let plugin = json!([{"name": "extensions.istio.io/wasmplugin/n.p"}]);
        assert_eq!(changes(chain(http(plugin.clone()), false), chain(http(json!([])), false)), []);
        let found: Vec<String> =
            changes(chain(http(plugin), false), chain(http(json!([])), true)).into_iter().map(|change| change.how).collect();
        assert_eq!(found, ["from no TLS of its own to TLS"]);
        // Where a chain leads is in what it means.
        let leads = |cluster: &str| of_type("tcp_proxy.v3.TcpProxy", "cluster", json!(cluster));
        assert_eq!(changes(chain(leads("PassthroughCluster"), false), chain(leads("BlackHoleCluster"), false)), []);
    }
}
