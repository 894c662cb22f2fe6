//! Whose VM the failures in a proxy's log can be of: all VMs in place that nothing shows to have run since on the same worker.

use std::collections::BTreeSet;

use super::Evidence;
use super::counters;
use super::dump::names_plugin;
use super::failures::{Unnamed, ended, is_at_start, summed};
use super::life::{Failed, Life, Sign};
use super::lines::{evidence, is_failure};
use super::vms::{Module, Vm, vms};
use crate::ingest::logs::failure::thread;
use crate::model::ids::PluginId;
use crate::model::logs::LogRecord;
use crate::model::vitals::Vitals;

/// What the log says of the VMs of a proxy.
pub(super) struct LogFindings<'m, 'l> {
    /// The VMs in place.
    pub vms: Vec<Vm<'m>>,
    failures: Vec<Failure<'l>>,
}

/// A failure, and the VMs that can have had it.
pub(super) struct Failure<'l> {
    record: &'l LogRecord,
    at: usize,
    /// The VMs that can have had it, and have given no sign since.
    pub candidates: BTreeSet<usize>,
    /// Those that can have had it and have run since.
    healed: Vec<(usize, Sign<'l>)>,
    /// Whether a module that was replaced or taken away since can have had it.
    former: bool,
    /// The threads on which it can have been; none where they are not known.
    threads: BTreeSet<&'l str>,
}

impl Failure<'_> {
    /// The VM that had it, where that is certain: all others that it can have been are shown to run.
    pub fn culprit(&self) -> Option<usize> {
        self.candidates.first().copied().filter(|_| self.candidates.len() == 1 && !self.former)
    }

    /// Every VM that it can have been.
    fn all(&self) -> impl Iterator<Item = usize> {
        self.candidates.iter().copied().chain(self.healed.iter().map(|(place, _)| *place))
    }

    /// Those of them that no sign excludes; all where signs exclude all, since a VM that was started again gives signs too.
    fn possible(&self) -> BTreeSet<usize> {
        if self.candidates.is_empty() { self.all().collect() } else { self.candidates.clone() }
    }

    /// Whether a plugin's VM can have had it.
    pub fn contains_plugin(&self, vms: &[Vm<'_>], plugin: &PluginId) -> bool {
        self.candidates.iter().any(|place| vms[*place].had(plugin, self.record))
    }

    /// Whether it can be why a later request ended: the VM had not run again by then.
    fn lasts_until(&self, at: usize) -> bool {
        self.at < at && (!self.candidates.is_empty() || self.healed.iter().any(|(_, sign)| sign.at > at))
    }
}

impl<'m, 'l> LogFindings<'m, 'l> {
    /// Reads the log.
    pub fn of(modules: &'m [Module], vitals: &'l Vitals) -> Self {
        let log = &vitals.log;
        let vms = vms(modules);
        let life = Life::of(&vms, log, vitals.envoy.as_ref().and_then(counters::workers));
        // A request that none of the plugins in place can have ended was ended by one that is gone, and so was the failure before it. A
        // failure while the request was there, which its time is the beginning of, can be of one that fails open.
        let nobody_ends = !modules.iter().any(|module| module.in_place && module.ends_requests());
        let gone = log.iter().rfind(|record| nobody_ends && ended(record)).and_then(|record| record.time);
        let is_of_gone = |record: &LogRecord| gone.is_some() && (record.time < gone || record.time == gone && ended(record));
        let records = || log.iter().enumerate().filter(|(_, record)| !is_of_gone(record));
        let mut found = Self { vms, failures: Vec::new() };
        let mut named_former = Vec::new();
        for (at, record) in records().filter(|(_, record)| is_failure(record) && !is_at_start(record)) {
            let threads: BTreeSet<&str> = thread(record).into_iter().collect();
            let Suspects { mut candidates, mut former, named } = found.suspects(record, modules, true);
            // A plugin that only a line before it names, and that runs on, is not the one.
            let failed = Failed { record, at, threads: &threads };
            let runs_on =
                |place: &usize| !found.vms[*place].is_changed_since(record) && life.since(*place, &found.vms[*place], &failed).is_some();
            if named && !record.failure_of.is_empty() && !candidates.is_empty() && candidates.iter().all(runs_on) {
                Suspects { candidates, former, .. } = found.suspects(record, modules, false);
            }
            if named && candidates.is_empty() {
                named_former.push(at);
            }
            found.add(Failure { record, at, candidates, healed: Vec::new(), former, threads }, &life);
        }
        let trap_count = found.failures.len();
        for (at, record) in records().filter(|(_, record)| ended(record)) {
            if let Some(failure) = found.of_request(at, record, modules, trap_count, &named_former) {
                found.add(failure, &life);
            }
        }
        found.failures.sort_by_key(|failure| failure.at);
        found
    }

    /// The failure that a request shows which a VM ended: traps, the first ones of all failures, show which VMs it can have been. None where
    /// the plugin that failed is named before it (`named_former`), and was changed or deleted after it.
    fn of_request(
        &self,
        at: usize,
        record: &'l LogRecord,
        modules: &[Module],
        trap_count: usize,
        named_former: &[usize],
    ) -> Option<Failure<'l>> {
        let Suspects { mut candidates, mut former, .. } = self.suspects(record, modules, true);
        let mut threads = BTreeSet::new();
        let can_be = |trap: &&Failure<'_>| trap.all().any(|place| candidates.contains(&place)) && trap.lasts_until(at);
        let traps_before: Vec<&Failure<'_>> = self.failures[..trap_count].iter().filter(can_be).collect();
        let by_former = traps_before.iter().any(|trap| trap.former);
        if traps_before.is_empty() {
            if former && named_former.iter().any(|before| *before < at) {
                return None;
            }
        // Where a trap can be one of a former module, and none such can have ended this request, the traps need not be why it ended.
        } else if former || !by_former {
            former = by_former;
            let of_traps: BTreeSet<usize> = traps_before.iter().flat_map(|trap| trap.possible()).collect();
            candidates.retain(|place| of_traps.contains(place));
            if traps_before.iter().all(|trap| !trap.threads.is_empty()) {
                threads = traps_before.iter().flat_map(|trap| trap.threads.iter().copied()).collect();
            }
        }
        Some(Failure { record, at, candidates, healed: Vec::new(), former, threads })
    }

    /// Keeps a failure, without the VMs that are shown to have run since.
    fn add(&mut self, mut failure: Failure<'l>, life: &Life<'l>) {
        let Failure { record, at, .. } = failure;
        let all = std::mem::take(&mut failure.candidates);
        for place in all {
            match life.since(place, &self.vms[place], &Failed { record, at, threads: &failure.threads }) {
                Some(sign) => failure.healed.push((place, sign)),
                None => drop(failure.candidates.insert(place)),
            }
        }
        if !failure.candidates.is_empty() || !failure.healed.is_empty() {
            self.failures.push(failure);
        }
    }

    /// The records of the failures that are certainly those of the VM at a place.
    pub fn failed(&self, place: usize) -> impl Iterator<Item = &'l LogRecord> {
        self.failures.iter().filter(move |failure| failure.culprit() == Some(place)).map(|failure| failure.record)
    }

    /// What shows that the VM at a place, which alone can have failed, has run since.
    pub fn healed(&self, place: usize) -> Option<Evidence> {
        let is_its = |failure: &&Failure<'_>| failure.candidates.is_empty() && failure.healed.iter().all(|(healed, _)| *healed == place);
        let last = self.failures.iter().rfind(is_its)?;
        let (_, sign) = last.healed.first()?;
        let what = match sign.connections {
            0 => "it logged".to_owned(),
            1 => "a request passed it".to_owned(),
            several => format!("requests on {several} connections passed it, and none was ended"),
        };
        let failed = evidence(last.record).field;
        Some(Evidence { what: format!("its VM failed at {failed}, and has run since: {what}"), ..evidence(sign.record) })
    }

    /// What is left open, of those failures that `counts` picks.
    pub fn unnamed(&self, counts: &dyn Fn(&Failure<'_>) -> bool) -> Option<Unnamed> {
        let is_open = |failure: &&Failure<'_>| !failure.candidates.is_empty() && failure.culprit().is_none() && counts(failure);
        let open: Vec<&Failure<'_>> = self.failures.iter().filter(is_open).collect();
        let last = open.last()?;
        let plugins: BTreeSet<PluginId> = last.candidates.iter().flat_map(|place| self.vms[*place].plugins()).cloned().collect();
        let records: Vec<&LogRecord> = open.iter().map(|failure| failure.record).collect();
        let requests = records.iter().any(|record| ended(record));
        Some(Unnamed { plugins: plugins.into_iter().collect(), former: last.former, evidence: summed(&records), requests })
    }

    /// Whose VM a record of a failure can be of; `by_name` is whether the plugin counts that its lines name.
    fn suspects(&self, record: &LogRecord, modules: &[Module], by_name: bool) -> Suspects {
        let ended = ended(record);
        // A note says that the plugin was concluded, or is not there any more.
        let is_named = |plugin: &&PluginId| {
            record.plugin_note.is_none() || names_plugin(&record.message, plugin) || names_plugin(&record.failure_of, plugin)
        };
        let named = record.plugin.as_ref().filter(is_named).filter(|_| by_name);
        let can_have = |module: &&Module| match named {
            Some(plugin) => module.plugin == *plugin,
            None => !ended || module.ends_requests(),
        };
        let (since, before): (Vec<&Module>, Vec<&Module>) = modules.iter().filter(can_have).partition(|module| module.is_since(record));
        let keys: BTreeSet<&str> = since.iter().map(|module| module.vm.as_str()).collect();
        let candidates: BTreeSet<usize> = (0..self.vms.len()).filter(|place| keys.contains(self.vms[*place].key)).collect();
        // What shares a VM with one of them is no further VM.
        let is_other = |module: &&&Module| !self.vms.iter().any(|vm| vm.key == module.vm && keys.contains(vm.key));
        let is_changed = || candidates.iter().any(|place| self.vms[*place].is_changed_since(record));
        let mut of_former = before.iter().chain(since.iter().filter(|module| !module.in_place));
        let former = named.is_none() && (of_former.any(|module| is_other(&module)) || is_changed());
        Suspects { candidates, former, named: named.is_some() }
    }
}

/// Whose VM a failure can be of.
struct Suspects {
    /// The VMs in place, by their places.
    candidates: BTreeSet<usize>,
    /// Whether it can be one of a module that was replaced or taken away since.
    former: bool,
    /// Whether the lines of the failure name the plugin.
    named: bool,
}
