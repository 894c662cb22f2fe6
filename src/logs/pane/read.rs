//! The reading itself: which logs follows from the mesh, and what comes is handed on in batches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Batch, News, Question, Session, TAIL, narrow};
use crate::analysis::logs::activity::IN_SIGHT;
use crate::analysis::logs::{Activity, Targets};
use crate::clock;
use crate::logs::{self, Asked, Read, SETTLE, View};
use crate::model::kind::Kind;
use crate::model::logs::LogRecord;
use crate::model::snapshot::Snapshot;
use crate::source::logs::LogQuery;
use crate::source::{SharedSource, SourceKind};

/// How many batches may be on their way. Whoever takes them slowly slows the sources.
const UNDER_WAY: usize = 8;
/// How many records make a batch, where so many are there at once, and how many bytes.
const TOGETHER: usize = 1000;
const TOGETHER_BYTES: usize = 1 << 20;
/// How often it is said that nothing came.
const QUIET: Duration = Duration::from_secs(5);

/// Reads until all was read or nobody listens. `wrap` makes a message of what is said.
pub async fn read<M: Send + 'static>(
    source: SharedSource,
    question: Question,
    session: Session,
    out: mpsc::Sender<M>,
    wrap: impl Fn(News) -> M + Send + Sync + 'static,
) {
    let say = async |news| out.send(wrap(news)).await.ok();
    let held = source.logs_held();
    let info = source.info();
    if held.as_ref().is_some_and(Vec::is_empty) {
        let why = match (source.logs_unreadable(), info.kind) {
            (Some(error), _) => format!("{error}."),
            (None, SourceKind::Dump) => "A config dump alone holds no logs.".to_owned(),
            (None, _) => "The recording holds no logs.".to_owned(),
        };
        say(News::Nothing(why)).await;
        return;
    }
    let live = held.is_none();
    let mut world = session.world.subscribe();
    let asked = Asked { held, ..question.asked.clone() };
    let Ok(snapshot) = world.wait_for(|snapshot| is_known(snapshot, live)).await.map(|snapshot| snapshot.clone()) else { return };
    let Some((view, found)) = look(&asked, snapshot.clone()).await else { return };
    match narrow(&question.typed, question.plugin.as_ref(), &snapshot, &asked.choice.own_namespace) {
        Ok(filter) => session.filter.send_modify(|first| first.filter = first.filter.take().or(Some(filter))),
        Err(why) => {
            say(News::Nothing(format!("{why}."))).await;
            return;
        }
    }
    let opened = |view: &View, found: Targets| News::Opened { origins: view.origins.clone(), unknown: found.unknown };
    if say(opened(&view, found)).await.is_none() {
        return;
    }
    let query = LogQuery { tail: live.then_some(TAIL), follow: live, ..LogQuery::default() };
    let (views, wanted) = watch::channel(Arc::new(view));
    let (sender, records) = mpsc::channel(1);
    tokio::spawn(logs::read(source, query, wanted, sender, Some));
    let following = async {
        while live && world.changed().await.is_ok() {
            sleep(SETTLE).await;
            let snapshot = world.borrow_and_update().clone();
            let Some((view, found)) = look(&asked, snapshot).await else { return };
            let same = views.borrow().origins == view.origins;
            views.send_replace(Arc::new(view.clone()));
            if !same && say(opened(&view, found)).await.is_none() {
                return;
            }
        }
        // The view stays as it is.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = hand_on(records, &session, live, &out, &wrap) => {}
        () = following => {}
    }
}

/// Whether enough was read of the mesh to say whose logs are meant. A fixed source says all at once.
fn is_known(snapshot: &Snapshot, live: bool) -> bool {
    let needed: &[Kind] = if live { &[Kind::Pod, Kind::WasmPlugin, Kind::TrafficExtension] } else { &Kind::ALL };
    needed.iter().all(|kind| snapshot.settled.contains(kind))
}

/// What is asked for, as the mesh is. It costs a look at every pod.
async fn look(asked: &Asked, snapshot: Arc<Snapshot>) -> Option<(View, Targets)> {
    let asked = asked.clone();
    spawn_blocking(move || asked.view(&snapshot).ok()).await.ok().flatten()
}

async fn hand_on<M>(
    mut records: mpsc::Receiver<Read>,
    session: &Session,
    live: bool,
    out: &mpsc::Sender<M>,
    wrap: &(impl Fn(News) -> M + Sync),
) {
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let mut last = clock::now();
    let mut next = None;
    loop {
        let told = match next.take() {
            Some(next) => Ok(Some(next)),
            None => timeout(QUIET, records.recv()).await,
        };
        let first = match told {
            Ok(Some(Read::Records(first))) => first,
            Ok(Some(Read::Anew(tie))) => {
                if out.send(wrap(News::Anew(tie))).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => break,
            // At rest the screen stays as it is, once the last minutes were empty.
            Err(_) if live && last.elapsed() <= IN_SIGHT + QUIET => {
                if out.send(wrap(News::Quiet(last.elapsed()))).await.is_err() {
                    return;
                }
                continue;
            }
            Err(_) => continue,
        };
        last = clock::now();
        let Ok(room) = room.clone().acquire_owned().await else { return };
        let mut together: Vec<Arc<LogRecord>> = first.into_iter().map(Arc::new).collect();
        let mut bytes: usize = together.iter().map(|record| record.size()).sum();
        while together.len() < TOGETHER
            && bytes < TOGETHER_BYTES
            && let Ok(read) = records.try_recv()
        {
            let Read::Records(more) = read else {
                // It is told in its place, behind the records before it.
                next = Some(read);
                break;
            };
            bytes += more.iter().map(LogRecord::size).sum::<usize>();
            together.extend(more.into_iter().map(Arc::new));
        }
        let in_force = session.filter.borrow().clone();
        let mut activity = Activity::default();
        let passes = |record: &Arc<LogRecord>| {
            let passes = in_force.filter.as_ref().is_some_and(|filter| filter.matches(record));
            if passes {
                activity.add(record);
            }
            passes
        };
        let passes = together.iter().map(passes).collect();
        let batch = Batch { records: together, generation: in_force.generation, passes, activity, room };
        if out.send(wrap(News::Records(batch))).await.is_err() {
            return;
        }
    }
    let _ = out.send(wrap(News::Ended)).await;
}
