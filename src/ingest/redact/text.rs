//! Secrets in running text: a log line, a string of a document, code, YAML. Only the secret goes; what stands around it
//! stays, because a line that says what failed is worth reading.
//!
//! Whoever can send a request writes into a log, so that no text may take more than linear time: what was looked through once and is no
//! secret is remembered, and nothing is searched for an end before it is known to be a secret.

use std::ops::Range;

use memchr::memmem;

use super::REDACTED;
use super::extent;
use super::forms::{self, skip};
use super::json;
use super::looks::{self, Runs};
use super::names::Name;
use super::rules::Says;
use super::scan::{self, Clue, Names};
use super::value::{self, Behind};
use super::web_keys;

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
    let mut scanner = Scanner {
        text,
        style,
        done: 0,
        names: Names::default(),
        runs: Runs::default(),
        no_token: 0,
        no_key: 0,
        web_key: 0,
        is_secret: false,
    };
    let mut found: Vec<Range<usize>> = forms::user_infos(text).chain(forms::tokens(text)).collect();
    for (clue, at) in scan::clues(text) {
        scanner.look(clue, &at, &mut found);
    }
    let redacted = (!found.is_empty()).then(|| without(text, found));
    if !scanner.is_secret {
        return redacted;
    }
    json::lines(redacted.as_deref().unwrap_or(text)).or(redacted)
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
    /// Whether there is a Secret, which only as an object is known.
    is_secret: bool,
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
            Clue::Base64Object => forms::base64_object(text, at.start, self.style).map_err(|end| self.no_token = end).ok(),
            Clue::Base64Pem if at.start < self.no_key => None,
            Clue::Base64Pem => forms::base64_pem(text, at.start).map_err(|end| self.no_key = end).ok(),
            Clue::WebKey => return self.web_key(at, found),
            Clue::Htpasswd => forms::htpasswd(text, at),
            // Only as a key does it stand before a whole object, and only in JSON do numbers stand for letters.
            Clue::LastApplied | Clue::Archive | Clue::Escape | Clue::Algorithm => None,
        };
        if let Some(secret) = secret.filter(|secret| !secret.is_empty() && !text[secret.clone()].starts_with(REDACTED)) {
            self.done = secret.end;
            self.names.begin_at(secret.end);
            found.push(secret);
        }
    }

    /// The value behind a name: `password=…`, `"token":"…"`, `authorization: Bearer …`.
    fn named(&mut self, part: &Range<usize>) -> Option<Range<usize>> {
        let text = self.text;
        let (at, name) = self.names.at(text, part)?;
        let says = name.says();
        let is_free = self.style == Style::Free;
        let is_chosen = is_free || self.style == Style::Log && is_variable(text, &at);
        let suspect = says.is_secret() || is_chosen && name.is_suspect();
        self.is_secret |= says == Says::Word && self.style == Style::Log && is_kind(text, &at);
        if !(suspect || says == Says::Several || matches!(says, Says::Credential | Says::Key) || is_free && says == Says::Opaque) {
            return None;
        }
        if suspect && let Some(found) = extent::element(text, &at).or_else(|| extent::flag(text, &at, self.style)) {
            return Some(found);
        }
        let member = || extent::member(text, at.end).filter(|_| suspect);
        let found = member().or_else(|| value::behind(text, at.end))?;
        let Behind { separator, spaced, quoted_name, encoded, quote, mut start } = found;
        let bracketed = separator == b':' && !spaced && !quoted_name && self.style == Style::Log && in_brackets(text, start);
        start += usize::from(bracketed);
        if separator == b':' && quoted_name && text[start..].starts_with('[') && (suspect || says == Says::Several) {
            let is_word = |first: usize| !says.is_secret() && self.style == Style::Log && looks::plain_word(&text[first..]) > 0;
            return extent::list(text, start).filter(|list| !is_word(list.start));
        }
        let adjoins = separator == b':' && !spaced && !quoted_name && quote.is_none();
        if adjoins && (text[..at.start].ends_with('/') || value::is_port(text, start))
            || value::is_none(text, start, quote.is_some())
            || separator == b',' && !(suspect && quoted_name && self.is_pair(&at, &name, &found))
            || is_chosen && looks::begins_setting(&text[start..], says.is_secret())
            || self.style == Style::Log && quote.is_none() && self.is_said(&at, &name, start)
        {
            return None;
        }
        let query = separator == b'=' && scan::follows_in_query(&text[..at.start]);
        let line_starts = || {
            let before = text[..at.start].trim_end_matches([' ', '-', '\t']);
            before.is_empty() || before.ends_with('\n')
        };
        let whole_line = separator == b':' && self.style != Style::Log && !quoted_name && line_starts();
        let header = || is_header(&name, says);
        let is_secret = match says {
            Says::Key | Says::Credential if query => true,
            Says::Key if !is_free => false,
            Says::Several | Says::Nothing if !is_free => is_chosen && looks::plain_word(&text[start..]) == 0,
            Says::Key | Says::Credential if is_free => looks::plain_word(&text[start..]) == 0,
            Says::Key | Says::Credential | Says::Opaque => self.runs.at(text, start).is_some_and(looks::is_credential),
            // `secret=default` in a log names a Secret.
            Says::Word if self.style == Style::Log && separator == b'=' && !query && looks::plain_word(&text[start..]) > 0 => false,
            _ if bracketed && text[at.clone()].contains('-') => true,
            _ if query || encoded || whole_line || quote.is_some() || quoted_name || separator == b':' && header() => true,
            _ if separator == b'=' && !spaced || name.ends("password") => true,
            _ => self.runs.at(text, start).is_some_and(looks::is_opaque),
        };
        if !is_secret {
            return None;
        }
        let end = match quote {
            Some(quote) => value::closing(text.as_bytes(), start, quote),
            None if bracketed => start + text[start..].find([']', '\n']).unwrap_or(text.len() - start),
            None if encoded => value::encoded_word(text, start).end,
            None if whole_line && text[start..].starts_with(['|', '>']) => extent::block(text, &at, start),
            None if whole_line || header() => extent::header_end(text, start),
            None => value::word(text, start).end,
        };
        Some(start..end)
    }

    /// Whether a comma parts name and value: Envoy's logs have headers as pairs of words in quotes. A list of JSON has a comma behind every
    /// word, too.
    fn is_pair(&self, at: &Range<usize>, name: &Name, behind: &Behind) -> bool {
        behind.quote.is_some_and(|quote| {
            let is_plain = || looks::plain_word(&self.text[behind.start..]) > 0;
            // Lua's `headers():add("x-api-key", "…")`.
            let is_called = || self.text[..at.start].trim_end_matches(['\\', '"']).ends_with('(');
            let is_opaque = || match self.style {
                Style::Log => (self.text[at.clone()].contains('-') || is_called()) && !is_plain(),
                Style::Value => false,
                Style::Free => is_called(),
            };
            quote.byte == b'\'' || is_header(name, name.says()) || is_opaque()
        })
    }

    /// Whether a log speaks of a credential, and does not hold it.
    fn is_said(&self, at: &Range<usize>, name: &Name, start: usize) -> bool {
        const LONGEST_COUNT: usize = 6;
        let rest = &self.text[start..];
        if scan::follows_in_query(&self.text[..at.start]) {
            return name.says() == Says::Key && looks::plain_word(rest) > 0;
        }
        let digits = rest.bytes().take(LONGEST_COUNT + 1).take_while(u8::is_ascii_digit).count();
        looks::is_outcome(rest) || name.is("pass") && (1..=LONGEST_COUNT).contains(&digits) && value::ends_word(rest.as_bytes(), digits)
    }

    /// The private members of JSON Web Keys: on the line of a log, or in the whole of another text.
    fn web_key(&mut self, at: &Range<usize>, found: &mut Vec<Range<usize>>) {
        if at.start < self.web_key || !web_keys::begins(self.text, at) {
            return;
        }
        let bytes = self.text.as_bytes();
        let start = if self.style == Style::Log { memchr::memrchr(b'\n', &bytes[..at.start]).map_or(0, |end| end + 1) } else { 0 };
        let end = memchr::memchr(b'\n', &bytes[at.start..]).filter(|_| self.style == Style::Log).map_or(bytes.len(), |end| at.start + end);
        self.web_key = end;
        web_keys::members(&self.text[..end], start, found);
    }
}

/// Whether it is an environment variable, whose name people choose.
fn is_variable(text: &str, at: &Range<usize>) -> bool {
    text.as_bytes().get(at.end) == Some(&b'=') && {
        let name = &text.as_bytes()[at.clone()];
        name.contains(&b'_') && !name.iter().any(u8::is_ascii_lowercase)
    }
}

/// Whether the kind of an object is a Secret, in JSON or in JSON within a string of it.
fn is_kind(text: &str, at: &Range<usize>) -> bool {
    let before = &text[..at.start];
    &text[at.clone()] == "Secret" && [r#""kind":""#, r#""kind": ""#, r#"\"kind\":\""#].iter().any(|kind| before.ends_with(kind))
}

/// Whether it is a header whose value goes on to the end of the line.
fn is_header(name: &Name, says: Says) -> bool {
    says == Says::Header || name.ends("authorization")
}

/// Whether a value begins here within brackets: Go prints a header as `X-Api-Key:[…]`.
fn in_brackets(text: &str, start: usize) -> bool {
    let rest = &text[start..];
    rest.starts_with('[') && !rest.starts_with(REDACTED)
}

/// The text with each of the ranges replaced. Ranges may overlap.
fn without(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    // Most often they are found in order, and to sort them would take as much memory again.
    let place = |range: &Range<usize>| (range.start, range.end);
    if !ranges.is_sorted_by_key(place) {
        ranges.sort_by_key(place);
    }
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
    // A key may follow without a blank, and goes by itself.
    let run = memmem::find(&text.as_bytes()[run.clone()], b"-----BEGIN").map_or(run.clone(), |key| run.start..run.start + key);
    let credential = &text[run.clone()];
    let basic = text[at.clone()].starts_with(['a', 'A']);
    let fits = if basic {
        looks::decodes_to(credential, b':')
    } else {
        // `Bearer expires_in=3600` names the next value.
        !credential.split_once('=').is_some_and(|(name, value)| !value.is_empty() && looks::is_plain(name))
            && credential.len() >= 8
            && (credential.len() >= 20 || looks::is_opaque(credential))
    };
    fits.then_some(run)
}
