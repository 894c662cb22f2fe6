//! Which plugin the lines of one failure are about: Envoy writes several of them, and only some name the plugin
//! (`source/extensions/common/wasm/wasm.cc`).

use std::collections::VecDeque;

use super::details;
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
            (Some(first), Some(last)) => !(0..=NEAR).contains(&(last - first)),
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

    /// Remembers the plugin that a record names.
    fn look(&mut self, record: &LogRecord) {
        let (Some(time), Some(plugin)) = (record.time, name(record)) else { return };
        while self.named.len() >= MOST || self.named.front().is_some_and(|named| time - named.time > 2 * NEAR) {
            self.named.pop_front();
        }
        self.named.push_back(Named { time, thread: thread(record).map(str::to_owned), plugin: plugin.to_owned() });
    }

    /// The plugins that the lines near a record name, each once.
    fn names(&self, record: &LogRecord) -> Text {
        let (time, thread) = (record.time.unwrap_or(LogTime::MAX), thread(record));
        let is_near = |named: &&Named| (named.time - NEAR..=named.time + NEAR).contains(&time) && named.thread.as_deref() == thread;
        let mut names: Vec<&str> = self.named.iter().filter(is_near).map(|named| named.plugin.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        Text::from(names.join(" "))
    }
}

/// The name in a record of a VM's failure: a plugin's, or what an EnvoyFilter calls its filter.
pub fn name(record: &LogRecord) -> Option<&str> {
    let Some(LogDetails::VmFailed { plugin }) = failure(record) else { return None };
    let of_anything = || record.message.strip_prefix("Plugin ")?.split_once(" failed to load").map(|(name, _)| name);
    let is_name = |name: &&str| !name.is_empty() && !name.contains(char::is_whitespace);
    plugin.or_else(|| of_anything().filter(is_name))
}

/// What a record says, where it is of a failure.
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
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    of_istio.or_else(|| first.split_once("][").and_then(|(_, rest)| rest.split_once(']')).map(|(number, _)| number).filter(is_number))
}
