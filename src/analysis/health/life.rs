//! What a log shows of VMs that run. Each worker of Envoy has a VM of its own for a module (`proxy-wasm-cpp-host src/wasm.cc:
//! getOrCreateThreadLocalWasm`), so that what one worker answers or logs shows nothing of another one.

use std::collections::BTreeSet;

use super::failures::{ended, request};
use super::vms::Vm;
use crate::ingest::logs::failure::thread;
use crate::model::logs::{LogEvent, LogRecord};

/// Connections prove that no worker has a failed VM once the chance that all of them missed one worker is below this.
const CHANCE: f64 = 1e-6;

/// What shows that a VM ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sign<'l> {
    /// The record that completes the proof, and its place in the log.
    pub record: &'l LogRecord,
    pub at: usize,
    /// On how many connections requests passed it; 0 where it logged.
    pub connections: usize,
}

/// A failure: its record, its place in the log, and the threads whose VM has failed; none where they are not known.
pub(super) struct Failed<'f, 'l> {
    pub record: &'l LogRecord,
    pub at: usize,
    pub threads: &'f BTreeSet<&'l str>,
}

/// The records of a log that show that VMs run, and the requests that VMs ended.
pub(super) struct Life<'l> {
    entries: Vec<Entry<'l>>,
    /// `server.concurrency`: how many workers Envoy has.
    workers: Option<usize>,
}

struct Entry<'l> {
    at: usize,
    record: &'l LogRecord,
    of: Of<'l>,
}

enum Of<'l> {
    /// A plugin of these VMs logged, on this thread.
    Logged(Vec<usize>, Option<&'l str>),
    /// A request of this connection passed these VMs; the connection is None where the log does not hold the client's own port.
    Answered(Vec<usize>, Option<String>),
    /// A VM that has failed ended a request.
    Ended,
}

impl<'l> Life<'l> {
    /// Reads a log.
    pub fn of(vms: &[Vm<'_>], log: &'l [LogRecord], workers: Option<usize>) -> Self {
        let places = |is_it: &dyn Fn(&Vm<'_>) -> bool| -> Vec<usize> { (0..vms.len()).filter(|place| is_it(&vms[*place])).collect() };
        let entry = |(at, record): (usize, &'l LogRecord)| {
            let of = match record.event {
                Some(LogEvent::PluginLog) => Of::Logged(places(&|vm| vm.logged(record)), thread(record)),
                Some(LogEvent::Request) if ended(record) => Of::Ended,
                Some(LogEvent::Request) => {
                    let passed = places(&|vm| vm.answered(record));
                    if passed.is_empty() { Of::Answered(passed, None) } else { Of::Answered(passed, connection(record)) }
                }
                _ => return None,
            };
            let is_empty = matches!(&of, Of::Logged(vms, _) | Of::Answered(vms, _) if vms.is_empty());
            (!is_empty).then_some(Entry { at, record, of })
        };
        Self { entries: log.iter().enumerate().filter_map(entry).collect(), workers }
    }

    /// What shows that the VM at a place ran after a failure that can be its own; None where nothing does.
    pub fn since(&self, place: usize, vm: &Vm<'_>, failed: &Failed<'_, 'l>) -> Option<Sign<'l>> {
        let (mut heard, mut connections): (BTreeSet<&str>, BTreeSet<&str>) = (BTreeSet::new(), BTreeSet::new());
        for Entry { at, record, of } in self.entries.iter().skip_while(|entry| entry.at <= failed.at) {
            let sign = |connections| Some(Sign { record, at: *at, connections });
            match of {
                Of::Logged(vms, Some(thread)) if vms.contains(&place) => {
                    heard.insert(thread);
                    let is_proof = if failed.threads.is_empty() {
                        // Which thread failed is not known, so all have to be heard: the workers and the main thread, which has a VM too.
                        self.workers.is_some_and(|workers| heard.len() > workers)
                    } else {
                        failed.threads.is_subset(&heard)
                    };
                    if is_proof {
                        return sign(0);
                    }
                }
                // The access log is written later than what happened meanwhile, with the time at which a request began.
                Of::Answered(vms, connection) if vms.contains(&place) && record.time > failed.record.time => {
                    connections.extend(connection.as_deref());
                    if vm.restarts() || self.workers == Some(1) {
                        return sign(1);
                    }
                    if self.are_enough(connections.len()) {
                        return sign(connections.len());
                    }
                }
                Of::Ended if vm.ends_requests() => connections.clear(),
                _ => {}
            }
        }
        None
    }

    /// Whether so many connections in a row hardly all missed one of the workers.
    fn are_enough(&self, connections: usize) -> bool {
        let share = |workers: usize| 1.0 - 1.0 / f64::from(u32::try_from(workers).unwrap_or(u32::MAX));
        let exponent = i32::try_from(connections).unwrap_or(i32::MAX);
        self.workers.is_some_and(|workers| share(workers).powi(exponent) < CHANCE)
    }
}

/// The client's address where it is that of a connection, which stays with one worker: one from `X-Forwarded-For` has port 0.
fn connection(record: &LogRecord) -> Option<String> {
    let request = request(record)?;
    let (_, port) = request.downstream_remote.rsplit_once(':')?;
    port.parse::<u16>().is_ok_and(|port| port > 0).then(|| request.downstream_remote.to_string())
}
