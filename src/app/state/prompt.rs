//! One line that a person types: the pattern of `/`, the name of `:`, a connection.

use crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};

/// How many characters are taken: enough for any name, and no pasted file.
const MAX_CHARS: usize = 256;

/// The line and its cursor.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    input: Input,
}

impl Prompt {
    /// A prompt that holds a text already, with the cursor behind it.
    pub fn with(text: &str) -> Self {
        let mut prompt = Self::default();
        prompt.paste(text);
        prompt
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// How many characters are before the cursor.
    pub fn cursor(&self) -> usize {
        self.input.cursor()
    }

    /// Takes a key; says whether the text became another.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let Some(request) = to_input_request(&Event::Key(key)) else { return false };
        if matches!(request, InputRequest::InsertChar(_)) && self.text().chars().count() >= MAX_CHARS {
            return false;
        }
        self.input.handle(request).is_some_and(|change| change.value)
    }

    /// Takes pasted text, as one line without control characters; says whether the text became another.
    pub fn paste(&mut self, text: &str) -> bool {
        let room = MAX_CHARS.saturating_sub(self.text().chars().count());
        let mut changed = false;
        for char in text.chars().filter(|char| !char.is_control()).take(room) {
            changed |= self.input.handle(InputRequest::InsertChar(char)).is_some();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn edits_one_line() {
        let mut prompt = Prompt::with("ab");
        assert!(prompt.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE)));
        assert!(!prompt.key(KeyEvent::new(KeyCode::Left, KeyModifiers::NONE)));
        assert!(prompt.key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)));
        assert_eq!((prompt.text(), prompt.cursor()), ("ac", 1));
        assert!(!prompt.key(KeyEvent::new(KeyCode::F(5), KeyModifiers::NONE)));
    }

    #[test]
    fn a_paste_is_one_short_line() {
        let mut prompt = Prompt::default();
        assert!(prompt.paste("a\x1b[31m\nb"));
        assert_eq!(prompt.text(), "a[31mb");
        prompt.paste(&"x".repeat(10_000));
        assert_eq!(prompt.text().chars().count(), MAX_CHARS);
        assert!(!prompt.paste("y"));
        assert!(!prompt.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE)));
    }
}
