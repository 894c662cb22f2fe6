//! Text on the screen: pieces with a role, made harmless, measured, wrapped and painted.
//!
//! Everything that is drawn passes [`paint`] or [`paint_glyphs`], so that no widget can let a control character through.

mod glyph;
mod paint;
mod sanitize;
mod wrap;

use std::borrow::Cow;

pub use glyph::{Glyph, glyphs, width};
pub use paint::{paint, paint_glyphs};
pub use sanitize::sanitize;
pub use wrap::{TextLine, rows, wrap};

use super::theme::Role;

/// A piece of text that means one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text as it came; it is made harmless when it is painted.
    pub text: Cow<'a, str>,
    /// What it means.
    pub role: Role,
    /// Which of its characters a search found, in rising order.
    pub hits: Cow<'a, [usize]>,
}

impl<'a> Piece<'a> {
    /// A piece in a role.
    pub fn new(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), role, hits: Cow::Borrowed(&[]) }
    }

    /// Ordinary text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Role::Text, text)
    }

    /// The same piece with the characters that a search found.
    #[must_use]
    pub fn with_hits(mut self, hits: impl Into<Cow<'a, [usize]>>) -> Self {
        self.hits = hits.into();
        self
    }
}

impl<'a> From<&'a str> for Piece<'a> {
    fn from(text: &'a str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Piece<'_> {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
