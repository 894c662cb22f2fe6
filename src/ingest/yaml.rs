//! YAML as Go's programs read it: the mesh configuration, ProxyConfig in annotations, a plugin's configuration, a kubeconfig.

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Error, Options};

/// Why a text was not read.
pub enum Unread {
    /// It is no YAML, with the parser's first line.
    NotYaml(String),
    /// It is larger, or grows more by its aliases, than is looked through.
    TooLarge,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotYaml(why) => f.write_str(why),
            Self::TooLarge => f.write_str("its aliases make it too large"),
        }
    }
}

/// How many times its own length a text may grow by aliases. Each level of `&b [*a,*a]` doubles what is below it.
const GROWTH: usize = 16;

/// Reads a text. Of two equal keys the last counts, as in `sigs.k8s.io/yaml`, with which Istio reads these.
///
/// # Errors
/// Where the text is no YAML, holds more than one document, or is too large.
pub fn parse(text: &str) -> Result<Value, Unread> {
    serde_saphyr::from_str_with_options(text, options(text)).map_err(|error| unread(&error))
}

/// Reads a text of several documents in the same way.
///
/// # Errors
/// Where the text is no YAML, or is too large.
pub fn documents(text: &str) -> Result<Vec<Value>, Unread> {
    serde_saphyr::from_multiple_with_options(text, options(text)).map_err(|error| unread(&error))
}

fn options(text: &str) -> Options {
    let scalars = text.len().saturating_mul(GROWTH).max(1024);
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_total_scalar_bytes: scalars },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: text.len().saturating_mul(GROWTH) },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
    }
}

fn unread(error: &Error) -> Unread {
    if is_limit(error) {
        return Unread::TooLarge;
    }
    Unread::NotYaml(error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Whether a text is not read because it is too large, or becomes so by its aliases.
pub(super) fn is_limit(error: &Error) -> bool {
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => is_limit(error),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_grow_in_proportion_to_the_text() {
        let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            format!("{text}a{level}: &a{level} [{aliases}]\n")
        });
        assert!(matches!(parse(&bomb), Err(Unread::TooLarge)));
        let wide = format!("a: &a {}\nb: [{}]\n", "x".repeat(10_000), vec!["*a"; 1_000].join(","));
        assert!(matches!(parse(&wide), Err(Unread::TooLarge)));
        let shared = format!("a: &a {{b: c, d: [e, f]}}\ng: [{}]\n", vec!["*a"; 20].join(","));
        assert!(parse(&shared).is_ok_and(|value| value["g"][19]["d"][1] == "f"));
        assert!(matches!(parse("a: b: c"), Err(Unread::NotYaml(_))));
        assert!(parse("a: 1\na: 2\n").is_ok_and(|value| value["a"] == 2));
    }
}
