//! What every screen shows: where I am and how the mesh is, the last thing that happened, and the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{Look, after, row_of};
use crate::app::keymap::Hint;
use crate::ui::text::{Piece, paint, width};
use crate::ui::theme::Role;

/// The least width that shows anything of use.
pub const MIN_WIDTH: u16 = 60;
/// The least height.
pub const MIN_HEIGHT: u16 = 15;

/// The parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regions {
    /// Line 1: where I am.
    pub head: Rect,
    /// The view.
    pub body: Rect,
    /// The last thing that happened, or what is being typed.
    pub event: Rect,
    /// The keys.
    pub keys: Rect,
}

impl Regions {
    /// Divides a screen.
    pub fn of(area: Rect) -> Self {
        let [head, body, event, keys] =
            area.layout(&Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]));
        Self { head, body, event, keys }
    }
}

/// What the lines around the view say.
#[derive(Clone, Debug, Default)]
pub struct Chrome<'a> {
    /// The steps of the way here, home first.
    pub crumbs: Vec<&'a str>,
    /// The mesh and the health of its source, at the right of line 1.
    pub status: Vec<Piece<'a>>,
    /// The last thing that happened that matters, or what is waited for.
    pub event: Vec<Piece<'a>>,
    /// What wants to be looked at, at the right of the same line.
    pub notice: Vec<Piece<'a>>,
    /// The keys, the most useful first.
    pub hints: Vec<Hint>,
}

impl Chrome<'_> {
    /// Draws the ground of the whole screen, line 1 and the keys. The event line is apart, since a prompt may be there.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Regions {
        let area = area.intersection(buffer.area);
        buffer.set_style(area, look.style(Role::Text));
        let regions = Regions::of(area);
        self.head(inset(regions.head), buffer, look);
        self.keys(inset(regions.keys), buffer, look);
        regions
    }

    /// Draws the event line.
    pub fn render_event(&self, regions: &Regions, buffer: &mut Buffer, look: &Look<'_>) {
        sides(buffer, inset(regions.event), &self.event, &self.notice, look);
    }

    fn head(&self, row: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let status = cells(width(&self.status, look.ascii()));
        // The way gives up its older steps before the mesh's health gives up a word.
        let room = usize::from(row.width.saturating_sub(status + 2).max(row.width / 3));
        let mut skip = 0;
        while skip + 1 < self.crumbs.len() && width(&self.way(skip, look), look.ascii()) > room {
            skip += 1;
        }
        sides(buffer, row, &self.way(skip, look), &self.status, look);
    }

    fn way<'b>(&'b self, skip: usize, look: &Look<'_>) -> Vec<Piece<'b>> {
        let mut way = vec![Piece::new(Role::Title, "meshscope"), Piece::text("  ")];
        if skip > 0 {
            way.push(Piece::new(Role::Muted, format!("{} {} ", look.symbols.ellipsis, look.symbols.step)));
        }
        for (index, crumb) in self.crumbs.iter().enumerate().skip(skip) {
            if index > skip {
                way.push(Piece::new(Role::Muted, format!(" {} ", look.symbols.step)));
            }
            way.push(Piece::new(Role::Breadcrumb, *crumb));
        }
        way
    }

    fn keys(&self, row: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let mut rest = row;
        for hint in &self.hints {
            let pieces = [Piece::new(Role::Key, hint.keys.as_str()), Piece::new(Role::Muted, format!(" {}", hint.word))];
            if width(&pieces, look.ascii()) > usize::from(rest.width) {
                break;
            }
            let taken = paint(buffer, rest, &pieces, look);
            rest = after(rest, taken + 2);
        }
    }
}

/// Says that there is no room; to be drawn instead of everything else. True where it was.
pub fn too_small(area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> bool {
    let area = area.intersection(buffer.area);
    if area.width >= MIN_WIDTH && area.height >= MIN_HEIGHT {
        return false;
    }
    buffer.set_style(area, look.style(Role::Text));
    let says = ["terminal too small".to_owned(), format!("{}x{}, needs {MIN_WIDTH}x{MIN_HEIGHT}", area.width, area.height)];
    for (line, text) in says.into_iter().enumerate() {
        paint(buffer, row_of(area, line), &[Piece::new(Role::Warning, text)], look);
    }
    true
}

/// Paints one text at the left and one at the right, which wins where both do not fit but leaves a third to the left.
fn sides(buffer: &mut Buffer, row: Rect, left: &[Piece<'_>], right: &[Piece<'_>], look: &Look<'_>) {
    let wanted = cells(width(right, look.ascii()));
    let least = cells(width(left, look.ascii())).min(row.width / 3);
    let taken = wanted.min(row.width.saturating_sub(least + 2));
    paint(buffer, after(row, row.width - taken), right, look);
    let room = if taken == 0 { row.width } else { row.width.saturating_sub(taken + 2) };
    paint(buffer, Rect { width: room, ..row }, left, look);
}

fn cells(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// A row without its first and last cell.
fn inset(row: Rect) -> Rect {
    if row.width < 2 { row } else { Rect { x: row.x + 1, width: row.width - 2, ..row } }
}
