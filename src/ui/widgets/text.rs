//! A text to read: broken at words, scrolled by rows, painted as far as it is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Look, after, row_of, select};
use crate::app::state::TextState;
use crate::ui::text::{Glyph, TextLine, glyphs, paint_glyphs, rows, wrap};

/// The text.
#[derive(Debug)]
pub struct TextView<'a> {
    /// Its lines, before they are broken.
    pub lines: &'a [TextLine<'a>],
    /// Which row is at the top.
    pub state: TextState,
    /// The line that is selected, where lines can be.
    pub selected: Option<usize>,
}

impl TextView<'_> {
    /// Draws it, and returns how many rows the whole text has at this width: what scrolling needs to know.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
        if area.is_empty() {
            return 0;
        }
        let heights: Vec<usize> = self.lines.iter().map(|line| rows(line, area.width, look.ascii())).collect();
        let total = heights.iter().sum();
        let height = usize::from(area.height);
        let top = self.state.top.min(usize::saturating_sub(total, height));
        let mut start = 0;
        for (index, (line, height_of)) in self.lines.iter().zip(heights).enumerate() {
            let end = start + height_of;
            if start >= top + height {
                break;
            }
            if end > top {
                self.line(index, line, (start, top), area, buffer, look);
            }
            start = end;
        }
        total
    }

    /// The rows in which a line stands, counted from the top of the text: where to scroll to.
    pub fn rows_of(&self, line: usize, width: u16, ascii: bool) -> std::ops::Range<usize> {
        let before: usize = self.lines.iter().take(line).map(|line| rows(line, width, ascii)).sum();
        before..before + self.lines.get(line).map_or(0, |line| rows(line, width, ascii))
    }

    fn line(&self, index: usize, line: &TextLine<'_>, (start, top): (usize, usize), area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let all: Vec<Glyph<'_>> = glyphs(&line.pieces, look.ascii()).collect();
        for (number, range) in wrap(&all, area.width, line.hang).into_iter().enumerate() {
            let Some(at) = (start + number).checked_sub(top) else { continue };
            let row = row_of(area, at);
            if row.is_empty() {
                break;
            }
            let indent = if number == 0 || line.hang.saturating_mul(2) > area.width { 0 } else { line.hang };
            paint_glyphs(buffer, after(row, indent), &all[range], look);
            if self.selected == Some(index) {
                select(buffer, row, look);
            }
        }
    }
}
