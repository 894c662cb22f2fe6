//! Which records are asked for: the filter of the command line and of the screen.

use std::collections::BTreeSet;

use regex::{Regex, RegexSet, RegexSetBuilder, bytes};
use thiserror::Error;

use super::attribution::needles;
use super::severity::Severity;
use super::summary;
use crate::ingest::finder::Finder;
use crate::ingest::logs::details;
use crate::ingest::workloads;
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::inventory::Inventory;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogKind, LogRecord, LogSource};
use crate::model::workload::Pod;

/// What is asked for. An empty list asks for all.
#[derive(Clone, Debug, Default)]
pub struct FilterSpec {
    /// Records about one of these plugins.
    pub plugins: Vec<PluginId>,
    /// Records of these workloads' proxies, and istiod's about them or about no proxy.
    pub workloads: Vec<WorkloadId>,
    /// The same for single proxies.
    pub pods: Vec<ProxyId>,
    /// Records of these sources.
    pub sources: Vec<LogSource>,
    /// Records at least this grave.
    pub level: Option<Severity>,
    /// Records of these scopes (or components); `default` is that of Go's records that have none.
    pub scopes: Vec<String>,
    /// Records whose text, as written, one of these regular expressions matches. `^` and `$` are the ends of a line.
    pub include: Vec<String>,
    /// Records whose text none of these matches.
    pub exclude: Vec<String>,
    /// Records that have this text, a regular expression: as written, or as they are shown.
    pub text: Option<String>,
}

/// A regular expression that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FilterError(pub String);

/// A filter, ready for many records.
#[derive(Debug)]
pub struct Filter {
    spec: FilterSpec,
    include: Option<RegexSet>,
    exclude: Option<RegexSet>,
    text: Option<Regex>,
    /// Finds what the bytes of a record hold that is about one of the plugins.
    of_plugins: Option<Finder>,
    /// Finds what the bytes of a record hold that is included. Empty where all is, or where the place in a line counts, which
    /// bytes alone do not tell.
    included: Vec<bytes::Regex>,
    /// The proxies that are known and not asked for.
    others: BTreeSet<ProxyId>,
}

impl Filter {
    /// Makes a filter.
    ///
    /// # Errors
    /// Which text is no regular expression, and why.
    pub fn new(spec: FilterSpec, objects: &Inventory) -> Result<Self, FilterError> {
        let needles: Vec<String> = spec.plugins.iter().flat_map(|plugin| needles(plugin, objects)).collect();
        let of_plugins = Finder::new(&needles);
        let by_bytes = if spec.include.iter().any(|text| looks_at_line_ends(text)) { &[] } else { spec.include.as_slice() };
        let included =
            by_bytes.iter().map(|text| bytes::Regex::new(text).map_err(|error| not_a_regex(text, &error))).collect::<Result<_, _>>()?;
        let asked = |pod: &Pod| spec.pods.contains(&pod.id) || spec.workloads.contains(&workloads::owner_of(objects, pod));
        let others = objects.pods.values().filter(|pod| !asked(pod)).map(|pod| pod.id.clone()).collect();
        let text = spec.text.as_deref().map(|text| Regex::new(text).map_err(|error| not_a_regex(text, &error))).transpose()?;
        Ok(Self { include: set(&spec.include)?, exclude: set(&spec.exclude)?, text, of_plugins, included, others, spec })
    }

    /// Whether bytes can tell that a record does not pass, so that looking at them first is worth it.
    pub fn is_selective(&self) -> bool {
        self.of_plugins.is_some() || !self.included.is_empty()
    }

    /// Whether a record that is made of these bytes may pass: looked at before anything is parsed. They may hold more than the
    /// record, such as the kubelet's times.
    pub fn may_match(&self, raw: &[u8]) -> bool {
        self.of_plugins.as_ref().is_none_or(|needles| needles.find(raw, 0).is_some())
            && (self.included.is_empty() || self.included.iter().any(|regex| regex.is_match(raw)))
    }

    /// The next place in many lines, from `from` on, that is in a record that may pass; None where no such record follows.
    pub fn find(&self, lines: &[u8], from: usize) -> Option<usize> {
        if let Some(needles) = &self.of_plugins {
            return needles.find(lines, from).map(|found| found.start());
        }
        if self.included.is_empty() {
            return (from < lines.len()).then_some(from);
        }
        let found = self.included.iter().filter_map(|regex| regex.find_at(lines, from.min(lines.len())));
        found.map(|found| found.start()).min()
    }

    /// Whether a record passes. Its plugin must have been attributed. What happened to the stream always does.
    pub fn matches(&self, record: &LogRecord) -> bool {
        let spec = &self.spec;
        record.kind == LogKind::Mark
            || (spec.level.is_none_or(|level| level.is_reached(record))
                && (spec.plugins.is_empty() || record.plugin.as_ref().is_some_and(|plugin| spec.plugins.contains(plugin)))
                && (spec.sources.is_empty() || spec.sources.contains(&record.origin.source))
                && (spec.scopes.is_empty() || spec.scopes.iter().any(|scope| is_scope(scope, record)))
                && self.include.as_ref().is_none_or(|include| include.is_match(&record.raw))
                && !self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(&record.raw))
                && self.text.as_ref().is_none_or(|text| text.is_match(&record.raw) || text.is_match(&summary::words(record)))
                && (spec.workloads.is_empty() && spec.pods.is_empty() || self.is_of_workloads(record)))
    }

    /// Whether a record is of the workloads that are asked for. What istiod says of other proxies is not.
    fn is_of_workloads(&self, record: &LogRecord) -> bool {
        let origin = &record.origin;
        match origin.source {
            LogSource::Proxy => {
                self.spec.pods.contains(&origin.pod)
                    || origin.workload.as_ref().is_some_and(|workload| self.spec.workloads.contains(workload))
            }
            LogSource::Istiod => match details(record) {
                Some(LogDetails::Push { node, .. } | LogDetails::Nack { node, .. } | LogDetails::Connection { node, .. }) => {
                    ProxyId::parse(node).is_none_or(|proxy| !self.others.contains(&proxy))
                }
                _ => true,
            },
            LogSource::Meshscope => true,
        }
    }
}

/// Go's programs log what belongs to no scope under `default`, and do not write it.
fn is_scope(scope: &str, record: &LogRecord) -> bool {
    record.scope == scope || scope == "default" && record.scope.is_empty() && matches!(record.kind, LogKind::Istiod | LogKind::Agent)
}

/// Whether what a regular expression matches can depend on where a line ends: between the lines of a record there may be more in the
/// bytes than in its text. Rather too often than not.
fn looks_at_line_ends(regex: &str) -> bool {
    let of_newlines = ["\n", "\\n", "\\s", "\\W", "\\D", "\\P", "\\x", "\\u", "\\A", "\\z", "[^", "[[:", "[\\", "\u{fffd}"];
    let with_flag = |flags: &str| flags.split([')', ':']).next().is_some_and(|flags| flags.contains('s'));
    regex.contains(['^', '$']) || of_newlines.iter().any(|part| regex.contains(part)) || regex.split("(?").skip(1).any(with_flag)
}

fn set(texts: &[String]) -> Result<Option<RegexSet>, FilterError> {
    if texts.is_empty() {
        return Ok(None);
    }
    if let Some((text, error)) = texts.iter().find_map(|text| Some((text, Regex::new(text).err()?))) {
        return Err(not_a_regex(text, &error));
    }
    let built = RegexSetBuilder::new(texts).multi_line(true).build();
    built.map(Some).map_err(|error| not_a_regex(&texts.join(", "), &error))
}

/// The last line of what the parser says; those before it point at the place.
pub(super) fn not_a_regex(text: &str, error: &regex::Error) -> FilterError {
    let said = error.to_string();
    let why = said.lines().next_back().unwrap_or_default().trim_start_matches("error: ");
    FilterError(format!("{text} is not a regular expression: {why}"))
}
