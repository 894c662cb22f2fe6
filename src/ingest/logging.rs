//! What Envoy's admin port answers on `/logging`: its loggers and their levels, in plain text.

use crate::model::log_level::{LogLevel, LogLevels};

/// Understands the answer: after `active loggers:` a line `  wasm: warning` for each. A line that names no known level is left
/// out; of a proxy with fine-grain logging that is so of all loggers, which are then named after source files. None where the
/// answer lists no loggers at all.
pub fn parse(text: &str) -> Option<LogLevels> {
    let (_, listed) = text.split_once("active loggers:")?;
    let level = |line: &str| {
        let (name, level) = line.trim().rsplit_once(": ")?;
        Some((name.to_owned(), LogLevel::parse(level)?))
    };
    Some(LogLevels(listed.lines().filter_map(level).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_listed_after_their_heading() {
        let levels = parse("active loggers:\n  misc: error\n  wasm: warning\n  dubbo: off\n  new: shouting\n\n").unwrap();
        assert_eq!(levels.of("wasm"), Some(LogLevel::Warning));
        assert_eq!(levels.of("misc"), Some(LogLevel::Error));
        assert_eq!(levels.of("dubbo"), Some(LogLevel::Off));
        assert_eq!(levels.of("new"), None);
        assert_eq!(levels.of("was"), None);
    }

    #[test]
    fn a_refusal_still_lists_them() {
        let levels = parse("error: unknown logger name\n\nusage: /logging?<name>=<level> (change single level)\nlevels: trace debug \n\nactive loggers:\n  wasm: info\n").unwrap();
        assert_eq!(levels.of("wasm"), Some(LogLevel::Info));
        assert_eq!(levels.0.len(), 1);
    }

    #[test]
    fn loggers_of_source_files_and_other_answers_have_no_wasm() {
        let fine = parse("active loggers:\n   source/extensions/common/wasm/context.cc: 3\n\n").unwrap();
        assert_eq!(fine.of("wasm"), None);
        assert_eq!(parse("invalid path. admin commands are:\n"), None);
        assert_eq!(parse(""), None);
    }
}
