//! Secrets in running text: a log line, a string of a document, code, YAML. Only the secret goes; what stands around it
//! stays, because a line that says what failed is worth reading.

use std::ops::Range;

use memchr::memmem;

use super::REDACTED;
use super::names::Name;
use super::scan::{self, Clue};

/// What sort of text it is, which decides how much it takes to be suspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A log: `token: not found` is a message, not a token.
    Log,
    /// A value of a document, with names that the document's format defines.
    Value,
    /// A value whose inner names people chose: a plugin's configuration, code.
    Free,
}

/// The text without its secrets; None where there are none.
pub(super) fn rewrite(text: &str, style: Style) -> Option<String> {
    let mut found: Vec<Range<usize>> = scan::user_infos(text).collect();
    let mut done = 0;
    for (clue, at) in scan::clues(text) {
        if at.start < done {
            continue;
        }
        let secret = match clue {
            Clue::Name => private_block(text, &at).or_else(|| named(text, at, style)),
            Clue::Base64Object => base64_object(text, at.start),
            Clue::Scheme => scheme(text, &at),
            Clue::Base64Pem => base64_pem(text, at.start),
            Clue::WebKey => web_key(text, at.start, style),
            Clue::Htpasswd => Some(at.start..base64_run(text, at.end).end),
            // Only as a key does it stand before a whole object.
            Clue::LastApplied => None,
        };
        if let Some(secret) = secret.filter(|secret| !secret.is_empty() && !text[secret.clone()].starts_with(REDACTED)) {
            done = secret.end;
            found.push(secret);
        }
    }
    if found.is_empty() { None } else { Some(without(text, found)) }
}

/// The text with each of the ranges replaced. Ranges may overlap.
fn without(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        if range.start >= done {
            out.push_str(&text[done..range.start]);
            out.push_str(REDACTED);
        }
        done = done.max(range.end);
    }
    out.push_str(&text[done..]);
    out
}

/// A PEM block with a private key, to its end or, where it was cut, to the end of the text.
fn private_block(text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let rest = text.get(at.start..)?;
    if !rest.starts_with("RIVATE KEY") {
        return None;
    }
    // `-----BEGIN RSA P`: the block's first words are short, so that looking back costs nothing.
    let near = at.start.saturating_sub(40);
    let start = near + memmem::rfind(&text.as_bytes()[near..at.start], b"-----BEGIN ")?;
    let end = rest.find("-----END ").and_then(|end| Some(end + 9 + rest[end + 9..].find("-----")? + 5));
    Some(start..end.map_or(text.len(), |end| at.start + end))
}

/// The value behind a name: `password=…`, `"token":"…"`, `authorization: Bearer …`.
fn named(text: &str, part: Range<usize>, style: Style) -> Option<Range<usize>> {
    let at = scan::name_around(text, part);
    let name = Name::new(&text[at.clone()]);
    let header = name.is_secret_header();
    if !(header || style == Style::Free && name.is_suspect()) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut next = skip(bytes, at.end, |byte| byte == b'\\');
    let quoted_name = matches!(bytes.get(next), Some(b'"' | b'\'' | b'`'));
    next = skip(bytes, next + usize::from(quoted_name), |byte| matches!(byte, b' ' | b'\t' | b']'));
    let separator = *bytes.get(next)?;
    let spaced = bytes.get(next.wrapping_sub(1)) == Some(&b' ') || bytes.get(next + 1) == Some(&b' ');
    let http = name.as_bytes().ends_with(b"authorization") || name.as_bytes().ends_with(b"cookie");
    match separator {
        b'=' if bytes.get(next + 1) != Some(&b'=') => {}
        b':' => {}
        // Envoy logs headers as pairs of quoted words.
        b',' if quoted_name && http => {}
        _ => return None,
    }
    next = skip(bytes, next + 1, |byte| matches!(byte, b' ' | b'\t' | b'>' | b'\\'));
    let quote = bytes.get(next).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let start = next + usize::from(quote.is_some());
    let before = text[..at.start].trim_end_matches([' ', '-', '\t']);
    let line_starts = before.is_empty() || before.ends_with('\n');
    let whole_line = separator == b':' && style != Style::Log && line_starts && !quoted_name;
    let end = match quote {
        Some(quote) => closing(bytes, start, quote),
        None if whole_line || http => start + text[start..].find(['\n', '"', '\'', '\r']).unwrap_or(text.len() - start),
        None => word(text, start).end,
    };
    let value = &text[start..end];
    if value.is_empty()
        || value.starts_with(['%', '$'])
        // An object is looked into; one within quotes is the secret itself: a pull secret is.
        || quote.is_none() && value.starts_with(['{', '['])
        || value.starts_with("kubernetes://")
        || matches!(value, "null" | "true" | "false" | "nil")
    {
        return None;
    }
    let sure = match separator {
        b'=' => !spaced || quote.is_some(),
        b':' => quoted_name || quote.is_some() || whole_line || http || name.as_bytes().ends_with(b"password"),
        _ => true,
    };
    (sure || is_opaque(value)).then_some(start..end)
}

/// Whether a word looks made by a machine: no plain word, no number.
fn is_opaque(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'.' | b'~' | b'-');
    value.len() >= 8
        && value.bytes().all(allowed)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn skip(bytes: &[u8], from: usize, skipped: impl Fn(u8) -> bool) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|byte| skipped(**byte)).count()
}

/// The end of a quoted value: the next quote that no backslash stands before, or, within an escaped text, one that has.
fn closing(bytes: &[u8], start: usize, quote: u8) -> usize {
    let escaped_text = start >= 2 && bytes[start - 2] == b'\\';
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote {
            return at;
        }
        if *byte == b'\\' {
            if escaped_text && bytes.get(at + 1) == Some(&quote) {
                return at;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// From here to the next character that ends a word in logs, URLs and code.
fn word(text: &str, start: usize) -> Range<usize> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '&' | ')' | '}' | ']' | '\\');
    start..start + text[start..].find(ends).unwrap_or(text.len() - start)
}

/// A run of base64 in the alphabet of URLs or of mail.
fn base64_run(text: &str, start: usize) -> Range<usize> {
    let in_run = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=');
    start..skip(text.as_bytes(), start, in_run)
}

/// A JWT, or a Docker configuration in base64.
fn base64_object(text: &str, start: usize) -> Option<Range<usize>> {
    let head = base64_run(text, start);
    if text[head.clone()].starts_with("eyJhdXRo") {
        return Some(head);
    }
    let mut end = head.end;
    let mut parts = 0;
    while text.as_bytes().get(end) == Some(&b'.') && parts < 4 {
        let part = base64_run(text, end + 1);
        if parts == 0 && part.len() < 8 {
            return None;
        }
        (end, parts) = (part.end, parts + 1);
    }
    (head.len() >= 10 && parts > 0).then_some(start..end)
}

/// What follows `Bearer ` or `Basic `, where it can be a credential.
fn scheme(text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let start = skip(text.as_bytes(), at.end, |byte| byte == b' ');
    let run = start..skip(text.as_bytes(), start, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    let credential = &text[run.clone()];
    let basic = text[at.clone()].starts_with(['a', 'A']);
    let fits =
        if basic { decodes_to(credential, b':') } else { credential.len() >= 8 && (credential.len() >= 20 || is_opaque(credential)) };
    fits.then_some(run)
}

/// Whether base64 decodes to plain text with this byte in it, as user and password do.
fn decodes_to(text: &str, wanted: u8) -> bool {
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

/// A PEM block in base64 with `PRIVATE KEY` in it, whichever way it falls into groups of three bytes.
fn base64_pem(text: &str, start: usize) -> Option<Range<usize>> {
    let run = base64_run(text, start);
    let private = ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"];
    private.iter().any(|part| memmem::find(text[run.clone()].as_bytes(), part.as_bytes()).is_some()).then_some(run)
}

/// A JSON Web Key that is not public: the whole value, or in a log the line.
fn web_key(text: &str, at: usize, style: Style) -> Option<Range<usize>> {
    let line = match style {
        Style::Log => text[..at].rfind('\n').map_or(0, |end| end + 1)..text[at..].find('\n').map_or(text.len(), |end| at + end),
        // One look at the first key is enough: it takes in the whole value.
        _ if memmem::find(&text.as_bytes()[..at], b"kty").is_some() => return None,
        _ => 0..text.len(),
    };
    let compact: String = text[line.clone()].chars().filter(|c| !c.is_whitespace() && *c != '\\').collect();
    (compact.contains("\"kty\":") && (compact.contains("\"d\":") || compact.contains("\"k\":"))).then_some(line)
}
