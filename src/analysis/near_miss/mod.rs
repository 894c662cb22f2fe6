//! Why a plugin does not reach a workload, and what would have to change: the first rule that failed, what it wants and what it found.

mod change;
mod exclusion;
mod fix;
mod label;
mod rule;
mod similar;
mod target;

use serde::Serialize;

use super::attachment::{self, Reason};
use crate::model::ids::WorkloadId;
use crate::model::inventory::Inventory;
use crate::model::plugin::Plugin;
use crate::model::workload::Pod;

use change::Asked;

pub use exclusion::{exclusion, inbound_exclusion};
pub use fix::{Edit, Fix, Neighbours};
pub use rule::Rule;

/// A rule that failed, with what would have to change. Fields are JSON keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NearMiss {
    /// The first rule that failed.
    pub rule: Rule,
    /// The rule, as a sentence.
    pub failed: &'static str,
    /// What would have to be there for the plugin to reach the workload: of labels and targets what the plugin asks for, of the plugin's
    /// own namespace and revision those of the workload.
    pub wanted: String,
    /// What is there instead.
    pub found: String,
    /// What would have to change; None where nothing could.
    pub change: Option<String>,
    /// The same, each way with what it changes: each brings the plugin to the workload, none to others too.
    #[serde(skip)]
    pub fixes: Vec<Fix>,
    /// How many conditions fail in all; None where no change would help.
    pub distance: Option<usize>,
    /// These conditions, as clauses.
    pub conditions: Vec<String>,
    /// Whether a targetRef names the workload, its Gateway or its Service: such a miss comes first.
    pub named: bool,
    /// The labels of the selector beside those of the pod; empty where labels are not the question.
    pub labels: Vec<LabelLine>,
    /// How many letters the labels that differ are away from each other: of two misses that are as near, the smaller is nearer.
    #[serde(skip)]
    pub letters: usize,
}

impl NearMiss {
    /// What the plugin asks for and what is there instead, as one clause.
    pub fn contrast(&self) -> String {
        match self.rule {
            Rule::Namespace => format!("namespace: the plugin is in {}, the workload in {}", self.found, self.wanted),
            Rule::Revision => format!("revision: the plugin is for {}, the workload's istiod is {}", self.found, self.wanted),
            _ => format!("wanted {}, found {}", self.wanted, self.found),
        }
    }

    /// How many conditions fail, in words.
    pub fn how_near(&self) -> String {
        match self.distance {
            Some(1) => "one condition fails".to_owned(),
            Some(several) => format!("{several} conditions fail"),
            None => "out of reach".to_owned(),
        }
    }

    /// Whether one label keeps the plugin away, and it looks like a slip: it is written nearly so, or stands on the owner alone, or
    /// the others agree. One label of another value by itself is another workload's.
    pub fn is_slip(&self) -> bool {
        let mut differing = self.labels.iter().filter(|line| !line.agrees);
        let (Some(line), None) = (differing.next(), differing.next()) else { return false };
        self.distance == Some(1) && (line.is_slip || line.on_owner || self.labels.len() > 1)
    }
}

/// A label of the selector, side by side with the pod's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelLine {
    /// The label.
    pub key: String,
    /// What the selector wants.
    pub wanted: String,
    /// What the pod has; null where it lacks the label.
    pub found: Option<String>,
    /// Whether they agree.
    pub agrees: bool,
    /// Whether the object that owns the pod has it as wanted, where a selector does not look.
    pub on_owner: bool,
    /// Whether the pod has nearly the same: another spelling, or the value under another key.
    #[serde(skip)]
    pub is_slip: bool,
}

impl LabelLine {
    /// How the two sides stand to each other.
    pub fn verdict(&self) -> &'static str {
        match (&self.found, self.agrees, self.on_owner) {
            (_, true, _) => "agrees",
            (_, _, true) => "on the owner alone",
            (None, ..) => "missing",
            (Some(_), ..) => "differs",
        }
    }
}

/// Explains why `plugin` does not reach `pod` of `workload`; `reason` is what [`attach`](super::attachment::attach) said, or what
/// [`exclusion`] did.
pub fn near_miss(plugin: &Plugin, pod: &Pod, workload: &WorkloadId, reason: &Reason, objects: &Inventory) -> NearMiss {
    among(plugin, pod, workload, reason, objects, &Neighbours::of(objects))
}

/// The same for one of many questions about a mesh.
pub fn among(
    plugin: &Plugin,
    pod: &Pod,
    workload: &WorkloadId,
    reason: &Reason,
    objects: &Inventory,
    neighbours: &Neighbours<'_>,
) -> NearMiss {
    let labels = labels(plugin, pod, workload, reason, objects);
    let behind = attachment::gateway_behind(plugin, pod, objects);
    let (rule, wanted, found) = rule::wanted_and_found(plugin, pod, reason, behind);
    let failing: Option<Vec<String>> = match reason {
        Reason::ExcludesEveryChain(exclusion) => Some(vec![exclusion.to_string()]),
        _ => attachment::failing(plugin, pod, objects).map(|failing| failing.iter().map(ToString::to_string).collect()),
    };
    let distance = failing.as_ref().map(Vec::len);
    let fixes = Asked { plugin, pod, workload, objects, neighbours, distance }.fixes(reason, &labels);
    NearMiss {
        failed: rule.sentence(),
        rule,
        wanted,
        found,
        change: (!fixes.is_empty()).then(|| fixes.iter().map(|fix| fix.text.as_str()).collect::<Vec<_>>().join(", or ")),
        fixes,
        distance,
        conditions: failing.unwrap_or_default(),
        named: attachment::is_meant(plugin, pod, reason, objects),
        letters: letters(plugin, pod, reason),
        labels,
    }
}

/// See [`NearMiss::letters`].
pub fn letters(plugin: &Plugin, pod: &Pod, reason: &Reason) -> usize {
    let (Some(selector), Reason::LabelsDiffer(..) | Reason::TopologyLabels(..)) = (&plugin.selector, reason) else { return 0 };
    let found = |key: &String| pod.labels.get(key).map(String::as_str).unwrap_or_default();
    selector.match_labels.iter().map(|(key, wanted)| similar::edits(wanted, found(key))).sum()
}

/// All labels of the selector, where one that differs is what failed.
fn labels(plugin: &Plugin, pod: &Pod, workload: &WorkloadId, reason: &Reason, objects: &Inventory) -> Vec<LabelLine> {
    let (Some(selector), Reason::LabelsDiffer(..) | Reason::TopologyLabels(..)) = (&plugin.selector, reason) else { return Vec::new() };
    let owner = workload.kind.object_kind().and_then(|kind| objects.owners.get(&(kind, workload.name.clone())));
    let line = |(key, wanted): (&String, &String)| {
        let found = pod.labels.get(key).cloned();
        let agrees = found.as_ref() == Some(wanted);
        let on_owner = !agrees && owner.is_some_and(|owner| owner.labels.get(key) == Some(wanted));
        let under =
            |(other, value): (&String, &String)| value == wanted || (similar::is_slip(key, other) && similar::is_slip(wanted, value));
        let is_slip = !agrees && found.as_ref().map_or_else(|| pod.labels.iter().any(under), |found| similar::is_slip(wanted, found));
        LabelLine { key: key.clone(), wanted: wanted.clone(), agrees, found, on_owner, is_slip }
    };
    selector.match_labels.iter().map(line).collect()
}
