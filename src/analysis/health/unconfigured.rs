//! Requests that met a filter without a configuration: Envoy answers them with 500 and the flag NFCF until it accepts one
//! (`source/common/http/filter_chain_helper.cc: MissingConfigFilter`). Such a line names no filter, so it can be of each plugin that nothing
//! shows to be configured.

use std::collections::BTreeSet;

use super::failures::{Unnamed, ended_requests, request};
use super::vms::{Module, modules};
use super::{counters, weigh};
use crate::ingest::logs::details::NO_CONFIGURATION;
use crate::model::envoy::{ConfigDump, EcdsFilter};
use crate::model::logs::{LogEvent, LogRecord};
use crate::model::vitals::Vitals;

/// Whether a request ended for want of a filter's configuration.
pub(super) fn ended(record: &LogRecord) -> bool {
    request(record).is_some_and(|request| request.flags.contains(NO_CONFIGURATION))
}

/// The plugins of which Envoy can lack the configuration, since the last request that shows one to be lacking; None where no request does.
pub(super) fn of(dump: &ConfigDump, vitals: &Vitals) -> Option<Unnamed> {
    let log = &vitals.log;
    if !log.iter().any(ended) {
        return None;
    }
    let (mut plugins, mut ends, mut former) = (BTreeSet::new(), BTreeSet::new(), false);
    let modules = modules(dump);
    for module in modules.iter().filter(|module| !module.network) {
        let Some(entry) = weigh::entry(&module.plugin, dump) else { continue };
        let all = lacking(module, log);
        let since: Vec<usize> = all.iter().copied().filter(|at| module.is_since(&log[*at])).collect();
        let Some(last) = since.last().filter(|_| module.in_place) else {
            former |= !all.is_empty();
            continue;
        };
        if is_counted(entry, dump, vitals) {
            continue;
        }
        former |= module.is_changed_since(&log[*last]);
        plugins.insert(module.plugin.clone());
        ends.extend(since);
    }
    let records: Vec<&LogRecord> = ends.into_iter().map(|at| &log[at]).collect();
    let evidence = vec![ended_requests(records.last()?, records.len(), NO_CONFIGURATION, "Envoy has no configuration of its filter")];
    Some(Unnamed { plugins: plugins.into_iter().collect(), former, evidence, requests: true })
}

/// The places of the requests that ended so where the module's filter is, after the last sign that it is configured: a request that passed it,
/// or what it logged.
fn lacking(module: &Module, log: &[LogRecord]) -> Vec<usize> {
    let is_here = |record: &LogRecord| request(record).is_some_and(|request| request.cluster.is_empty() || module.takes(&request));
    let mut found: Vec<usize> = Vec::new();
    for (at, record) in log.iter().enumerate() {
        if ended(record) {
            found.extend(is_here(record).then_some(at));
            continue;
        }
        let is_own = record.event == Some(LogEvent::PluginLog) && record.plugin.as_ref() == Some(&module.plugin);
        // A line is written at the end of a request: one that began before does not show what came since.
        let passes = || request(record).is_some_and(|request| module.is_passed_by(&request));
        if !found.is_empty() && (is_own || passes()) {
            found.retain(|ended| log[*ended].time >= record.time);
        }
    }
    found
}

/// Whether Envoy's statistics show that it took a configuration of the plugin.
fn is_counted(entry: &EcdsFilter, dump: &ConfigDump, vitals: &Vitals) -> bool {
    vitals.envoy.as_ref().is_some_and(|metrics| counters::of_envoy(Some(entry), dump, metrics).has.is_some())
}
