//! Keys as the keymap writes them: what a terminal sends, without what terminals disagree about.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One key of the keyboard, with Ctrl where it matters. Shift shows in the character itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character.
    Char(char),
    /// A character with Ctrl.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

impl Key {
    /// The key of an event; None for a release, and for keys that no binding can name.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        Some(match event.code {
            KeyCode::Char(char) if event.modifiers == KeyModifiers::CONTROL => Self::Ctrl(char.to_ascii_lowercase()),
            KeyCode::Char(char) if plain => Self::Char(char),
            KeyCode::Enter => Self::Enter,
            KeyCode::Esc => Self::Esc,
            KeyCode::Tab => Self::Tab,
            KeyCode::Up => Self::Up,
            KeyCode::Down => Self::Down,
            KeyCode::Left => Self::Left,
            KeyCode::Right => Self::Right,
            KeyCode::Home => Self::Home,
            KeyCode::End => Self::End,
            KeyCode::PageUp => Self::PageUp,
            KeyCode::PageDown => Self::PageDown,
            _ => return None,
        })
    }

    /// Whether it keeps its meaning while text is typed, because it writes nothing and moves nothing in a line.
    pub fn works_while_typing(self) -> bool {
        matches!(self, Self::Enter | Self::Esc | Self::Up | Self::Down | Self::PageUp | Self::PageDown | Self::Ctrl('c' | 'z'))
    }

    /// How it is written for a person; with `ascii`, in ASCII alone.
    pub fn label(self, ascii: bool) -> String {
        let (symbol, word) = match self {
            Self::Char(' ') => return "Space".to_owned(),
            Self::Char(char) => return char.to_string(),
            Self::Ctrl(char) => return format!("Ctrl-{char}"),
            Self::Enter => ("↵", "Enter"),
            Self::Esc => ("Esc", "Esc"),
            Self::Tab => ("Tab", "Tab"),
            Self::Up => ("↑", "Up"),
            Self::Down => ("↓", "Down"),
            Self::Left => ("←", "Left"),
            Self::Right => ("→", "Right"),
            Self::Home => ("Home", "Home"),
            Self::End => ("End", "End"),
            Self::PageUp => ("PgUp", "PgUp"),
            Self::PageDown => ("PgDn", "PgDn"),
        };
        if ascii { word } else { symbol }.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_terminals_send() {
        let key = |code, modifiers| Key::from_event(&KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Key::Char('G')));
        assert_eq!(key(KeyCode::Char('C'), KeyModifiers::CONTROL), Some(Key::Ctrl('c')));
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::ALT), None);
        assert_eq!(key(KeyCode::F(1), KeyModifiers::NONE), None);
        let release = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Key::from_event(&release), None);
    }

    #[test]
    fn labels_have_ascii_twins() {
        assert_eq!((Key::Enter.label(false), Key::Enter.label(true)), ("↵".to_owned(), "Enter".to_owned()));
        assert_eq!(Key::Ctrl('c').label(false), "Ctrl-c");
    }
}
