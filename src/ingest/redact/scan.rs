//! The fast path: one pass over a text for whatever a secret could hide behind. It may suspect too much, never too little
//! against the rules of [`super::text`] and [`super::json`].

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::names::Name;
use crate::ingest::finder::Finder;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clue {
    /// Part of a name; the names decide.
    Name,
    /// `eyJ`: the start of a JSON object in base64, as a JWT and a Docker configuration have it.
    Base64Object,
    /// `Bearer ` or `Basic `.
    Scheme,
    /// A PEM block in base64.
    Base64Pem,
    /// A JSON Web Key.
    WebKey,
    /// A password's hash in an htpasswd list.
    Htpasswd,
    /// An annotation that repeats the whole object.
    LastApplied,
}

/// Parts of names in the cases that they are written in. The first letter is left out where both cases occur.
const PARTS: &[&str] = &[
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "pass",
    "Pass",
    "PASS",
    "redential",
    "REDENTIAL",
    "rivate",
    "RIVATE",
    "_key",
    "_KEY",
    "-key",
    "-Key",
    "-KEY",
    "Key",
    "apikey",
    "APIKEY",
    "pwd",
    "PWD",
    "uthorization",
    "UTHORIZATION",
    "ookie",
    "OOKIE",
    "ockerc",
    "ockerC",
    "OCKERC",
    "auths",
    "ignature",
    "sig=",
];
const OTHERS: &[(&str, Clue)] = &[
    ("eyJ", Clue::Base64Object),
    ("earer ", Clue::Scheme),
    ("EARER ", Clue::Scheme),
    ("asic ", Clue::Scheme),
    ("ASIC ", Clue::Scheme),
    ("LS0tLS1CRUdJTi", Clue::Base64Pem),
    ("kty", Clue::WebKey),
    ("{SHA}", Clue::Htpasswd),
    ("last-applied-configuration", Clue::LastApplied),
];
/// Where people choose the names below: environment variables, a plugin's own configuration, code.
const FREE: &[&str] = &[
    "pluginConfig",
    "plugin_config",
    "onfiguration\"",
    "key_values",
    "keyValues",
    "roxyMetadata",
    "roxy_metadata",
    "nvironment_variables",
    "nvironmentVariables",
    "\"env\"",
    "inlineCode",
    "inline_code",
    "ource_code",
    "ourceCode",
];

static FINDER: LazyLock<Option<Finder>> =
    LazyLock::new(|| Finder::new(&PARTS.iter().copied().chain(OTHERS.iter().map(|(text, _)| *text)).collect::<Vec<_>>()));
static FREE_FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(FREE));
static AUTHORITY: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("://"));

/// Every clue of a text with its place, in order.
pub(super) fn clues(text: &str) -> impl Iterator<Item = (Clue, Range<usize>)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = FINDER.as_ref()?.find(text.as_bytes(), from)?;
        from = found.end();
        let other = found.pattern().as_usize().checked_sub(PARTS.len()).and_then(|other| OTHERS.get(other));
        Some((other.map_or(Clue::Name, |(_, clue)| *clue), found.range()))
    })
}

/// Whether a text may hold a secret. One pass, and no copy.
pub(super) fn may_hold_secret(text: &str) -> bool {
    let mut suspects = false;
    for (clue, at) in clues(text) {
        if clue != Clue::Name || text[at.start..].starts_with("RIVATE KEY") {
            return true;
        }
        if is_innocent(text, &at) {
            continue;
        }
        let name = &text[name_around(text, at)];
        let name = Name::new(name);
        if name.is_secret_header() {
            return true;
        }
        suspects = suspects || name.is_suspect();
    }
    (suspects && FREE_FINDER.as_ref().is_none_or(|finder| finder.find(text.as_bytes(), 0).is_some())) || user_infos(text).next().is_some()
}

/// The two words that every dump is full of, told without a look at the whole name. Another part of the same name is
/// another clue.
fn is_innocent(text: &str, at: &Range<usize>) -> bool {
    let (before, after) = (&text.as_bytes()[..at.start], &text.as_bytes()[at.end..]);
    match &text.as_bytes()[at.clone()] {
        b"pass" | b"Pass" => after.starts_with(b"through"),
        b"ecret" => {
            (before.ends_with(b"sds_s") && after.starts_with(b"_config")) || (before.ends_with(b"SdsS") && after.starts_with(b"Config"))
        }
        _ => false,
    }
}

/// Whether a text names anything that could be a secret where people choose the names.
pub(super) fn names_suspect(text: &str) -> bool {
    clues(text).any(|(clue, at)| clue == Clue::Name && Name::new(&text[name_around(text, at)]).is_suspect())
}

/// The whole name that a part was found in.
pub(super) fn name_around(text: &str, part: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = bytes[..part.start].iter().rev().take(128).take_while(in_name).count();
    let end = if bytes[part.clone()].ends_with(b"=") { part.end - 1 } else { part.end };
    let after = bytes[end..].iter().take(128).take_while(in_name).count();
    part.start - before..end + after
}

/// The passwords in URLs (`https://user:password@host`), and tokens that stand for user and password.
pub(super) fn user_infos(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    AUTHORITY.find_iter(text.as_bytes()).filter_map(|at| {
        let start = at + 3;
        let rest = text.as_bytes().get(start..)?;
        let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'\\' | b'<' | b'>' | b'`' | b',' | 0..=b' ');
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        let at = memchr::memrchr(b'@', &rest[..end])?;
        match memchr::memchr(b':', &rest[..at]) {
            Some(colon) if colon + 1 < at => Some(start + colon + 1..start + at),
            None if at >= 20 => Some(start..start + at),
            _ => None,
        }
    })
}
