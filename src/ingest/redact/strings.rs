//! Strings of JSON: where they end, and their text with and without escapes.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2};

/// The end of a string: its closing quote, or the end of the text.
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    bytes.len()
}

/// A string's text; as it is written where its escapes are broken.
pub(super) fn unescaped<'t>(text: &'t str, at: &Range<usize>) -> Cow<'t, str> {
    let raw = &text[at.clone()];
    if memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    // With its quotes, of which the last may be missing.
    let string = text.get(at.start.wrapping_sub(1)..at.end + 1).map_or_else(|| format!("\"{raw}\"").into(), Cow::Borrowed);
    serde_json::from_str::<String>(&string).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// A text as it is written within quotes.
pub(super) fn quoted(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}
