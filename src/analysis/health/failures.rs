//! VMs that failed while their plugin is in place: the dump and Envoy's counters go on as if it ran. A VM of Envoy's worker that failed
//! is not started again under `FAIL_CLOSE`, which answers with 503, nor under `FAIL_OPEN`, which passes the plugin by.
//!
//! A line of a failure hardly ever names a plugin, so what the proxy holds decides whose it can be: all plugins whose VM nothing shows to
//! have run since on the same worker.

use super::dump::ENTRY;
use super::lines::{evidence, is_failure, last_words};
use super::suspects::LogFindings;
use super::vms::modules;
use super::{Evidence, counters, unconfigured, weigh};
use crate::analysis::naming::enumerated;
use crate::ingest::logs::details::{FAIL_STREAM, details};
use crate::model::envoy::{ConfigDump, ExtensionConfig};
use crate::model::ids::PluginId;
use crate::model::log_details::{LogDetails, LoggedRequest};
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

/// Failures of which the log does not show whose VM failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unnamed {
    /// The plugins in place whose VM it can be.
    pub plugins: Vec<PluginId>,
    /// Whether it can also be that of a plugin that was changed or deleted since.
    pub former: bool,
    /// What shows the failures.
    pub evidence: Vec<Evidence>,
    /// Whether requests failed for them.
    pub requests: bool,
}

impl Unnamed {
    /// Whose VM it can be, each in a phrase: `default/a`, `one of default/a and default/b`.
    pub fn whose(&self) -> String {
        let names = enumerated(&self.plugins, self.plugins.len());
        let one = if self.plugins.len() > 1 { format!("one of {names}") } else { names };
        if self.former { format!("{one}, or a plugin that was changed or deleted since") } else { one }
    }

    /// Whether it can be that of one plugin alone.
    pub(super) fn is_certain(&self) -> bool {
        self.plugins.len() == 1 && !self.former
    }

    /// The others than one of them, in the same words; None where there are none.
    pub(super) fn whose_but(&self, plugin: &PluginId) -> Option<String> {
        let plugins: Vec<PluginId> = self.plugins.iter().filter(|other| *other != plugin).cloned().collect();
        let only_former = || "a plugin that was changed or deleted since".to_owned();
        match (plugins.is_empty(), self.former) {
            (true, former) => former.then(only_former),
            (false, _) => Some(Self { plugins, ..self.clone() }.whose()),
        }
    }
}

/// What the log and the counters say of the VM of a plugin that runs, since the plugin was put in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfPlugin {
    /// That it has failed.
    pub failures: Vec<Evidence>,
    /// Whether it failed before a listener that has it was changed last, so that it may have been started again.
    pub before_change: bool,
    /// That it failed, and has run since.
    pub healed: Option<Evidence>,
    /// That it or another one has failed.
    pub unnamed: Option<Unnamed>,
    /// Whether Envoy has no configuration of it, which is the failure.
    pub unconfigured: bool,
}

/// Reads them.
pub(super) fn of_plugin(plugin: &PluginId, dump: &ConfigDump, vitals: &Vitals) -> OfPlugin {
    let mut found = OfPlugin::default();
    if has_failures(vitals) {
        let modules = modules(dump);
        let log = LogFindings::of(&modules, vitals);
        for (place, vm) in log.vms.iter().enumerate().filter(|(_, vm)| vm.has(plugin)) {
            // What was put in place after the failure has a VM of its own by then.
            let failed: Vec<&LogRecord> = log.failed(place).filter(|record| vm.had(plugin, record)).collect();
            if let Some(last) = failed.last() {
                let words = failed.iter().rfind(|record| !ended(record)).and_then(|failed| last_words(plugin, failed, &vitals.log));
                found.failures = words.into_iter().chain(summed(&failed)).collect();
                let others = vm.others(plugin);
                found.failures.extend(others.map(|others| Evidence::of_dump(ENTRY, format!("it shares its VM with {others}"))));
                found.before_change = vm.is_changed_since(last);
                break;
            }
            found.healed = found.healed.or_else(|| log.healed(place));
        }
        found.unnamed = log.unnamed(&|open| found.failures.is_empty() && open.contains_plugin(&log.vms, plugin));
    }
    if found.failures.is_empty()
        && found.unnamed.is_none()
        && let Some(lacking) = unconfigured::of(dump, vitals).filter(|lacking| lacking.plugins.contains(plugin))
    {
        if lacking.is_certain() {
            (found.failures, found.unconfigured) = (lacking.evidence, true);
        } else {
            found.unnamed = Some(lacking);
        }
    }
    if let (Some(ExtensionConfig::Wasm { name, .. }), Some(metrics)) =
        (weigh::entry(plugin, dump).map(|entry| &entry.config), &vitals.envoy)
    {
        found.failures.extend(counters::failed_restarts(name, metrics));
    }
    found
}

/// Failures of which the log does not show whose VM failed, and that no VM that is known to have failed explains; None where there are none.
pub fn unnamed(dump: &ConfigDump, vitals: &Vitals) -> Option<Unnamed> {
    let of_vms = || {
        let modules = modules(dump);
        let log = LogFindings::of(&modules, vitals);
        log.unnamed(&|open| !open.candidates.iter().any(|place| log.failed(*place).next().is_some()))
    };
    let of_vms = if has_failures(vitals) { of_vms() } else { None };
    of_vms.or_else(|| unconfigured::of(dump, vitals).filter(|lacking| !lacking.is_certain()))
}

/// Whether the log has any failure at all: most have none, and need not be read for whose they are.
fn has_failures(vitals: &Vitals) -> bool {
    vitals.log.iter().any(|record| is_failure(record) || ended(record))
}

/// The last line of a VM's failure and the last request that one ended, with how many more there are.
pub(super) fn summed(records: &[&LogRecord]) -> Vec<Evidence> {
    let of = |is_it: fn(&LogRecord) -> bool, say: fn(&LogRecord, usize) -> Evidence| {
        let found: Vec<&&LogRecord> = records.iter().filter(|record| is_it(record)).collect();
        found.last().map(|last| say(last, found.len()))
    };
    let said = |record: &LogRecord, count: usize| {
        let Evidence { source, field, what } = evidence(record);
        let others = if count > 1 { format!(" (the last of {count} such lines)") } else { String::new() };
        Evidence { source, field, what: format!("{what}{others}") }
    };
    let requests = |record: &LogRecord, count: usize| ended_requests(record, count, FAIL_STREAM, "its VM has failed");
    [of(is_failure, said), of(ended, requests)].into_iter().flatten().collect()
}

/// Sums up requests that ended with one sign for one reason, by the last of them.
pub(super) fn ended_requests(last: &LogRecord, count: usize, sign: &str, reason: &str) -> Evidence {
    let many = if count == 1 { "1 request".to_owned() } else { format!("{count} requests") };
    let code = request(last).map_or(0, |request| request.code);
    Evidence { what: format!("{many} ended with {code} {sign}, since {reason}"), ..evidence(last) }
}

pub(super) fn is_at_start(record: &LogRecord) -> bool {
    AT_START.iter().any(|word| record.message.contains(word))
}

/// Whether a VM that failed ended a request.
pub(super) fn ended(record: &LogRecord) -> bool {
    request(record).is_some_and(|request| request.details == FAIL_STREAM)
}

/// The request that a record is of.
pub(super) fn request(record: &LogRecord) -> Option<Box<LoggedRequest<'_>>> {
    match details(record) {
        Some(LogDetails::Request(request)) if record.event == Some(LogEvent::Request) => Some(request),
        _ => None,
    }
}
