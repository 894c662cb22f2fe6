//! Secrets in running text: a log line, a string of a document, code, YAML. Only the secret goes; what stands around it
//! stays, because a line that says what failed is worth reading.
//!
//! Whoever can send a request writes into a log, so that no text may take more than linear time: what was looked through once and is no
//! secret is remembered, and nothing is searched for an end before it is known to be a secret.

use std::ops::Range;

use memchr::memmem;

use super::REDACTED;
use super::forms::{self, base64_run, skip};
use super::names::Name;
use super::rules::Says;
use super::scan::{self, Clue, Names};
use super::value::{self, Behind, Quote, Runs};

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
    let mut scanner = Scanner { text, style, done: 0, names: Names::default(), runs: Runs::default(), no_token: 0, no_key: 0, web_key: 0 };
    let mut found: Vec<Range<usize>> = scan::user_infos(text).collect();
    for (clue, at) in scan::clues(text) {
        scanner.look(clue, &at, &mut found);
    }
    if found.is_empty() { None } else { Some(without(text, found)) }
}

struct Scanner<'t> {
    text: &'t str,
    style: Style,
    /// The end of the last secret.
    done: usize,
    names: Names,
    runs: Runs,
    /// The ends of runs of base64 that hold no token, and no key.
    no_token: usize,
    no_key: usize,
    /// The end of the last line with a web key.
    web_key: usize,
}

impl Scanner<'_> {
    fn look(&mut self, clue: Clue, at: &Range<usize>, found: &mut Vec<Range<usize>>) {
        if at.start < self.done {
            return;
        }
        let text = self.text;
        let secret = match clue {
            Clue::Name if scan::is_private_block(text, at) => private_block(text, at),
            Clue::Name if scan::is_scheme(text, at) => scheme(text, at),
            Clue::Name => self.named(at),
            Clue::Base64Object if at.start < self.no_token && !forms::is_docker_configuration(text, at.start) => None,
            Clue::Base64Object => forms::base64_object(text, at.start).map_err(|end| self.no_token = end).ok(),
            Clue::Base64Pem if at.start < self.no_key => None,
            Clue::Base64Pem => forms::base64_pem(text, at.start).map_err(|end| self.no_key = end).ok(),
            Clue::WebKey => return self.web_key(at, found),
            Clue::Form(form) => forms::at(text, at, form),
            Clue::Htpasswd => forms::htpasswd(text, at),
            // Only as a key does it stand before a whole object, and only in JSON do numbers stand for letters.
            Clue::LastApplied | Clue::Escape => None,
        };
        if let Some(secret) = secret.filter(|secret| !secret.is_empty() && !text[secret.clone()].starts_with(REDACTED)) {
            self.done = secret.end;
            found.push(secret);
        }
    }

    /// The value behind a name: `password=…`, `"token":"…"`, `authorization: Bearer …`.
    fn named(&mut self, part: &Range<usize>) -> Option<Range<usize>> {
        let text = self.text;
        let (at, name) = self.names.at(text, part)?;
        let says = name.says();
        let suspect = says.is_secret() || self.style == Style::Free && name.is_suspect();
        if !suspect && !matches!(says, Says::Credential | Says::Key) {
            return None;
        }
        let found = value::behind(text, at.end)?;
        let Behind { separator, spaced, quoted_name, quote, start } = found;
        if value::is_none(text, start, quote.is_some())
            || separator == b',' && !(suspect && quoted_name && is_header_pair(&name, says, quote))
        {
            return None;
        }
        let query = separator == b'=' && scan::follows_in_query(&text[..at.start]);
        let line_starts = || {
            let before = text[..at.start].trim_end_matches([' ', '-', '\t']);
            before.is_empty() || before.ends_with('\n')
        };
        let whole_line = separator == b':' && self.style != Style::Log && !quoted_name && line_starts();
        let header = is_header(&name, says);
        let is_secret = match says {
            Says::Key | Says::Credential if query => true,
            Says::Key if self.style != Style::Free => false,
            Says::Key | Says::Credential if self.style == Style::Free => value::plain_word(&text[start..]) == 0,
            Says::Key | Says::Credential => self.runs.at(text, start).is_some_and(value::is_credential),
            // `secret=default` in a log names a Secret.
            Says::Word if self.style == Style::Log && separator == b'=' && !query && value::plain_word(&text[start..]) > 0 => false,
            _ if query || whole_line || quote.is_some() || quoted_name || header && separator == b':' => true,
            _ if separator == b'=' && !spaced || name.ends(b"password") => true,
            _ => self.runs.at(text, start).is_some_and(value::is_opaque),
        };
        if !is_secret {
            return None;
        }
        let end = match quote {
            Some(quote) => value::closing(text.as_bytes(), start, quote),
            None if whole_line && text[start..].starts_with(['|', '>']) => block(text, &at, start),
            None if whole_line || header => start + text[start..].find(['\n', '"', '\'', '\r']).unwrap_or(text.len() - start),
            None => value::word(text, start).end,
        };
        Some(start..end)
    }

    /// The private members of JSON Web Keys: on the line of a log, or in the whole of another text.
    fn web_key(&mut self, at: &Range<usize>, found: &mut Vec<Range<usize>>) {
        if at.start < self.web_key {
            return;
        }
        let bytes = self.text.as_bytes();
        let before = &bytes[..at.start];
        let begins = !before.last().is_some_and(|byte| is_of_name(*byte)) || before.ends_with(b"\\u0022") || before.ends_with(b"\\n");
        if !begins || value::behind(self.text, at.end).is_none_or(|behind| behind.separator == b',') {
            return;
        }
        let start = if self.style == Style::Log { memchr::memrchr(b'\n', &bytes[..at.start]).map_or(0, |end| end + 1) } else { 0 };
        let end = memchr::memchr(b'\n', &bytes[at.start..]).filter(|_| self.style == Style::Log).map_or(bytes.len(), |end| at.start + end);
        self.web_key = end;
        let line = &self.text[..end];
        let mut done = start;
        for colon in memchr::memchr_iter(b':', &bytes[start..end]).map(|at| start + at) {
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
}

/// The members of a JSON Web Key that are not public (RFC 7518, section 6).
const PRIVATE: [&[u8]; 7] = [b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k"];

/// Whether a member of a JSON Web Key, or of one of its other primes, is not public.
pub(super) fn is_private_member(name: &[u8]) -> bool {
    PRIVATE.contains(&name) || matches!(name, b"r" | b"t")
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

/// Whether it is a header whose value goes on to the end of the line.
fn is_header(name: &Name, says: Says) -> bool {
    says == Says::Header || name.ends(b"authorization")
}

/// Whether a comma parts name and value: Envoy's logs have headers as pairs of words in single quotes. A list of JSON has a comma
/// behind every word, too.
fn is_header_pair(name: &Name, says: Says, quote: Option<Quote>) -> bool {
    quote.is_some_and(|quote| quote.byte == b'\'' || is_header(name, says))
}

/// The rest of a YAML block scalar that begins with `|` or `>`: the lines that are further in than that of its name.
fn block(text: &str, name: &Range<usize>, start: usize) -> usize {
    let line = text[..name.start].rfind('\n').map_or(0, |end| end + 1);
    let indent = name.start - line;
    let mut end = start + text[start..].find('\n').unwrap_or(text.len() - start);
    while let Some(next) = text.get(end + 1..) {
        let line = next.split('\n').next().unwrap_or_default();
        let blank = line.trim().is_empty();
        if !blank && line.len() - line.trim_start_matches(' ').len() <= indent {
            break;
        }
        end += 1 + line.len();
        if end >= text.len() {
            break;
        }
    }
    end
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
    const BEGIN: &[u8] = b"-----BEGIN ";
    // `-----BEGIN RSA P`: the block's first words are short, so that looking back costs nothing.
    let near = at.start.saturating_sub(40);
    let start = near + memmem::rfind(&text.as_bytes()[near..at.start], BEGIN)?;
    if !text.as_bytes()[start + BEGIN.len()..at.start].iter().all(|byte| byte.is_ascii_uppercase() || *byte == b' ') {
        return None;
    }
    let rest = &text[at.start..];
    let end = rest.find("-----END ").and_then(|end| Some(end + 9 + rest[end + 9..].find("-----")? + 5));
    Some(start..end.map_or(text.len(), |end| at.start + end))
}

/// What follows `Bearer ` or `Basic `, where it can be a credential.
fn scheme(text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let start = skip(text.as_bytes(), at.end, |byte| byte == b' ');
    let run = start..skip(text.as_bytes(), start, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    let credential = &text[run.clone()];
    let basic = text[at.clone()].starts_with(['a', 'A']);
    let fits = if basic {
        value::decodes_to(credential, b':')
    } else {
        credential.len() >= 8 && (credential.len() >= 20 || value::is_opaque(credential))
    };
    fits.then_some(run)
}
