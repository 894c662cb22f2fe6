//! The lines of Why: for each listener its sum, term by term, and the sentences around it.

use super::Row;
use crate::analysis::answers::WhyEntry;
use crate::analysis::explain::ONE_CHAIN;
use crate::app::screen::Screen;

/// The one proxy that the screen is about.
pub fn entry(screen: &Screen) -> Option<&WhyEntry> {
    screen.why()?.workloads.first()
}

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(entry) = entry(screen) else { return Vec::new() };
    let mut rows = Vec::new();
    for (index, listener) in entry.listeners.iter().enumerate() {
        rows.push(Row::Sum(index));
        rows.extend((0..listener.terms.len()).map(|term| Row::Term(index, term)));
        if listener.terms.len() > 1 {
            rows.push(Row::Total(index));
        }
        rows.push(Row::Blank);
    }
    let sentence = |text: String| Row::Sentence(text);
    if entry.listeners.is_empty() {
        rows.push(sentence("Its filter stands in no listener that was read.".to_owned()));
    }
    let applies = match entry.attached {
        Some(true) => "It applies here",
        Some(false) => "It does not apply here",
        None => "Whether it applies is not known",
    };
    rows.push(sentence(format!("{applies}: {}.", entry.reason)));
    if let Some(mtls) = &entry.mtls {
        rows.push(sentence(match &mtls.winner {
            Some(winner) => format!("The mode is {} because {winner} says so.", mtls.mode),
            None => format!("The mode is {} because no PeerAuthentication applies (Istio's default).", mtls.mode),
        }));
    }
    rows.push(sentence(format!("State: {} ({}).", entry.state.words(), entry.state_note)));
    if entry.listeners.iter().any(|listener| listener.counted.is_some_and(|count| count > 1)) {
        rows.push(sentence(ONE_CHAIN.to_owned()));
    }
    rows.push(sentence(format!("The config dump {}.", entry.dump_note)));
    rows
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let listeners = &entry(screen)?.listeners;
    match row {
        Row::Sum(index) => Some(listeners[*index].listener.clone()),
        Row::Term(index, term) => Some(listeners[*index].terms[*term].what.clone()),
        _ => None,
    }
}
