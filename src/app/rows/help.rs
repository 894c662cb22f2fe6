//! The lines of the help screen: what every key does on the screen that it was opened from, then what that screen's words mean.

mod words;

use crate::analysis::connection::FORM;
use crate::app::action::View;
use crate::app::keymap::{self, Context};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The name of a part.
    Heading(&'static str),
    /// A key, and what it does.
    Key {
        /// How the keys are written, in Unicode and in ASCII.
        keys: [String; 2],
        /// What they do.
        does: &'static str,
    },
    /// A word, and what it means.
    Word {
        /// The word as the screen writes it.
        word: &'static str,
        /// Its meaning.
        means: &'static str,
    },
}

impl Line {
    /// What a search looks at.
    pub fn text(&self) -> String {
        match self {
            Self::Heading(heading) => (*heading).to_owned(),
            Self::Key { does, .. } => (*does).to_owned(),
            Self::Word { word, means } => format!("{word} {means}"),
        }
    }
}

/// All lines for the screen that help was opened from.
pub fn lines(of: &Context) -> Vec<Line> {
    let mut lines = vec![Line::Heading("Keys")];
    let keys = keymap::help(of, false).into_iter().zip(keymap::help(of, true));
    lines.extend(keys.map(|(hint, ascii)| Line::Key { keys: [hint.keys, ascii.keys], does: hint.word }));
    lines.push(Line::Heading("What the words of this screen mean"));
    lines.extend(words::of(of.view).iter().map(|(word, means)| Line::Word { word, means }));
    if of.view == View::Connection {
        lines.push(Line::Heading("What can be said of a connection"));
        lines.extend(FORM.map(|(word, means)| Line::Word { word, means }));
    }
    lines
}
