//! Reads the end of a proxy's log: what it says of plugins that fail, and the requests of the last minutes. Bounded, and grouped while it is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::analysis::logs::{Filter, FilterSpec};
use crate::analysis::requests::{self, Gatherer};
use crate::ingest::logs::details::FAIL_STREAM;
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
use crate::source::{ProxyRequest, SharedSource};

/// How many lines are read of plugins that fail, from the log's end, however old they are.
const LINES: u64 = 2000;

/// How far back requests are read, and how many lines of that at most.
const MINUTES: Duration = Duration::from_secs(600);
const MOST_LINES: u64 = 12_000;

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

/// What a proxy's log says of the last minutes: the requests, in groups, and its connection to istiod, where that is lost.
pub(super) async fn last_minutes(
    source: &SharedSource,
    request: &ProxyRequest,
    objects: Arc<Inventory>,
) -> (Requests, Option<LostUpstream>) {
    let mut gatherer = Gatherer::new(&objects, &request.proxy, MOST_LINES);
    let mut upstream = UpstreamFollower::default();
    let query = LogQuery { since: Some(MINUTES), tail: Some(MOST_LINES), ..LogQuery::default() };
    let read = read(source, own_log(request), request.deadline, objects.clone(), query, |record| {
        upstream.observe(&record);
        gatherer.take(&record);
    });
    match read.await {
        Ok(()) => {
            let mut requests = gatherer.requests();
            requests.lost_keys = lost_keys(source, request, objects, &requests).await;
            (requests, upstream.lost())
        }
        // Its newest lines may be what is missing, and without them nothing is known of what fails now.
        Err(gaps) => (Requests { gap: Some(format!("its log {}", gaps.join("; "))), ..Requests::default() }, None),
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

/// The lines at the end of the proxy's log about a plugin that could not be fetched, that Envoy did not take, or whose VM failed, with what
/// shows since that it runs.
pub(super) async fn failures(
    source: &SharedSource,
    request: &ProxyRequest,
    objects: Arc<Inventory>,
    warnings: &mut Vec<Warning>,
) -> Vec<LogRecord> {
    let (mut found, mut has_failed) = (Vec::new(), false);
    let mut is_wanted = |record: &LogRecord| match record.event {
        // Which module was fetched before, and which could not be: its URL need not be that of an object any more.
        Some(LogEvent::Fetch | LogEvent::FetchFailed) => true,
        Some(LogEvent::Nack) => record.plugin.is_some(),
        // Of several modules the line of a failure does not say which; who asks knows what the proxy has.
        Some(LogEvent::VmFailed) => {
            has_failed = true;
            true
        }
        Some(LogEvent::Request) => {
            has_failed |= record.raw.contains(FAIL_STREAM);
            // A request that was answered, and a plugin that speaks, are signs that a VM runs again.
            has_failed
        }
        // What a module says as it ends stands in front of the failure.
        Some(LogEvent::PluginLog) => has_failed || &*record.level == "critical",
        _ => false,
    };
    let query = LogQuery { tail: Some(LINES), ..LogQuery::default() };
    let read = read(source, own_log(request), request.deadline, objects, query, |record| {
        if is_wanted(&record) {
            found.push(record);
        }
    });
    if let Err(gaps) = read.await {
        warnings.extend(gaps.into_iter().map(|what| Warning::new(format!("log of {}", request.proxy), what, "")));
    }
    found
}
