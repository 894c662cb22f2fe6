//! Why a plugin may be silent: what of its lines the `wasm` logger of its proxy hides.

use std::fmt;

use serde::Serialize;

use crate::model::log_level::LogLevel;

/// The levels at which a plugin can speak (proxy-wasm ABI, `proxy_log`), the most talkative first. Warning is Envoy's own word.
const SPOKEN: [LogLevel; 6] = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Critical];

/// What may be hidden of a plugin's lines where the level of its logger was not read, as a clause.
pub const UNLESS_SET: &str = "its info and debug lines are hidden, as Envoy's loggers are at warning unless set";

/// What is hidden of what the plugins of a proxy say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// The level of the `wasm` logger; null where it is not known.
    pub level: Option<LogLevel>,
    /// The levels whose lines are not written, the most talkative first.
    pub hidden: Vec<LogLevel>,
}

impl Silence {
    /// What a `wasm` logger at this level hides; None is a level that is not known.
    pub fn at(level: Option<LogLevel>) -> Self {
        let hidden = SPOKEN.into_iter().filter(|spoken| level.is_some_and(|level| *spoken < level)).collect();
        Self { level, hidden }
    }
}

/// `info and debug lines are hidden: the wasm logger is at warning`: to be said where a plugin is silent.
impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(level) = self.level else {
            return f.write_str("whether lines are hidden is not known: the level of the wasm logger was not read");
        };
        // Trace is left out: nobody misses it, and at debug nothing else is hidden.
        let mut missed = self.hidden.iter().rev().filter(|level| **level > LogLevel::Trace).map(|level| level.as_str());
        let Some(first) = missed.next() else {
            let but = if self.hidden.is_empty() { "" } else { " but trace" };
            return write!(f, "no lines{but} are hidden: the wasm logger is at {level}");
        };
        let rest: Vec<&str> = missed.collect();
        let named = match rest.split_last() {
            Some((last, [])) => format!("{first} and {last}"),
            Some((last, between)) => format!("{first}, {} and {last}", between.join(", ")),
            None => first.to_owned(),
        };
        write!(f, "{named} lines are hidden: the wasm logger is at {level}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_follows_from_the_level() {
        let says = |level: LogLevel| Silence::at(Some(level)).to_string();
        assert_eq!(says(LogLevel::Warning), "info and debug lines are hidden: the wasm logger is at warning");
        assert_eq!(says(LogLevel::Info), "debug lines are hidden: the wasm logger is at info");
        assert_eq!(says(LogLevel::Debug), "no lines but trace are hidden: the wasm logger is at debug");
        assert_eq!(says(LogLevel::Off), "critical, error, warning, info and debug lines are hidden: the wasm logger is at off");
        assert_eq!(says(LogLevel::Trace), "no lines are hidden: the wasm logger is at trace");
    }

    #[test]
    fn a_level_that_was_not_read_hides_nothing_for_sure() {
        // A proxy with fine-grain logging has no such logger.
        let unknown = Silence::at(None);
        assert!(unknown.hidden.is_empty());
        assert_eq!(unknown.to_string(), "whether lines are hidden is not known: the level of the wasm logger was not read");
    }
}
