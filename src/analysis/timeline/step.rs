//! What a story is made of: steps, each with its evidence, and what could not be seen.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::ids::ProxyId;
use crate::model::logs::{LogRecord, LogSource, LogTime};

/// What log lines are written to.
const MICROSECOND: LogTime = 1_000;
/// What Envoy writes into its dump.
const MILLISECOND: LogTime = 1_000_000;
/// What the API server keeps of a time.
pub(super) const SECOND: LogTime = 1_000_000_000;

/// A step of the way from the object to the proxy, in the words of JSON and, as far as they cause each other, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// The object was created.
    Created,
    /// Its spec was changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// istiod received the change.
    Received,
    /// istiod's debounce ended.
    Debounced,
    /// istiod began to push.
    Pushed,
    /// The proxy connected to istiod.
    Connected,
    /// istiod sent the proxy its listeners.
    LdsPushed,
    /// The proxy has taken the listeners that hold the plugin.
    LdsAccepted,
    /// A listener that holds the plugin waits for its configuration.
    LdsWarming,
    /// The proxy refused a listener that holds the plugin.
    LdsRefused,
    /// istiod sent the proxy the plugin's configuration.
    EcdsPushed,
    /// The agent began to fetch the module.
    Fetch,
    /// The agent could not fetch it.
    FetchFailed,
    /// The VM started.
    VmStarted,
    /// The VM failed.
    VmFailed,
    /// The proxy has taken the plugin's configuration.
    EcdsAccepted,
    /// The proxy refused it.
    EcdsRefused,
    /// The plugin wrote its first line.
    PluginLog,
    /// The first request that it failed.
    RequestFailed,
}

impl StepKind {
    /// A few words for tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Received => "received",
            Self::Debounced => "debounced",
            Self::Pushed => "pushed",
            Self::Connected => "connected",
            Self::LdsPushed => "LDS pushed",
            Self::LdsAccepted => "LDS accepted",
            Self::LdsWarming => "LDS warming",
            Self::LdsRefused => "LDS refused",
            Self::EcdsPushed => "ECDS pushed",
            Self::Fetch => "fetch",
            Self::FetchFailed => "fetch failed",
            Self::VmStarted => "VM started",
            Self::VmFailed => "VM failed",
            Self::EcdsAccepted => "ECDS accepted",
            Self::EcdsRefused => "ECDS refused",
            Self::PluginLog => "first line",
            Self::RequestFailed => "request failed",
        }
    }

    /// Whether it is a failure.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::LdsRefused | Self::FetchFailed | Self::VmFailed | Self::EcdsRefused | Self::RequestFailed)
    }

    /// What must have happened before, where it is among the steps.
    pub(super) fn causes(self) -> &'static [Self] {
        match self {
            Self::Received | Self::Created | Self::Changed | Self::Deleted | Self::Connected | Self::RequestFailed => &[],
            Self::Debounced => &[Self::Received],
            Self::Pushed => &[Self::Debounced],
            Self::LdsPushed | Self::EcdsPushed => &[Self::Received, Self::Debounced, Self::Connected],
            Self::LdsAccepted | Self::LdsWarming | Self::LdsRefused => &[Self::Received, Self::LdsPushed],
            Self::Fetch | Self::VmStarted | Self::VmFailed | Self::EcdsRefused => &[Self::Received, Self::EcdsPushed],
            Self::FetchFailed => &[Self::Fetch],
            Self::EcdsAccepted => &[Self::Received, Self::EcdsPushed, Self::Fetch, Self::FetchFailed],
            Self::PluginLog => &[Self::Received, Self::EcdsPushed],
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub kind: StepKind,
    /// When, by the clock of whoever wrote it.
    pub time: LogTime,
    /// What the time is cut off to, in nanoseconds: it can have happened up to so much later.
    pub precision: LogTime,
    /// Whether the evidence leaves no doubt; else it is the nearest that fits.
    pub certain: bool,
    /// Whether its time is before that of a step that it follows from: the clocks differ.
    pub skew: bool,
    /// What shows it.
    pub evidence: Evidence,
    /// What happened, as a clause: `istiod pushed LDS to httpbin`.
    pub said: String,
    /// What is to be known of it.
    pub notes: Vec<String>,
}

/// Where something was seen, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceSource {
    /// The Kubernetes object.
    Object,
    /// istiod's log.
    IstiodLog,
    /// The log of the proxy's container.
    ProxyLog,
    /// The proxy's config dump.
    ConfigDump,
}

impl EvidenceSource {
    /// Where, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Object => "the object",
            Self::IstiodLog => "istiod's log",
            Self::ProxyLog => "the proxy's log",
            Self::ConfigDump => "the proxy's config dump",
        }
    }
}

/// What shows a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Where it was seen.
    pub source: EvidenceSource,
    /// The pod whose log or dump it is; None for the object, and for the only istiod of a recording.
    pub pod: Option<ProxyId>,
    /// The line as written, or the field with its value.
    pub text: String,
}

/// A step that could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unseen {
    /// Which.
    pub step: StepKind,
    /// Why, as a clause.
    pub why: String,
}

impl Unseen {
    /// `Not seen: VM started: no line …`.
    pub fn sentence(&self) -> String {
        format!("Not seen: {}: {}.", self.step.words(), self.why)
    }

    pub(super) fn new(step: StepKind, why: impl Into<String>) -> Self {
        Self { step, why: why.into() }
    }
}

impl Step {
    /// A step that a log line shows.
    pub(super) fn logged(kind: StepKind, record: &LogRecord, said: impl Into<String>) -> Self {
        let source = if record.origin.source == LogSource::Istiod { EvidenceSource::IstiodLog } else { EvidenceSource::ProxyLog };
        let pod = Some(record.origin.pod.clone()).filter(|pod| !pod.pod.is_empty());
        let evidence = Evidence { source, pod, text: record.raw.to_string() };
        Self::new(kind, record.time.unwrap_or_default(), MICROSECOND, evidence, said)
    }

    /// A step that a proxy's dump shows.
    pub(super) fn dumped(kind: StepKind, time: LogTime, proxy: &ProxyId, text: String, said: impl Into<String>) -> Self {
        let evidence = Evidence { source: EvidenceSource::ConfigDump, pod: Some(proxy.clone()), text };
        Self::new(kind, time, MILLISECOND, evidence, said)
    }

    /// A step that the object shows.
    pub(super) fn of_object(kind: StepKind, time: LogTime, text: String, said: impl Into<String>) -> Self {
        Self::new(kind, time, SECOND, Evidence { source: EvidenceSource::Object, pod: None, text }, said)
    }

    fn new(kind: StepKind, time: LogTime, precision: LogTime, evidence: Evidence, said: impl Into<String>) -> Self {
        Self { kind, time, precision, certain: true, skew: false, evidence, said: said.into(), notes: Vec::new() }
    }

    /// Adds what is to be known of it.
    pub(super) fn noted(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says that it is only the nearest that fits, and why.
    pub(super) fn nearest(mut self, why: impl Into<String>) -> Self {
        self.certain = false;
        self.noted(why)
    }

    /// Whether its time says when, and not only in which second.
    pub fn is_precise(&self) -> bool {
        self.precision < SECOND
    }
}

/// RFC 3339 to the microsecond, in UTC.
pub fn written(time: LogTime) -> String {
    Timestamp::from_nanosecond(time.into()).map(|stamp| format!("{stamp:.6}")).unwrap_or_default()
}
