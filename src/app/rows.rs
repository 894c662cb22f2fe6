//! The rows of each screen, as data: what a key moves over and a frame draws.

pub mod chains;
pub mod connection;
pub mod diff;
pub mod findings;
pub mod health;
pub mod help;
pub mod mtls;
pub mod order;
pub mod sync;
pub mod timeline;
pub mod what_if;
pub mod why;

use std::collections::BTreeSet;

use crate::analysis::answers::WorkloadsAnswer;
use crate::app::fuzzy::{Hit, Pattern};
use crate::app::screen::{Screen, Subject};
use crate::model::ids::ProxyId;

/// What a row stands for. Numbers are places in the screen's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A plugin.
    Plugin(usize),
    /// A workload.
    Workload(usize),
    /// A proxy of a workload that has several.
    Proxy(usize, usize),
    /// The line above the workloads that do not match.
    NotMatched,
    /// A listener.
    Listener(usize),
    /// A chain of a listener.
    Chain(usize, usize),
    /// A network filter of a chain.
    NetworkFilter(usize, usize, usize),
    /// An HTTP filter of a chain.
    HttpFilter(usize, usize, usize),
    /// A listener's line of the sum.
    Sum(usize),
    /// A term of the sum.
    Term(usize, usize),
    /// The line under the terms, with the total.
    Total(usize),
    /// A chain in which a listener differs from what istiod would send.
    Difference(usize, usize),
    /// Why it differs.
    Cause(usize, usize),
    /// A line of a listener's counts under each mode.
    Modes(usize, usize),
    /// The line above the sums of the proxy's other listeners.
    Elsewhere,
    /// A port of a workload's mutual TLS.
    MtlsPort(usize),
    /// A PeerAuthentication.
    MtlsPolicy(usize),
    /// The line above the clients of a service port.
    MtlsService(usize),
    /// Clients of it that fare alike.
    MtlsClient(usize, usize),
    /// What of the objects is not as it looks.
    MtlsCaveat(usize),
    /// The line above a part.
    Heading(&'static str),
    /// The chain that takes the connection, or that none does.
    Taken,
    /// The line above the chains that do not take it.
    Losers,
    /// A chain that does not take it.
    Loser(usize),
    /// The line above the plugins of lists in running order, by the first list.
    Ordering(usize),
    /// A plugin of a list, in running order.
    Ordered(usize, usize),
    /// The line above a list's ruler.
    Ruler(usize),
    /// A place of a list's ruler.
    Place(usize, usize),
    /// The line above a part of a story: the object, an istiod, a proxy.
    Part(usize),
    /// A step of a part.
    Step(usize, usize),
    /// A step of a part that could not be seen.
    Unseen(usize, usize),
    /// A proxy, and how it stands to its istiod.
    SyncProxy(usize),
    /// A type of resources that a proxy is held against istiod in.
    DiffType(usize),
    /// A difference in it.
    DiffLine(usize, usize),
    /// A proxy in which a plugin fares in its way.
    Health(usize),
    /// A proxy of which it is said what would be.
    Supposed(usize),
    /// A line of what would be there, with its sign: `+` comes, `-` goes, `!` is to be known.
    Change(char, String),
    /// An empty line.
    Blank,
    /// A sentence.
    Sentence(String),
    /// A finding.
    Finding(usize),
    /// Something that could not be looked at.
    Unchecked(usize),
    /// A warning.
    Warning(usize),
    /// A line of text.
    Line(usize),
}

impl Row {
    /// Whether it can be selected.
    pub fn is_selectable(&self) -> bool {
        !matches!(
            self,
            Self::NotMatched
                | Self::Blank
                | Self::Elsewhere
                | Self::Losers
                | Self::Total(_)
                | Self::Cause(..)
                | Self::Modes(..)
                | Self::Heading(_)
                | Self::MtlsService(_)
                | Self::Part(_)
        )
    }
}

/// A row that can be opened and closed: a listener, by its name and state, or a chain of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The listener's name.
    pub listener: String,
    /// Its state.
    pub state: &'static str,
    /// The chain's place; None for the listener itself.
    pub chain: Option<usize>,
}

/// Lays a screen's rows out anew, after its answer, what is looked for, or what is open has changed. The row that was
/// selected stays selected where it is still there.
pub fn lay_out(screen: &mut Screen, warnings: usize, height: usize) {
    let before = screen.selected().cloned();
    let all = all(screen, warnings);
    let pattern = Pattern::new(&screen.find);
    if pattern.is_empty() {
        screen.rows = all;
        screen.hits = Vec::new();
    } else {
        let texts: Vec<String> = all.iter().map(|row| text(screen, row)).collect();
        let mut hits = pattern.rank(texts.iter().map(String::as_str));
        if !matches!(screen.subject, Subject::Plugins { .. } | Subject::Workloads(_)) {
            // What stands in an order that means something keeps it.
            hits.sort_by_key(|hit| hit.index);
        }
        hits.retain(|hit| all[hit.index].is_selectable());
        screen.rows = hits.iter().map(|hit| all[hit.index].clone()).collect();
        screen.hits = hits;
    }
    let total = screen.rows.len();
    let same = before.and_then(|row| screen.rows.iter().position(|candidate| *candidate == row));
    let first = screen.rows.iter().position(Row::is_selectable).unwrap_or(0);
    let selected = same.unwrap_or_else(|| screen.list.selected.min(total.saturating_sub(1)));
    let selected = if screen.rows.get(selected).is_some_and(Row::is_selectable) { selected } else { first };
    screen.list.select(selected, height, total);
}

fn all(screen: &Screen, warnings: usize) -> Vec<Row> {
    match &screen.subject {
        Subject::Plugins { .. } => (0..screen.plugins().map_or(0, |answer| answer.plugins.len())).map(Row::Plugin).collect(),
        Subject::Workloads(_) => workloads(screen),
        Subject::Chains(_) => chains::rows(screen),
        Subject::Why(_) => why::rows(screen),
        Subject::WhatIf(_) => what_if::rows(screen),
        Subject::Mtls(_) => mtls::rows(screen),
        Subject::Connection(..) => connection::rows(screen),
        Subject::Order(_) => order::rows(screen),
        Subject::Timeline(_) => timeline::rows(screen),
        Subject::Sync { .. } => sync::rows(screen),
        Subject::Raw { lines, .. } => (0..lines.len()).map(Row::Line).collect(),
        Subject::Record(line) => (0..line.facts.len()).map(Row::Line).collect(),
        // A screen of logs has too many rows for this.
        Subject::Logs(_) => Vec::new(),
        Subject::Diff(_) => diff::rows(screen),
        Subject::Health(_) => health::rows(screen),
        Subject::Findings { .. } => findings::rows(screen, warnings),
        Subject::Help(of) => (0..help::lines(of).len()).map(Row::Line).collect(),
    }
}

fn workloads(screen: &Screen) -> Vec<Row> {
    let Some(answer) = screen.workloads() else { return Vec::new() };
    let mut rows = Vec::new();
    let mut matched = true;
    for (index, workload) in answer.workloads.iter().enumerate() {
        if matched && !workload.matched {
            rows.push(Row::NotMatched);
            matched = false;
        }
        rows.push(Row::Workload(index));
        if workload.proxies.len() > 1 {
            rows.extend((0..workload.proxies.len()).map(|proxy| Row::Proxy(index, proxy)));
        }
    }
    rows
}

/// The proxies of a workload's row.
pub fn proxies(answer: &WorkloadsAnswer, row: &Row) -> Vec<ProxyId> {
    match row {
        Row::Workload(index) => answer.workloads[*index].proxies.iter().map(|proxy| proxy.proxy.clone()).collect(),
        _ => Vec::new(),
    }
}

/// What is to be open so that this row is in sight: itself and what it is inside of.
pub fn opening(key: Key) -> BTreeSet<Key> {
    let listener = Key { chain: None, ..key.clone() };
    [listener, key].into_iter().collect()
}

/// Selects the first chain with the plugin, or the last row that is open by choice, when a tree is first shown; in running order
/// the plugin itself.
pub fn select_plugin(screen: &mut Screen, height: usize) {
    let chosen = screen.open.iter().rev().find(|key| key.chain.is_some()).cloned();
    let is_it = |row: &Row| match row {
        Row::SyncProxy(_) => sync::is_in_question(screen, row),
        Row::Ordered(..) => screen.plugin().is_some() && order::plugin(screen, row) == screen.plugin(),
        _ => chosen.is_some() && chains::key_of(screen, row) == chosen,
    };
    let found = screen.rows.iter().position(is_it);
    if let Some(row) = found {
        screen.list.select(row, height, screen.rows.len());
        // The listener above it says what it is a chain of.
        screen.list.offset = screen.list.offset.min(row.saturating_sub(2));
    }
}

/// Selects the first workload that the plugin does not reach, where that is still to be done; false where it reaches all.
pub fn select_miss(screen: &mut Screen, height: usize) -> bool {
    let Some(answer) = screen.workloads().filter(|_| screen.seek_miss) else { return true };
    let is_missed = |row: &Row| matches!(row, Row::Workload(index) if answer.workloads[*index].near_miss.is_some());
    let found = screen.rows.iter().position(is_missed);
    screen.seek_miss = false;
    if let Some(row) = found {
        screen.list.select(row, height, screen.rows.len());
    }
    found.is_some()
}

/// The text of a row that a search looks at, and that copying takes.
pub fn text(screen: &Screen, row: &Row) -> String {
    let found = match row {
        Row::Plugin(index) => screen.plugins().map(|answer| answer.plugins[*index].plugin.clone()),
        Row::Workload(index) => screen.workloads().map(|answer| {
            let workload = &answer.workloads[*index];
            format!("{} {}", workload.id.name.namespace, workload.short)
        }),
        Row::Proxy(index, proxy) => screen.workloads().map(|answer| answer.workloads[*index].proxies[*proxy].proxy.to_string()),
        Row::Listener(_) | Row::Chain(..) | Row::NetworkFilter(..) | Row::HttpFilter(..) => chains::text(screen, row),
        Row::MtlsPort(_) | Row::MtlsPolicy(_) | Row::MtlsClient(..) | Row::MtlsCaveat(_) => mtls::text(screen, row),
        Row::Sum(_) | Row::Term(..) | Row::Difference(..) | Row::Cause(..) => why::text(screen, row),
        Row::Step(..) | Row::Unseen(..) => timeline::text(screen, row),
        Row::DiffType(_) | Row::DiffLine(..) => diff::text(screen, row),
        Row::Taken | Row::Loser(_) => connection::text(screen, row),
        Row::Finding(_) | Row::Unchecked(_) => findings::text(screen, row),
        Row::Ordering(_) | Row::Ordered(..) | Row::Ruler(_) | Row::Place(..) => order::text(screen, row),
        Row::SyncProxy(_) => sync::entry(screen, row).map(|entry| entry.proxy.to_string()),
        Row::Health(index) => screen.health().map(|health| health.proxies[*index].proxy.to_string()),
        Row::Supposed(index) => screen.what_if().and_then(Result::ok).map(|answer| answer.workloads[*index].proxy.to_string()),
        Row::Sentence(sentence) | Row::Change(_, sentence) => Some(sentence.clone()),
        Row::Line(index) => match &screen.subject {
            Subject::Raw { lines, .. } => lines.get(*index).cloned(),
            Subject::Record(line) => line.facts.get(*index).map(|fact| format!("{} {}", fact.name, fact.value)),
            Subject::Help(of) => help::lines(of).get(*index).map(help::Line::text),
            _ => None,
        },
        Row::NotMatched
        | Row::Elsewhere
        | Row::Losers
        | Row::Total(_)
        | Row::Modes(..)
        | Row::Heading(_)
        | Row::MtlsService(_)
        | Row::Part(_)
        | Row::Blank
        | Row::Warning(_) => None,
    };
    found.unwrap_or_default()
}

/// What a search found in a shown row; nothing while nothing is looked for.
pub fn hits(screen: &Screen, row: usize) -> &[usize] {
    screen.hits.get(row).map(|hit: &Hit| hit.positions.as_slice()).unwrap_or_default()
}
