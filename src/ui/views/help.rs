//! All keys of the screen that help was opened from, and what its words mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, inset, list, pane};
use crate::app::rows::help::{Line, lines};
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Cells for the keys and words before their meanings.
const NAMES: usize = 20;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Help(of) = &screen.subject else { return 0 };
    let title = vec![Piece::new(Role::Title, format!("Help for {}", of.view.title()))];
    let inside = inset(pane(screen, title).render(area, buffer, look));
    if let Some(reason) = empty::not_found(screen).filter(|_| screen.rows.is_empty()) {
        reason.render(inside, buffer, look);
    }
    let lines = lines(of);
    let row = |index: usize| match &screen.rows[index] {
        Row::Line(place) => lines.get(*place).map(|line| text(line, *place, rows::hits(screen, index), look)).unwrap_or_default(),
        _ => vec![TextLine::default()],
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(inside, buffer, look)
}

fn text<'a>(line: &'a Line, place: usize, hits: &'a [usize], look: &Look<'_>) -> Vec<TextLine<'a>> {
    let hang = u16::try_from(NAMES).unwrap_or_default();
    match line {
        Line::Heading(heading) => {
            let heading = TextLine::new([Piece::new(Role::Title, *heading)]);
            if place == 0 { vec![heading] } else { vec![TextLine::default(), heading] }
        }
        Line::Key { keys, does } => {
            let keys = &keys[usize::from(look.ascii())];
            vec![TextLine::new([Piece::new(Role::Key, format!("{keys:<NAMES$}")), Piece::text(*does).with_hits(hits)]).hanging(hang)]
        }
        Line::Word { word, means } => {
            // A long word has a line of its own, so that the meanings stay under each other.
            let mut lines = Vec::new();
            let mut first = Piece::new(Role::Section, format!("{word:<NAMES$}"));
            if word.chars().count() >= NAMES {
                lines.push(TextLine::new([Piece::new(Role::Section, *word)]));
                first = Piece::text(" ".repeat(NAMES));
            }
            lines.push(TextLine::new([first, Piece::text(*means)]).hanging(hang));
            lines
        }
    }
}
