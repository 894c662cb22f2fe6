//! Reads the end of a proxy's log: what it says of plugins that fail, and the requests of the last minutes. Bounded, and grouped while it is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::analysis::logs::{Filter, FilterSpec};
use crate::analysis::requests::{self, Gatherer, Window};
use crate::ingest::logs::details::{FAIL_STREAM, NO_CONFIGURATION};
use crate::ingest::logs::keys::KeysFollower;
use crate::ingest::logs::upstream::UpstreamFollower;
use crate::logs::{self, View};
use crate::model::inventory::Inventory;
use crate::model::logs::{DISCOVERY, LogEvent, LogOrigin, LogRecord, LogSource};
use crate::model::requests::{LostKeys, Requests};
use crate::model::vitals::LostUpstream;
use crate::model::warning::Warning;
use crate::model::workload::Pod;
use crate::source::logs::LogQuery;
use crate::source::{ProxyRequest, SharedSource, SourceKind};

/// How many lines are read where only plugins that fail are asked for, from the log's end, however old they are.
const LINES: u64 = 2000;

/// How many lines of the log are read at most for the requests of the last minutes, and how many of a recording for its end.
const MOST_LINES: u64 = 12_000;
const LAST_LINES: u64 = 100;

/// Where more than twice `KEPT` records were found, requests and lines of plugins are dropped of all but the newest `KEPT`. After each failure at
/// most `SIGNS` signs of life are kept.
const KEPT: usize = 2000;
const SIGNS: usize = 1000;

/// Whether a log that a source holds is that of a proxy.
pub(super) fn is_of(origin: &LogOrigin, request: &ProxyRequest) -> bool {
    origin.pod == request.proxy && origin.container == request.container
}

/// The log of the proxy.
fn own_log(request: &ProxyRequest) -> Vec<LogOrigin> {
    vec![LogOrigin { source: LogSource::Proxy, pod: request.proxy.clone(), container: request.container.clone(), workload: None }]
}

/// The logs of the istiods.
fn istiod_logs(source: &SharedSource, objects: &Inventory) -> Vec<LogOrigin> {
    let is_istiod = |origin: &LogOrigin| origin.source == LogSource::Istiod;
    match source.logs_held() {
        Some(held) => held.into_iter().filter(is_istiod).collect(),
        None => {
            let istiods = objects.pods.values().filter(|pod| pod.istiod.is_some());
            let origin = |pod: &Arc<Pod>| LogOrigin {
                source: LogSource::Istiod,
                pod: pod.id.clone(),
                container: DISCOVERY.to_owned(),
                workload: None,
            };
            istiods.map(origin).collect()
        }
    }
}

/// Reads the records of logs within a deadline, and hands each on. What could not be read is said, one clause each.
async fn read(
    source: &SharedSource,
    origins: Vec<LogOrigin>,
    deadline: Duration,
    objects: Arc<Inventory>,
    query: LogQuery,
    mut take: impl FnMut(LogRecord),
) -> Result<(), Vec<String>> {
    // A filter that asks for all cannot be wrong.
    let Ok(filter) = Filter::new(FilterSpec::default(), &objects) else { return Ok(()) };
    let origins = origins.into_iter().map(Arc::new).collect();
    let view = View { origins, objects, alone: false, filter: Arc::new(filter) };
    // The sender lives until the log is read: without it the reading ends.
    let (_views, view) = watch::channel(Arc::new(view));
    let (sender, mut records) = mpsc::channel::<Vec<LogRecord>>(4);
    let mut gaps = Vec::new();
    let gather = async {
        while let Some(batch) = records.recv().await {
            for record in batch {
                match record.event {
                    Some(LogEvent::Mark(kind)) if kind.is_failure() => gaps.push(record.message.to_string()),
                    _ => take(record),
                }
            }
        }
    };
    let read = timeout(deadline, futures::future::join(logs::run(source.clone(), query, view, sender), gather)).await;
    if read.is_err() {
        gaps.push(format!("was not read within {} s", deadline.as_secs_f64()));
    }
    if gaps.is_empty() { Ok(()) } else { Err(gaps) }
}

/// What the end of a proxy's log says.
pub(super) struct LogEnd {
    /// The lines about a plugin that could not be fetched, that Envoy did not take, or whose VM failed, with what shows since that it runs.
    pub failures: Vec<LogRecord>,
    /// The requests of the last minutes, in groups.
    pub requests: Requests,
    /// The proxy's connection to istiod, where that is lost.
    pub lost_upstream: Option<LostUpstream>,
    /// Why it was not read, or not to its end, as one clause; None where it was.
    pub gap: Option<String>,
}

/// Reads the end of a proxy's log once, for all that is asked of it. Without plugins (`has_plugins`) only its requests and its connection to
/// istiod are of use.
pub(super) async fn end(
    source: &SharedSource,
    request: &ProxyRequest,
    objects: Arc<Inventory>,
    has_plugins: bool,
    warnings: &mut Vec<Warning>,
) -> LogEnd {
    let window = window(source, request, objects.clone()).await;
    let mut gatherer = Gatherer::new(&objects, &request.proxy, window, MOST_LINES);
    let (mut upstream, mut failures) = (UpstreamFollower::default(), Failures::default());
    let query = LogQuery { tail: Some(MOST_LINES), ..LogQuery::default() };
    let read = read(source, own_log(request), request.deadline, objects.clone(), query, |record| {
        upstream.observe(&record);
        gatherer.take(&record);
        if has_plugins {
            failures.take(record);
        }
    });
    match read.await {
        Ok(()) => {
            let mut requests = gatherer.requests();
            requests.lost_keys = lost_keys(source, request, objects, &requests).await;
            LogEnd { failures: failures.found, requests, lost_upstream: upstream.lost(), gap: None }
        }
        // Its newest lines may be what is missing, and without them nothing is known of what fails now.
        Err(gaps) => {
            let gap = Some(of_log(&gaps));
            if has_plugins {
                let object = format!("log of {}", request.proxy);
                warnings.extend(gaps.into_iter().map(|what| Warning::new(object.clone(), what, "")));
            }
            let requests = Requests { gap: gap.clone(), ..Requests::default() };
            LogEnd { failures: failures.found, requests, lost_upstream: None, gap }
        }
    }
}

/// The keys that istiod could not fetch, where requests failed for lack of a key. What cannot be read is not known.
async fn lost_keys(source: &SharedSource, request: &ProxyRequest, objects: Arc<Inventory>, requests: &Requests) -> Vec<LostKeys> {
    let sources = requests::key_sources(&objects, &request.proxy, &requests.failed);
    if sources.is_empty() {
        return Vec::new();
    }
    let (origins, mut follower) = (istiod_logs(source, &objects), KeysFollower::new(sources));
    let query = LogQuery { tail: Some(MOST_LINES), ..LogQuery::default() };
    let read = read(source, origins, request.deadline, objects, query, |record| follower.observe(&record));
    if read.await.is_err() { Vec::new() } else { follower.lost() }
}

/// Reads only what the last lines of a proxy's log say of its plugins, with why they could not be read, as one clause.
pub(super) async fn failures(source: &SharedSource, request: &ProxyRequest, objects: Arc<Inventory>) -> (Vec<LogRecord>, Option<String>) {
    let mut failures = Failures::default();
    let query = LogQuery { tail: Some(LINES), ..LogQuery::default() };
    let read = read(source, own_log(request), request.deadline, objects, query, |record| failures.take(record)).await;
    (failures.found, read.err().map(|gaps| of_log(&gaps)))
}

fn of_log(gaps: &[String]) -> String {
    format!("its log {}", gaps.join("; "))
}

/// The last minutes: of a live mesh before now, of a recording before the end of the log.
async fn window(source: &SharedSource, request: &ProxyRequest, objects: Arc<Inventory>) -> Window {
    if let Some(now) = super::now(source.info().kind == SourceKind::Cluster) {
        return Window { until: Some(now), is_recorded: false };
    }
    let mut written = Vec::new();
    let query = LogQuery { tail: Some(LAST_LINES), ..LogQuery::default() };
    let read = read(source, own_log(request), request.deadline, objects, query, |record| written.extend(requests::written(&record))).await;
    Window { until: requests::end_of_log(&written).filter(|_| read.is_ok()), is_recorded: true }
}

/// Keeps of a log what it says of plugins that fail.
#[derive(Default)]
struct Failures {
    found: Vec<LogRecord>,
    has_failed: bool,
    /// How many records after the last failure were kept.
    since: usize,
}

impl Failures {
    fn take(&mut self, record: LogRecord) {
        if !self.is_wanted(&record) {
            return;
        }
        self.found.push(record);
        // Of a VM that fails again and again the latest failures decide.
        if self.found.len() > 2 * KEPT {
            let old = self.found.len() - KEPT;
            let mut place = 0;
            self.found.retain(|record| {
                place += 1;
                place > old || !matches!(record.event, Some(LogEvent::Request | LogEvent::PluginLog))
            });
        }
    }

    fn is_wanted(&mut self, record: &LogRecord) -> bool {
        match record.event {
            // Which module was fetched before, and which could not be: its URL need not be that of an object any more.
            Some(LogEvent::Fetch | LogEvent::FetchFailed) => true,
            Some(LogEvent::Nack) => record.plugin.is_some(),
            // Of several modules the line of a failure does not say which; who asks knows what the proxy has.
            Some(LogEvent::VmFailed) => self.fails(),
            Some(LogEvent::Request) if [FAIL_STREAM, NO_CONFIGURATION].iter().any(|words| record.raw.contains(words)) => self.fails(),
            // What a module logs as it ends precedes the failure.
            Some(LogEvent::PluginLog) if &*record.level == "critical" => true,
            // A request that was answered, and a plugin that logs, are signs that a VM runs again.
            Some(LogEvent::Request | LogEvent::PluginLog) if self.has_failed && self.since < SIGNS => {
                self.since += 1;
                true
            }
            _ => false,
        }
    }

    fn fails(&mut self) -> bool {
        (self.has_failed, self.since) = (true, 0);
        true
    }
}
