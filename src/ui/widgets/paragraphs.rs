//! A list whose rows are texts that may take several lines. Only those in sight are built, and the selected one always is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Look, after, row_of, select};
use crate::app::state::ListState;
use crate::ui::text::{Glyph, TextLine, glyphs, paint_glyphs, rows, wrap};

/// The list. `row` is called for the rows in sight and the few before them that decide what is.
#[derive(Debug)]
pub struct Paragraphs<F> {
    /// How many rows there are.
    pub total: usize,
    /// Makes a row: its lines, before they are broken.
    pub row: F,
    /// What is selected, and what is in sight.
    pub state: ListState,
}

impl<'a, F: Fn(usize) -> Vec<TextLine<'a>>> Paragraphs<F> {
    /// Draws it, and returns how many rows are in sight.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
        let height = usize::from(area.height);
        let mut line = 0;
        let mut shown = 0;
        for index in self.first(area, look.ascii())..self.total {
            if line >= height {
                break;
            }
            let start = line;
            for text in (self.row)(index) {
                line += paint_wrapped(buffer, area, line, &text, look);
            }
            if index == self.state.selected {
                (start..line).for_each(|line| select(buffer, row_of(area, line), look));
            }
            if line <= height {
                shown += 1;
            }
        }
        shown
    }

    /// The row at the top: the one that the list wishes for, or as much further down as the selected row needs.
    fn first(&self, area: Rect, ascii: bool) -> usize {
        let height = usize::from(area.height);
        let Some(last) = self.total.checked_sub(1) else { return 0 };
        let selected = self.state.selected.min(last);
        let wished = self.state.visible(height, self.total).start.min(selected);
        let rows_of = |index: usize| (self.row)(index).iter().map(|line| rows(line, area.width, ascii)).sum::<usize>();
        let mut first = selected;
        let mut room = height.saturating_sub(rows_of(selected));
        while first > wished {
            let Some(left) = room.checked_sub(rows_of(first - 1)) else { break };
            room = left;
            first -= 1;
        }
        first
    }
}

/// Paints a text from a line of the area on, broken at words; returns how many lines it took.
pub(in crate::ui) fn paint_wrapped(buffer: &mut Buffer, area: Rect, line: usize, text: &TextLine<'_>, look: &Look<'_>) -> usize {
    let all: Vec<Glyph<'_>> = glyphs(&text.pieces, look.ascii()).collect();
    let broken = wrap(&all, area.width, text.hang);
    let taken = broken.len();
    for (number, range) in broken.into_iter().enumerate() {
        let row = row_of(area, line + number);
        if row.is_empty() {
            break;
        }
        let indent = if number == 0 || text.hang.saturating_mul(2) > area.width { 0 } else { text.hang };
        paint_glyphs(buffer, after(row, indent), &all[range], look);
    }
    taken
}
