//! The lines of Connection: the chain that takes it, or that none does, why, what was assumed, and the chains that do not take it.

use super::Row;
use crate::app::screen::Screen;

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(answer) = screen.connection() else { return Vec::new() };
    let mut rows = vec![Row::Taken, Row::Sentence(answer.why.clone())];
    rows.extend(answer.consequence.map(|consequence| Row::Sentence(consequence.to_owned())));
    rows.push(Row::Blank);
    if let Some(listener) = &answer.listener {
        rows.push(Row::Sentence(format!("Listener {}: {}.", listener.name, listener.why)));
    }
    if let Some(seen) = &answer.seen {
        rows.push(Row::Sentence(format!("What it sees: {}.", seen.words())));
        rows.extend(seen.unseen.iter().map(|what| Row::Sentence(format!("Not looked at: {what}."))));
    }
    rows.extend(answer.connection.assumptions.iter().map(|what| Row::Sentence(format!("Assumed: {what}."))));
    if !answer.losers.is_empty() {
        rows.extend([Row::Blank, Row::Losers]);
        rows.extend((0..answer.losers.len()).map(Row::Loser));
    }
    rows
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let answer = screen.connection()?;
    match row {
        Row::Taken => Some(answer.chain.as_ref().map_or_else(|| answer.verdict(), |chain| chain.meaning.clone())),
        Row::Loser(index) => answer.losers.get(*index).map(|loser| loser.meaning.clone()),
        _ => None,
    }
}
