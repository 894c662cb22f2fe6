//! What the proxy's log says of a plugin, as far as it was read: why a module could not be fetched, why Envoy refused it.

use super::{Evidence, EvidenceSource, PluginState};
use crate::ingest::logs::instant;
use crate::model::envoy::EcdsFilter;
use crate::model::ids::PluginId;
use crate::model::logs::{LogEvent, LogRecord};

/// What Envoy says where it refuses a plugin (`source/extensions/common/wasm/wasm.cc`).
const REFUSED: &str = "Unable to create Wasm plugin";

/// The refusal of what the dump lists: lines that are older than what ECDS was last given tell of something before.
pub(super) fn refusal(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord]) -> Option<Evidence> {
    let is_refusal = |record: &&LogRecord| record.message.contains(REFUSED) || record.event == Some(LogEvent::Nack);
    of_plugin(plugin, log).rfind(|record| is_refusal(record) && is_since(record, entry)).map(evidence)
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

/// Whether a VM failed; that nobody could create one is a refusal.
pub(super) fn is_failure(record: &LogRecord) -> bool {
    record.event == Some(LogEvent::VmFailed) && !record.message.contains(REFUSED)
}

/// Whether a record is no older than what ECDS was last given of the plugin; so it is where that time is not known.
pub(super) fn is_since(record: &LogRecord, entry: Option<&EcdsFilter>) -> bool {
    let given = entry.and_then(|entry| instant(entry.last_updated.as_deref()?));
    given.is_none_or(|given| record.time >= Some(given))
}

fn of_plugin<'l>(plugin: &'l PluginId, log: &'l [LogRecord]) -> impl DoubleEndedIterator<Item = &'l LogRecord> {
    log.iter().filter(move |record| record.plugin.as_ref() == Some(plugin))
}

pub(super) fn evidence(record: &LogRecord) -> Evidence {
    let when = record.raw.split(['\t', ' ']).next().unwrap_or_default().trim_matches(['[', ']']);
    Evidence::new(EvidenceSource::Log, when, record.message.lines().next().unwrap_or_default())
}
