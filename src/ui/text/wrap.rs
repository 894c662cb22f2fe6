//! Lines of text broken at words, so that they fit a width.

use std::ops::Range;

use super::{Glyph, Piece, width};

/// One line of a text, before it is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLine<'a> {
    /// What stands in it.
    pub pieces: Vec<Piece<'a>>,
    /// By how many cells its second and later rows are indented.
    pub hang: u16,
}

impl<'a> TextLine<'a> {
    /// A line of one or more pieces.
    pub fn new(pieces: impl Into<Vec<Piece<'a>>>) -> Self {
        Self { pieces: pieces.into(), hang: 0 }
    }

    /// The same line, with its later rows indented.
    #[must_use]
    pub fn hanging(mut self, hang: u16) -> Self {
        self.hang = hang;
        self
    }
}

/// How many rows a line takes.
pub fn rows(line: &TextLine<'_>, room: u16, ascii: bool) -> usize {
    if width(&line.pieces, ascii) <= usize::from(room) {
        return 1;
    }
    let glyphs: Vec<Glyph<'_>> = super::glyphs(&line.pieces, ascii).collect();
    wrap(&glyphs, room, line.hang).len()
}

/// Which glyphs stand in which row. A word that is longer than a row is broken anywhere; a space at a break is not drawn.
pub fn wrap(glyphs: &[Glyph<'_>], room: u16, hang: u16) -> Vec<Range<usize>> {
    let first = usize::from(room).max(1);
    // A hanging indent that leaves next to nothing is no help.
    let later = if hang.saturating_mul(2) > room { first } else { first - usize::from(hang) };
    let mut rows = Vec::new();
    let (mut start, mut used, mut after_space) = (0, 0, None);
    for (index, glyph) in glyphs.iter().enumerate() {
        // What moves to the next row may be too long for it too, since that one is indented.
        while used + glyph.width > if rows.is_empty() { first } else { later } && index > start && !glyph.is_space() {
            let at_word = after_space.take().filter(|next| *next > start && word_width(glyphs, *next) <= later);
            let next = at_word.unwrap_or(index);
            rows.push(start..next);
            start = next;
            used = glyphs[start..index].iter().map(|glyph| glyph.width).sum();
        }
        used += glyph.width;
        if glyph.is_space() {
            after_space = Some(index + 1);
        }
    }
    rows.push(start..glyphs.len());
    rows
}

/// How wide the word is that begins with this glyph.
fn word_width(glyphs: &[Glyph<'_>], start: usize) -> usize {
    glyphs[start..].iter().take_while(|glyph| !glyph.is_space()).map(|glyph| glyph.width).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(text: &str, room: u16, hang: u16) -> Vec<String> {
        let pieces = [Piece::text(text)];
        let glyphs: Vec<Glyph<'_>> = super::super::glyphs(&pieces, false).collect();
        let row = |range: Range<usize>| glyphs[range].iter().map(|glyph| glyph.text.as_ref()).collect::<String>().trim_end().to_owned();
        wrap(&glyphs, room, hang).into_iter().map(row).collect()
    }

    #[test]
    fn breaks_at_words() {
        assert_eq!(wrapped("one two three", 7, 0), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8, 0), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8, 4), ["one two", "thre", "e"]);
        assert_eq!(wrapped("url abcdefghij", 8, 4), ["url abcd", "efgh", "ij"]);
        assert_eq!(wrapped("abcdefgh", 3, 0), ["abc", "def", "gh"]);
        assert_eq!(wrapped("日本語", 4, 0), ["日本", "語"]);
        assert_eq!(wrapped("", 4, 0), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_all_fits(text in "\\PC{0,60}", room in 1_u16..20, hang in 0_u16..8) {
            let pieces = [Piece::text(text.as_str())];
            let glyphs: Vec<Glyph<'_>> = super::super::glyphs(&pieces, false).collect();
            let rows = wrap(&glyphs, room, hang);
            let line = TextLine::new(pieces.clone()).hanging(hang);
            prop_assert_eq!(rows.len(), super::rows(&line, room, false));
            prop_assert_eq!(rows.first().map(|row| row.start), Some(0));
            prop_assert_eq!(rows.last().map(|row| row.end), Some(glyphs.len()));
            let later = if hang * 2 > room { room } else { room - hang };
            for row in rows.iter().skip(1) {
                let glyphs = &glyphs[row.clone()];
                let shown = glyphs.iter().rposition(|glyph| !glyph.is_space()).map_or(0, |last| last + 1);
                let width: usize = glyphs[..shown].iter().map(|glyph| glyph.width).sum();
                prop_assert!(width <= usize::from(later) || shown == 1);
            }
            for pair in rows.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
                prop_assert!(!pair[0].is_empty());
            }
        }
    }
}
