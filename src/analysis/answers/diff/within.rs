//! How a listener and its chains differ from what istiod would send where both have the same chains: setting by setting.

use serde_json::Value;

use super::listeners::of_listener;
use super::{DiffLine, TypeDiff};
use crate::analysis::comparison::Pair;
use crate::analysis::settings::{Changes, canonical, canonical_without};
use crate::model::envoy::{Filter, FilterChain, Listener, RawJson};

/// How many differences of one type are told.
const MOST: usize = 200;
/// How many chains are named that differ in one way.
const MOST_CHAINS: usize = 6;
/// What a network filter's configuration is compared without: its HTTP filters are compared one by one.
const HTTP_FILTERS: &str = "http_filters";

/// What was found in one listener, or in several.
#[derive(Default)]
pub(super) struct Found {
    /// The differences.
    pub(super) lines: Vec<DiffLine>,
    /// How many values are secrets, which are not compared.
    pub(super) hidden: usize,
    /// How many settings could not be compared.
    pub(super) untold: usize,
    /// How many more differences there are.
    pub(super) more: usize,
}

/// One way to differ, and the chains that do so, by their 0-based places; none where it is the listener itself.
struct Way {
    what: &'static str,
    only: &'static str,
    said: String,
    chains: Vec<usize>,
}

/// What is being found of one listener.
#[derive(Default)]
struct Finder {
    ways: Vec<Way>,
    hidden: usize,
    untold: usize,
    more: usize,
}

/// Finds what differs in the listener itself and within the chains that both have; of the chains in `told` the names of the filters have
/// been compared.
pub(super) fn of_listeners(listener: &Listener, wanted: &Listener, pairs: &[Pair<'_>], told: &[usize]) -> Found {
    let mut finder = Finder::default();
    let own = |raw: &RawJson| canonical_without(raw.as_str(), &["name", "filter_chains", "default_filter_chain"]);
    finder.settings("settings", None, "", own(&wanted.raw), own(&listener.raw));
    for pair in pairs {
        if let Pair { counted: Some((place, chain)), predicted: Some(wanted) } = pair
            && chain.http_filters.is_some() == wanted.http_filters.is_some()
        {
            finder.chain(*place, chain, wanted, !told.contains(place));
        }
    }
    let Finder { ways, hidden, untold, more } = finder;
    let lines = ways.into_iter().map(|way| {
        let of = if way.chains.is_empty() { String::new() } else { format!(", {}", chains(&way.chains)) };
        let detail = format!("{}{of}: {}", listener.name, way.said);
        DiffLine { chain: way.chains.first().copied(), ..of_listener(way.what, way.only, listener, detail) }
    });
    Found { lines: lines.collect(), hidden, untold, more }
}

/// Says what was not compared, and what is not told of so many differences.
pub(super) fn bounded(mut found: TypeDiff, Found { hidden, untold, more, .. }: &Found) -> TypeDiff {
    let (hidden, untold, more) = (*hidden, *untold, more + found.differences.len().saturating_sub(MOST));
    if more > 0 {
        found.differences.truncate(MOST);
        found.notes.push(format!("{more} more differences are not told"));
    }
    if hidden > 0 {
        let count = if hidden == 1 { "1 secret was".to_owned() } else { format!("{hidden} secrets were") };
        found.notes.push(format!("{count} not compared, since secrets are removed from all that is read"));
        if found.differences.is_empty() {
            found.compared.push_str(", secrets aside");
        }
    }
    if untold > 0 {
        let count = if untold == 1 { "1 setting".to_owned() } else { format!("{untold} settings") };
        found
            .notes
            .push(format!("{count} could not be compared: the two write them in ways of which is not known whether they are the same"));
        found.same = found.same.filter(|same| !same);
    }
    found
}

impl Found {
    /// Adds what was found elsewhere; its lines go to where all of the type stand.
    pub(super) fn add(&mut self, other: Self, lines: &mut Vec<DiffLine>) {
        (self.hidden, self.untold, self.more) = (self.hidden + other.hidden, self.untold + other.untold, self.more + other.more);
        lines.extend(other.lines);
    }
}

impl Finder {
    fn chain(&mut self, place: usize, chain: &FilterChain, wanted: &FilterChain, with_names: bool) {
        if with_names && let Some(said) = names(chain, wanted) {
            self.add("filters", "both", said, Some(place));
        }
        let leads = |chain: &FilterChain| chain.destination.as_ref().map_or("nowhere", |to| to.name()).to_owned();
        let (here, there) = (leads(chain), leads(wanted));
        if here != there {
            self.add("destination", "both", format!("it leads to {here}, istiod would have it lead to {there}"), Some(place));
        }
        let own = |raw: &RawJson| canonical_without(raw.as_str(), &["name", "filter_chain_match", "filters"]);
        self.settings("settings", Some(place), "", own(&wanted.raw), own(&chain.raw));
        for (filter, wanted) in by_name(&chain.network_filters, &wanted.network_filters) {
            self.filter(place, filter, wanted, here != there);
        }
        let (http, http_wanted) = (chain.http_filters.as_deref(), wanted.http_filters.as_deref());
        for (filter, wanted) in by_name(http.unwrap_or_default(), http_wanted.unwrap_or_default()) {
            self.filter(place, filter, wanted, false);
        }
    }

    /// `leads_elsewhere` where that has been told.
    fn filter(&mut self, place: usize, filter: &Filter, wanted: &Filter, leads_elsewhere: bool) {
        let (mut sent, mut held) = (canonical(wanted.raw.as_str()), canonical(filter.raw.as_str()));
        let name = format!("filter {}: ", filter.name);
        let has_config = |filter: &Option<Value>| filter.as_ref().is_some_and(|filter| filter.get("typed_config").is_some());
        // The settings are told by their own paths where both have such; where one has none, that is told of the filter.
        if has_config(&sent) && has_config(&held) {
            let own = |filter: &mut Option<Value>| filter.as_mut().and_then(|filter| config(filter, leads_elsewhere));
            let (sent, held) = (own(&mut sent), own(&mut held));
            self.settings("settings", Some(place), &name, sent, held);
        }
        self.settings("settings", Some(place), &name, sent, held);
    }

    /// Tells what differs between two configurations; None is one that is no JSON.
    fn settings(&mut self, what: &'static str, place: Option<usize>, of: &str, sent: Option<Value>, held: Option<Value>) {
        let (Some(sent), Some(held)) = (sent, held) else {
            self.untold += 1;
            return;
        };
        let mut changes = Changes::default();
        changes.between(&sent, &held);
        self.hidden += changes.hidden;
        self.untold += changes.untold;
        for change in changes.told() {
            let what = if change.path.starts_with("transport_socket") { "tls" } else { what };
            self.add(what, change.only(), format!("{of}{change}"), place);
        }
        if let Some(rest) = changes.rest() {
            self.add(what, "both", format!("{of}{rest}"), place);
        }
    }

    fn add(&mut self, what: &'static str, only: &'static str, said: String, place: Option<usize>) {
        let same = |way: &Way| way.what == what && way.said == said && place.is_some() != way.chains.is_empty();
        match self.ways.iter().position(same) {
            Some(known) => self.ways[known].chains.extend(place),
            None if self.ways.len() >= MOST => self.more += 1,
            None => self.ways.push(Way { what, only, said, chains: place.into_iter().collect() }),
        }
    }
}

/// Takes a filter's configuration out of it, without what is compared elsewhere; None where it has none of its own.
fn config(filter: &mut Value, leads_elsewhere: bool) -> Option<Value> {
    let mut config = filter.as_object_mut()?.get_mut("typed_config")?.take();
    if let Some(config) = config.as_object_mut() {
        config.remove(HTTP_FILTERS);
        if leads_elsewhere {
            config.remove("cluster");
            if let Some(rds) = config.get_mut("rds").and_then(Value::as_object_mut) {
                rds.remove("route_config_name");
            }
        }
    }
    Some(config)
}

/// The filters that both have, side by side.
fn by_name<'f>(here: &'f [Filter], wanted: &'f [Filter]) -> impl Iterator<Item = (&'f Filter, &'f Filter)> {
    let mut open: Vec<&Filter> = here.iter().collect();
    wanted.iter().filter_map(move |wanted| {
        let place = open.iter().position(|filter| filter.name == wanted.name)?;
        Some((open.remove(place), wanted))
    })
}

/// How the names of the filters of two chains differ.
fn names(chain: &FilterChain, wanted: &FilterChain) -> Option<String> {
    let names = |chain: &FilterChain| chain.filters().map(|filter| filter.name.clone()).collect::<Vec<_>>();
    let (here, there) = (names(chain), names(wanted));
    if here == there {
        return None;
    }
    let (lacks, more) = (without(&there, &here), without(&here, &there));
    Some(match (lacks.is_empty(), more.is_empty()) {
        (true, true) => "the same filters stand in another order than istiod would send them".to_owned(),
        (false, true) => format!("the proxy lacks the filters {}", lacks.join(", ")),
        (true, false) => format!("the proxy has the filters {}, which istiod would not send", more.join(", ")),
        (false, false) => format!("istiod would send the filters {}, the proxy has {} instead", lacks.join(", "), more.join(", ")),
    })
}

/// What the first list has more often than the second.
fn without(from: &[String], other: &[String]) -> Vec<String> {
    let mut open = other.to_vec();
    let has = |name: &&String| open.iter().position(|other| other == *name).map(|place| open.remove(place)).is_none();
    from.iter().filter(has).cloned().collect()
}

/// `chain 2`, `chains 2, 3 and 7`, `chains 2, 3, … and 20 more`.
fn chains(places: &[usize]) -> String {
    let numbers: Vec<String> = places.iter().map(|place| (place + 1).to_string()).collect();
    match numbers.as_slice() {
        [one] => format!("chain {one}"),
        _ if numbers.len() > MOST_CHAINS => {
            format!("chains {} and {} more", numbers[..MOST_CHAINS].join(", "), numbers.len() - MOST_CHAINS)
        }
        [most @ .., last] => format!("chains {} and {last}", most.join(", ")),
        [] => String::new(),
    }
}
