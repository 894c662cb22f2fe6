//! Why a plugin may be silent: what of its lines the `wasm` logger of its proxy hides.

use std::fmt;

use serde::Serialize;

use crate::model::log_level::{LogLevel, LogLevels, WASM};

/// The levels at which a plugin can speak (proxy-wasm ABI, `proxy_log`), the most talkative first. Warning is Envoy's own word.
const SPOKEN: [LogLevel; 6] = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error, LogLevel::Critical];

/// What is hidden of what the plugins of a proxy say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// The level of the `wasm` logger; null where it is not known.
    pub level: Option<LogLevel>,
    /// The levels whose lines are not written, the most talkative first.
    pub hidden: Vec<LogLevel>,
}

/// Says what is hidden of a plugin's lines in a proxy with these levels; None is levels that were not read.
pub fn silence(levels: Option<&LogLevels>) -> Silence {
    Silence::at(levels.and_then(|levels| levels.of(WASM)))
}

impl Silence {
    /// What a `wasm` logger at this level hides; None is a level that is not known.
    pub fn at(level: Option<LogLevel>) -> Self {
        let hidden = SPOKEN.into_iter().filter(|spoken| level.is_some_and(|level| *spoken < level)).collect();
        Self { level, hidden }
    }

    /// Whether raising the level could make a plugin heard: what hides nothing but trace hides nothing that plugins are written
    /// to say.
    pub fn is_worth_raising(&self) -> bool {
        self.hidden.iter().any(|level| *level > LogLevel::Trace)
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
        let says = |level: LogLevel| {
            let said = silence(Some(&LogLevels([(WASM.to_owned(), level)].into())));
            (said.to_string(), said.is_worth_raising())
        };
        assert_eq!(says(LogLevel::Warning), ("info and debug lines are hidden: the wasm logger is at warning".to_owned(), true));
        assert_eq!(says(LogLevel::Info), ("debug lines are hidden: the wasm logger is at info".to_owned(), true));
        assert_eq!(says(LogLevel::Debug), ("no lines but trace are hidden: the wasm logger is at debug".to_owned(), false));
        assert_eq!(says(LogLevel::Off).0, "critical, error, warning, info and debug lines are hidden: the wasm logger is at off");
        assert_eq!(says(LogLevel::Trace).0, "no lines are hidden: the wasm logger is at trace");
    }

    #[test]
    fn levels_that_were_not_read_hide_nothing_for_sure() {
        let unknown = silence(None);
        assert!(unknown.hidden.is_empty() && !unknown.is_worth_raising());
        assert_eq!(unknown.to_string(), "whether lines are hidden is not known: the level of the wasm logger was not read");
        // A proxy with fine-grain logging has no such logger.
        assert_eq!(silence(Some(&LogLevels::default())), unknown);
    }
}
