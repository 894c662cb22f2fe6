//! What the proxy's log says of a plugin, as far as it was read: why a module could not be fetched, why Envoy refused it.

use super::{Evidence, EvidenceSource, PluginState};
use crate::ingest::logs::instant;
use crate::model::envoy::EcdsFilter;
use crate::model::ids::PluginId;
use crate::model::logs::{LogEvent, LogRecord, LogTime};

/// What Envoy says where it refuses a plugin (`source/extensions/common/wasm/wasm.cc`).
const REFUSED: &str = "Unable to create Wasm plugin";

/// The refusal of what the dump lists: lines that are older than what ECDS was last given tell of something before.
pub(super) fn refusal(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord]) -> Option<Evidence> {
    of_plugin(plugin, log).rfind(|record| is_refusal(record) && is_since(record, entry)).map(evidence)
}

/// Whether Envoy refused a plugin.
fn is_refusal(record: &LogRecord) -> bool {
    record.message.contains(REFUSED) || record.event == Some(LogEvent::Nack)
}

/// The last line that says why a module could not be fetched, where that is what matters; and how VMs failed since, where it does not
/// run: of what runs it is more than a detail.
pub(super) fn others(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord], state: PluginState) -> Vec<Evidence> {
    let matters = !matches!(state, PluginState::Running | PluginState::Rejected);
    let fetch = of_plugin(plugin, log).rfind(|record| matters && record.event == Some(LogEvent::FetchFailed));
    let is_failure = |record: &&LogRecord| state != PluginState::Running && is_failure(record);
    let failed = of_plugin(plugin, log).rfind(|record| is_failure(record) && is_since(record, entry));
    fetch.into_iter().chain(failed).map(evidence).collect()
}

/// Why Envoy could not make what it rejected: the module's own last words before its VM failed or Envoy refused it, else how the VM
/// failed.
pub(super) fn cause(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord]) -> Option<Evidence> {
    let last = |is_it: &dyn Fn(&LogRecord) -> bool| of_plugin(plugin, log).rfind(|record| is_it(record) && is_since(record, entry));
    let telling = |words: &&str| last(&|record| is_failure(record) && record.message.contains(*words));
    match WHY.iter().find_map(telling) {
        Some(failed) => last_words(plugin, failed, log).or_else(|| Some(evidence(failed))),
        None => last_words(plugin, last(&is_refusal)?, log),
    }
}

/// When Envoy rejected what the dump lists, or what came after it.
pub(super) fn rejected_at(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord]) -> Option<LogTime> {
    let by_log = of_plugin(plugin, log).find(|record| is_since(record, entry) && (is_failure(record) || is_refusal(record)));
    by_log.and_then(|record| record.time).or_else(|| instant(entry?.rejected.as_ref()?.at.as_deref()?))
}

/// The last words of a module before its VM failed.
pub(super) fn last_words(plugin: &PluginId, failed: &LogRecord, log: &[LogRecord]) -> Option<Evidence> {
    let until = failed.time?;
    let is_just_before = |record: &&LogRecord| record.time.is_some_and(|time| (until.saturating_sub(JUST)..=until).contains(&time));
    of_plugin(plugin, log).rfind(|record| is_last_word(record) && is_just_before(record)).map(evidence)
}

/// A module that ends itself says why first, and a VM fails within 100 ms after it.
const JUST: LogTime = 100_000_000;

/// What a line of a VM that failed holds where it says why (`source/extensions/common/wasm/{wasm,wasm_vm}.cc`),
/// the most telling first.
const WHY: [&str; 3] = [FUNCTION, "Failed to load Wasm", "Wasm VM failed"];
const FUNCTION: &str = "Function: ";

/// Whether a module says why it ends: what is critical is the last that it does.
fn is_last_word(record: &LogRecord) -> bool {
    record.event == Some(LogEvent::PluginLog) && &*record.level == "critical"
}

/// Whether a VM failed; that nobody could create one is a refusal.
pub(super) fn is_failure(record: &LogRecord) -> bool {
    record.event == Some(LogEvent::VmFailed) && !record.message.contains(REFUSED)
}

/// Whether a record is no older than what ECDS was last given of the plugin; so it is where that time is not known.
pub(super) fn is_since(record: &LogRecord, entry: Option<&EcdsFilter>) -> bool {
    let given = entry.and_then(|entry| instant(entry.last_updated.as_deref()?));
    given.is_none_or(|given| record.time >= Some(given))
}

pub(super) fn of_plugin<'l>(plugin: &'l PluginId, log: &'l [LogRecord]) -> impl DoubleEndedIterator<Item = &'l LogRecord> {
    log.iter().filter(move |record| record.plugin.as_ref() == Some(plugin))
}

pub(super) fn evidence(record: &LogRecord) -> Evidence {
    let when = record.raw.split(['\t', ' ']).next().unwrap_or_default().trim_matches(['[', ']']);
    let line = record.message.lines().next().unwrap_or_default();
    Evidence::new(EvidenceSource::Log, when, in_function(line).unwrap_or_else(|| line.to_owned()))
}

/// `the module's proxy_on_configure failed: unreachable`, of `Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable`,
/// as V8 has it (`proxy-wasm-cpp-host src/v8/v8.cc`).
fn in_function(line: &str) -> Option<String> {
    let (name, why) = line.split_once(FUNCTION)?.1.split_once(" failed: ")?;
    let why = why.strip_prefix("Uncaught ").unwrap_or(why);
    Some(format!("the module's {name} failed: {}", why.strip_prefix("RuntimeError: ").unwrap_or(why)))
}
