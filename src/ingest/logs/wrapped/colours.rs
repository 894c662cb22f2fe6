//! Colours: a terminal's sequences for them are around words, and no part of what was written.

use std::borrow::Cow;

use memchr::memchr;

/// The text without the sequences that set colours (`ESC [ … m`) or clear what is behind (`ESC [ K`), as `stern`, `grep` and terminals
/// write them. Every other control character stays.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    let Some(mut escape) = memchr(0x1b, text.as_bytes()) else { return Cow::Borrowed(text) };
    let (mut plain, mut rest) = (String::new(), text);
    loop {
        let (before, sequence) = rest.split_at(escape);
        plain.push_str(before);
        let length = length(sequence);
        if length == 0 {
            plain.push('\u{1b}');
        }
        rest = &sequence[length.max(1)..];
        match memchr(0x1b, rest.as_bytes()) {
            Some(next) => escape = next,
            None => {
                plain.push_str(rest);
                return Cow::Owned(plain);
            }
        }
    }
}

/// How long a sequence is that a text begins with; 0 where it is another.
fn length(text: &str) -> usize {
    let Some(inner) = text.strip_prefix("\u{1b}[") else { return 0 };
    let parameters = inner.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    match inner.as_bytes().get(parameters) {
        Some(b'm' | b'K') => parameters + 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_all_else_stays() {
        assert!(matches!(without("plain"), Cow::Borrowed("plain")));
        assert_eq!(without("\u{1b}[33mtime\u{1b}[0m \u{1b}[01;31m\u{1b}[Kword\u{1b}[m\u{1b}[K"), "time word");
        for other in ["\u{1b}]0;title\u{7}", "\u{1b}[2J", "\u{1b}", "\u{1b}[", "a\u{1b}[31"] {
            assert_eq!(without(other), other);
        }
    }
}
