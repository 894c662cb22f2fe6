//! What views are put together from. Each draws only what is in sight, and nothing where there is no room.

mod chrome;
mod columns;
mod palette;
mod pane;
mod paragraphs;
mod popup;
mod prompt;
mod table;
mod tree;

pub use chrome::{Chrome, MIN_HEIGHT, MIN_WIDTH, Regions, too_small};
pub use columns::{Align, Column};
pub use palette::palette;
pub use pane::Pane;
pub use paragraphs::Paragraphs;
pub(in crate::ui) use paragraphs::paint_wrapped;
pub use popup::popup;
pub use prompt::PromptLine;
pub use table::{Table, TableRow};
pub use tree::{Tree, TreeRow};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::theme::Role;

/// The area's row of a number, counted from its top; empty where it has none.
pub(in crate::ui) fn row_of(area: Rect, row: usize) -> Rect {
    let row = u16::try_from(row).unwrap_or(u16::MAX);
    if row >= area.height { Rect::ZERO } else { Rect { y: area.y + row, height: 1, ..area } }
}

/// What is left of a row after so many cells.
fn after(row: Rect, cells: u16) -> Rect {
    let cells = cells.min(row.width);
    Rect { x: row.x + cells, width: row.width - cells, ..row }
}

/// Lays the selection over a row, its ground and its text.
fn select(buffer: &mut Buffer, row: Rect, look: &Look<'_>) {
    buffer.set_style(row.intersection(buffer.area), look.theme.style(Role::Selection));
}
