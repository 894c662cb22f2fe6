//! What stands in one cell, or in two: the unit in which text is measured and painted.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{Piece, sanitize};
use crate::ui::theme::Role;

/// One cluster of characters, made harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glyph<'a> {
    /// What is drawn. An escape such as `\x1b` is one glyph of several cells.
    pub text: Cow<'a, str>,
    /// How many cells it takes.
    pub width: usize,
    /// What it means.
    pub role: Role,
    /// Whether a search found it.
    pub hit: bool,
}

impl Glyph<'_> {
    /// Whether a line may break after it.
    pub fn is_space(&self) -> bool {
        self.text == " "
    }
}

/// The glyphs of the pieces, one after the other. Lazy: only what is asked for is looked at.
pub fn glyphs<'a>(pieces: &'a [Piece<'_>], ascii: bool) -> impl Iterator<Item = Glyph<'a>> {
    pieces.iter().flat_map(move |piece| {
        let mut position = 0;
        piece.text.graphemes(true).filter_map(move |cluster| {
            let characters = position..position + cluster.chars().count();
            position = characters.end;
            let text = sanitize::cluster(cluster, ascii);
            let width = text.width();
            let hit = piece.hits.iter().any(|hit| characters.contains(hit));
            (width > 0).then_some(Glyph { text, width, role: piece.role, hit })
        })
    })
}

/// How many cells the pieces take.
pub fn width(pieces: &[Piece<'_>], ascii: bool) -> usize {
    let plain = |piece: &Piece<'_>| piece.text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if pieces.iter().all(plain) {
        pieces.iter().map(|piece| piece.text.len()).sum()
    } else {
        glyphs(pieces, ascii).map(|glyph| glyph.width).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_cells() {
        let of = |text: &str, ascii| width(&[Piece::text(text)], ascii);
        assert_eq!(of("abc", false), 3);
        assert_eq!(of("日本", false), 4);
        assert_eq!(of("e\u{301}", false), 1);
        assert_eq!(of("\x1b", false), 1);
        assert_eq!(of("\x1b", true), 4);
        assert_eq!(of("👩‍👩‍👧", false), 2);
    }

    #[test]
    fn hits_are_characters_of_the_text_as_it_came() {
        let pieces = [Piece::text("\u{202e}e\u{301}x").with_hits(vec![2, 3])];
        let found: Vec<(String, bool)> = glyphs(&pieces, false).map(|glyph| (glyph.text.into_owned(), glyph.hit)).collect();
        assert_eq!(found, [("\\u{202e}".to_owned(), false), ("e\u{301}".to_owned(), true), ("x".to_owned(), true)]);
    }
}
