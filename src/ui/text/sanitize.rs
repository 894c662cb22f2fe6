//! Text from a cluster made harmless: what a terminal would obey is shown instead.

use std::borrow::Cow;

use crate::model::printable::is_unprintable;

/// How many characters one cell may hold: the longest emoji have eleven, a heap of accents is cut.
const MAX_CLUSTER: usize = 16;

/// The text with every character shown: control characters as their pictures (`␛`), invisible and direction-changing ones
/// as `\u{202e}`. With `ascii`, all that is not ASCII is written as such an escape.
pub fn sanitize(text: &str, ascii: bool) -> Cow<'_, str> {
    if text.chars().all(|char| is_plain(char, ascii)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        push(&mut shown, char, ascii);
    }
    Cow::Owned(shown)
}

/// One cluster of characters as it is shown; no longer than a cell can bear.
pub(super) fn cluster(text: &str, ascii: bool) -> Cow<'_, str> {
    let end = text.char_indices().nth(MAX_CLUSTER).map_or(text.len(), |(end, _)| end);
    sanitize(&text[..end], ascii)
}

fn is_plain(char: char, ascii: bool) -> bool {
    matches!(char, ' '..='~') || (!ascii && !is_unprintable(char))
}

fn push(shown: &mut String, char: char, ascii: bool) {
    let code = u32::from(char);
    if char == '\t' {
        shown.push(' ');
    } else if is_plain(char, ascii) {
        shown.push(char);
    } else if !ascii && code < 0x20 {
        shown.extend(char::from_u32(0x2400 + code));
    } else if !ascii && code == 0x7f {
        shown.push('␡');
    } else if code < 0x100 {
        shown.push_str(&format!("\\x{code:02x}"));
    } else {
        shown.push_str(&format!("\\u{{{code:x}}}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(sanitize("a\x1b[31mb\x07\n\x7f", false), "a␛[31mb␇␊␡");
        assert_eq!(sanitize("a\x1b[31mb\x07\n\x7f", true), "a\\x1b[31mb\\x07\\x0a\\x7f");
        assert_eq!(sanitize("\u{9b}31m \u{202e}x", false), "\\x9b31m \\u{202e}x");
        assert_eq!(sanitize("é\tü→", true), "\\xe9 \\xfc\\u{2192}");
        assert_eq!(sanitize("日本 👩‍👩‍👧", false), "日本 👩‍👩‍👧");
    }

    #[test]
    fn a_heap_of_accents_is_cut() {
        assert_eq!(cluster(&format!("a{}", "\u{301}".repeat(1000)), false).chars().count(), MAX_CLUSTER);
    }

    proptest! {
        #[test]
        fn nothing_is_obeyed(text in any::<String>(), ascii in any::<bool>()) {
            let shown = sanitize(&text, ascii);
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert!(!ascii || shown.is_ascii());
            prop_assert_eq!(sanitize(&shown, ascii), shown.as_ref());
        }
    }
}
