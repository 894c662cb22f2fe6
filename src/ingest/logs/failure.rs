//! Which plugin the lines of one failure are about: Envoy writes several of them, and only some name the plugin
//! (`source/extensions/common/wasm/wasm.cc`).

use std::collections::VecDeque;

use super::details;
use super::parsed::is_number;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogRecord, LogTime};
use crate::model::text::Text;

/// How far apart lines of one failure are at most: 5 ms. Envoy writes them one after the other on one thread.
const NEAR: LogTime = 5_000_000;

/// How many records may wait for the lines after them.
const MOST: usize = 256;

/// Takes the records of one log in their order. Those that a failure may name a plugin for wait for the lines after them.
#[derive(Debug)]
pub struct Failures<T> {
    /// The plugins that lines name, the last at the end.
    named: VecDeque<Named>,
    /// The records that wait, the first of them for a name.
    waiting: VecDeque<(LogRecord, T)>,
}

/// A line that names the plugin that failed.
#[derive(Debug)]
struct Named {
    time: LogTime,
    thread: Option<String>,
    plugin: String,
}

impl<T> Default for Failures<T> {
    fn default() -> Self {
        Self { named: VecDeque::new(), waiting: VecDeque::new() }
    }
}

impl<T> Failures<T> {
    /// Takes a record, with what belongs to it; hands it back where it need not wait.
    pub fn take(&mut self, record: LogRecord, with: T) -> Option<(LogRecord, T)> {
        self.look(&record);
        if self.waiting.is_empty() && !lacks_a_name(&record) {
            return Some((record, with));
        }
        self.waiting.push_back((record, with));
        None
    }

    /// The next record of those that waited long enough; of all, where `all` says that no more lines come for now.
    pub fn next(&mut self, all: bool) -> Option<(LogRecord, T)> {
        let first = self.waiting.front()?;
        let is_over = |last: &(LogRecord, T)| match (first.0.time, last.0.time) {
            (Some(first), Some(last)) => !(0..=NEAR).contains(&last.saturating_sub(first)),
            _ => true,
        };
        let waits = lacks_a_name(&first.0) && !all && self.waiting.len() < MOST && !self.waiting.back().is_some_and(is_over);
        if waits {
            return None;
        }
        let (mut record, with) = self.waiting.pop_front()?;
        if lacks_a_name(&record) {
            record.failure_of = self.names(&record);
        }
        Some((record, with))
    }

    /// Remembers the plugin that a record names. What only records that no longer wait could be near is forgotten.
    fn look(&mut self, record: &LogRecord) {
        let (Some(time), Some(plugin)) = (record.time, name(record)) else { return };
        let oldest = self.waiting.iter().filter_map(|(record, _)| record.time).fold(time, LogTime::min);
        while self.named.len() >= MOST || self.named.front().is_some_and(|named| oldest.saturating_sub(named.time) > 2 * NEAR) {
            self.named.pop_front();
        }
        self.named.push_back(Named { time, thread: thread(record).map(str::to_owned), plugin: plugin.to_owned() });
    }

    /// The plugins that the lines near a record name, each once.
    fn names(&self, record: &LogRecord) -> Text {
        let (Some(time), thread) = (record.time, thread(record)) else { return Text::default() };
        let is_near = |named: &&Named| named.time.abs_diff(time) <= NEAR.unsigned_abs() && named.thread.as_deref() == thread;
        let mut names: Vec<&str> = self.named.iter().filter(is_near).map(|named| named.plugin.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        Text::from(names.join(" "))
    }
}

/// The plugin name in a VM failure record, or what an EnvoyFilter calls its filter.
pub fn name(record: &LogRecord) -> Option<&str> {
    let Some(LogDetails::VmFailed { plugin }) = failure(record) else { return None };
    let of_anything = || record.message.strip_prefix("Plugin ")?.split_once(" failed to load").map(|(name, _)| name);
    let is_name = |name: &&str| !name.is_empty() && !name.contains(char::is_whitespace);
    plugin.or_else(|| of_anything().filter(is_name))
}

/// The details of a record, if it reports a failure.
fn failure(record: &LogRecord) -> Option<LogDetails<'_>> {
    use crate::model::logs::LogEvent::{PluginLog, VmFailed};
    let is_one = record.event == Some(VmFailed) || record.event == Some(PluginLog) && &*record.level == "critical";
    if is_one { details(record) } else { None }
}

/// Whether a record is of a failure and names no plugin: a VM's, or what a module says as it ends, in a root context.
fn lacks_a_name(record: &LogRecord) -> bool {
    match failure(record) {
        Some(LogDetails::VmFailed { .. }) => name(record).is_none(),
        Some(LogDetails::PluginLog { plugin, lua, .. }) => plugin.is_none() && !lua,
        _ => false,
    }
}

/// The thread of Envoy that wrote a line: the last column as Istio has it, the second of brackets as Envoy itself has it.
pub fn thread(record: &LogRecord) -> Option<&str> {
    let raw = record.raw.trim_end();
    let first = raw.lines().next().unwrap_or(raw);
    let of_istio = raw.rsplit_once("\tthread=").or_else(|| first.rsplit_once("\tthread=")).map(|(_, number)| number);
    of_istio.or_else(|| first.split_once("][")?.1.split_once(']').map(|(number, _)| number).filter(|number| is_number(number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::logs::Assembler;
    use crate::model::ids::ProxyId;
    use crate::model::logs::{LogLine, LogOrigin, LogSource};

    const NAMES: &str = "Plugin default.broken failed to load";
    const LACKS: &str = "Wasm VM failed";

    fn record(time: Option<LogTime>, message: &str) -> LogRecord {
        let pod = ProxyId::new("a", "default");
        let origin = LogOrigin { source: LogSource::Proxy, pod, container: String::new(), workload: None };
        let text = format!("2023-05-10T03:16:20.000000Z\tcritical\tenvoy wasm a/b.cc:1\t{message}\tthread=7");
        let mut assembler = Assembler::default();
        assert!(assembler.push(LogLine { origin: origin.into(), time: None, text, cut: false }).is_none());
        LogRecord { time, ..assembler.flush().unwrap() }
    }

    /// What each record is of, in their order, where they come at these times.
    fn failures(records: &[(Option<LogTime>, &str)]) -> Vec<String> {
        let (mut failures, mut done) = (Failures::default(), Vec::new());
        for (time, message) in records {
            done.extend(failures.take(record(*time, message), ()));
            done.extend(std::iter::from_fn(|| failures.next(false)));
        }
        done.extend(std::iter::from_fn(|| failures.next(true)));
        done.into_iter().map(|(record, ())| record.failure_of.to_string()).collect()
    }

    #[test]
    fn a_later_failure_takes_no_name_from_a_record_that_waits() {
        const MS: LogTime = 1_000_000;
        let other = "Plugin default.other failed to load";
        for (records, expected) in [
            (&[(Some(0), NAMES), (Some(MS), LACKS), (Some(50 * MS), other)][..], &["", "default.broken", ""][..]),
            (&[(Some(MS), LACKS), (Some(2 * MS), NAMES), (Some(50 * MS), other)], &["default.broken", "", ""]),
            (&[(Some(0), NAMES), (Some(50 * MS), other), (Some(51 * MS), LACKS)], &["", "", "default.other"]),
        ] {
            assert_eq!(failures(records), expected, "{records:?}");
        }
    }

    #[test]
    fn odd_times_are_far_from_each_other() {
        let (first, last) = (Some(LogTime::MIN), Some(LogTime::MAX));
        assert_eq!(failures(&[(first, NAMES), (last, LACKS), (first, LACKS), (last, NAMES)]), ["", "", "default.broken", ""]);
        assert_eq!(failures(&[(last, NAMES), (None, LACKS), (first, LACKS)]), ["", "", ""]);
    }
}
