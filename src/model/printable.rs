//! Text from outside, made safe for a terminal: control and escape characters are shown, never sent.

use std::borrow::Cow;

/// The text with every control character written as an escape: `\x1b`, `\n`, and the invisible characters that turn the
/// direction of what follows, by which a name could pose as another.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unprintable(c) && u32::from(c) < 0x100 => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_unprintable(c) => safe.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Whether a character is obeyed or changes what is read without being seen: controls, direction marks, zero-width spaces,
/// line separators. The joiners of emoji and of Indic scripts are none of them.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_and_ordinary_text_is_not_copied() {
        assert_eq!(printable("a\x1b[31mb\u{9b}2J\tc"), "a\\x1b[31mb\\x9b2J\\tc");
        assert_eq!(printable("evil\u{202e}gpj"), "evil\\u{202e}gpj");
        assert!(matches!(printable("httpbin › ✓ 日本"), Cow::Borrowed(_)));
    }
}
