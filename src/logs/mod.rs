//! Reads logs and has them understood: lines become records, each is tied to its plugin, filtered, and put in its order, away from
//! the task that draws. Memory has a bound: who reads slowly slows the sources.

mod asked;
mod mark;
pub mod pane;
mod reader;
mod story;
mod tie;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

pub use self::asked::{Asked, SETTLE, concerns};
use self::reader::Reader;
pub use self::story::gather;
pub use self::tie::Tie;
use crate::analysis::logs::Filter;
use crate::ingest::logs::AccessFormat;
use crate::model::inventory::Inventory;
use crate::model::logs::{LogKind, LogOrigin, LogRecord};
use crate::source::SharedSource;
use crate::source::logs::{LogNews, LogQuery, Sieve};

/// How many messages of the source may wait.
const NEWS: usize = 16;

/// What a reader of logs goes by. It changes as the mesh does.
#[derive(Clone, Debug)]
pub struct View {
    /// The containers that are read.
    pub origins: Arc<[Arc<LogOrigin>]>,
    /// What the records can be about.
    pub objects: Arc<Inventory>,
    /// Whether there are no objects, so that nothing can be concluded from what is not among them.
    pub alone: bool,
    /// Which records are wanted.
    pub filter: Arc<Filter>,
}

impl View {
    /// The access log's format, where the mesh has one of its own.
    fn format(&self) -> Option<Arc<AccessFormat>> {
        self.objects.mesh.as_deref().and_then(AccessFormat::of).map(Arc::new)
    }
}

/// How much was read, whether or not it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many records.
    pub records: u64,
    /// How many of them no parser knew.
    pub unknown: u64,
}

impl Seen {
    fn count(&mut self, record: &LogRecord) {
        self.records += 1;
        self.unknown += u64::from(record.kind == LogKind::Unknown);
    }
}

/// What a reader of logs hands on.
#[derive(Debug)]
enum Read {
    /// Records, in their order.
    Records(Vec<LogRecord>),
    /// The mesh has changed: all records before this can be tied otherwise, and those after it are tied so.
    Anew(Arc<Tie>),
}

/// Reads the logs to their ends or, where they are followed, until the sender of `view` or the reader of `out` is gone. What is
/// held back then is handed on. Says how much was read.
pub async fn run(source: SharedSource, query: LogQuery, view: watch::Receiver<Arc<View>>, out: mpsc::Sender<Vec<LogRecord>>) -> Seen {
    let records = |read| match read {
        Read::Records(records) => Some(records),
        Read::Anew(_) => None,
    };
    read(source, query, view, out, records).await
}

/// The same for whoever holds records while the mesh changes. What `wrap` does not want is not handed on.
async fn read<M: Send + 'static>(
    source: SharedSource,
    mut query: LogQuery,
    mut view: watch::Receiver<Arc<View>>,
    out: mpsc::Sender<M>,
    wrap: impl Fn(Read) -> Option<M>,
) -> Seen {
    let hand_on = async |read| match wrap(read) {
        Some(message) => out.send(message).await.is_ok(),
        None => true,
    };
    let first = view.borrow_and_update().clone();
    if first.filter.is_selective() {
        let filter = first.filter.clone();
        query.sieve = Some(Sieve(Arc::new(move |lines, from| filter.find(lines, from))));
    }
    let live = query.follow && source.logs_held().is_none();
    let mut reader = Reader::new(&first, live);
    let (targets, wanted) = watch::channel(first.origins.clone());
    let (sender, mut news) = mpsc::channel(NEWS);
    let streaming = tokio::spawn(source.logs(query, wanted, sender));
    let mut open = true;
    while open || !reader.is_over() {
        let ready = reader.ready();
        if !ready.is_empty() {
            if !hand_on(Read::Records(ready)).await {
                break;
            }
            continue;
        }
        let wake = reader.wake();
        let woken = async {
            match wake {
                Some(wake) => sleep_until(wake).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = out.closed() => break,
            changed = view.changed() => {
                if changed.is_err() {
                    hand_on(Read::Records(reader.rest())).await;
                    break;
                }
                let view = view.borrow_and_update().clone();
                targets.send_if_modified(|origins| std::mem::replace(origins, view.origins.clone()) != view.origins);
                if let Some(tie) = reader.look_at(&view)
                    && live
                    && !hand_on(Read::Anew(Arc::new(tie))).await
                {
                    break;
                }
            }
            // New streams go before lines: the order of the lines depends on which there are.
            told = news.recv(), if open => match told {
                Some(LogNews::Stream(stream)) => reader.begin(stream),
                Some(LogNews::Mark(kind, text)) => {
                    if !hand_on(Read::Records(vec![mark::mark_of_all(kind, text)])).await {
                        break;
                    }
                }
                None => open = false,
            },
            (log, batch) = reader.next() => reader.take(log, batch),
            () = woken => {}
        }
    }
    streaming.abort();
    reader.seen
}
