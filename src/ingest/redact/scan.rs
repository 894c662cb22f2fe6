//! The fast path: one pass over a text for whatever a secret could hide behind. It may suspect too much, never too little
//! against the rules of [`super::text`] and [`super::json`].

use std::ops::Range;
use std::sync::LazyLock;

use super::forms;
use super::names::Name;
use super::rules::Says;
use crate::ingest::finder::Finder;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clue {
    /// Part of a name; the names decide.
    Name,
    /// `eyJ`: the start of a JSON object in base64, as a JWT and a Docker configuration have it.
    Base64Object,
    /// A PEM block in base64.
    Base64Pem,
    /// A JSON Web Key.
    WebKey,
    /// What a JSON Web Key is for; alone it makes none.
    Algorithm,
    /// The end of `{SHA}` and `{SSHA}`, before a password's hash.
    Htpasswd,
    /// An annotation that repeats the whole object.
    LastApplied,
    /// An archive with a private key.
    Archive,
    /// A letter that is written as a number, which hides the others.
    Escape,
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
    "key",
    "Key",
    "KEY",
    "pwd",
    "PWD",
    "auth",
    "Auth",
    "AUTH",
    "ookie",
    "OOKIE",
    "ockerc",
    "ockerC",
    "OCKERC",
    "ignature",
    "sig=",
    "hmac",
    "HMAC",
    "earer",
    "EARER",
    "asic",
    "ASIC",
    "nemonic",
    "NEMONIC",
    "otp",
    "OTP",
    "pw\"",
    "pw\\",
    "sk\"",
    "sk\\",
    "ession-id",
    "ession-Id",
    "ession_id",
    "essionId",
    "psk",
    "PSK",
    "jwt",
    "JWT",
    "users\"",
    "users\\",
    "users:",
];
const OTHERS: &[(&str, Clue)] = &[
    ("eyJ", Clue::Base64Object),
    ("LS0tLS1CRUdJTi", Clue::Base64Pem),
    // The same with white space in it, and in a list.
    ("ewog", Clue::Base64Object),
    ("eyAi", Clue::Base64Object),
    ("W3si", Clue::Base64Object),
    ("kty", Clue::WebKey),
    ("crv", Clue::WebKey),
    ("alg\"", Clue::Algorithm),
    ("alg\\", Clue::Algorithm),
    ("SHA}", Clue::Htpasswd),
    ("last-applied-configuration", Clue::LastApplied),
    ("pkcs12", Clue::Archive),
    ("\\u00", Clue::Escape),
];
/// Where people choose the names below: environment variables, a plugin's own configuration, code. A quote within a string has a
/// backslash in front.
const FREE: &[&str] = &[
    "pluginConfig",
    "plugin_config",
    "onfiguration\"",
    "onfiguration\\",
    "key_values",
    "keyValues",
    "roxyMetadata",
    "roxy_metadata",
    "nvironment_variables",
    "nvironmentVariables",
    "\"env\"",
    "\"env\\",
    "inlineCode",
    "inline_code",
    "ource_code",
    "ourceCode",
];

static FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| {
    let others = OTHERS.iter().map(|(text, _)| *text);
    Finder::new(&PARTS.iter().copied().chain(others).collect::<Vec<_>>())
});
static FREE_FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(FREE));

/// Every clue of a text with its place, in order.
pub(super) fn clues(text: &str) -> impl Iterator<Item = (Clue, Range<usize>)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = FINDER.as_ref()?.find(text.as_bytes(), from)?;
        from = found.end();
        let other = found.pattern().as_usize().checked_sub(PARTS.len());
        let clue = other.and_then(|other| OTHERS.get(other)).map_or(Clue::Name, |(_, clue)| *clue);
        Some((clue, found.range()))
    })
}

/// Whether a text may hold a secret. One pass, and no copy.
pub(super) fn may_hold_secret(text: &str) -> bool {
    let mut suspects = false;
    let mut names = Names::default();
    for (clue, at) in clues(text) {
        match clue {
            Clue::Name if is_private_block(text, &at) || is_scheme(text, &at) => return true,
            Clue::Name if is_innocent(text, &at) => {}
            Clue::Name => match names.at(text, &at).map(|(at, name)| (at, name, name.says())) {
                Some((at, _, Says::Key)) if follows_in_query(&text[..at.start]) => return true,
                Some((.., Says::Key | Says::Opaque)) => suspects = true,
                Some((_, name, Says::Nothing)) => suspects = suspects || name.is_suspect(),
                None | Some((.., Says::About)) => {}
                Some(_) => return true,
            },
            Clue::Algorithm => suspects = true,
            Clue::Escape if !hides(text, at.end) => {}
            _ => return true,
        }
    }
    let is_free = || FREE_FINDER.as_ref().is_none_or(|finder| finder.find(text.as_bytes(), 0).is_some());
    suspects && is_free() || forms::user_infos(text).next().is_some() || forms::tokens(text).next().is_some()
}

/// Whether `RIVATE` is that of a PEM block with a private key.
pub(super) fn is_private_block(text: &str, at: &Range<usize>) -> bool {
    text.as_bytes()[at.start..].starts_with(b"RIVATE KEY")
}

/// Whether it is the end of `Bearer` or `Basic`, and something follows.
pub(super) fn is_scheme(text: &str, at: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    bytes.get(at.end) == Some(&b' ') && matches!(&bytes[at.clone()], b"earer" | b"EARER" | b"asic" | b"ASIC")
}

/// Whether what comes next is a parameter of a URL.
pub(super) fn follows_in_query(before: &str) -> bool {
    before.ends_with(['?', '&']) || before.ends_with("\\u0026")
}

/// Whether the letter after `\u00` could belong to a name or stand around it. Go writes `<`, `>` and `&` like this everywhere.
fn hides(text: &str, at: usize) -> bool {
    matches!(text.as_bytes().get(at..at + 2), Some([b'2'..=b'7', _]))
        && !matches!(&text.as_bytes()[at..at + 2], b"26" | b"3c" | b"3e" | b"3C" | b"3E")
}

/// The two words that every dump is full of, known without a look at the whole name. Another part of the same name is
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
    let mut names = Names::default();
    let suspicious = |name: Name| matches!(name.says(), Says::Credential | Says::Key | Says::Opaque) || name.is_suspect();
    clues(text)
        .any(|(clue, at)| clue == Clue::Algorithm || clue == Clue::Name && names.at(text, &at).is_some_and(|(_, name)| suspicious(name)))
}

/// The names that clues are part of, each once: a name of a megabyte may consist of clues.
#[derive(Default)]
pub(super) struct Names {
    /// The end of the last one.
    done: usize,
    /// The end of the last secret.
    secret: usize,
}

impl Names {
    /// No name begins before this: a secret ends here.
    pub(super) fn begin_at(&mut self, end: usize) {
        (self.done, self.secret) = (self.done.max(end), end);
    }

    /// The whole name that a part was found in, unless it was given already.
    pub(super) fn at<'t>(&mut self, text: &'t str, part: &Range<usize>) -> Option<(Range<usize>, Name<'t>)> {
        if part.start < self.done {
            return None;
        }
        let bytes = text.as_bytes();
        let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let before = bytes[self.done..part.start].iter().rev().take_while(in_name).count();
        let end = if bytes[part.clone()].ends_with(b"=") || bytes[part.clone()].ends_with(b"\"") || bytes[part.clone()].ends_with(b"\\") {
            part.end - 1
        } else {
            part.end
        };
        let after = bytes[end..].iter().take_while(in_name).count();
        let at = part.start - before..end + after;
        self.done = at.end;
        let name = Name::new(&text[at.clone()]);
        if name.says() == Says::Key
            && let Some(whole) = in_words(text, self.secret, &at)
        {
            return Some(whole);
        }
        // The first letters may be those of an escape: `\ntoken`, `\u0026key`.
        let escape = match bytes.get(at.start.wrapping_sub(1)..at.end) {
            Some([b'\\', b'u', rest @ ..]) if rest.len() > 4 => 5,
            Some([b'\\', b'n' | b't' | b'r' | b'b' | b'f', ..]) => 1,
            _ => return Some((at, name)),
        };
        let shorter = Name::new(&text[at.start + escape..at.end]);
        if matches!(name.says(), Says::Nothing | Says::Opaque) && shorter.says() != Says::Nothing {
            return Some((at.start + escape..at.end, shorter));
        }
        Some((at, name))
    }
}

/// The name of a key in two words: `API Key`, `private key`.
fn in_words<'t>(text: &'t str, from: usize, key: &Range<usize>) -> Option<(Range<usize>, Name<'t>)> {
    const LONGEST: usize = 12;
    let before = text.as_bytes().get(from..key.start)?.strip_suffix(b" ")?;
    let letters = before.iter().rev().take(LONGEST).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let at = from + before.len() - letters..key.end;
    let name = Name::new(&text[at.clone()]);
    name.says().is_secret().then_some((at, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With more texts, or another processor, the search is ten times slower.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_clues_are_few_enough_for_the_fast_search() {
        assert!(PARTS.len() + OTHERS.len() <= 64 && forms::FORMS.len() <= 64);
    }
}
