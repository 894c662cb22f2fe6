//! The JSON of a listener, chain or filter, as the proxy wrote it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, list, pane};
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Raw { title, lines } = &screen.subject else { return 0 };
    let inside = pane(screen, vec![Piece::new(Role::Title, title.as_str())]).render(area, buffer, look);
    if let Some(reason) = empty::not_found(screen).filter(|_| screen.rows.is_empty()) {
        reason.render(inside, buffer, look);
    }
    let row = |index: usize| match &screen.rows[index] {
        Row::Line(line) if !rows::hits(screen, index).is_empty() => {
            vec![TextLine::new([Piece::text(lines[*line].as_str()).with_hits(rows::hits(screen, index))])]
        }
        Row::Line(line) => vec![colored(&lines[*line])],
        _ => vec![TextLine::default()],
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(inside, buffer, look)
}

/// One line of indented JSON: a name and a value, or a value alone. What is not so is left as it is.
fn colored(line: &str) -> TextLine<'_> {
    let indent = line.len() - line.trim_start().len();
    let (space, rest) = line.split_at(indent);
    let name_end = rest.starts_with('"').then(|| rest.find("\": ")).flatten();
    let (name, value) = name_end.map_or(("", rest), |end| rest.split_at(end + 1));
    let mut pieces = vec![Piece::text(space), Piece::new(Role::Info, name)];
    let value = match value.strip_prefix(": ") {
        Some(value) => {
            pieces.push(Piece::new(Role::Muted, ": "));
            value
        }
        None => value,
    };
    let (value, comma) = value.strip_suffix(',').map_or((value, ""), |value| (value, ","));
    let role = match value.chars().next() {
        Some('"') => Role::Text,
        Some('{' | '}' | '[' | ']') => Role::Muted,
        _ => Role::Count,
    };
    pieces.extend([Piece::new(role, value), Piece::new(Role::Muted, comma)]);
    TextLine::new(pieces).hanging(u16::try_from(indent + 2).unwrap_or(2))
}
