//! Text from outside, made safe for a terminal: control and escape characters are shown, never sent.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Marks in the place of colours while a page is put together. They are no characters (Unicode 23.7: U+FDD0 to U+FDEF), and no text that
/// passed [`printable`] holds one.
const COLORS: [(char, &str); 7] = [
    ('\u{fdd0}', "\x1b[0m"),
    ('\u{fdd1}', "\x1b[1m"),
    ('\u{fdd2}', "\x1b[2m"),
    ('\u{fdd3}', "\x1b[1;36m"),
    ('\u{fdd4}', "\x1b[32m"),
    ('\u{fdd5}', "\x1b[33m"),
    ('\u{fdd6}', "\x1b[31m"),
];

/// A colour of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Bold.
    Bold = 1,
    /// Faint.
    Faint,
    /// Bold cyan.
    Cyan,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Red.
    Red,
}

impl Color {
    /// The text between the marks of this colour, for a page that is [`Printable::colored`].
    pub fn mark(self, text: &str) -> String {
        let mark = |at: usize| COLORS[at].0;
        format!("{}{text}{}", mark(self as usize), mark(0))
    }
}

/// Whole text that can be sent to a terminal: in it are no control characters but line ends and our own colours, and nothing that changes
/// what is read without being seen. All output of all forms is of this type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// Text of several lines.
    pub fn page(text: &str) -> Self {
        Self::of(text, false)
    }

    /// The same, in which the marks of colours are such.
    pub fn colored(text: &str) -> Self {
        Self::of(text, true)
    }

    fn of(text: &str, colored: bool) -> Self {
        let mut safe = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            match COLORS.iter().find(|(mark, _)| colored && *mark == c) {
                Some((_, code)) => safe.push_str(code),
                None if c == '\n' => safe.push(c),
                None => push(&mut safe, c),
            }
        }
        Self(safe)
    }

    /// The text as one that is owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Printable {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for Printable {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of text with every control character written as an escape: `\x1b`, `\n`, and the invisible characters that turn the
/// direction of what follows, by which a name could pose as another.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push(&mut safe, c));
    Cow::Owned(safe)
}

fn push(safe: &mut String, c: char) {
    match c {
        '\n' => safe.push_str("\\n"),
        '\r' => safe.push_str("\\r"),
        '\t' => safe.push_str("\\t"),
        c if is_unprintable(c) && u32::from(c) < 0x100 => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if is_unprintable(c) => safe.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => safe.push(c),
    }
}

/// Whether a character is obeyed or changes what is read without being seen: controls, direction marks, zero-width spaces,
/// line separators, fillers, tags, private planes and what is no character. The joiners of emoji and of Indic scripts are none of them.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_and_ordinary_text_is_not_copied() {
        assert_eq!(printable("a\x1b[31mb\u{9b}2J\tc"), "a\\x1b[31mb\\x9b2J\\tc");
        assert_eq!(printable("evil\u{202e}gpj\u{e0041}"), "evil\\u{202e}gpj\\u{e0041}");
        assert!(matches!(printable("httpbin › ✓ 日本 👩‍👩‍👧 ❤️"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_page_has_lines_and_our_own_colours_alone() {
        let text = format!("a\n{} \x1b[31m \u{fdd6}", Color::Green.mark("b"));
        assert_eq!(Printable::page(&text), "a\n\\u{fdd4}b\\u{fdd0} \\x1b[31m \\u{fdd6}");
        assert!(Printable::colored(&text).starts_with("a\n\x1b[32mb\x1b[0m \\x1b[31m "));
        assert_eq!(printable("\u{fdd6}"), "\\u{fdd6}", "no name has colours");
    }
}
