//! What a value looks like: a plain word, a number, what became of a credential, or made by a machine.

use super::forms::skip;
use super::value::{LONGEST_WORD, ends_word};

/// The most letters that one plain word has: `unauthenticated`. A longer run of letters may be a password.
const MOST_LETTERS: usize = 15;

/// The length of the plain word that a text begins with: words of letters with marks between, and small numbers in what looks like a
/// name of Kubernetes; zero where there is none, or it goes on as something else.
pub(super) fn plain_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let in_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    let length = bytes.iter().take(LONGEST_WORD + 1).take_while(in_word).count();
    if length == 0 || length > LONGEST_WORD || !ends_word(bytes, length) {
        return 0;
    }
    let word = &text[..length];
    let is_name = word.contains(['-', '/']);
    let is_header = word.starts_with("X-");
    if is_number(word) || names_algorithm(word) {
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

/// What becomes of a credential, as logs say it: `authorization: denied`, `cookie: missing`.
const OUTCOMES: &[&str] = &[
    "absent",
    "allowed",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "expired",
    "failed",
    "forbidden",
    "invalid",
    "mismatch",
    "missing",
    "none",
    "ok",
    "optional",
    "present",
    "rejected",
    "required",
    "skipped",
    "unset",
    "valid",
];

/// Whether a log says here what became of a credential, or which Secret holds it.
pub(super) fn is_outcome(rest: &str) -> bool {
    let word = &rest[..plain_word(rest)];
    let ends = rest.as_bytes().get(word.len()).is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b')' | b']'));
    // Envoy's RBAC filter: `rbac_access_denied_matched_policy[none]`.
    rest.starts_with("rbac_access_")
        || ends
            && !word.is_empty()
            && (OUTCOMES.iter().any(|outcome| word.eq_ignore_ascii_case(outcome)) || word.contains(['-', '/']) && word.ends_with("secret"))
}

/// Whether a value switches something.
pub(super) fn is_switch(value: &str) -> bool {
    ["true", "false", "on", "off", "yes", "no", "enabled", "disabled"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether a value is a switch, a number, or an address that is searched for secrets itself.
pub(super) fn is_setting(value: &str) -> bool {
    is_switch(value) || !value.is_empty() && is_number(value) || value.starts_with("http://") || value.starts_with("https://")
}

/// The same of what a text begins with, at no more cost than its first word; only a switch where the name says more.
pub(super) fn begins_setting(rest: &str, only_switch: bool) -> bool {
    let bytes = rest.as_bytes();
    let length = bytes.iter().take(LONGEST_WORD).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.').count();
    let word = &rest[..length];
    let is_word = ends_word(bytes, length) && if only_switch { is_switch(word) } else { is_setting(word) };
    is_word || !only_switch && (rest.starts_with("http://") || rest.starts_with("https://"))
}

/// Whether it looks like the name of an object: words, and what Kubernetes appends to the names of pods (`SafeEncodeString` in
/// `apimachinery/pkg/util/rand`).
pub(super) fn is_object_name(text: &str) -> bool {
    const LONGEST_HASH: usize = 10;
    let is_word = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        letters.len() <= MOST_LETTERS && part.len() - letters.len() <= 2 && letters.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let is_hash = |part: &str| part.len() <= LONGEST_HASH && part.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    text.len() <= 253 && text.split(['-', '.']).all(|part| is_word(part) || is_hash(part))
}

/// Whether it can be a label's name or value (Kubernetes, `validation.IsQualifiedName` and `IsValidLabelValue`).
pub(super) fn is_label(text: &str) -> bool {
    const LONGEST: usize = 63;
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let name = text.rsplit_once('/').map_or(text, |(_, name)| name);
    name.len() <= LONGEST && text.len() <= LONGEST * 5 && text.bytes().all(|byte| in_label(byte) || byte == b'/')
}

/// A number, a version, an IP address.
fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
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
        let part = start..skip(&bytes[..self.end], start, |byte| byte != b'=');
        let end = skip(bytes, part.end, |byte| byte == b'=');
        (end <= part.end + 2 && ends_word(bytes, end)).then(|| &text[start..end])
    }
}

/// What a letter of base64 is worth, in the alphabet of URLs or of mail.
pub(super) fn six_bits(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Whether base64 decodes to plain text with this byte in it, as user and password do. Padding ends it, whatever follows.
pub(super) fn decodes_to(text: &str, wanted: u8) -> bool {
    let mut found = false;
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.split('=').next().unwrap_or_default().bytes() {
        let Some(six) = six_bits(byte) else { return false };
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
    fn outcomes_and_settings_are_no_secrets() {
        for text in
            ["required", "missing, as the", "denied (403)", "rbac_access_denied_matched_policy[none]", "istio-ca-secret", "ns/my-secret x"]
        {
            assert!(is_outcome(text), "{text}");
        }
        for text in ["valid-key", "missing=1", "present;b=c", "hunter2", "default", "", "secret"] {
            assert!(!is_outcome(text), "{text}");
        }
        assert!(["4096", "10.0.0.1", "1.5", "on", "TRUE", "Disabled", "https://x.example/token"].into_iter().all(is_setting));
        assert!(!["", "hunter2", "oncall", "4096x"].into_iter().any(is_setting));
    }

    #[test]
    fn a_run_is_looked_through_once() {
        let mut runs = Runs::default();
        let text = "auth=auth=dXNlcjpw== x";
        assert_eq!((runs.at(text, 5), runs.at(text, 10)), (None, Some("dXNlcjpw==")));
    }
}
