//! The levels of Envoy's loggers, in the words of its admin port (Envoy `source/server/admin/logs_handler.cc`).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// The logger by which every plugin speaks.
pub const WASM: &str = "wasm";

/// How grave a line has to be for a logger to write it, from the most talkative level on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// All but trace.
    Debug,
    /// From info on.
    Info,
    /// From warning on: what Istio starts a proxy with (`--proxyLogLevel`).
    Warning,
    /// From error on.
    Error,
    /// Critical lines alone.
    Critical,
    /// Nothing.
    Off,
}

impl LogLevel {
    /// All levels, from the most talkative on.
    pub const ALL: [Self; 7] = [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical, Self::Off];

    /// Reads a level as Envoy writes it; None where it is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// How Envoy writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The levels of all loggers of one proxy, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLevels(pub BTreeMap<String, LogLevel>);

impl LogLevels {
    /// The level of a logger; None where the proxy has none of this name.
    pub fn of(&self, logger: &str) -> Option<LogLevel> {
        self.0.get(logger).copied()
    }
}
