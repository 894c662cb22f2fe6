//! Lines around a part of the screen, with its name above and a note below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget};

use super::{Look, after, row_of};
use crate::ui::text::{Piece, paint, width};
use crate::ui::theme::Role;

/// A pane.
#[derive(Clone, Debug, Default)]
pub struct Pane<'a> {
    /// What it shows; empty for no name.
    pub title: Vec<Piece<'a>>,
    /// What is in its lower line, at the right: `3 of 120`. Empty for nothing.
    pub note: Vec<Piece<'a>>,
    /// Whether it has the keys.
    pub focused: bool,
}

impl Pane<'_> {
    /// Draws its lines and returns what is inside.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Rect {
        let area = area.intersection(buffer.area);
        if area.width < 4 || area.height < 2 {
            return Rect::ZERO;
        }
        let role = if self.focused { Role::BorderFocus } else { Role::Border };
        let block = Block::bordered().border_set(look.symbols.border).border_style(look.style(role));
        let inside = block.inner(area);
        block.render(area, buffer);
        let line = Rect { x: area.x + 1, width: area.width - 2, ..row_of(area, 0) };
        label(buffer, line, &self.title, false, look);
        label(buffer, Rect { y: area.bottom() - 1, ..line }, &self.note, true, look);
        inside
    }
}

/// Writes into a border line, with a space on either side.
fn label(buffer: &mut Buffer, line: Rect, pieces: &[Piece<'_>], right: bool, look: &Look<'_>) {
    let wanted = width(pieces, look.ascii()) + 2;
    if wanted == 2 || line.width < 4 {
        return;
    }
    let taken = u16::try_from(wanted).unwrap_or(u16::MAX).min(line.width);
    let area = if right { after(line, line.width - taken) } else { Rect { width: taken, ..line } };
    let spaces = " ".repeat(usize::from(taken));
    paint(buffer, area, &[Piece::text(spaces)], look);
    paint(buffer, Rect { x: area.x + 1, width: taken - 2, ..area }, pieces, look);
}
