//! The logs of a recording, or a log file alone, as streams.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

use super::blocks::{Extent, Input};
use super::lines::{Lines, Wanted};
use super::store::Store;
use super::{fault, questions, text};
use crate::model::ids::ProxyId;
use crate::model::logs::{DISCOVERY, LogOrigin, LogSource, LogTime, MarkKind};
use crate::source::logs::{AT_ONCE, BATCHES, LogBatch, LogItem, LogNews, LogQuery, LogStream, LogStreams, LogTargets, too_many};
use crate::source::{LogRequest, SourceError};

/// What a standalone log holds.
#[derive(Debug, Default)]
pub(super) struct Alone {
    /// Whose its lines are that do not say it themselves.
    own: Option<LogOrigin>,
    /// Whose its lines are, where they say it.
    origins: Vec<Arc<LogOrigin>>,
    /// Whether something is around its lines.
    wrapped: bool,
}

impl Alone {
    /// Looks into the file, to its end where its lines say whose they are. What cannot be read shows when it is.
    pub(super) fn of(store: &Store) -> Self {
        let Store::Log(path) = store else { return Self::default() };
        let own = of_path(path);
        let found = Self { own: Some(own.clone()), ..Self::default() };
        found.look(store, Arc::new(own)).unwrap_or(Self { own: Some(of_path(path)), ..Self::default() })
    }

    fn look(mut self, store: &Store, own: Arc<LogOrigin>) -> Option<Self> {
        let mut lines = Lines::alone(own.clone(), None, input(store, &own).ok()?, Wanted::default());
        let (mut of_file, mut last) = (false, own.clone());
        while let Some(batch) = lines.next().ok()? {
            for item in batch.items {
                let LogItem::Line(line) = item else { continue };
                of_file |= Arc::ptr_eq(&line.origin, &own) && !line.text.is_empty();
                // Most lines are of the container of the line before.
                if Arc::ptr_eq(&line.origin, &last) {
                    continue;
                }
                last = line.origin;
                if !Arc::ptr_eq(&last, &own) && !self.origins.iter().any(|origin| Arc::ptr_eq(origin, &last)) {
                    self.origins.push(last.clone());
                }
            }
            self.wrapped = lines.is_wrapped();
            if self.origins.is_empty() {
                break;
            }
        }
        if of_file && !self.origins.is_empty() {
            self.origins.push(own);
        }
        Some(self)
    }
}

/// The containers that there are logs of. A recording of one istiod does not repeat its pod's name.
pub(super) fn held(store: &Store, alone: &Alone) -> Vec<LogOrigin> {
    match (store, &alone.own) {
        (Store::Dump(_), _) => Vec::new(),
        (_, Some(own)) if alone.origins.is_empty() => vec![own.clone()],
        (_, Some(_)) => alone.origins.iter().map(|origin| (**origin).clone()).collect(),
        _ => store.names("logs").iter().filter_map(|name| of_file(name)).collect(),
    }
}

/// Whose a standalone log is, by its name or, on a node, by its folders: `NAMESPACE_POD_UID/CONTAINER/0.log`
/// (`pkg/kubelet/kuberuntime/helpers.go: BuildContainerLogsDirectory`), `POD_NAMESPACE_CONTAINER-ID.log`.
fn of_path(path: &Path) -> LogOrigin {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (file, folder) = (name(Some(path)), path.parent());
    let (container, pod) = (name(folder), name(folder.and_then(Path::parent)));
    let whose = |pod: &str, namespace: &str, container: &str| LogOrigin {
        source: LogSource::of_container(container),
        ..proxy(ProxyId::new(pod, namespace), container)
    };
    let is_number = file.split('.').next().is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    if let [namespace, pod, _uid] = pod.split('_').collect::<Vec<_>>()[..]
        && is_number
    {
        return whose(pod, namespace, &container);
    }
    if let [pod, namespace, rest] = stem(&file).split('_').collect::<Vec<_>>()[..]
        && let Some((container, id)) = rest.rsplit_once('-')
        && id.len() == 64
    {
        return whose(pod, namespace, container);
    }
    let of_istiod = stem(&file).split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word == "istiod");
    let container = if of_istiod { DISCOVERY } else { questions::PROXY };
    of_file(&file).unwrap_or_else(|| whose(stem(&file), "", container))
}

/// Whose a log of a recording is, by the name of its file.
pub(super) fn of_file(name: &str) -> Option<LogOrigin> {
    let stem = stem(name);
    let istiod = |pod: &str| {
        let (pod, container) = (ProxyId::new(pod, ""), DISCOVERY.to_owned());
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

/// Streams the logs to their ends. All streams are announced before the first line, so that the reader can put the lines in order.
pub(super) async fn run(store: Arc<Store>, alone: Arc<Alone>, query: LogQuery, targets: LogTargets, news: LogStreams) {
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
    let extents = extents(&store, &alone, &query, chosen).await;
    let youngest = extents.iter().filter_map(|extent| extent.youngest).max();
    let since = query.since.zip(youngest).map(|(since, youngest)| before(youngest, since));
    let mut tasks = JoinSet::new();
    for ((origin, extent), out) in chosen.iter().zip(extents).zip(outs) {
        let skip = query.tail.map_or(0, |tail| extent.lines.saturating_sub(tail));
        // The lines of one container are counted when they are unwrapped.
        let sieve = query.sieve.clone().filter(|_| !alone.wrapped || skip == 0);
        let wanted = Wanted { skip, unwrapped: alone.wrapped, since, sieve };
        let (store, alone, origin, query) = (store.clone(), alone.clone(), origin.clone(), query.clone());
        let open = move || match query.previous {
            true => Err("recordings hold no logs of earlier runs".to_owned()),
            false => lines(&store, &alone, &origin, wanted),
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
async fn extents(store: &Arc<Store>, alone: &Arc<Alone>, query: &LogQuery, origins: &[Arc<LogOrigin>]) -> Vec<Extent> {
    if query.tail.is_none() && query.since.is_none() {
        return vec![Extent::default(); origins.len()];
    }
    let (store, alone, origins) = (store.clone(), alone.clone(), origins.to_vec());
    let found = move || match (origins.as_slice(), &alone.own) {
        (several @ [_, _, ..], Some(own)) if alone.wrapped => {
            let all = input(&store, own).ok().map(|input| Lines::alone(Arc::new(own.clone()), None, input, Wanted::default()));
            all.and_then(|lines| lines.extents(several).ok()).unwrap_or_else(|| vec![Extent::default(); several.len()])
        }
        (origins, _) => {
            let extent = |origin: &Arc<LogOrigin>| match alone.wrapped {
                true => lines(&store, &alone, origin, Wanted::default()).ok()?.extents(std::slice::from_ref(origin)).ok()?.pop(),
                false => Extent::of(input(&store, origin).ok()?).ok(),
            };
            origins.iter().map(|origin| extent(origin).unwrap_or_default()).collect()
        }
    };
    spawn_blocking(found).await.unwrap_or_default()
}

/// The lines of a container: of its own file, or of a standalone log.
fn lines(store: &Store, alone: &Alone, origin: &Arc<LogOrigin>, wanted: Wanted) -> Result<Lines, String> {
    let input = input(store, origin)?;
    Ok(match &alone.own {
        Some(own) => Lines::alone(Arc::new(own.clone()), (!alone.origins.is_empty()).then(|| origin.clone()), input, wanted),
        None => Lines::new(origin.clone(), input, wanted),
    })
}

fn input(store: &Store, origin: &LogOrigin) -> Result<Input, String> {
    let request = LogRequest { pod: origin.pod.clone(), container: origin.container.clone() };
    let mut names = questions::of_log(&request).into_iter().map(|(name, _)| name);
    let found = names.find_map(|name| store.stream(&name).transpose());
    let found = found.unwrap_or_else(|| Err(fault::no_log(&request))).map_err(|error: SourceError| error.to_string())?;
    text::plain(found).map_err(|error| match error.downcast::<SourceError>() {
        Ok(wrong) => wrong.to_string(),
        Err(error) => format!("it cannot be read: {error}"),
    })
}

fn before(time: LogTime, by: Duration) -> LogTime {
    time.saturating_sub(LogTime::try_from(by.as_nanos()).unwrap_or(LogTime::MAX))
}
