//! Pieces of text onto cells: the only way from a text to the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Glyph, Piece, glyphs};
use crate::ui::Look;
use crate::ui::theme::Role;

/// Paints pieces into the area's first row, with an ellipsis where they do not fit. Returns how many cells were taken.
pub fn paint(buffer: &mut Buffer, area: Rect, pieces: &[Piece<'_>], look: &Look<'_>) -> u16 {
    let room = usize::from(area.intersection(buffer.area).width);
    let (mut line, mut used, mut cut) = (Vec::new(), 0, false);
    for glyph in glyphs(pieces, look.ascii()) {
        cut = used + glyph.width > room;
        if cut {
            break;
        }
        used += glyph.width;
        line.push(glyph);
    }
    if cut {
        let mark = Glyph { text: look.symbols.ellipsis.into(), width: 1, role: Role::Muted, hit: false };
        while used + mark.width > room {
            let Some(last) = line.pop() else { return 0 };
            used -= last.width;
        }
        let role = line.last().map_or(mark.role, |last| last.role);
        line.push(Glyph { role, ..mark });
    }
    paint_glyphs(buffer, area, &line, look)
}

/// Paints glyphs into the area's first row as far as there is room. Returns how many cells were taken.
pub fn paint_glyphs(buffer: &mut Buffer, area: Rect, line: &[Glyph<'_>], look: &Look<'_>) -> u16 {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return 0;
    }
    let mut x = area.x;
    let mut run = Run { text: String::new(), role: Role::Text, hit: false };
    for glyph in line {
        if (glyph.role, glyph.hit) != (run.role, run.hit) {
            x = run.flush(buffer, area, x, look);
            (run.role, run.hit) = (glyph.role, glyph.hit);
        }
        run.text.push_str(&glyph.text);
    }
    run.flush(buffer, area, x, look) - area.x
}

/// Neighbouring glyphs that look the same.
struct Run {
    text: String,
    role: Role,
    hit: bool,
}

impl Run {
    fn flush(&mut self, buffer: &mut Buffer, area: Rect, x: u16, look: &Look<'_>) -> u16 {
        let room = usize::from(area.right().saturating_sub(x));
        if self.text.is_empty() || room == 0 {
            return x;
        }
        let role = look.theme.style(self.role);
        // Over what is there already, so that a row keeps its ground.
        let style: Style = if self.hit { role.patch(look.theme.style(Role::Match)) } else { role };
        let (end, _) = buffer.set_stringn(x, area.y, &self.text, room, style);
        self.text.clear();
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ColorSupport;
    use crate::ui::theme::Themes;

    fn painted(text: &str, width: u16, ascii: bool) -> String {
        let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
        let look = Look::new(themes.at(0), ascii);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        paint(&mut buffer, Rect::new(0, 0, 99, 1), &[Piece::text(text)], &look);
        buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(painted("abcdef", 6, false), "abcdef");
        assert_eq!(painted("abcdefg", 6, false), "abcde…");
        assert_eq!(painted("abcdefg", 6, true), "abcde~");
        assert_eq!(painted("日本語", 5, false), "日 本 …");
        assert_eq!(painted("日本語", 4, false), "日 … ");
        assert_eq!(painted("日本", 1, false), "…");
        assert_eq!(painted("abc", 0, false), "");
        assert_eq!(painted("", 3, false), "   ");
    }

    #[test]
    fn control_characters_are_never_painted() {
        assert_eq!(painted("a\x1b[2J", 8, false), "a␛[2J   ");
        assert_eq!(painted("a\x1b[2J", 8, true), "a\\x1b[2J");
    }

    #[test]
    fn an_area_outside_the_buffer_is_left_alone() {
        let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        assert_eq!(paint(&mut buffer, Rect::new(9, 9, 5, 1), &["abc".into()], &Look::new(themes.at(0), false)), 0);
    }
}
