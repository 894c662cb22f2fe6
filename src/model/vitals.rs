//! What a proxy says of itself beside its config dump: what it waits for, and what Envoy and the agent count.

use super::logs::{LogRecord, LogTime};
use super::requests::Requests;

/// What was asked of one proxy; None where it could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vitals {
    /// Envoy's `/init_dump`: what waits, and for what. Empty where nothing does.
    pub waits: Option<Vec<Waiting>>,
    /// Envoy's statistics of Wasm and of refused configurations, since it was started.
    pub envoy: Option<Metrics>,
    /// The agent's of modules, since it was started.
    pub agent: Option<Metrics>,
    /// What the end of the proxy's log says of its plugins, and of VMs that failed of whichever plugin and what was handled since; empty
    /// also where there was no doubt to settle.
    pub log: Vec<LogRecord>,
    /// What its access log says of the last minutes; None where the log was not looked at.
    pub requests: Option<Requests>,
    /// Its lost connection to istiod, as its log has it; None where the log says nothing of one that is still lost.
    pub lost_upstream: Option<LostUpstream>,
    /// Why the log was not read, as one clause; None where it was, as far as it was asked for.
    pub log_gap: Option<String>,
    /// Whether only Envoy's statistics and the last lines of the log were asked for.
    pub brief: bool,
}

/// A connection to istiod that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostUpstream {
    /// Why, in the words of whoever dials: `dial tcp 10.96.82.11:15012: i/o timeout`.
    pub reason: String,
    /// Since when; None where no line says it.
    pub since: Option<LogTime>,
}

/// An init manager of Envoy that is not ready (`envoy/admin/v3/init_dump.proto`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The listener that it is of; its whole name where it is of none.
    pub whose: String,
    /// What it waits for, as Envoy writes it.
    pub targets: Vec<String>,
}

/// Counters and gauges, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(pub Vec<Metric>);

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name, `istio_agent_wasm_remote_fetch_count`.
    pub name: String,
    /// Its labels as written, `result="success"`; empty where it has none.
    pub labels: String,
    /// Its value.
    pub value: f64,
}

impl Metrics {
    /// Those of a name, each once a set of labels.
    pub fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Metric> {
        self.0.iter().filter(move |metric| metric.name == name)
    }

    /// The value of the first of a name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.named(name).next().map(|metric| metric.value)
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if self.labels.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.labels) }
    }
}
