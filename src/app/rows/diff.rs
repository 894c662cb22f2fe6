//! The lines of Diff: the types, each with its differences.

use super::{Key, Row};
use crate::analysis::answers::{DiffLine, TypeDiff};
use crate::app::screen::Screen;
use crate::model::envoy::ListenerState;

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(entry) = screen.diff() else { return Vec::new() };
    let mut rows = Vec::new();
    for (place, found) in entry.types.iter().enumerate() {
        rows.extend((place > 0).then_some(Row::Blank));
        rows.push(Row::DiffType(place));
        rows.extend((0..found.differences.len()).map(|line| Row::DiffLine(place, line)));
    }
    rows
}

/// The type of a row.
pub fn of_type<'s>(screen: &'s Screen, row: &Row) -> Option<&'s TypeDiff> {
    let Row::DiffType(place) = row else { return None };
    screen.diff()?.types.get(*place)
}

/// The difference of a row.
pub fn line<'s>(screen: &'s Screen, row: &Row) -> Option<&'s DiffLine> {
    let Row::DiffLine(place, line) = row else { return None };
    screen.diff()?.types.get(*place)?.differences.get(*line)
}

/// The place of a difference in the tree of chains, as far as the proxy has it.
pub fn place(screen: &Screen, row: &Row) -> Option<Key> {
    let line = line(screen, row)?;
    Some(Key { listener: line.listener.clone()?, state: ListenerState::Active.as_str(), chain: line.chain })
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    of_type(screen, row).map(TypeDiff::sentence).or_else(|| line(screen, row).map(|line| line.detail.clone()))
}
