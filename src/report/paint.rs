//! Colour on a terminal, and safety everywhere: what a cluster wrote never reaches the terminal as a control character.

use crate::analysis::health::Weight;
use crate::model::printable::{Color, Printable, printable};

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
    /// Whole text as it is printed: the one way out of a form of an answer.
    pub(super) fn page(self, text: &str) -> Printable {
        match self {
            Self::Ansi => Printable::colored(text),
            Self::Plain => Printable::page(text),
        }
    }

    /// The text, made safe and, where wanted, coloured.
    pub fn paint(self, style: Style, text: &str) -> String {
        let safe = printable(text);
        let color = match style {
            Style::Plain => None,
            Style::Strong => Some(Color::Bold),
            Style::Muted => Some(Color::Faint),
            Style::Plugin => Some(Color::Cyan),
            Style::Good => Some(Color::Green),
            Style::Warn => Some(Color::Yellow),
            Style::Bad => Some(Color::Red),
        };
        match color.filter(|_| self == Self::Ansi) {
            Some(color) => color.mark(&safe),
            None => safe.into_owned(),
        }
    }
}
