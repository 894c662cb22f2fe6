//! The story of a plugin's last change, as data: its steps with the time between them, and what could not be seen.

use serde::Serialize;

use crate::analysis::timeline::{self, Evidence, Gathered, Step, StepKind, Unseen, milliseconds, written};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::logs::LogTime;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// The whole story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineAnswer {
    /// The plugin, `namespace/name`.
    pub plugin: String,
    /// Its kind.
    pub plugin_kind: PluginKind,
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// From when on `sinceChange` counts, RFC 3339; null where nothing says when the change was.
    pub start: Option<String>,
    /// What that time is, or why there is none.
    pub start_note: String,
    /// The object's own steps.
    pub changes: Vec<StepAnswer>,
    /// What of those could not be seen.
    pub unseen: Vec<Unseen>,
    /// What each istiod did.
    pub control_plane: Vec<IstiodTimeline>,
    /// What each proxy did, by workload and name.
    pub proxies: Vec<ProxyTimeline>,
    /// What is to be known of the whole, as sentences.
    pub notes: Vec<String>,
}

/// One istiod's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IstiodTimeline {
    /// The istiod, `pod.namespace`; null for the only one of a recording.
    pub istiod: Option<ProxyId>,
    /// What it did.
    pub steps: Vec<StepAnswer>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// One proxy's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyTimeline {
    /// The workload, `namespace/name`; null over a lone dump.
    pub workload: Option<String>,
    /// Its kind.
    pub workload_kind: Option<&'static str>,
    /// The proxy.
    pub proxy: ProxyId,
    /// What it did.
    pub steps: Vec<StepAnswer>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// One step. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepAnswer {
    /// Which.
    pub step: StepKind,
    /// When, RFC 3339 to the microsecond, by the clock of whoever wrote it.
    pub time: String,
    /// How long after the change; null where one of the two is known to the second only.
    pub since_change: Option<Milliseconds>,
    /// How long after the step before; of a part's first step, after the last of istiod's before it.
    pub since_previous: Option<Milliseconds>,
    /// Whether the evidence leaves no doubt; else it is the nearest that fits, and the note says why.
    pub certain: bool,
    /// Whether its time is before that of a step that it follows from: the clocks differ.
    pub skew: bool,
    /// What happened, as a clause.
    pub what: String,
    /// What shows it.
    pub evidence: Evidence,
    /// What is to be known of it; null for nothing.
    pub note: Option<String>,
}

/// A duration in nanoseconds that JSON has in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Milliseconds(pub LogTime);

impl Serialize for Milliseconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.0 / 1000) as f64 / 1000.0)
    }
}

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&milliseconds(self.0))
    }
}

impl StepAnswer {
    /// `istiod pushed LDS to httpbin 101 ms after the change`.
    pub fn sentence(&self) -> String {
        match self.since_change {
            Some(since) if since.0 > 0 => format!("{} {since} after the change", self.what),
            _ => self.what.clone(),
        }
    }
}

impl StepAnswer {
    /// A sign behind a step that is not certain, or whose time contradicts another.
    pub fn mark(&self) -> &'static str {
        match (self.certain, self.skew) {
            (true, false) => "",
            (false, false) => " (nearest)",
            (_, true) => " (clock)",
        }
    }

    /// Where it was seen: `istiod's log (istiod-1.istio-system): Push debounce …`.
    pub fn shown_by(&self) -> String {
        let pod = self.evidence.pod.as_ref().map(|pod| format!(" ({pod})")).unwrap_or_default();
        // Labels and columns of a line stand behind tabs.
        format!("{}{pod}: {}", self.evidence.source.words(), self.evidence.text.replace('\t', "  ").replace('\n', " "))
    }
}

/// A part of the story: the object's, an istiod's or a proxy's.
#[derive(Clone, Debug)]
pub struct TimelinePart<'a> {
    /// Whose it is.
    pub heading: String,
    /// The proxy, where it is one's.
    pub proxy: Option<&'a ProxyId>,
    /// What happened.
    pub steps: &'a [StepAnswer],
    /// What could not be seen.
    pub unseen: &'a [Unseen],
}

impl TimelineAnswer {
    /// The parts in the order of the way that a change takes.
    pub fn parts(&self) -> Vec<TimelinePart<'_>> {
        let mut parts = vec![TimelinePart { heading: "the object".to_owned(), proxy: None, steps: &self.changes, unseen: &self.unseen }];
        for IstiodTimeline { istiod, steps, unseen } in &self.control_plane {
            let heading = istiod.as_ref().map_or_else(|| "istiod".to_owned(), |pod| format!("istiod {pod}"));
            parts.push(TimelinePart { heading, proxy: None, steps, unseen });
        }
        for ProxyTimeline { workload, workload_kind, proxy, steps, unseen } in &self.proxies {
            let owner = workload.as_ref().map(|workload| format!("{} {workload}, ", workload_kind.unwrap_or_default()));
            parts.push(TimelinePart { heading: format!("{}{proxy}", owner.unwrap_or_default()), proxy: Some(proxy), steps, unseen });
        }
        parts
    }

    /// What is to be known of the whole, as sentences.
    pub fn said(&self) -> Vec<String> {
        let counted = match &self.start {
            Some(start) => format!("Times after the change are counted from {start}, {}.", self.start_note),
            None => format!("No times after the change are given: {}.", self.start_note),
        };
        let nobody = "No proxy is concerned: the plugin applies to none, and none has anything of it.";
        let nobody = self.proxies.is_empty().then(|| nobody.to_owned());
        std::iter::once(counted).chain(nobody).chain(self.notes.iter().cloned()).collect()
    }
}

/// Tells the story of the last change of a plugin, out of a mesh with its dumps, and out of what its logs tell.
pub fn timeline(snapshot: &Snapshot, plugin: &PluginId, gathered: &Gathered) -> TimelineAnswer {
    let story = timeline::tell(snapshot, plugin, gathered);
    let start = story.start;
    let control: Vec<&Step> = story.control_planes.iter().flat_map(|part| &part.steps).collect();
    TimelineAnswer {
        plugin: plugin.to_string(),
        plugin_kind: plugin.kind,
        warnings: warning::once(&snapshot.warnings),
        start: start.map(written),
        start_note: story.start_note.clone(),
        changes: answers(&story.changes, start, &[]),
        unseen: story.unseen,
        control_plane: (story.control_planes.iter())
            .map(|part| IstiodTimeline {
                istiod: part.istiod.clone(),
                steps: answers(&part.steps, start, &[]),
                unseen: part.unseen.clone(),
            })
            .collect(),
        proxies: (story.proxies.iter())
            .map(|part| ProxyTimeline {
                workload: part.workload.as_ref().map(|workload| workload.name.to_string()),
                workload_kind: part.workload.as_ref().map(|workload| workload.kind.as_str()),
                proxy: part.proxy.clone(),
                steps: answers(&part.steps, start, &control),
                unseen: part.unseen.clone(),
            })
            .collect(),
        notes: story.notes,
    }
}

/// The steps with their durations; `before` is what the first can follow.
fn answers(steps: &[Step], start: Option<LogTime>, before: &[&Step]) -> Vec<StepAnswer> {
    let first = steps.first().and_then(|first| before.iter().filter(|step| step.time <= first.time).max_by_key(|step| step.time).copied());
    let previous = std::iter::once(first).chain(steps.iter().map(Some));
    let precise = |from: LogTime, step: &Step| step.is_precise().then(|| Milliseconds(step.time - from));
    // What is less than a time's own precision is nothing, and never negative.
    let between = |previous: &Step, step: &Step| {
        let time = precise(previous.time, step)?;
        Some(if step.skew { time } else { time.max(Milliseconds(0)) })
    };
    let answer = |(step, previous): (&Step, Option<&Step>)| StepAnswer {
        step: step.kind,
        time: written(step.time),
        since_change: start.and_then(|start| precise(start, step)),
        since_previous: previous.filter(|previous| previous.is_precise()).and_then(|previous| between(previous, step)),
        certain: step.certain,
        skew: step.skew,
        what: step.said.clone(),
        evidence: step.evidence.clone(),
        note: (!step.notes.is_empty()).then(|| step.notes.join("; ")),
    };
    steps.iter().zip(previous).map(answer).collect()
}
