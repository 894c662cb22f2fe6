//! A list with columns that builds only the rows in sight, however many there are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{Column, fit, paint_cells};
use super::{Look, after, row_of, select};
use crate::app::state::ListState;
use crate::ui::text::{Piece, paint};
use crate::ui::theme::Role;

/// Cells before the first column: the mark of the selected row and a space.
const MARK: u16 = 2;

/// One row.
#[derive(Clone, Debug)]
pub enum TableRow<'a> {
    /// A cell for each column.
    Cells(Vec<Vec<Piece<'a>>>),
    /// A heading that divides the list. It cannot be selected.
    Section(Vec<Piece<'a>>),
}

/// The list. `row` is called for the rows in sight and no others.
#[derive(Debug)]
pub struct Table<'a, F> {
    /// Its columns.
    pub columns: &'a [Column<'a>],
    /// How many rows there are, headings counted.
    pub total: usize,
    /// Makes a row.
    pub row: F,
    /// What is selected, and what is in sight.
    pub state: ListState,
    /// Whether it has the keys.
    pub focused: bool,
}

impl<'a, F: Fn(usize) -> TableRow<'a>> Table<'a, F> {
    /// How many rows an area of this height shows: all but the columns' names.
    pub fn body_height(height: u16) -> usize {
        usize::from(height.saturating_sub(1))
    }

    /// Draws it.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let widths = fit(self.columns, area.width.saturating_sub(MARK));
        let names: Vec<Vec<Piece<'_>>> = self.columns.iter().map(|column| vec![Piece::new(Role::HeaderRow, column.title)]).collect();
        paint_cells(buffer, after(row_of(area, 0), MARK), self.columns, &widths, &names, look);
        let visible = self.state.visible(Self::body_height(area.height), self.total);
        for (line, index) in visible.enumerate() {
            let row = row_of(area, line + 1);
            match (self.row)(index) {
                TableRow::Cells(cells) => {
                    let chosen = index == self.state.selected;
                    if chosen {
                        paint(buffer, row, &[Piece::new(Role::Key, look.symbols.selected)], look);
                    }
                    paint_cells(buffer, after(row, MARK), self.columns, &widths, &cells, look);
                    if chosen && self.focused {
                        select(buffer, row, look);
                    }
                }
                TableRow::Section(pieces) => section(buffer, row, pieces, look),
            }
        }
    }
}

fn section(buffer: &mut Buffer, row: Rect, mut pieces: Vec<Piece<'_>>, look: &Look<'_>) {
    pieces.insert(0, Piece::new(Role::Section, format!("{} ", look.symbols.rule)));
    pieces.push(Piece::new(Role::Section, " "));
    let taken = paint(buffer, row, &pieces, look);
    let rest = after(row, taken);
    paint(buffer, rest, &[Piece::new(Role::Section, look.symbols.rule.repeat(usize::from(rest.width)))], look);
}
