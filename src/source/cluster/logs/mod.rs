//! The logs of a live cluster: a task for each container that is wanted, and a bound on them.

mod container;
mod from;
mod parting;
mod pod;
mod read;
mod seen;
pub(super) mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::container::Follower;
use self::from::From;
use self::parting::{Parting, Wanted};
use self::pod::Run;
use self::read::Reader;
use self::seen::Seen;
use super::Shared;
use crate::clock;
use crate::model::ids::ProxyId;
use crate::model::logs::{LogOrigin, MarkKind};
use crate::source::logs::{AT_ONCE, BATCHES, LogNews, LogQuery, LogStream, LogStreams, LogTargets, too_many};

/// How many containers that are over are remembered, should they be wanted again.
const REMEMBERED: usize = 200;

/// Which container.
type Key = (ProxyId, String);
/// What is known of a container that is read no more: its lines, and which run they are of.
type Known = (Seen, Option<Run>);

/// Streams until all logs were read, or for as long as there is a reader.
pub(super) async fn run(shared: Arc<Shared>, query: LogQuery, targets: LogTargets, news: LogStreams) {
    let from = From::query(query.tail, query.since, clock::now());
    let closed = news.clone();
    let streams = Streams { shared, query, from, targets, news, tasks: JoinSet::new(), open: BTreeMap::new(), known: BTreeMap::new() };
    tokio::select! {
        () = closed.closed() => {}
        _ = streams.serve() => {}
    }
}

struct Streams {
    shared: Arc<Shared>,
    query: LogQuery,
    from: From,
    targets: LogTargets,
    news: LogStreams,
    /// Dropping the set ends the tasks: nothing outlives the request.
    tasks: JoinSet<(Key, Known)>,
    /// The containers that have a task; the sender is gone where the container is no longer wanted.
    open: BTreeMap<Key, Option<Wanted>>,
    known: BTreeMap<Key, Known>,
}

impl Streams {
    /// None where nobody reads any more.
    async fn serve(mut self) -> Option<()> {
        let began = clock::now();
        // The containers of the last set, by which new pods and those that they replace are known.
        let mut before: Option<Arc<[Arc<LogOrigin>]>> = None;
        let mut left_out = 0;
        loop {
            let targets = self.targets.borrow_and_update().clone();
            for (key, wanted) in &mut self.open {
                if !targets.iter().any(|origin| key_of(origin) == *key) {
                    *wanted = None;
                }
            }
            let mut begun = Vec::new();
            for origin in targets.iter() {
                // What is not followed is read at once or not at all: its order could not be kept.
                let over = before.is_some() && !self.query.follow;
                if self.open.contains_key(&key_of(origin)) || self.open.len() >= AT_ONCE || over {
                    continue;
                }
                let known = self.known.contains_key(&key_of(origin));
                let mut from = self.from;
                let mut mark = None;
                if let Some(before) = &before {
                    from.move_to(began);
                    mark = (!known && !before.contains(origin)).then(|| format!("the pod {} is new", origin.pod.pod));
                }
                begun.push((self.open(origin).await?, from, mark));
            }
            // All streams are told before the first line, so that the reader can put the lines in order.
            for (begun, from, mark) in begun {
                self.start(begun, from, mark);
            }
            let waiting =
                targets.iter().map(|origin| key_of(origin)).filter(|key| !self.open.contains_key(key) && !self.known.contains_key(key));
            let waiting = waiting.count();
            if waiting != left_out {
                left_out = waiting;
                self.say_bound(waiting).await?;
            }
            before = Some(targets);
            tokio::select! {
                Some(ended) = self.tasks.join_next() => {
                    if let Ok((key, known)) = ended {
                        self.open.remove(&key);
                        self.known.insert(key, known);
                        if self.known.len() > REMEMBERED {
                            self.known.pop_first();
                        }
                    }
                }
                Ok(()) = self.targets.changed(), if self.query.follow => {}
                else => return Some(()),
            }
        }
    }

    /// Tells the reader of a stream. None where nobody reads.
    async fn open(&mut self, origin: &Arc<LogOrigin>) -> Option<(Reader, Parting)> {
        let (out, batches) = mpsc::channel(BATCHES);
        self.news.send(LogNews::Stream(LogStream { origin: origin.clone(), batches })).await.ok()?;
        let (wanted, parting) = Parting::new();
        self.open.insert(key_of(origin), Some(wanted));
        Some((Reader::new(origin.clone(), out), parting))
    }

    fn start(&mut self, (reader, mut parting): (Reader, Parting), from: From, mark: Option<String>) {
        let key = key_of(&reader.origin);
        let known = self.known.remove(&key).unwrap_or_default();
        let (shared, query) = (self.shared.clone(), self.query.clone());
        self.tasks.spawn(async move {
            let mut follower = Follower::new(&shared, reader, from, known);
            if let Some(mark) = mark {
                // Where nobody reads, the follower finds out.
                let _ = follower.reader.mark(MarkKind::Restarted, mark).await;
            }
            if query.follow {
                follower.follow(&mut parting).await
            } else {
                follower.once(query.previous, &mut parting).await
            }
            (key, (follower.reader.seen, follower.run))
        });
    }

    async fn say_bound(&self, waiting: usize) -> Option<()> {
        let (kind, text) = match waiting {
            0 => (MarkKind::Resumed, "all logs are read now".to_owned()),
            more if self.query.follow => (MarkKind::Waiting, too_many(more)),
            more => (MarkKind::Failed, too_many(more)),
        };
        self.news.send(LogNews::Mark(kind, text)).await.ok()
    }
}

fn key_of(origin: &LogOrigin) -> Key {
    (origin.pod.clone(), origin.container.clone())
}
