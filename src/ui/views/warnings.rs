//! What could not be read or understood, each with what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, inset, list, pane, paragraph};
use crate::app::App;
use crate::app::rows::Row;
use crate::app::screen::Screen;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let inside = inset(pane(screen, vec![Piece::new(Role::Title, "What could not be read or understood")]).render(area, buffer, look));
    if screen.rows.is_empty() {
        match empty::not_found(screen) {
            Some(reason) => reason.render(inside, buffer, look),
            None => {
                let good = format!("{} All that was asked for could be read and understood.", look.symbols.good);
                paragraph(buffer, inside, &[TextLine::default(), TextLine::new([Piece::new(Role::Good, good)])], look);
            }
        }
        return usize::from(inside.height);
    }
    let row = |index: usize| match &screen.rows[index] {
        Row::Warning(place) => warning(app, *place, look),
        _ => vec![TextLine::default()],
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(inside, buffer, look)
}

fn warning<'a>(app: &'a App, place: usize, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let Some(warning) = app.snapshot.warnings.get(place) else { return vec![TextLine::default()] };
    let first = TextLine::new([
        Piece::new(Role::Warning, format!("{} ", look.symbols.warning)),
        Piece::new(Role::Title, warning.object.as_str()),
        Piece::text(": "),
        Piece::text(warning.what.as_str()),
    ]);
    let mut lines = vec![first.hanging(2)];
    if !warning.fix.is_empty() {
        lines.push(TextLine::new([Piece::text("  "), Piece::new(Role::Muted, warning.fix.as_str())]).hanging(2));
    }
    lines
}
