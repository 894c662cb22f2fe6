//! Colour on a terminal, and safety everywhere: what a cluster wrote never reaches the terminal as a control character.

use crate::analysis::health::Weight;
use crate::model::printable::printable;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// With ANSI colours.
    Ansi,
    /// Without.
    Plain,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// A heading, or the number that was asked for.
    Strong,
    /// Beside the point.
    Muted,
    /// The plugin in question.
    Plugin,
    /// As it should be.
    Good,
    /// To be looked at.
    Warn,
    /// Not as it should be.
    Bad,
}

impl Style {
    /// How a state of this weight is written.
    pub fn of(weight: Weight) -> Self {
        match weight {
            Weight::Good => Self::Good,
            Weight::Bad => Self::Bad,
            Weight::Waits => Self::Warn,
            Weight::Neutral => Self::Muted,
        }
    }
}

impl Paint {
    /// The text, made safe and, where wanted, coloured.
    pub fn paint(self, style: Style, text: &str) -> String {
        let safe = printable(text);
        let code = match style {
            Style::Plain => "",
            Style::Strong => "1",
            Style::Muted => "2",
            Style::Plugin => "1;36",
            Style::Good => "32",
            Style::Warn => "33",
            Style::Bad => "31",
        };
        if self == Self::Plain || code.is_empty() { safe.into_owned() } else { format!("\x1b[{code}m{safe}\x1b[0m") }
    }
}
