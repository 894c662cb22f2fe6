//! The lines of Why: the sum of the listeners that the question is about, term by term, the sentences that explain it, and
//! then the sums of the proxy's other listeners.

use super::Row;
use crate::analysis::answers::{WhyEntry, WhyListener};
use crate::analysis::explain::ONE_CHAIN;
use crate::app::screen::Screen;
use crate::model::envoy::ListenerState;

/// The one proxy that the screen is about.
pub fn entry(screen: &Screen) -> Option<&WhyEntry> {
    screen.why()?.workloads.first()
}

/// The listener in question: the answer's order has the inbound ones first.
pub fn asked(entry: &WhyEntry) -> Option<&WhyListener> {
    entry.listeners.iter().find(|listener| listener.state == ListenerState::Active).or_else(|| entry.listeners.first())
}

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(entry) = entry(screen) else { return Vec::new() };
    // What goes the same way as the listener in question is what is asked about, as it is now.
    let way = |listener: &WhyListener| (listener.direction, listener.state);
    let (main, others): (Vec<usize>, Vec<usize>) =
        (0..entry.listeners.len()).partition(|index| Some(way(&entry.listeners[*index])) == asked(entry).map(way));
    let mut rows = Vec::new();
    for index in main {
        sum(entry, index, &mut rows);
        rows.push(Row::Blank);
    }
    rows.extend(sentences(entry).into_iter().map(Row::Sentence));
    if !others.is_empty() {
        rows.extend([Row::Blank, Row::Elsewhere]);
        for index in others {
            sum(entry, index, &mut rows);
        }
    }
    rows
}

fn sum(entry: &WhyEntry, index: usize, rows: &mut Vec<Row>) {
    let listener = &entry.listeners[index];
    let terms = listener.terms.len();
    rows.push(Row::Sum(index));
    rows.extend((0..terms).map(|term| Row::Term(index, term)));
    if terms > 1 {
        rows.push(Row::Total(index));
    }
    rows.extend((0..listener.differences.len()).map(|place| Row::Difference(index, place)));
    rows.extend((0..listener.causes.len()).map(|place| Row::Cause(index, place)));
    if listener.chains_by_mode.is_some() {
        rows.extend([Row::Blank, Row::Modes(index, 0), Row::Modes(index, 1), Row::Modes(index, 2)]);
    }
}

fn sentences(entry: &WhyEntry) -> Vec<String> {
    let mut found = Vec::new();
    if entry.listeners.is_empty() {
        found.push(format!("Listeners: {}.", entry.nowhere()));
    }
    if let Some(mtls) = &entry.mtls {
        found.push(match &mtls.winner {
            Some(winner) => format!("The mode is {} because {winner} says so.", mtls.mode),
            None => format!("The mode is {} because no PeerAuthentication applies (Istio's default).", mtls.mode),
        });
    }
    found.extend(entry.mtls_note.as_ref().map(|note| format!("{note}.")));
    if entry.passes_once() {
        found.push(ONE_CHAIN.to_owned());
    }
    found.extend(entry.era_note.clone());
    let applies = match entry.attached {
        Some(true) => "It applies here",
        Some(false) => "It does not apply here",
        None => "Whether it applies is not known",
    };
    found.push(format!("{applies}: {}.", entry.reason));
    found.push(format!("State: {} ({}).", entry.state.words(), entry.state_note));
    found.push(format!("Config dump: {}.", entry.dump_note));
    found
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let listeners = &entry(screen)?.listeners;
    match row {
        Row::Sum(index) => Some(listeners[*index].listener.clone()),
        Row::Term(index, term) => Some(listeners[*index].terms[*term].what.clone()),
        Row::Difference(index, place) => Some(listeners[*index].differences[*place].to_string()),
        Row::Cause(index, place) => Some(listeners[*index].causes[*place].why.clone()),
        _ => None,
    }
}
