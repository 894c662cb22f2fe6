//! The one line in which a person types.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{Look, after};
use crate::app::state::Prompt;
use crate::ui::text::{Glyph, Piece, glyphs, paint, paint_glyphs, width};
use crate::ui::theme::Role;

/// The line.
#[derive(Clone, Debug)]
pub struct PromptLine<'a> {
    /// What is before it: `/` or `:`.
    pub sign: &'a str,
    /// What was typed.
    pub prompt: &'a Prompt,
    /// What came of it, at the right: `3 of 240`.
    pub note: Vec<Piece<'a>>,
}

impl PromptLine<'_> {
    /// Draws it into the area's first row, and returns where the cursor is; None where there is no room.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Option<Position> {
        let row = Rect { height: area.height.min(1), ..area }.intersection(buffer.area);
        let note = u16::try_from(width(&self.note, look.ascii())).unwrap_or(u16::MAX);
        // The note gives way to what is typed.
        let note = if note > 0 && note + 12 < row.width { note } else { 0 };
        paint(buffer, after(row, row.width - note), &self.note, look);
        let sign = paint(buffer, row, &[Piece::new(Role::Key, self.sign), Piece::text(" ")], look);
        let room = row.width.saturating_sub(sign + note);
        if room < 2 {
            return None;
        }
        let typed = [Piece::new(Role::Prompt, self.prompt.text())];
        let all: Vec<Glyph<'_>> = glyphs(&typed, look.ascii()).collect();
        let before: String = self.prompt.text().chars().take(self.prompt.cursor()).collect();
        let before = [Piece::text(before)];
        let mut cursor: usize = glyphs(&before, look.ascii()).map(|glyph| glyph.width).sum();
        // The beginning goes out of sight, so that the cursor stays in it.
        let mut first = 0;
        while cursor >= usize::from(room) && first < all.len() {
            cursor -= all[first].width.min(cursor);
            first += 1;
        }
        let line = Rect { width: room, ..after(row, sign) };
        paint_glyphs(buffer, line, &all[first..], look);
        Some(Position { x: line.x + u16::try_from(cursor).unwrap_or(0).min(room - 1), y: line.y })
    }
}
