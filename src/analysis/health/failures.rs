//! VMs that failed while their plugin is in place: the dump and Envoy's counters go on as if it ran. A VM of Envoy's worker that failed
//! is not made anew under `FAIL_CLOSE`, which answers with 503, nor under `FAIL_OPEN`, which passes the plugin by.

use std::collections::BTreeSet;

use super::lines::{evidence, is_failure, is_since};
use super::{Evidence, counters, weigh};
use crate::analysis::placement;
use crate::ingest::logs::details::{FAIL_STREAM, details};
use crate::model::envoy::{ConfigDump, ExtensionConfig, FilterSource, ListenerState};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogRecord};
use crate::model::vitals::Vitals;

/// What is said where a plugin cannot start: Envoy refuses it then, and where the line names none it may be of one that is gone by now.
const AT_START: [&str; 8] = [
    "proxy_on_vm_start",
    "proxy_on_context_create",
    "proxy_on_configure",
    "Failed to start base Wasm",
    "Failed to configure base Wasm",
    "Failed to load Wasm",
    "failed to load",
    "Unable to create Wasm",
];

/// Failures that may be of several plugins of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// The plugins that they can be of.
    pub plugins: Vec<PluginId>,
    /// What shows them.
    pub evidence: Vec<Evidence>,
    /// Whether requests failed for them.
    pub requests: bool,
}

/// What shows that VMs of a plugin that runs have failed since it was put in place.
pub(super) fn of_plugin(plugin: &PluginId, dump: &ConfigDump, vitals: &Vitals) -> Vec<Evidence> {
    let entry = weigh::entry(plugin, dump);
    let is_alone = modules(dump).iter().eq([plugin]);
    // A note says that the plugin was concluded, and not named.
    let is_named = |record: &LogRecord| record.plugin.is_some() && record.plugin_note.is_none();
    let is_its = |record: &LogRecord| record.plugin.as_ref().map_or(is_alone, |of| of == plugin);
    let is_of = |record: &LogRecord| is_its(record) && (is_named(record) || !is_at_start(record));
    let is_own = |record: &&LogRecord| is_of(record) && is_since(record, entry);
    let mut found = summed(vitals.log.iter().filter(is_own));
    if let (Some(ExtensionConfig::Wasm { name, .. }), Some(metrics)) = (entry.map(|entry| &entry.config), &vitals.envoy) {
        found.extend(counters::failed_restarts(name, metrics));
    }
    found
}

/// Failures that the log does not say the plugin of, and that several modules of the proxy can have had; None where there are none.
pub fn unnamed(dump: &ConfigDump, vitals: &Vitals) -> Option<Unnamed> {
    let modules = modules(dump);
    if modules.len() < 2 {
        return None;
    }
    let is_in_place = |record: &LogRecord, plugin: &PluginId| is_since(record, weigh::entry(plugin, dump));
    let of_one = |record: &&LogRecord| record.plugin.is_none() && !is_at_start(record);
    let mut records = vitals.log.iter().filter(of_one).filter(|record| modules.iter().any(|plugin| is_in_place(record, plugin)));
    let evidence = summed(records.clone());
    let requests = records.clone().any(ended);
    let last = records.next_back()?;
    let plugins = modules.into_iter().filter(|plugin| is_in_place(last, plugin)).collect();
    (!evidence.is_empty()).then_some(Unnamed { plugins, evidence, requests })
}

/// The last line of a VM's failure and the last request that one ended, with how many more there are.
fn summed<'l>(records: impl Iterator<Item = &'l LogRecord> + Clone) -> Vec<Evidence> {
    let of = |is_it: fn(&LogRecord) -> bool, say: fn(&LogRecord, usize) -> Evidence| {
        let found = records.clone().filter(|record| is_it(record));
        let count = found.clone().count();
        found.last().map(|last| say(last, count))
    };
    let said = |record: &LogRecord, count: usize| {
        let Evidence { source, field, what } = evidence(record);
        let others = if count > 1 { format!(" (the last of {count} such lines)") } else { String::new() };
        Evidence { source, field, what: format!("{what}{others}") }
    };
    let requests = |record: &LogRecord, count: usize| {
        let many = if count == 1 { "1 request ended".to_owned() } else { format!("{count} requests ended") };
        let code = match details(record) {
            Some(LogDetails::Request(request)) => request.code,
            _ => 0,
        };
        Evidence { what: format!("{many} with {code} {FAIL_STREAM}, since its VM has failed"), ..evidence(record) }
    };
    [of(is_failure, said), of(ended, requests)].into_iter().flatten().collect()
}

fn is_at_start(record: &LogRecord) -> bool {
    AT_START.iter().any(|word| record.message.contains(word))
}

/// Whether a VM that failed ended a request.
fn ended(record: &LogRecord) -> bool {
    record.event == Some(LogEvent::Request)
        && matches!(details(record), Some(LogDetails::Request(request)) if request.details == FAIL_STREAM)
}

/// The plugins with a module that a listener in force has.
fn modules(dump: &ConfigDump) -> BTreeSet<PluginId> {
    let active = || dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
    let stands = |plugin: &PluginId| active().any(|listener| placement::count_in_listener(listener, plugin) > 0);
    let held =
        dump.ecds.iter().filter(|entry| matches!(entry.config, ExtensionConfig::Wasm { .. })).filter_map(|entry| entry.plugin.clone());
    let filters = active().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let inline = filters.filter(|filter| matches!(filter.source, FilterSource::Inline(_))).filter_map(|filter| filter.plugin.as_ref());
    let inline = inline.map(|plugin| &plugin.id).filter(|id| id.kind == PluginKind::EnvoyFilter).cloned();
    held.filter(stands).chain(inline).collect()
}
