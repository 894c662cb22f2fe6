//! Secrets that need no name: tokens recognised by their prefix, JSON Web Tokens, Docker configurations and keys in base64, hashes
//! of passwords.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::REDACTED;
use super::looks;
use super::text::{self, Style};
use crate::ingest::finder::Finder;

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
    /// Those of paths.
    Path,
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
    form("glrt-", 16, Letters::Name),
    form("gldt-", 16, Letters::Name),
    form("glptt-", 16, Letters::Name),
    form("glcbt-", 16, Letters::Name),
    // Slack: bots, persons, apps; addresses that let one post, of Slack and Discord; Telegram's bots.
    form("hooks.slack.com/services/", 16, Letters::Path),
    form("discord.com/api/webhooks/", 16, Letters::Path),
    form("discordapp.com/api/webhooks/", 16, Letters::Path),
    form("/bot", 30, Letters::Name),
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
    // OpenAI, Anthropic, OpenRouter, NVIDIA.
    form("sk-proj-", 16, Letters::Name),
    form("sk-svcacct-", 16, Letters::Name),
    form("sk-ant-", 16, Letters::Name),
    form("sk-or-v1-", 16, Letters::Name),
    form("sk-", 32, Letters::Plain),
    form("nvapi-", 20, Letters::Name),
    // SendGrid, Docker Hub, PyPI, Grafana, Shopify, DigitalOcean, webhooks that are signed, Tailscale, Atlassian, Postman, Linear, Square.
    form("SG.", 40, Letters::Name),
    form("dckr_pat_", 16, Letters::Name),
    form("pypi-AgE", 16, Letters::Name),
    form("glsa_", 16, Letters::Name),
    form("shpat_", 16, Letters::Plain),
    form("shpss_", 16, Letters::Plain),
    form("dop_v1_", 16, Letters::Plain),
    form("whsec_", 16, Letters::Hash),
    form("tskey-", 16, Letters::Name),
    form("ATATT3", 20, Letters::Name),
    form("PMAK-", 20, Letters::Name),
    form("lin_api_", 16, Letters::Plain),
    form("sq0csp-", 16, Letters::Name),
    form("sq0atp-", 16, Letters::Name),
    // Hashes of htpasswd and shadow: bcrypt, MD5, SHA-256, SHA-512, yescrypt, Argon2.
    form("$2y$", 20, Letters::Hash),
    form("$2a$", 20, Letters::Hash),
    form("$2b$", 20, Letters::Hash),
    form("$apr1$", 16, Letters::Hash),
    form("$1$", 22, Letters::Hash),
    form("$y$", 20, Letters::Hash),
    form("$argon2", 20, Letters::Hash),
    form("$5$", 20, Letters::Hash),
    form("$6$", 20, Letters::Hash),
];

impl Letters {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Capital => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Name => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Path => Self::Name.has(byte) || byte == b'/',
            Self::Hash => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'$' | b'=' | b',' | b'+' | b'-'),
        }
    }
}

static FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(&FORMS.iter().map(|form| form.head).collect::<Vec<_>>()));

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let head = FINDER.as_ref()?.find(text.as_bytes(), from)?;
            from = head.end();
            if let Some(token) = FORMS.get(head.pattern().as_usize()).and_then(|form| at(text, &head.range(), form)) {
                from = token.end;
                return Some(token);
            }
        }
    })
}

/// The passwords in URLs (`https://user:password@host`), and tokens that stand for user and password. Of two that begin at one place, both
/// count: the last `@` ends it.
pub(super) fn user_infos(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    const SHORTEST: usize = 20;
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'\\' | b'<' | b'>' | b'`' | b',' | 0..=b' ');
    let bytes = text.as_bytes();
    // Where the authority begins, and what of it comes after a colon.
    let (mut authority, mut password) = (None, None);
    let mut from = 0;
    memchr::memchr_iter(b'@', bytes).filter_map(move |at| {
        if let Some(end) = bytes[from..at].iter().rposition(ends).map(|end| from + end + 1) {
            (authority, password, from) = (bytes[..end].ends_with(b"://").then_some(end), None, end);
        }
        password = password.or_else(|| memchr::memchr(b':', &bytes[from..at]).map(|colon| from + colon + 1));
        from = at;
        let start = authority?;
        let found = match password {
            Some(password) => password..at,
            None if at - start >= SHORTEST => start..at,
            None => return None,
        };
        (!found.is_empty() && text[found.clone()] != *REDACTED).then_some(found)
    })
}

/// The token whose head was found.
fn at(text: &str, head: &Range<usize>, form: &Form) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = head.start;
    if form.head.starts_with("k_") {
        start = start.checked_sub(1).filter(|start| matches!(bytes[*start], b's' | b'r'))?;
    }
    if form.head == "xox" && !(matches!(bytes.get(head.end), Some(b'a'..=b'z')) && matches!(bytes.get(head.end + 1), Some(b'-' | b'.'))) {
        return None;
    }
    // Telegram's bots: a number, a colon, a token.
    let mut head_end = head.end;
    if form.head == "/bot" {
        let digits = bytes[head.end..].iter().take(13).take_while(|byte| byte.is_ascii_digit()).count();
        head_end = (digits >= 6 && bytes.get(head.end + digits) == Some(&b':')).then_some(head.end + digits + 1)?;
    } else if !begins(bytes, start) {
        return None;
    }
    let end = skip(bytes, head_end, |byte| form.letters.has(byte));
    (end - head_end >= form.least && !looks::is_object_name(&text[start..end])).then_some(start..end)
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

/// A JWT, or base64 of JSON with a secret in it (a Docker configuration, a JSON Web Key), that begins here. Where it is none, nothing within
/// the run of base64 is a JWT either: the run's end is the error.
pub(super) fn base64_object(text: &str, start: usize, style: Style) -> Result<Range<usize>, usize> {
    let head = base64_run(text, start);
    if is_docker_configuration(text, start) {
        return Ok(head);
    }
    let mut end = head.end;
    let mut parts = 0;
    while text.as_bytes()[start..].starts_with(b"eyJ") && text.as_bytes().get(end) == Some(&b'.') && parts < 4 {
        let part = base64_run(text, end + 1);
        if parts == 0 && part.len() < 8 {
            break;
        }
        (end, parts) = (part.end, parts + 1);
    }
    if head.len() >= 10 && parts > 0 {
        return Ok(start..end);
    }
    if holds_secret(&text[head.clone()], style) { Ok(head) } else { Err(head.end) }
}

/// Whether base64 decodes to a text with a secret. What is within is shorter, so that base64 within base64 comes to an end.
fn holds_secret(base64: &str, style: Style) -> bool {
    const SHORTEST: usize = 24;
    base64.len() >= SHORTEST && decode(base64).is_some_and(|decoded| text::rewrite(&decoded, style).is_some())
}

/// The text that base64 decodes to, in the alphabet of URLs or of mail.
fn decode(base64: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(base64.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in base64.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(looks::six_bits(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count & 0xff) as u8);
        }
    }
    String::from_utf8(decoded).ok()
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
