//! Which log records a story can need, out of all that are read; and how far back each log reaches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::ingest::logs::details;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogKind, LogOrigin, LogRecord, LogTime, MarkKind};

/// How many records are kept; of more, the youngest.
const MOST: usize = 50_000;

/// What istiod writes when a push begins (`pilot/pkg/xds/discovery.go: AdsPushAll`).
pub(super) const PUSHING: &str = "XDS: Pushing";

/// What Envoy writes when a VM is there (`source/extensions/common/wasm/wasm.cc`), at level debug.
pub(super) const VM_CREATED: &str = "Wasm created";

/// What the logs tell of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// The records, in the order of their times.
    pub records: Vec<LogRecord>,
    /// The time of the first record that was read of each log.
    pub reach: BTreeMap<Arc<LogOrigin>, LogTime>,
    /// What happened to the logs while they were read, as sentences.
    pub marks: Vec<String>,
}

/// Takes records as they are read, and keeps what a story can need.
#[derive(Debug)]
pub struct Gatherer {
    plugin: PluginId,
    kept: VecDeque<LogRecord>,
    reach: BTreeMap<Arc<LogOrigin>, LogTime>,
    marks: Vec<String>,
    dropped: usize,
}

impl Gatherer {
    /// For the story of this plugin.
    pub fn new(plugin: PluginId) -> Self {
        Self { plugin, kept: VecDeque::new(), reach: BTreeMap::new(), marks: Vec::new(), dropped: 0 }
    }

    /// Takes a record, in the order of times.
    pub fn take(&mut self, record: LogRecord) {
        if let Some(LogEvent::Mark(kind)) = record.event {
            return self.mark(kind, &record);
        }
        if let Some(time) = record.time
            && !self.reach.contains_key(&record.origin)
        {
            self.reach.insert(record.origin.clone(), time);
        }
        if record.time.is_none() || !self.is_wanted(&record) {
            return;
        }
        if self.kept.len() == MOST {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(record);
    }

    /// What was gathered.
    pub fn gathered(mut self) -> Gathered {
        let mut records: Vec<LogRecord> = self.kept.into();
        records.sort_by_key(|record| record.time);
        if self.dropped > 0
            && let Some(first) = records.first().and_then(|record| record.time)
        {
            self.marks.push(format!("The logs hold so much of the plugin that the oldest {} records were left out.", self.dropped));
            self.reach.values_mut().for_each(|time| *time = first.max(*time));
        }
        Gathered { records, reach: self.reach, marks: self.marks }
    }

    fn mark(&mut self, kind: MarkKind, record: &LogRecord) {
        if kind.is_failure() || matches!(kind, MarkKind::Dropped | MarkKind::Skew | MarkKind::Waiting) {
            let whose = if record.origin.pod.pod.is_empty() { String::new() } else { format!("Log of {}: ", record.origin.pod) };
            let said = format!("{whose}{}.", record.message.trim_end_matches('.'));
            if !self.marks.contains(&said) {
                self.marks.push(said);
            }
        }
    }

    fn is_wanted(&self, record: &LogRecord) -> bool {
        match record.event {
            Some(LogEvent::Debounce | LogEvent::Nack | LogEvent::Fetch | LogEvent::FetchFailed) => true,
            Some(LogEvent::Push) => matches!(details(record), Some(LogDetails::Push { xds: "LDS" | "ECDS", .. })),
            Some(LogEvent::Connection) => matches!(details(record), Some(LogDetails::Connection { opened: true, .. })),
            Some(LogEvent::VmFailed | LogEvent::PluginLog) => record.plugin.as_ref() == Some(&self.plugin),
            // A request that was denied names no plugin, but its note says that a stub may have done it.
            Some(LogEvent::Request) => record.plugin.as_ref() == Some(&self.plugin) || is_denied(record),
            Some(LogEvent::Discarded | LogEvent::Started | LogEvent::Mark(_)) => false,
            None => match record.kind {
                LogKind::Istiod => record.message.starts_with(PUSHING),
                LogKind::Envoy => record.scope == "wasm" && record.message.contains(VM_CREATED),
                _ => false,
            },
        }
    }
}

/// Whether a request was denied as a stub denies it.
pub(super) fn is_denied(record: &LogRecord) -> bool {
    matches!(details(record), Some(LogDetails::Request(request)) if request.details == "rbac_access_denied_matched_policy[none]")
}

impl Gathered {
    /// How far back the log of a proxy reaches; None where none was read.
    pub(super) fn reach_of(&self, proxy: &ProxyId) -> Option<LogTime> {
        self.reach.iter().find(|(origin, _)| origin.pod == *proxy).map(|(_, time)| *time)
    }
}
