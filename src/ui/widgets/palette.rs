//! The command palette: what is typed, and the actions whose names match it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::columns::{Column, fit, paint_cells};
use super::{Look, Pane, PromptLine, after, popup, row_of, select};
use crate::app::state::{Palette, PaletteRow};
use crate::ui::text::{Piece, paint};
use crate::ui::theme::Role;

/// How many actions are in sight at most.
const MAX_ROWS: u16 = 12;

/// Draws the palette over the middle of the area, and returns where the cursor is.
pub fn palette(buffer: &mut Buffer, area: Rect, state: &Palette, look: &Look<'_>) -> Option<Position> {
    let pane = Pane { title: vec![Piece::new(Role::Title, "Actions")], note: Vec::new(), focused: true };
    let inside = popup(buffer, area, (72, MAX_ROWS + 3), &pane, look);
    let cursor = PromptLine { sign: ":", prompt: &state.prompt, note: Vec::new() }.render(inside, buffer, look);
    let list = Rect { y: inside.y + inside.height.min(1), height: inside.height.saturating_sub(1), ..inside };
    if state.rows.is_empty() {
        paint(buffer, row_of(list, 0), &[Piece::new(Role::Muted, "No action here has these letters in its name.")], look);
    }
    let columns = [Column::left("", 14, 14, 1), Column::right("", 7, 7, 2), Column::left("", 10, 60, 3)];
    let widths = fit(&columns, list.width.saturating_sub(2));
    for (line, index) in state.list.visible(usize::from(list.height), state.rows.len()).enumerate() {
        let row = row_of(list, line);
        let chosen = index == state.list.selected;
        if chosen {
            paint(buffer, row, &[Piece::new(Role::Key, look.symbols.selected)], look);
        }
        paint_cells(buffer, after(row, 2), &columns, &widths, &cells(&state.rows[index], look), look);
        if chosen {
            select(buffer, row, look);
        }
    }
    cursor
}

fn cells<'a>(row: &'a PaletteRow, look: &Look<'_>) -> [Vec<Piece<'a>>; 3] {
    let key = row.binding.keys.first().map(|key| key.label(look.ascii())).unwrap_or_default();
    [
        vec![Piece::text(row.binding.name).with_hits(row.positions.as_slice())],
        vec![Piece::new(Role::Key, key)],
        vec![Piece::new(Role::Muted, row.binding.does)],
    ]
}
