//! The columns of Istio's Go programs and of Envoy where their tabs became blanks, one or many: what was copied from a terminal, a
//! ticket or a chat. A terminal has its tab stops at every eighth column.

use super::parsed::{Parsed, is_number};
use super::{envoy, go, time};
use crate::model::logs::LogSource;

/// The levels as Go's programs, Envoy and ztunnel write them.
const LEVELS: [&str; 17] = [
    "trace", "debug", "info", "warn", "warning", "error", "critical", "fatal", "off", "none", "TRACE", "DEBUG", "INFO", "WARN", "ERROR",
    "FATAL", "CRITICAL",
];
/// How far a terminal's tab stops are from each other.
const STOP: usize = 8;

/// Whether columns follow a time: blanks, a level, and a blank again.
pub(super) fn begins(rest: &str) -> bool {
    rest.starts_with(BLANK) && split_level(rest.trim_start_matches(BLANK)).is_some()
}

/// Whether a level follows a time, with or without more behind it.
pub(super) fn has_level(rest: &str) -> bool {
    LEVELS.contains(&word(rest.trim_start_matches(BLANK)).0)
}

const BLANK: [char; 2] = [' ', '\t'];

/// The level, and what follows from the blank behind it on.
fn split_level(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = word(text);
    (LEVELS.contains(&word) && rest.starts_with(BLANK)).then_some((word, rest))
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find([' ', '\t', '\n']).unwrap_or(text.len()))
}

/// `time level [scope] [caller] message`, `time level envoy component file:line message thread=1`.
pub(super) fn parse(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw)?;
    let text = rest.trim_start_matches(BLANK);
    // Where each run of blanks became one, as in HTML, only a known word is a column.
    let one = rest.len() - text.len() == 1;
    let (level, rest) = split_level(text)?;
    let text = rest.trim_start_matches(BLANK);
    if let Some(place) = text.strip_prefix("envoy ") {
        let (component, rest) = word(place);
        let rest = rest.trim_start_matches(BLANK);
        let (file, behind) = word(rest);
        let message = if is_file(file) { behind.trim_start_matches(BLANK) } else { rest };
        let message = envoy::thread(message).map_or(message, |at| message[..at].trim_end_matches(BLANK));
        return Some(envoy::parsed(time, level, component, message));
    }
    let ends_column = |text: &str, rest: &str| {
        let blanks = rest.len() - rest.trim_start_matches(BLANK).len();
        let at = raw.len() - rest.len();
        !text.is_empty() && (blanks > 1 || rest.starts_with('\t') || blanks == 1 && !one && (at + 1).is_multiple_of(STOP))
    };
    let (first, rest) = word(text);
    let message = rest.trim_start_matches(BLANK);
    let is_column = ends_column(first, rest) && go::is_scope(first, message) || one && !message.is_empty() && go::is_known_scope(first);
    let (scope, text) = if is_column { (first, message) } else { ("", text) };
    let (caller, rest) = word(text);
    let text = if go::is_caller(caller) { rest.trim_start_matches(BLANK) } else { text };
    Some(go::plain(Some(time), source, level, scope, text))
}

/// `source/server/server.cc:12`.
fn is_file(word: &str) -> bool {
    let line = word.rsplit_once(':').filter(|(file, _)| file.ends_with(".cc") || file.ends_with(".h")).map(|(_, line)| line);
    line.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::logs::LogKind;

    const TIME: &str = "2023-05-10T03:16:17.382429Z";

    #[test]
    fn the_columns_are_those_that_tabs_divide() {
        let kinds = [LogKind::Agent, LogKind::Envoy, LogKind::Plugin];
        for (tabs, kind) in [
            ("info\tFLAG: --concurrency=\"2\"", 0),
            ("info\twasm\tfetching image a/b from registry c with tag v1", 0),
            ("info\tbrandnew\tmessage of a scope that is not known", 0),
            ("warn\tEnvoy proxy is NOT ready: config received", 0),
            ("warn\tstatus of the proxy is not known", 0),
            ("info\tads\txds/ads.go:568\tXDS: Pushing", 0),
            ("info\tads\tXDS: Pushing  two blanks", 0),
            ("warning\tenvoy config external/a/b.cc:128\tgRPC config rejected\tthread=37", 1),
            ("warning\tenvoy config\t[a/b.h:92] StreamAggregatedResources closed: 14", 1),
            ("critical\tenvoy wasm external/a/b.cc:12\twasm log shop.quota root: over the limit\tthread=21", 2),
        ] {
            let raw = format!("{TIME}\t{tabs}");
            let expected = envoy::columns(&raw).or_else(|| go::columns(&raw, LogSource::Proxy)).unwrap();
            assert_eq!(expected.kind, kinds[kind], "{tabs}");
            let stops = raw.split('\t').fold(String::new(), |line, column| {
                let pad = if line.is_empty() { 0 } else { STOP - line.len() % STOP };
                line + &" ".repeat(pad) + column
            });
            assert_eq!(parse(&stops, LogSource::Proxy), Some(expected), "{stops}");
        }
    }

    #[test]
    fn of_single_blanks_what_is_known_is_a_column() {
        for (rest, scope, message) in [
            ("info ads LDS: PUSH for node:a.b resources:0 size:0B", "ads", "LDS: PUSH for node:a.b resources:0 size:0B"),
            ("info ingress resource type WasmPlugin", "ingress", "resource type WasmPlugin"),
            ("error something without a scope", "", "something without a scope"),
            ("warning envoy wasm a/b.cc:12 wasm log: hi thread=3", "wasm", "hi"),
            ("info wasm", "", "wasm"),
        ] {
            let raw = format!("{TIME} {rest}");
            let parsed = parse(&raw, LogSource::Proxy).unwrap();
            assert_eq!((&*parsed.scope, &*parsed.message), (scope, message), "{rest}");
        }
        assert!(!begins(" information is no level"));
        assert!(!begins(" info"));
    }
}
