//! Which format the first line of a record is in. A line that is in none belongs to the record before it.

use std::sync::LazyLock;

use super::{access, blanks, envoy, time};
use crate::ingest::finder::Finder;

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Columns with tabs between them, the time first: Istio's Go programs, and Envoy as Istio configures it.
    Columns,
    /// The same columns where the tabs became blanks, one or many: copied from a terminal or a ticket.
    Blanks,
    /// One object of JSON.
    Json,
    /// `[time] ` and a request: the access log.
    Access,
    /// The access log in the format that the mesh configuration gives it.
    OwnAccess,
    /// `time METHOD /path … code`: an access log that has the time in no brackets.
    Bare,
    /// `[time][thread][level][component] `: Envoy before it has read how it shall log.
    EnvoyOwn,
    /// `2026/11/23 19:37:48 `: Go's own `slog` and `log`.
    Slashed,
    /// `I1123 19:37:48.123456 …]`: klog before Istio has taken it over.
    Klog,
    /// A Go program dies.
    Panic,
    /// None of these.
    Unknown,
}

/// Of which records in JSON have one at least.
static KEYS: LazyLock<Option<Finder>> =
    LazyLock::new(|| Finder::new(&["\"time\"", "\"start_time\"", "\"msg\"", "\"timestamp\"", "\"response_code\"", "\"method\""]));
/// How Go's runtime begins its last words.
const PANICS: [&str; 3] = ["panic: ", "fatal error: ", "runtime: "];

impl Form {
    /// The format that a line begins, by its first bytes.
    pub(super) fn of(line: &str) -> Self {
        let bytes = line.as_bytes();
        match bytes.first() {
            Some(b'0'..=b'9') => match time::rfc3339(line) {
                Some((_, rest)) if rest.starts_with('\t') && blanks::has_level(rest) => Self::Columns,
                Some((_, rest)) if blanks::begins(rest) => Self::Blanks,
                Some((_, rest)) if access::is_bare(rest) => Self::Bare,
                None if time::slashed(line).is_some_and(|(_, rest)| rest.starts_with(' ')) => Self::Slashed,
                _ => Self::Unknown,
            },
            Some(b'{') if is_record(bytes) => Self::Json,
            Some(b'[') => {
                let inner = line.get(1..).unwrap_or_default();
                if access::time(inner).is_some_and(|(_, rest)| access::is_request_text(rest)) {
                    Self::Access
                } else if envoy::own_time(line).is_some() {
                    Self::EnvoyOwn
                } else {
                    Self::Unknown
                }
            }
            Some(b'I' | b'W' | b'E' | b'F') if is_klog(bytes) => Self::Klog,
            Some(b'p' | b'f' | b'r') if PANICS.iter().any(|word| line.starts_with(word)) => Self::Panic,
            _ => Self::Unknown,
        }
    }

    /// Whether a line of this form is a program's for sure, whatever format a mesh gives its access log: it has a time and a level.
    pub(super) fn is_of_program(self, line: &str) -> bool {
        match self {
            Self::Columns => time::rfc3339(line).is_some_and(|(_, rest)| blanks::begins(rest)),
            Self::Slashed => time::slashed(line).is_some_and(|(_, rest)| blanks::begins(rest)),
            Self::Blanks | Self::EnvoyOwn | Self::Klog | Self::Panic => true,
            _ => false,
        }
    }

    /// Whether lines may follow that belong to the record. The record itself shows where Envoy's ends.
    pub(super) fn takes_more(self) -> bool {
        !matches!(self, Self::Json | Self::Access | Self::OwnAccess | Self::Bare | Self::Unknown)
    }
}

/// Whether a line (without the kubelet's time) begins a record; else it belongs to the one before it.
pub(super) fn begins(line: &str) -> bool {
    Form::of(line) != Form::Unknown
}

/// Whether a line of no known format begins with a time, as no line within a record does: an access log can have a format of its own.
pub(super) fn has_own_time(line: &str) -> bool {
    match line.strip_prefix('[') {
        Some(inner) => access::time(inner).is_some(),
        None => time::rfc3339(line).is_some_and(|(_, rest)| rest.starts_with([' ', '\t'])),
    }
}

/// Whether an object of JSON is a record: others are within records of many lines.
fn is_record(bytes: &[u8]) -> bool {
    bytes.starts_with(b"{\"") && bytes.ends_with(b"}") && KEYS.as_ref().is_some_and(|keys| keys.find(bytes, 0).is_some())
}

/// `I1123 19:37:48.123456`
fn is_klog(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<15>() else { return false };
    head[1..5].iter().all(u8::is_ascii_digit) && head[5] == b' ' && head[8] == b':' && head[11] == b':' && head[14] == b'.'
}
