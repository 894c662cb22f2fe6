//! How everything looks now: the theme and the symbols, handed to all that draws.

use ratatui::style::Style;

use super::symbols::{ASCII, Symbols, UNICODE};
use super::theme::{Role, Theme};

/// The theme and the symbols of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What roles look like.
    pub theme: &'a Theme,
    /// What marks are drawn with.
    pub symbols: &'static Symbols,
}

impl<'a> Look<'a> {
    /// The look of a theme; with `ascii`, no other character is drawn.
    pub fn new(theme: &'a Theme, ascii: bool) -> Self {
        Self { theme, symbols: if ascii { &ASCII } else { &UNICODE } }
    }

    /// Whether only ASCII may be drawn.
    pub fn ascii(&self) -> bool {
        self.symbols.ascii
    }

    /// The whole style of text in a role, ground included.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(Role::Text).patch(self.theme.style(role))
    }
}
