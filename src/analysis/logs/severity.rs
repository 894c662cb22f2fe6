//! Levels of logs on one scale: Go's, slog's and Envoy's words.

/// How grave a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Envoy's most talkative.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What happened; also what has no level, such as a request.
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
}
