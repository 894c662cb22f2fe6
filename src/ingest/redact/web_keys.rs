//! JSON Web Keys in running text: their members that are not public.

use std::ops::Range;

use super::forms::base64_run;
use super::value;

/// The members of a JSON Web Key that are not public (RFC 7518, section 6).
const PRIVATE: [&[u8]; 7] = [b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k"];

/// Whether a member of a JSON Web Key, or of one of its other primes, is not public.
pub(super) fn is_private_member(name: &[u8]) -> bool {
    PRIVATE.contains(&name) || matches!(name, b"r" | b"t")
}

/// Whether the name of a web key's member was found, with a value.
pub(super) fn begins(text: &str, at: &Range<usize>) -> bool {
    let before = &text.as_bytes()[..at.start];
    let begins = !before.last().is_some_and(|byte| is_of_name(*byte)) || before.ends_with(b"\\u0022") || before.ends_with(b"\\n");
    begins && value::behind(text, at.end).is_some_and(|behind| behind.separator != b',')
}

/// The values of private members from `start` on.
pub(super) fn members(line: &str, start: usize, found: &mut Vec<Range<usize>>) {
    let bytes = line.as_bytes();
    let mut done = start;
    for colon in memchr::memchr_iter(b':', &bytes[start..]).map(|at| start + at) {
        if colon < done {
            continue;
        }
        let Some(member) = private_member(bytes, start..colon) else { continue };
        let Some(behind) = value::behind(line, member.end) else { continue };
        let secret = match behind.quote {
            _ if value::is_none(line, behind.start, behind.quote.is_some()) => continue,
            Some(quote) => behind.start..value::closing(line.as_bytes(), behind.start, quote),
            None => base64_run(line, behind.start),
        };
        // Without quotes it may be anything that is called by one letter.
        if behind.quote.is_some() || secret.len() >= 20 {
            done = secret.end;
            found.push(secret);
        }
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The private member of a web key that these bytes end with, before quotes.
fn private_member(bytes: &[u8], at: Range<usize>) -> Option<Range<usize>> {
    const QUOTE: &[u8] = b"u0022";
    let bare = |end: usize| {
        let quotes = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'\\');
        end - bytes[at.start..end].iter().rev().take_while(quotes).count()
    };
    let mut end = bare(at.end);
    if bytes[at.start..end].ends_with(QUOTE) {
        end = bare(end - QUOTE.len());
    }
    if !matches!(bytes[at.start..end].last(), Some(b'd' | b'p' | b'q' | b'i' | b'k')) {
        return None;
    }
    let letters = bytes[at.start..end].iter().rev().take(QUOTE.len() + 3).take_while(|byte| is_of_name(**byte)).count();
    let name = &bytes[end - letters..end];
    let name = name.strip_prefix(QUOTE).unwrap_or(name);
    PRIVATE.contains(&name).then(|| end - name.len()..end)
}
