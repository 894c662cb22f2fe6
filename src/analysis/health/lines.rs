//! What the proxy's log says of a plugin, as far as it was read: why a module could not be fetched, why Envoy refused it.

use super::{Evidence, EvidenceSource, PluginState};
use crate::ingest::logs::leading;
use crate::model::envoy::EcdsFilter;
use crate::model::ids::PluginId;
use crate::model::logs::{LogEvent, LogRecord, LogTime};

/// What Envoy says where it refuses a plugin (`source/extensions/common/wasm/wasm.cc`).
const REFUSED: &str = "Unable to create Wasm plugin";

/// The refusal of what the dump lists: lines that are older than what ECDS was last given tell of something before.
pub(super) fn refusal(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord]) -> Option<Evidence> {
    let since = given(entry);
    let is_refusal = |record: &&LogRecord| record.message.contains(REFUSED) || record.event == Some(LogEvent::Nack);
    of_plugin(plugin, log)
        .filter(is_refusal)
        .filter(|record| since.is_none_or(|since| record.time >= Some(since)))
        .next_back()
        .map(evidence)
}

/// The last line that says why a module could not be fetched, where that is what matters; and how VMs failed since.
pub(super) fn others(plugin: &PluginId, entry: Option<&EcdsFilter>, log: &[LogRecord], state: PluginState) -> Vec<Evidence> {
    let since = given(entry);
    let of_event = |event: LogEvent| of_plugin(plugin, log).filter(move |record| record.event == Some(event));
    let fetch = of_event(LogEvent::FetchFailed).next_back();
    let fetch = fetch.filter(|_| !matches!(state, PluginState::Running | PluginState::Rejected));
    // That nobody could create it is said already.
    let failed = of_event(LogEvent::VmFailed).filter(|record| !record.message.contains(REFUSED));
    let failed = failed.filter(|record| since.is_none_or(|since| record.time >= Some(since))).next_back();
    fetch.into_iter().chain(failed).map(evidence).collect()
}

fn of_plugin<'l>(plugin: &'l PluginId, log: &'l [LogRecord]) -> impl DoubleEndedIterator<Item = &'l LogRecord> {
    log.iter().filter(move |record| record.plugin.as_ref() == Some(plugin))
}

/// When ECDS was last given what it holds of the plugin.
fn given(entry: Option<&EcdsFilter>) -> Option<LogTime> {
    leading(&format!("{} ", entry?.last_updated.as_ref()?))
}

fn evidence(record: &LogRecord) -> Evidence {
    let when = record.raw.split(['\t', ' ']).next().unwrap_or_default();
    Evidence::new(EvidenceSource::Log, when, record.message.lines().next().unwrap_or_default())
}
