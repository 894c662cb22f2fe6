//! A tree as the flat list of its rows that are not hidden, of which only those in sight are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{Column, fit, paint_cells};
use super::{Look, row_of, select};
use crate::app::state::ListState;
use crate::ui::text::Piece;
use crate::ui::theme::Role;

/// One row of a tree.
#[derive(Clone, Debug, Default)]
pub struct TreeRow<'a> {
    /// How deep it is; 0 at the root.
    pub depth: u16,
    /// Whether there is something inside.
    pub expandable: bool,
    /// Whether what is inside is shown.
    pub expanded: bool,
    /// A cell for each column; with fewer, the last takes the rest of the row.
    pub cells: Vec<Vec<Piece<'a>>>,
}

/// The tree. `row` is called for the rows in sight and no others.
#[derive(Debug)]
pub struct Tree<'a, F> {
    /// Its columns; the first holds the indents and marks too.
    pub columns: &'a [Column<'a>],
    /// How many rows are not hidden.
    pub total: usize,
    /// Makes a row.
    pub row: F,
    /// What is selected, and what is in sight.
    pub state: ListState,
    /// Whether it has the keys.
    pub focused: bool,
}

impl<'a, F: Fn(usize) -> TreeRow<'a>> Tree<'a, F> {
    /// Draws it.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let widths = fit(self.columns, area.width);
        for (line, index) in self.state.visible(usize::from(area.height), self.total).enumerate() {
            let row = row_of(area, line);
            let TreeRow { depth, expandable, expanded, mut cells } = (self.row)(index);
            let mark = match (expandable, expanded) {
                (false, _) => " ",
                (true, true) => look.symbols.expanded,
                (true, false) => look.symbols.collapsed,
            };
            let indent = " ".repeat(2 * usize::from(depth));
            let mark = Piece::new(Role::Tree, format!("{indent}{mark} "));
            match cells.first_mut() {
                Some(first) => first.insert(0, mark),
                None => cells.push(vec![mark]),
            }
            paint_cells(buffer, row, self.columns, &widths, &cells, look);
            if index == self.state.selected && self.focused {
                select(buffer, row, look);
            }
        }
    }
}
