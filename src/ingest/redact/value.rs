//! What stands behind a name in running text, and what a value looks like.

use std::ops::Range;

use super::REDACTED;
use super::forms::skip;

/// The longest value that may be a plain word, or several with marks between.
const LONGEST_WORD: usize = 64;
/// The most letters that one plain word has: `unauthenticated`. A longer run of letters may be a password.
const MOST_LETTERS: usize = 15;

/// The place behind a name where its value begins.
pub(super) struct Behind {
    /// What parts name and value: `=`, `:`, or the comma of pairs.
    pub(super) separator: u8,
    /// Whether there is a blank beside it.
    pub(super) spaced: bool,
    /// Whether the name is in quotes.
    pub(super) quoted_name: bool,
    /// The quote that the value begins with.
    pub(super) quote: Option<Quote>,
    /// Where the value itself begins.
    pub(super) start: usize,
}

/// A quote, and how many backslashes stand before it within escaped text.
#[derive(Clone, Copy)]
pub(super) struct Quote {
    pub(super) byte: u8,
    depth: usize,
}

/// Reads on behind a name that ends here; None where no value follows.
pub(super) fn behind(text: &str, name_end: usize) -> Option<Behind> {
    let bytes = text.as_bytes();
    let (quoted, next) = quote_at(bytes, name_end);
    let next = skip(bytes, next, |byte| matches!(byte, b' ' | b'\t' | b']'));
    let separator = *bytes.get(next)?;
    let spaced = bytes.get(next.wrapping_sub(1)) == Some(&b' ') || bytes.get(next + 1) == Some(&b' ');
    match separator {
        b'=' if bytes.get(next + 1) != Some(&b'=') => {}
        b':' | b',' => {}
        _ => return None,
    }
    let value = skip(bytes, next + 1, |byte| matches!(byte, b' ' | b'\t' | b'>'));
    let (quote, start) = quote_at(bytes, value);
    Some(Behind { separator, spaced, quoted_name: quoted.is_some(), quote, start })
}

/// The quote at a place, if there is one, and where it ends; backslashes are passed over. It may be written as a number.
fn quote_at(bytes: &[u8], at: usize) -> (Option<Quote>, usize) {
    let next = skip(bytes, at, |byte| byte == b'\\');
    let depth = next - at;
    match bytes.get(next) {
        Some(byte @ (b'"' | b'\'' | b'`')) => (Some(Quote { byte: *byte, depth }), next + 1),
        Some(b'u') if depth > 0 && bytes[next..].starts_with(b"u0022") => (Some(Quote { byte: b'"', depth }), next + 5),
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
    bytes.get(at).is_none_or(|byte| byte.is_ascii_whitespace() || b"\"'`,;&)}]\\".contains(byte))
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

/// The length of the plain word that a text begins with: words of letters with marks between, and small numbers in what looks like a
/// name of Kubernetes; zero where there is none, or it goes on as something else.
pub(super) fn plain_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let length = bytes.iter().take(LONGEST_WORD + 1).take_while(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(byte)).count();
    if length == 0 || length > LONGEST_WORD || !ends_word(bytes, length) {
        return 0;
    }
    let word = &text[..length];
    let is_name = word.contains(['-', '/']);
    let is_header = word.starts_with("X-");
    if word.bytes().all(|byte| byte.is_ascii_digit()) || names_algorithm(word) {
        return length;
    }
    let is_plain = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - letters.len();
        let small = letters.get(1..).unwrap_or_default();
        let cased =
            small.bytes().all(|byte| byte.is_ascii_lowercase()) || is_header && letters.bytes().all(|byte| byte.is_ascii_uppercase());
        cased
            && letters.len() <= MOST_LETTERS
            && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
            && (digits == 0 || is_name && digits <= 2)
    };
    if word.split(['-', '_', '.', '/']).all(is_plain) { length } else { 0 }
}

/// `HS256`, `sha1`, `hmac-sha512`.
fn names_algorithm(word: &str) -> bool {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    letters.len() < word.len() && ["hs", "sha", "sha-", "md", "hmac-sha"].iter().any(|name| letters.eq_ignore_ascii_case(name))
}

/// Whether a value is nothing but a plain word.
pub(super) fn is_plain(value: &str) -> bool {
    plain_word(value) == value.len()
}

/// Whether a whole value looks made by a machine, as a key is, or is user and password in base64.
pub(super) fn is_credential(value: &str) -> bool {
    value.len() >= 16 && is_opaque(value) || decodes_to(value, b':')
}

/// Whether a word looks made by a machine: no plain word, no number.
pub(super) fn is_opaque(value: &str) -> bool {
    value.len() >= 8
        && value.bytes().all(in_opaque)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn in_opaque(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'.' | b'~' | b'-')
}

/// The last run of letters that an opaque word may have. Names and `=` are among them, so that one run can begin behind many names:
/// where it ends is found once.
#[derive(Default)]
pub(super) struct Runs {
    end: usize,
}

impl Runs {
    /// The run that begins here, where it is a whole word.
    pub(super) fn at<'t>(&mut self, text: &'t str, start: usize) -> Option<&'t str> {
        let bytes = text.as_bytes();
        // A run with `=` within is a list of names and values, each of which is looked at by itself; at the end it fills base64 up.
        if start >= self.end {
            self.end = skip(bytes, start, in_opaque);
        }
        let part = start..memchr::memchr(b'=', &bytes[start..self.end]).map_or(self.end, |at| start + at);
        let end = skip(bytes, part.end, |byte| byte == b'=');
        (end <= part.end + 2 && ends_word(bytes, end)).then(|| &text[start..end])
    }
}

/// Whether base64 decodes to plain text with this byte in it, as user and password do.
pub(super) fn decodes_to(text: &str, wanted: u8) -> bool {
    let mut found = false;
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            let byte = (bits >> count & 0xff) as u8;
            if byte < b' ' {
                return false;
            }
            found = found || byte == wanted;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_no_secrets() {
        for value in [
            "default",
            "allowed",
            "Denied",
            "istio-ca-root-cert",
            "default/regcred-2",
            "x-user-id",
            "X-API-KEY",
            "remote_address",
            "HS256",
            "sha256",
            "hmac-sha512",
            "",
        ] {
            assert!(is_plain(value), "{value}");
        }
        for value in ["pl4nted", "LEAKED-KEY", "hunter2", "dXNlcjpw", "a b", "s3cr3t-thing", "aGVsbG8=", &"a".repeat(65)] {
            assert!(!is_plain(value), "{value}");
        }
    }

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

    #[test]
    fn a_run_is_looked_through_once() {
        let mut runs = Runs::default();
        let text = "auth=auth=dXNlcjpw== x";
        assert_eq!((runs.at(text, 5), runs.at(text, 10)), (None, Some("dXNlcjpw==")));
    }
}
