//! The rows of each screen, as data: what a key moves over and a frame draws.

pub mod chains;
pub mod connection;
pub mod diff;
pub mod findings;
pub mod health;
pub mod help;
pub mod identity;
pub mod mtls;
pub mod order;
mod row;
mod select;
pub mod sync;
pub mod timeline;
pub mod what_if;
pub mod why;
mod workloads;

use crate::app::fuzzy::{Hit, Pattern};
use crate::app::screen::{Screen, Subject};

pub use row::{Key, Row};
pub use select::{opening, select_plugin};
pub use workloads::{proxies, select_miss};

/// Lays out a screen's rows after its answer, what is looked for, or what is open has changed. The row that was
/// selected stays selected where it is still there; after another answer [`identity`] says which that is.
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
            // What has an order that means something keeps it.
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
        Subject::Workloads(_) => workloads::rows(screen),
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
