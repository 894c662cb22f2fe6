//! The logs of a recording, or a log file alone, as streams.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

use super::blocks::{Extent, Input};
use super::lines::Lines;
use super::store::Store;
use super::{fault, questions};
use crate::model::ids::ProxyId;
use crate::model::logs::{LogOrigin, LogSource, LogTime, MarkKind};
use crate::source::logs::{AT_ONCE, BATCHES, LogBatch, LogItem, LogNews, LogQuery, LogStream, LogStreams, LogTargets, too_many};
use crate::source::{LogRequest, SourceError};

/// The containers that there are logs of. A recording of one istiod does not repeat its pod's name.
pub(super) fn held(store: &Store) -> Vec<LogOrigin> {
    match store {
        Store::Dump(_) => Vec::new(),
        Store::Log(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            vec![of_file(&name).unwrap_or_else(|| proxy(ProxyId::new(stem(&name), ""), questions::PROXY))]
        }
        _ => store.names("logs").iter().filter_map(|name| of_file(name)).collect(),
    }
}

fn of_file(name: &str) -> Option<LogOrigin> {
    let stem = stem(name);
    let istiod = |pod: &str| {
        let (pod, container) = (ProxyId::new(pod, ""), questions::DISCOVERY.to_owned());
        LogOrigin { source: LogSource::Istiod, pod, container, workload: None }
    };
    match stem.strip_prefix("istiod") {
        Some("") => return Some(istiod("")),
        // `istiod.POD` of a recording; a file alone is mostly named as the pod is.
        Some(rest) if rest.starts_with('.') => return Some(istiod(&rest[1..])),
        Some(rest) if rest.starts_with('-') && !stem.contains('.') => return Some(istiod(stem)),
        _ => {}
    }
    let (pod, container) = stem.rsplit_once('.')?;
    Some(proxy(ProxyId::parse(pod)?, container))
}

fn proxy(pod: ProxyId, container: &str) -> LogOrigin {
    LogOrigin { source: LogSource::Proxy, pod, container: container.to_owned(), workload: None }
}

/// A file's name without `.log` and the suffix of its compression.
fn stem(name: &str) -> &str {
    let plain = questions::plain(name);
    plain.strip_suffix(".log").unwrap_or(plain)
}

/// Streams the logs to their ends. All streams are told before the first line, so that the reader can put the lines in order.
pub(super) async fn run(store: Arc<Store>, query: LogQuery, targets: LogTargets, news: LogStreams) {
    let all = targets.borrow().clone();
    let chosen = all.get(..AT_ONCE).unwrap_or(&all);
    if chosen.len() < all.len() && news.send(LogNews::Mark(MarkKind::Failed, too_many(all.len() - chosen.len()))).await.is_err() {
        return;
    }
    let mut outs = Vec::new();
    for origin in chosen {
        let (out, batches) = mpsc::channel(BATCHES);
        if news.send(LogNews::Stream(LogStream { origin: origin.clone(), batches })).await.is_err() {
            return;
        }
        outs.push(out);
    }
    let extents = extents(&store, &query, chosen).await;
    let youngest = extents.iter().filter_map(|extent| extent.youngest).max();
    let since = query.since.zip(youngest).map(|(since, youngest)| before(youngest, since));
    let mut tasks = JoinSet::new();
    for ((origin, extent), out) in chosen.iter().zip(extents).zip(outs) {
        let skip = query.tail.map_or(0, |tail| extent.lines.saturating_sub(tail));
        let (store, origin, query) = (store.clone(), origin.clone(), query.clone());
        let open = move || match query.previous {
            true => Err("recordings hold no logs of earlier runs".to_owned()),
            false => Ok(Lines::new(origin.clone(), open(&store, &origin)?, skip, since, query.sieve)),
        };
        tasks.spawn(pump(open, out));
    }
    tokio::select! {
        () = news.closed() => {}
        _ = tasks.join_all() => {}
    }
}

/// Reads block after block. Between two, the thread is free for others. None at the end, or where nobody reads any more.
async fn pump(open: impl FnOnce() -> Result<Lines, String> + Send + 'static, out: mpsc::Sender<LogBatch>) -> Option<()> {
    let failed = async |why| {
        let items = vec![LogItem::Mark(MarkKind::Failed, why)];
        out.send(LogBatch { items, ..LogBatch::default() }).await.ok()
    };
    let mut lines = match spawn_blocking(open).await.ok()? {
        Ok(lines) => lines,
        Err(why) => return failed(why).await,
    };
    loop {
        let read = move || {
            let next = lines.next();
            (lines, next)
        };
        let next;
        (lines, next) = spawn_blocking(read).await.ok()?;
        match next {
            Ok(batch) => out.send(batch?).await.ok()?,
            Err(error) => return failed(format!("the rest cannot be read: {error}")).await,
        }
    }
}

/// How far each log reaches, where that has to be known first. What cannot be read shows when it is.
async fn extents(store: &Arc<Store>, query: &LogQuery, origins: &[Arc<LogOrigin>]) -> Vec<Extent> {
    if query.tail.is_none() && query.since.is_none() {
        return vec![Extent::default(); origins.len()];
    }
    let (store, origins) = (store.clone(), origins.to_vec());
    let extent = move |origin: &Arc<LogOrigin>| open(&store, origin).ok().and_then(|input| Extent::of(input).ok()).unwrap_or_default();
    spawn_blocking(move || origins.iter().map(extent).collect()).await.unwrap_or_default()
}

fn open(store: &Store, origin: &LogOrigin) -> Result<Input, String> {
    let request = LogRequest { pod: origin.pod.clone(), container: origin.container.clone() };
    let mut names = questions::of_log(&request).into_iter().map(|(name, _)| name);
    let found = names.find_map(|name| store.stream(&name).transpose());
    found.unwrap_or_else(|| Err(fault::no_log(&request))).map_err(|error: SourceError| error.to_string())
}

fn before(time: LogTime, by: Duration) -> LogTime {
    time.saturating_sub(LogTime::try_from(by.as_nanos()).unwrap_or(LogTime::MAX))
}
