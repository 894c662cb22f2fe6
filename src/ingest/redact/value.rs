//! What stands behind a name in running text, and what a value looks like.

use std::ops::Range;

use super::REDACTED;
use super::forms::skip;

/// The longest value that may be a plain word.
pub(super) const LONGEST_WORD: usize = 64;

/// The place behind a name where its value begins.
pub(super) struct Behind {
    /// What parts name and value: `=`, `:`, or the comma of pairs.
    pub(super) separator: u8,
    /// Whether there is a blank beside it.
    pub(super) spaced: bool,
    /// Whether the name is in quotes.
    pub(super) quoted_name: bool,
    /// Whether quotes or separator are written as in URLs or HTML.
    pub(super) encoded: bool,
    /// The quote that the value begins with.
    pub(super) quote: Option<Quote>,
    /// Where the value itself begins.
    pub(super) start: usize,
}

/// A quote, and how many backslashes stand before it within escaped text.
#[derive(Clone, Copy)]
pub(super) struct Quote {
    pub(super) byte: u8,
    pub(super) depth: usize,
}

/// Reads on behind a name that ends here; None where no value follows.
pub(super) fn behind(text: &str, name_end: usize) -> Option<Behind> {
    let bytes = text.as_bytes();
    let (quoted_name, next) =
        if matches!(bytes.get(name_end), Some(b'=' | b':')) { (false, name_end) } else { behind_quote(bytes, name_end) };
    let (separator, last) = match bytes.get(next..).unwrap_or_default() {
        // Go's `password := "…"`.
        [b':', b'=', ..] => (b'=', next + 1),
        [b'=', b'=', ..] => return None,
        [byte @ (b'=' | b':' | b','), ..] => (*byte, next),
        [b'%', b'3', b'D' | b'd', ..] => (b'=', next + 2),
        [b'%', b'3', b'A' | b'a', ..] => (b':', next + 2),
        _ => return None,
    };
    let spaced = bytes.get(next.wrapping_sub(1)) == Some(&b' ') || bytes.get(last + 1) == Some(&b' ');
    let (quote, encoded_value, start) = value_at(bytes, last + 1);
    let encoded = last == next + 2 || encoded_value;
    Some(Behind { separator, spaced, quoted_name, encoded, quote, start })
}

/// The quote that a value begins with, whether one is encoded, and where the value itself begins.
fn value_at(bytes: &[u8], at: usize) -> (Option<Quote>, bool, usize) {
    if bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
        return (None, false, at);
    }
    let value = skip(bytes, at, |byte| matches!(byte, b' ' | b'\t' | b'>'));
    let blank = if bytes[value..].starts_with(b"%20") { 3 } else { 0 };
    let (quote, start) = quote_at(bytes, value + blank);
    let encoded = encoded_quote(bytes, start);
    (quote, encoded > 0, start + encoded)
}

/// Whether a name that ends here has a quote behind it, and where what parts it from the value can be.
fn behind_quote(bytes: &[u8], name_end: usize) -> (bool, usize) {
    let (quoted, next) = quote_at(bytes, name_end);
    let encoded = encoded_quote(bytes, next);
    let next = next + encoded;
    // Lua's `["token"]`, PHP's `token[]=` and `user[token]=`.
    let next = match &bytes[next..] {
        [b'[', b']', ..] => next + 2,
        [b'%', b'5', b'B' | b'b', b'%', b'5', b'D' | b'd', ..] => next + 6,
        [b'%', b'5', b'D' | b'd', ..] => next + 3,
        _ => next,
    };
    (quoted.is_some() || encoded > 0, skip(bytes, next, |byte| matches!(byte, b' ' | b'\t' | b']')))
}

/// The length of a quote as URLs and HTML write it.
fn encoded_quote(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..).unwrap_or_default() {
        [b'%', b'2', b'2' | b'7', ..] => 3,
        [b'&', b'#', b'3', b'4' | b'9', b';', ..] => 5,
        [b'&', b'q', b'u', b'o', b't', b';', ..] => 6,
        _ => 0,
    }
}

/// A value within text that is written as in URLs, up to what would end it there.
pub(super) fn encoded_word(text: &str, start: usize) -> Range<usize> {
    const ENDINGS: [&[u8]; 9] = [b"%22", b"%26", b"%27", b"%2C", b"%2c", b"%7D", b"%7d", b"%0A", b"%0a"];
    let rest = &text.as_bytes()[start..];
    let ends = |at: usize| rest[at] == b'%' && ENDINGS.iter().any(|ending| rest[at..].starts_with(ending)) || ends_word(rest, at);
    start..start + (0..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len())
}

/// The quote at a place, if there is one, and where it ends; backslashes are passed over. It may be written as a number.
pub(super) fn quote_at(bytes: &[u8], at: usize) -> (Option<Quote>, usize) {
    let next = skip(bytes, at, |byte| byte == b'\\');
    let depth = next - at;
    match bytes.get(next) {
        Some(byte @ (b'"' | b'\'' | b'`')) => (Some(Quote { byte: *byte, depth }), next + 1),
        Some(b'u') if depth > 0 && bytes[next..].starts_with(b"u0022") => (Some(Quote { byte: b'"', depth }), next + 5),
        Some(b'x') if depth > 0 && bytes[next..].starts_with(b"x22") => (Some(Quote { byte: b'"', depth }), next + 3),
        Some(b'x') if depth > 0 && bytes[next..].starts_with(b"x27") => (Some(Quote { byte: b'\'', depth }), next + 3),
        Some(b'u') if depth > 0 && bytes[next..].starts_with(b"u0027") => (Some(Quote { byte: b'\'', depth }), next + 5),
        _ => (None, next),
    }
}

/// The end of a quoted value: the next quote that is escaped as the first is, or less; one that is escaped more is part of the value.
pub(super) fn closing(bytes: &[u8], start: usize, quote: Quote) -> usize {
    let mut at = start;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(quote.byte, b'\\', rest)) {
        at += found;
        let (found, next) = quote_at(bytes, at);
        // Each level of escaping doubles the backslashes before a quote and adds one.
        let closes = |depth: usize| depth < quote.depth || depth % (2 * (quote.depth + 1)) == quote.depth;
        if let Some(found) = found
            && found.byte == quote.byte
            && closes(found.depth)
        {
            return at + found.depth.saturating_sub(quote.depth);
        }
        at = next;
    }
    bytes.len()
}

/// From here to the next character that ends a word in logs, URLs and code.
pub(super) fn word(text: &str, start: usize) -> Range<usize> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '&' | ')' | '}' | ']' | '\\');
    start..start + text[start..].find(ends).unwrap_or(text.len() - start)
}

/// Whether a value that begins here ends here, too: a word does.
pub(super) fn ends_word(bytes: &[u8], at: usize) -> bool {
    let ends =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b')' | b'}' | b']' | b'\\');
    bytes.get(at).is_none_or(ends)
}

/// Whether what begins here is no secret itself: nothing, an object that is looked into, a variable or a format in the place of a
/// value, the name of a pull secret, what was redacted already.
pub(super) fn is_none(text: &str, start: usize, quoted: bool) -> bool {
    let rest = &text[start..];
    let is = |word: &str| rest.starts_with(word) && ends_word(rest.as_bytes(), word.len());
    match rest.as_bytes().first() {
        None => true,
        Some(b'{') => !quoted,
        Some(b'[') => !quoted || rest.starts_with(REDACTED),
        Some(b'n') => is("null") || is("nil"),
        Some(b't') => is("true"),
        Some(b'f') => is("false"),
        Some(b'k') => rest.starts_with("kubernetes://"),
        Some(b'$' | b'%') => is_variable(rest),
        Some(_) => false,
    }
}

/// Whether a port begins here, as behind the name of a host.
pub(super) fn is_port(text: &str, start: usize) -> bool {
    const LONGEST: usize = 5;
    let rest = &text.as_bytes()[start..];
    let digits = rest.iter().take(LONGEST + 1).take_while(|byte| byte.is_ascii_digit()).count();
    (2..=LONGEST).contains(&digits) && (rest.get(digits) == Some(&b'/') || ends_word(rest, digits))
}

/// `$NAME`, `${…}`, `$(…)`, `%REQ(…)%`, `%s`.
fn is_variable(value: &str) -> bool {
    let bytes = value.as_bytes();
    let is_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_';
    let name = bytes.iter().skip(1).take(LONGEST_WORD).take_while(is_name).count();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'$'), Some(b'{' | b'(')) => true,
        (Some(b'$'), Some(first)) => name > 0 && !first.is_ascii_digit() && ends_word(bytes, 1 + name),
        (Some(b'%'), Some(first)) => {
            name >= 3 && matches!(bytes.get(1 + name), Some(b'(' | b'%')) || b"svqdw+".contains(first) && ends_word(bytes, 2)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_formats_stand_for_values() {
        for text in ["$PASSWORD", "${x}", "$(TOKEN)", "%REQ(AUTHORIZATION)%", "%s", "null", "[redacted] x", "kubernetes://a/b"] {
            assert!(is_none(text, 0, false), "{text}");
        }
        for text in ["$ecret1", "%41bc", "$2y$05$abc", "nullify", "%authorization"] {
            assert!(!is_none(text, 0, true), "{text}");
        }
    }

    #[test]
    fn a_quote_within_a_value_does_not_end_it() {
        for (text, value) in [
            (r#""a\"b" c"#, r#"a\"b"#),
            (r#""a\\" c"#, r"a\\"),
            (r#"\"a\\\"b\" c"#, r#"a\\\"b"#),
            (r#"\"a" c"#, "a"),
            (r"\u0022a'b\u0022 c", "a'b"),
            (r"'a", "a"),
        ] {
            let (quote, start) = quote_at(text.as_bytes(), 0);
            assert_eq!(&text[start..closing(text.as_bytes(), start, quote.unwrap())], value, "{text}");
        }
    }
}
