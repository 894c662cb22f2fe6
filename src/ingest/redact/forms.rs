//! Secrets that need no name: tokens that their first letters tell, JSON Web Tokens, Docker configurations and keys in base64, hashes
//! of passwords.

use std::ops::Range;

use memchr::memmem;

/// A sort of token.
pub(super) struct Form {
    /// What it begins with; of `sk_live_` and `rk_live_` all but the first letter.
    pub(super) head: &'static str,
    /// How many letters follow at least.
    least: usize,
    letters: Letters,
}

#[derive(Clone, Copy)]
enum Letters {
    /// Letters and digits.
    Plain,
    /// Capital letters and digits.
    Capital,
    /// Those of names too.
    Name,
    /// Those of crypt(3), with `$` between the parts.
    Hash,
}

const fn form(head: &'static str, least: usize, letters: Letters) -> Form {
    Form { head, least, letters }
}

/// The forms, as those who give the tokens out describe them.
pub(super) const FORMS: &[Form] = &[
    // GitHub: personal, OAuth, of an app's user and server, to refresh; the finer ones.
    form("ghp_", 16, Letters::Plain),
    form("gho_", 16, Letters::Plain),
    form("ghu_", 16, Letters::Plain),
    form("ghs_", 16, Letters::Plain),
    form("ghr_", 16, Letters::Plain),
    form("github_pat_", 16, Letters::Name),
    // GitLab.
    form("glpat-", 16, Letters::Name),
    // Slack: bots, persons, apps.
    form("xox", 12, Letters::Name),
    form("xapp-", 12, Letters::Name),
    // AWS: keys of users, and of sessions.
    form("AKIA", 16, Letters::Capital),
    form("ASIA", 16, Letters::Capital),
    // Stripe.
    form("k_live_", 10, Letters::Plain),
    form("k_test_", 10, Letters::Plain),
    // Google: API keys, access tokens.
    form("AIza", 30, Letters::Name),
    form("ya29.", 20, Letters::Name),
    // npm, Hugging Face, Dynatrace, Vault.
    form("npm_", 20, Letters::Plain),
    form("hf_", 20, Letters::Plain),
    form("dt0c01.", 6, Letters::Name),
    form("hvs.", 20, Letters::Name),
    // Hashes of htpasswd: bcrypt, Apache's MD5, SHA-256, SHA-512.
    form("$2y$", 20, Letters::Hash),
    form("$2a$", 20, Letters::Hash),
    form("$2b$", 20, Letters::Hash),
    form("$apr1$", 16, Letters::Hash),
    form("$5$", 20, Letters::Hash),
    form("$6$", 20, Letters::Hash),
];

impl Letters {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Capital => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Name => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Hash => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'$' | b'=' | b',' | b'+' | b'-'),
        }
    }
}

/// The token whose head was found, by its place in [`FORMS`].
pub(super) fn at(text: &str, head: &Range<usize>, form: usize) -> Option<Range<usize>> {
    let Form { head: letters_of_head, least, letters } = FORMS.get(form)?;
    let bytes = text.as_bytes();
    let mut start = head.start;
    if letters_of_head.starts_with("k_") {
        start = start.checked_sub(1).filter(|start| matches!(bytes[*start], b's' | b'r'))?;
    }
    if *letters_of_head == "xox"
        && !(matches!(bytes.get(head.end), Some(b'a'..=b'z')) && matches!(bytes.get(head.end + 1), Some(b'-' | b'.')))
    {
        return None;
    }
    if !begins(bytes, start) {
        return None;
    }
    let end = skip(bytes, head.end, |byte| letters.has(byte));
    (end - head.end >= *least).then_some(start..end)
}

/// Whether a word begins here: base64 holds every head by chance. The letter of an escape is none of a word.
fn begins(bytes: &[u8], at: usize) -> bool {
    match &bytes[at.saturating_sub(3)..at] {
        [.., b'\\', b'n' | b't' | b'r'] => true,
        [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => true,
        [.., before] => !before.is_ascii_alphanumeric() && !matches!(before, b'_' | b'-' | b'+'),
        [] => true,
    }
}

/// Where bytes that are to be skipped end.
pub(super) fn skip(bytes: &[u8], from: usize, skipped: impl Fn(u8) -> bool) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|byte| skipped(**byte)).count()
}

/// A run of base64 in the alphabet of URLs or of mail.
pub(super) fn base64_run(text: &str, start: usize) -> Range<usize> {
    let in_run = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=');
    start..skip(text.as_bytes(), start, in_run)
}

/// A JWT, or a Docker configuration in base64, that begins here. Where it is none, nothing within the run of base64 is a JWT either:
/// the run's end is the error.
pub(super) fn base64_object(text: &str, start: usize) -> Result<Range<usize>, usize> {
    let head = base64_run(text, start);
    if is_docker_configuration(text, start) {
        return Ok(head);
    }
    let mut end = head.end;
    let mut parts = 0;
    while text.as_bytes().get(end) == Some(&b'.') && parts < 4 {
        let part = base64_run(text, end + 1);
        if parts == 0 && part.len() < 8 {
            break;
        }
        (end, parts) = (part.end, parts + 1);
    }
    if head.len() >= 10 && parts > 0 { Ok(start..end) } else { Err(head.end) }
}

/// Whether a Docker configuration in base64 begins here: `{"auth`.
pub(super) fn is_docker_configuration(text: &str, start: usize) -> bool {
    text.as_bytes()[start..].starts_with(b"eyJhdXRo")
}

/// A PEM block in base64 with `PRIVATE KEY` in it, whichever way it falls into groups of three bytes. Where there is none, there is none
/// within the run of base64 either: the run's end is the error.
pub(super) fn base64_pem(text: &str, start: usize) -> Result<Range<usize>, usize> {
    let run = base64_run(text, start);
    let private = ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"];
    let is_private = private.iter().any(|part| memmem::find(text[run.clone()].as_bytes(), part.as_bytes()).is_some());
    if is_private { Ok(run) } else { Err(run.end) }
}

/// The hash of a password after `SHA}`, with the braces.
pub(super) fn htpasswd(text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let before = &text[..at.start];
    let braces = if before.ends_with("{S") { 2 } else { usize::from(before.ends_with('{')) };
    (braces > 0).then(|| at.start - braces..base64_run(text, at.end).end)
}
