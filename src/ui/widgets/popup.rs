//! A pane in the middle of the screen, over what is there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::{Look, Pane};
use crate::ui::theme::Role;

/// Draws an empty pane of at most this size over the middle of the area, and returns what is inside.
pub fn popup(buffer: &mut Buffer, area: Rect, (width, height): (u16, u16), pane: &Pane<'_>, look: &Look<'_>) -> Rect {
    let area = area.intersection(buffer.area);
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(place, buffer);
    buffer.set_style(place, look.style(Role::Text));
    pane.render(place, buffer, look)
}
