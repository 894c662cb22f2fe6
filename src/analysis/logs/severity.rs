//! Levels of logs on one scale: Go's, slog's and Envoy's words, and what an access log tells of requests, which have none.

use crate::ingest::logs::details;
use crate::model::log_details::{LogDetails, LoggedRequest};
use crate::model::logs::{LogEvent, LogRecord};

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Envoy's most talkative.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What happened; also what has no level.
    Info,
    /// What may go wrong.
    Warning,
    /// What went wrong.
    Error,
    /// After which the program ends.
    Critical,
}

impl Severity {
    /// The words that a person can write, from the least grave.
    pub const WORDS: [&str; 6] = ["trace", "debug", "info", "warning", "error", "critical"];

    /// Reads a level as a program or a person writes it; None where it is no level.
    pub fn parse(word: &str) -> Option<Self> {
        let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        Some(match () {
            () if is(&["trace"]) => Self::Trace,
            () if is(&["debug"]) => Self::Debug,
            () if is(&["info"]) => Self::Info,
            () if is(&["warn", "warning"]) => Self::Warning,
            () if is(&["error"]) => Self::Error,
            () if is(&["critical", "fatal", "panic"]) => Self::Critical,
            () => return None,
        })
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The next graver level; None above the gravest.
    pub fn graver(self) -> Option<Self> {
        Self::WORDS.get(self as usize + 1).and_then(|word| Self::parse(word))
    }

    /// The next less grave level; None below the least.
    pub fn milder(self) -> Option<Self> {
        (self as usize).checked_sub(1).and_then(|place| Self::parse(Self::WORDS[place]))
    }

    /// How grave a record with this level is. Without one it is as grave as what merely happened.
    pub fn of(level: &str) -> Self {
        Self::parse(level).unwrap_or(Self::Info)
    }

    /// How grave a record is: by its level or, where it is a request, by what became of that.
    pub fn of_record(record: &LogRecord) -> Self {
        match record.event {
            Some(LogEvent::Request) => match details(record) {
                Some(LogDetails::Request(request)) => Self::of_request(&request),
                _ => Self::Info,
            },
            _ => Self::of(&record.level),
        }
    }

    /// Whether a record is at least so grave. Its parts are read only where they decide.
    pub fn is_reached(self, record: &LogRecord) -> bool {
        self <= Self::Info && record.event == Some(LogEvent::Request) || Self::of_record(record) >= self
    }

    /// A request that failed is an error: no answer came of it, or one that says so. One that this proxy refused by itself, or that
    /// was broken off, is a warning; what the application refuses is its own matter.
    fn of_request(request: &LoggedRequest<'_>) -> Self {
        let by_upstream = matches!(&*request.details, "" | "via_upstream");
        match request.code {
            500.. => Self::Error,
            0 if !request.flags.is_empty() || !request.transport_failure.is_empty() => match &*request.flags {
                "DC" => Self::Warning,
                _ => Self::Error,
            },
            400.. if !by_upstream => Self::Warning,
            _ if !request.flags.is_empty() => Self::Warning,
            _ => Self::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_and_envoy_say_the_same_in_other_words() {
        assert_eq!([Severity::of("warn"), Severity::of("warning"), Severity::of("WARN")], [Severity::Warning; 3]);
        assert_eq!(Severity::of("fatal"), Severity::of("critical"));
        assert_eq!(Severity::of(""), Severity::Info);
        assert!(Severity::WORDS.iter().map(|word| Severity::parse(word)).is_sorted());
        assert_eq!(Severity::parse("loud"), None);
        assert_eq!((Severity::Warning.word(), Severity::Warning.graver()), ("warning", Some(Severity::Error)));
        assert_eq!((Severity::Critical.graver(), Severity::Trace.milder()), (None, None));
    }

    #[test]
    fn requests_are_as_grave_as_what_became_of_them() {
        let request = |code, flags: &'static str, details: &'static str| LoggedRequest {
            code,
            flags: flags.into(),
            details: details.into(),
            protocol: "HTTP/1.1".into(),
            ..LoggedRequest::default()
        };
        let grave = |code, flags, details| Severity::of_request(&request(code, flags, details));
        assert_eq!([grave(200, "", "via_upstream"), grave(404, "", "via_upstream")], [Severity::Info; 2]);
        assert_eq!(grave(403, "", "rbac_access_denied_matched_policy[none]"), Severity::Warning);
        assert_eq!([grave(0, "DC", "downstream_remote_disconnect"), grave(200, "DC", "via_upstream")], [Severity::Warning; 2]);
        assert_eq!([grave(503, "", "wasm_fail_stream"), grave(500, "", "via_upstream"), grave(0, "UF,URX", "")], [Severity::Error; 3]);
    }
}
