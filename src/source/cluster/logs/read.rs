//! Reads one stream of one container's log: opens it, cuts it into lines, leaves out those that were handed on already.

use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use tokio::sync::mpsc;

use super::super::Shared;
use super::super::trouble::{Cause, Trouble, bounded, one_line};
use super::parting::Parting;
use super::seen::Seen;
use crate::model::ids::ProxyId;
use crate::model::logs::{LogOrigin, MarkKind};
use crate::source::logs::split::{self, Splitter};
use crate::source::logs::{LogBatch, LogFeed, LogItem};

/// A stream that gives nothing for so long has been read to its end.
const QUIET: Duration = Duration::from_millis(50);
/// A stream that gives nothing for so long may have lost its connection without a word (a laptop that slept, a firewall), so
/// it is opened anew.
const SILENCE: Duration = Duration::from_secs(60);

/// What the kubelet writes into a log that it cannot read, in the place of lines and without a time, with status 200
/// (Kubernetes `pkg/kubelet/kuberuntime/kuberuntime_logs.go`, `pkg/kubelet/kuberuntime/logs`).
const UNREADABLE: [&str; 2] = ["unable to retrieve container logs for ", "failed to try resolving symlinks in path "];

/// How the reading of a stream ended, where it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server ended it.
    AtEnd,
    /// Nothing came for a long time.
    Silent,
    /// The container is no longer wanted.
    Unwanted,
    /// Nobody reads any more.
    ReaderGone,
}

/// Where the lines of one container go, and what is remembered of them.
pub(super) struct Reader {
    pub origin: Arc<LogOrigin>,
    feed: LogFeed,
    pub seen: Seen,
    /// Whether the log was asked for from somewhere else than its start, and no line has come yet.
    pub partial: bool,
    /// Whether a stream was read to the end of the log.
    pub caught_up: bool,
    /// How many lines were handed on.
    pub taken: u64,
    /// Why the kubelet could not go on reading.
    unreadable: Option<String>,
}

impl Reader {
    /// A reader that has read nothing.
    pub fn new(origin: Arc<LogOrigin>, out: mpsc::Sender<LogBatch>) -> Self {
        Self { origin, feed: LogFeed::new(out), seen: Seen::default(), partial: false, caught_up: false, taken: 0, unreadable: None }
    }

    /// Hands a mark on; false where nobody reads any more.
    pub async fn mark(&mut self, kind: MarkKind, text: impl Into<String>) -> bool {
        self.feed.mark(kind, text.into()).await
    }

    /// Reads a stream to its end. `whole` says that the end will be that of the log, so that a last line without an end counts.
    pub async fn read(&mut self, stream: impl AsyncBufRead, whole: bool, parting: &mut Parting) -> Result<Ended, Trouble> {
        let mut stream = std::pin::pin!(stream);
        let mut splitter = Splitter::default();
        let mut told = false;
        self.feed.begin();
        loop {
            let wait = if told { SILENCE } else { QUIET };
            let chunk = tokio::select! {
                biased;
                chunk = tokio::time::timeout(wait, stream.fill_buf()) => chunk,
                () = parting.over() => return Ok(Ended::Unwanted),
            };
            let mut items = Vec::new();
            match chunk {
                Err(_) if told => return Ok(Ended::Silent),
                Err(_) => (told, self.caught_up) = (true, true),
                Ok(Err(error)) => {
                    return Err(Trouble::new(Cause::Unreachable, format!("the connection was lost: {error}")));
                }
                Ok(Ok([])) => {
                    splitter.end(|line, cut| {
                        if whole || is_of_kubelet(line) {
                            self.take(line, cut, &mut items);
                        }
                    });
                    if !items.is_empty() && !self.feed.lines(items).await {
                        return Ok(Ended::ReaderGone);
                    }
                    return match self.unreadable.take() {
                        Some(why) => Err(Trouble::new(Cause::Refused, why)),
                        None => Ok(Ended::AtEnd),
                    };
                }
                Ok(Ok(bytes)) => {
                    let length = bytes.len();
                    splitter.feed(bytes, |line, cut| self.take(line, cut, &mut items));
                    stream.consume_unpin(length);
                    told = false;
                }
            }
            if told && !self.feed.at_end().await || !items.is_empty() && !self.feed.lines(items).await {
                return Ok(Ended::ReaderGone);
            }
        }
    }

    fn take(&mut self, bytes: &[u8], cut: bool, items: &mut Vec<LogItem>) {
        if is_of_kubelet(bytes) {
            self.unreadable = Some(format!("the kubelet cannot read the log: {}", one_line(&String::from_utf8_lossy(bytes))));
            return;
        }
        let line = split::line(&self.origin, bytes, cut);
        if !self.seen.is_new(&line) {
            return;
        }
        if std::mem::take(&mut self.partial) {
            self.seen.begins_here();
        }
        if self.seen.is_gap() {
            let text = "the log no longer reaches back to where the stream ended: lines may be missing".to_owned();
            items.push(LogItem::Mark(MarkKind::Dropped, text));
        }
        self.taken += 1;
        items.push(LogItem::Line(line));
    }
}

/// Whether the kubelet wrote a line itself. It puts a time in front of all that a container wrote.
fn is_of_kubelet(line: &[u8]) -> bool {
    UNREADABLE.iter().any(|words| line.starts_with(words.as_bytes()))
}

/// Opens a container's log.
pub(super) async fn open(shared: &Shared, pod: &ProxyId, container: &str, params: LogParams) -> Result<impl AsyncBufRead + use<>, Trouble> {
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &pod.namespace);
    let params = LogParams { container: Some(container.to_owned()), timestamps: true, ..params };
    bounded(shared.timeout, pods.log_stream(&pod.pod, &params)).await
}

/// What to do where a log cannot be opened; empty where that is not known.
pub(super) fn fix(shared: &Shared, pod: &ProxyId, trouble: &Trouble) -> String {
    match trouble.cause {
        Cause::Forbidden => format!("grant get on pods/log in namespace {}", pod.namespace),
        Cause::Unauthorized | Cause::NoCredential => format!("sign in again for context {}", shared.context),
        _ => String::new(),
    }
}
