//! A line of a log: all that is known of it, in its parts and as it was written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use regex::Regex;

use super::{empty, inset, list, pane};
use crate::analysis::logs::{Fact, Severity, facts};
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::logs::LogRecord;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::{Pane, Paragraphs, paint_wrapped};

/// Cells of the names.
const NAME: usize = 13;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Record(line) = &screen.subject else { return 0 };
    let inside = inset(pane(screen, vec![Piece::new(Role::Title, "Line of a log")]).render(area, buffer, look));
    if let Some(reason) = empty::not_found(screen).filter(|_| screen.rows.is_empty()) {
        reason.render(inside, buffer, look);
    }
    let row = |index: usize| match &screen.rows[index] {
        Row::Line(fact) => {
            let fact = &line.facts[*fact];
            // A search looks at the name and the value.
            let hits = super::shifted(rows::hits(screen, index), fact.name.chars().count() + 1);
            vec![said(fact, &line.record, hits)]
        }
        _ => vec![TextLine::default()],
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(inside, buffer, look)
}

/// Draws it beside the list, as far as there is room.
pub(super) fn beside(record: &LogRecord, pattern: Option<&Regex>, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
    let pane = Pane { title: vec![Piece::new(Role::Title, "Line")], ..Pane::default() };
    let inside = inset(pane.render(area, buffer, look));
    let mut at = 0;
    for fact in facts(record).iter().take(usize::from(inside.height)) {
        at += paint_wrapped(buffer, inside, at, &said(fact, record, hits(pattern, &fact.value)), look);
    }
}

fn said<'a>(fact: &'a Fact, record: &LogRecord, hits: Vec<usize>) -> TextLine<'a> {
    let role = match fact.name {
        "level" => level_role(&record.level),
        "plugin" => Role::Plugin,
        _ => Role::Text,
    };
    let name = Piece::new(Role::Muted, format!("{:<NAME$}", fact.name));
    TextLine::new([name, Piece::new(role, fact.value.as_str()).with_hits(hits)]).hanging(13)
}

/// What a level is drawn with.
pub(super) fn level_role(level: &str) -> Role {
    match Severity::of(level) {
        Severity::Warning => Role::Warning,
        Severity::Error | Severity::Critical => Role::Bad,
        Severity::Trace | Severity::Debug | Severity::Info => Role::Muted,
    }
}

/// The characters of a text that a pattern matches.
pub(super) fn hits(pattern: Option<&Regex>, text: &str) -> Vec<usize> {
    let Some(pattern) = pattern else { return Vec::new() };
    let found: Vec<_> = pattern.find_iter(text).map(|found| found.range()).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let characters = text.char_indices().enumerate();
    characters.filter(|(_, (at, _))| found.iter().any(|range| range.contains(at))).map(|(character, _)| character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_characters() {
        assert_eq!(hits(Regex::new("b+").ok().as_ref(), "ébbaab"), [1, 2, 5]);
        assert!(hits(None, "b").is_empty());
    }
}
