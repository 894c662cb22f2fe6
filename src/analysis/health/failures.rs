//! VMs that failed while their plugin is in place: the dump and Envoy's counters go on as if it ran. A VM of Envoy's worker that failed
//! is not started again under `FAIL_CLOSE`, which answers with 503, nor under `FAIL_OPEN`, which passes the plugin by.
//!
//! A line of a failure hardly ever names a plugin, so what the proxy holds decides whose it can be.

use std::collections::BTreeSet;

use super::dump::{ENTRY, names_plugin};
use super::lines::{evidence, is_failure, last_words};
use super::vms::{Module, Vm, modules, vms};
use super::{Evidence, counters, weigh};
use crate::ingest::logs::details::{FAIL_STREAM, details};
use crate::ingest::logs::failure::thread;
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

/// What the log and the counters say of the VM of a plugin that runs, since the plugin was put in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfPlugin {
    /// That it has failed.
    pub failures: Vec<Evidence>,
    /// That it failed, and has run since.
    pub healed: Option<Evidence>,
    /// That it or another one has failed.
    pub unnamed: Option<Unnamed>,
}

/// Reads them.
pub(super) fn of_plugin(plugin: &PluginId, dump: &ConfigDump, vitals: &Vitals) -> OfPlugin {
    let mut found = OfPlugin::default();
    if has_failures(vitals) {
        let modules = modules(dump);
        let log = LogFindings::of(&modules, &vitals.log);
        // What was put in place after the failure has a VM of its own by then.
        let is_its = |(vm, signs): &&(Vm<'_>, Signs<'_>)| signs.failed.last().is_some_and(|last| vm.had(plugin, last));
        if let Some((vm, signs)) = log.vms.iter().find(is_its) {
            if signs.is_healed() {
                found.healed = signs.life();
            } else {
                let words = signs.failed.iter().rfind(|record| !ended(record)).and_then(|failed| last_words(plugin, failed, &vitals.log));
                found.failures = words.into_iter().chain(summed(&signs.failed)).collect();
                let others = vm.others(plugin);
                found.failures.extend(others.map(|others| Evidence::of_dump(ENTRY, format!("it shares its VM with {others}"))));
            }
        }
        found.unnamed = log.unnamed().filter(|unnamed| found.failures.is_empty() && unnamed.plugins.contains(plugin));
    }
    if let (Some(ExtensionConfig::Wasm { name, .. }), Some(metrics)) =
        (weigh::entry(plugin, dump).map(|entry| &entry.config), &vitals.envoy)
    {
        found.failures.extend(counters::failed_restarts(name, metrics));
    }
    found
}

/// Failures that the log does not say the plugin of, and that VMs of several plugins of the proxy can have had; None where there are none.
pub fn unnamed(dump: &ConfigDump, vitals: &Vitals) -> Option<Unnamed> {
    if has_failures(vitals) { LogFindings::of(&modules(dump), &vitals.log).unnamed() } else { None }
}

/// Whether the log has any failure at all: most have none, and need not be read for whose they are.
fn has_failures(vitals: &Vitals) -> bool {
    vitals.log.iter().any(|record| is_failure(record) || ended(record))
}

/// What the log says of the VMs of a proxy.
struct LogFindings<'m, 'l> {
    vms: Vec<(Vm<'m>, Signs<'l>)>,
    /// Records of failures that can be of several of these VMs, or of a plugin that is gone: with those, by their places, and how many
    /// records come before it.
    open: Vec<(Vec<usize>, usize, &'l LogRecord)>,
}

impl<'m, 'l> LogFindings<'m, 'l> {
    fn of(modules: &'m [Module], log: &'l [LogRecord]) -> Self {
        // A request that none of the plugins in place can have ended was ended by one that is gone, and so was the failure before it. A
        // failure while the request was there, which its time is the beginning of, can be of one that fails open.
        let nobody_ends = !modules.iter().any(|module| module.in_place && module.ends_requests());
        let gone = log.iter().rfind(|record| nobody_ends && ended(record)).and_then(|record| record.time);
        let is_of_gone = |record: &LogRecord| gone.is_some() && (record.time < gone || record.time == gone && ended(record));
        let mut found = Self { vms: vms(modules).into_iter().map(|vm| (vm, Signs::default())).collect(), open: Vec::new() };
        for (at, record) in log.iter().enumerate() {
            let suspects = if is_of_gone(record) { Vec::new() } else { suspects(record, modules) };
            let keys: BTreeSet<&str> = suspects.iter().map(|module| module.vm.as_str()).collect();
            let places: Vec<usize> = (0..found.vms.len()).filter(|place| keys.contains(found.vms[*place].0.key)).collect();
            match (places.as_slice(), keys.len()) {
                ([only], 1) => found.vms[*only].1.fail(record),
                ([], _) => found.vms.iter_mut().for_each(|(vm, signs)| signs.live(vm, at, record)),
                _ => found.open.push((places, at, record)),
            }
        }
        found
    }

    /// What is left open: not what one of the VMs is known to have had, nor what all of them have outlived.
    fn unnamed(&self) -> Option<Unnamed> {
        let is_open = |(places, at, _): &&(Vec<usize>, usize, &LogRecord)| {
            let mut signs = places.iter().map(|place| &self.vms[*place].1);
            signs.clone().all(Signs::is_healed) && !signs.all(|signs| signs.last_life > Some(*at))
        };
        let open: Vec<_> = self.open.iter().filter(is_open).collect();
        let (places, ..) = open.last()?;
        let plugins: BTreeSet<PluginId> = places.iter().flat_map(|place| self.vms[*place].0.plugins()).cloned().collect();
        let records: Vec<&LogRecord> = open.iter().map(|(.., record)| *record).collect();
        let requests = records.iter().any(|record| ended(record));
        Some(Unnamed { plugins: plugins.into_iter().collect(), evidence: summed(&records), requests })
    }
}

/// Whose VM a record of a failure can be of; none for any other record, and where it is of a plugin that is gone.
fn suspects<'m>(record: &LogRecord, modules: &'m [Module]) -> Vec<&'m Module> {
    let (failure, ended) = (is_failure(record), ended(record));
    // A plugin that cannot start is rejected, and the VM that it would share goes on (`proxy-wasm-cpp-host src/wasm.cc: createWasm` tries
    // it in a copy).
    if !failure && !ended || failure && is_at_start(record) {
        return Vec::new();
    }
    // A note says that the plugin was concluded, or is not there any more.
    let is_named = |plugin: &&PluginId| {
        record.plugin_note.is_none() || names_plugin(&record.message, plugin) || names_plugin(&record.failure_of, plugin)
    };
    if let Some(plugin) = record.plugin.as_ref().filter(is_named) {
        return modules.iter().filter(|module| module.in_place && module.plugin == *plugin && module.is_since(record)).collect();
    }
    modules.iter().filter(|module| module.is_since(record) && (!ended || module.ends_requests())).collect()
}

/// What the log says of one VM: its failures, and whether it has run since.
#[derive(Default)]
struct Signs<'l> {
    /// The records of its failures, in their order.
    failed: Vec<&'l LogRecord>,
    /// The threads of Envoy whose VM has failed and has given no sign since; None where a line does not say which.
    dead: Vec<Option<&'l str>>,
    /// The last record that shows that it runs, and how many come before it.
    sign: Option<&'l LogRecord>,
    last_life: Option<usize>,
    /// How many requests were answered since the last failure.
    answered: usize,
    /// Whether requests were answered between those that it ended: each worker has a VM of its own, so that one answer proves nothing.
    mixed: bool,
}

/// So many answers in a row are hardly those of the other workers alone.
const MANY: usize = 20;

impl<'l> Signs<'l> {
    fn fail(&mut self, record: &'l LogRecord) {
        if ended(record) {
            self.mixed |= self.answered > 0;
            if self.dead.is_empty() {
                self.dead.push(None);
            }
        } else {
            self.dead.push(thread(record));
            self.mixed = false;
        }
        self.answered = 0;
        self.failed.push(record);
    }

    fn live(&mut self, vm: &Vm<'_>, at: usize, record: &'l LogRecord) {
        // The access log is written later than what happened meanwhile, with the time at which a request began.
        if self.failed.last().is_some_and(|failed| record.time < failed.time) {
            return;
        }
        if vm.logged(record) {
            let alive = thread(record);
            self.dead.retain(|dead| dead.is_some() && alive.is_some() && *dead != alive);
        } else if vm.answered(record) {
            self.answered += 1;
        } else {
            return;
        }
        (self.sign, self.last_life) = (Some(record), Some(at));
    }

    /// Whether it runs, for all that the log says.
    fn is_healed(&self) -> bool {
        self.dead.is_empty() || self.answered >= MANY || self.answered > 0 && !self.mixed
    }

    /// What shows that it runs again.
    fn life(&self) -> Option<Evidence> {
        let (failed, sign) = (evidence(self.failed.last()?), self.sign?);
        let what = if sign.event == Some(LogEvent::Request) { "a request passed it" } else { "it logged" };
        Some(Evidence { what: format!("its VM failed at {}, and has run since: {what}", failed.field), ..evidence(sign) })
    }
}

/// The last line of a VM's failure and the last request that one ended, with how many more there are.
fn summed(records: &[&LogRecord]) -> Vec<Evidence> {
    let of = |is_it: fn(&LogRecord) -> bool, say: fn(&LogRecord, usize) -> Evidence| {
        let found: Vec<&&LogRecord> = records.iter().filter(|record| is_it(record)).collect();
        found.last().map(|last| say(last, found.len()))
    };
    let said = |record: &LogRecord, count: usize| {
        let Evidence { source, field, what } = evidence(record);
        let others = if count > 1 { format!(" (the last of {count} such lines)") } else { String::new() };
        Evidence { source, field, what: format!("{what}{others}") }
    };
    let requests = |record: &LogRecord, count: usize| {
        let many = if count == 1 { "1 request ended".to_owned() } else { format!("{count} requests ended") };
        let code = request(record).map_or(0, |request| request.code);
        Evidence { what: format!("{many} with {code} {FAIL_STREAM}, since its VM has failed"), ..evidence(record) }
    };
    [of(is_failure, said), of(ended, requests)].into_iter().flatten().collect()
}

fn is_at_start(record: &LogRecord) -> bool {
    AT_START.iter().any(|word| record.message.contains(word))
}

/// Whether a VM that failed ended a request.
fn ended(record: &LogRecord) -> bool {
    request(record).is_some_and(|request| request.details == FAIL_STREAM)
}

/// The request that a record is of.
pub(super) fn request(record: &LogRecord) -> Option<Box<LoggedRequest<'_>>> {
    match details(record) {
        Some(LogDetails::Request(request)) if record.event == Some(LogEvent::Request) => Some(request),
        _ => None,
    }
}
