//! How effects become work: the source is asked, questions are answered, texts are copied, all outside the event loop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::clipboard::{self, Method, SystemClipboard};
use super::effect::Effect;
use super::job;
use super::level::{LevelQuestion, Raised, Stage};
use super::logs::world::Readings;
use super::msg::Msg;
use super::program::App;
use super::runtime::{Handler, Work};
use super::screen::Supposition;
use super::state::Ticket;
use crate::analysis::diff;
use crate::analysis::what_if::Assumption;
use crate::clock;
use crate::fetch;
use crate::ingest::collect::Collector;
use crate::level::Levels;
use crate::logs;
use crate::model::snapshot::Dump;
use crate::source::demo::Demo;
use crate::source::manifest;
use crate::source::{PROXIES_AT_ONCE, SharedSource};

/// How long an answer of a proxy or an istiod takes in an ordinary way, from its turn on.
const UNANSWERED: Duration = Duration::from_secs(5);

/// How many messages of a source may wait.
const WAITING: usize = 256;

/// How long messages of a source are gathered before the screen hears of them: a relist comes in many.
const GATHER: Duration = Duration::from_millis(30);

/// The time from one look at the clock to the next.
const TICK: Duration = Duration::from_secs(1);

/// Asks the world.
#[derive(Debug)]
pub struct World {
    source: Arc<Mutex<SharedSourceBox>>,
    levels: Levels,
    copy_by: Method,
    clipboard: SystemClipboard,
    readings: Readings,
    /// The turns of the proxies that are asked for their dumps: a proxy waits for its turn here and not in the source, where the wait would
    /// count as time without an answer.
    turns: Arc<Semaphore>,
}

/// The source, which the demo replaces when its scene changes.
struct SharedSourceBox(SharedSource);

impl std::fmt::Debug for SharedSourceBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Source").field(&self.0.info().name).finish()
    }
}

impl World {
    /// The way to a source, and to a clipboard.
    pub fn new(source: SharedSource, copy_by: Method) -> Self {
        let levels = Levels::of(source.clone());
        Self {
            source: Arc::new(Mutex::new(SharedSourceBox(source))),
            levels,
            copy_by,
            clipboard: SystemClipboard::default(),
            readings: Readings::default(),
            turns: Arc::new(Semaphore::new(PROXIES_AT_ONCE)),
        }
    }

    /// The log levels that it raises: whoever ends the program has them put back.
    pub fn levels(&self) -> Levels {
        self.levels.clone()
    }

    fn source(&self) -> SharedSource {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn copy(&mut self, text: String, answers: mpsc::Sender<Msg>) -> Work {
        let by_terminal = |text: &str| match clipboard::osc52(text) {
            Ok(bytes) => (Work::Write(bytes), Ok("the terminal's clipboard".to_owned())),
            Err(why) => (Work::Nothing, Err(why)),
        };
        let (work, outcome) = match self.copy_by {
            Method::Off => (Work::Nothing, Err("the settings turn the clipboard off".to_owned())),
            Method::Terminal => by_terminal(&text),
            Method::System { .. } => {
                let copied = self.clipboard.copy(text);
                let run = async move {
                    let outcome = copied.await.map(|()| "the system's clipboard".to_owned());
                    // The program may be over by now.
                    let _ = answers.send(Msg::Copied(outcome)).await;
                };
                return in_background(run);
            }
        };
        // The queue is the loop's own: it has room, or the message is not worth waiting for.
        let _ = answers.try_send(Msg::Copied(outcome));
        work
    }
}

impl Handler<App> for World {
    fn handle(&mut self, effect: Effect, answers: &mpsc::Sender<Msg>) -> Work {
        let answers = answers.clone();
        match effect {
            Effect::WatchMesh { epoch } => in_background(watch(self.source(), epoch, answers)),
            Effect::FetchConfigDump { ticket, request, serial, previous, objects, vital, after } => {
                let (source, turns) = (self.source(), self.turns.clone());
                under(ticket, async move {
                    if !after.is_zero() {
                        tokio::time::sleep(after).await;
                    }
                    let turn = turns.acquire_owned().await;
                    let proxy = request.proxy.clone();
                    let read = noted(fetch::read(source, request, serial, objects, vital), ticket, &answers).await;
                    if read.as_ref().is_err_and(|error| error.kind.lasts()) {
                        let _ = answers.send(Msg::Denied(ticket)).await;
                    }
                    let dump = read.map_or_else(|error| Dump::Failed(error.to_string()), Dump::Loaded);
                    let changes = match (&previous, &dump) {
                        (Some(before), Dump::Loaded(after)) => diff::count_changes(&before.dump, &after.dump),
                        _ => Vec::new(),
                    };
                    drop(turn);
                    let _ = answers.send(Msg::DumpRead { ticket, proxy, dump, changes }).await;
                })
            }
            Effect::FetchSync { ticket, after } => {
                let source = self.source();
                under(ticket, async move {
                    tokio::time::sleep(after).await;
                    let outcome = noted(fetch::sync(source), ticket, &answers).await.map(Arc::new).map_err(|error| error.to_string());
                    let _ = answers.send(Msg::SyncRead { ticket, outcome }).await;
                })
            }
            Effect::FetchView { ticket, request } => {
                let source = self.source();
                under(ticket, async move {
                    let views = Arc::new(fetch::views_of_istiod(&source, vec![request]).await);
                    let _ = answers.send(Msg::ViewRead { ticket, views }).await;
                })
            }
            Effect::FindSecret { ticket, secret } => {
                let source = self.source();
                under(ticket, async move {
                    let found = fetch::pull_secret(&source, secret.clone()).await;
                    let _ = answers.send(Msg::SecretRead { ticket, secret, found }).await;
                })
            }
            Effect::Ask { ticket, question, snapshot, after } => under(ticket, async move {
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                match tokio::task::spawn_blocking(move || question.answer(&snapshot)).await {
                    Ok(answer) => drop(answers.send(Msg::Answered { ticket, answer }).await),
                    Err(error) => drop(answers.send(Msg::TaskFailed(Some(ticket), format!("internal error: {error}"))).await),
                }
            }),
            Effect::ReadManifest { ticket, file, mode, supposed } => under(ticket, async move {
                let objects = manifest::read(&file).await;
                let outcome = objects.map(|objects| Supposition { assumption: Arc::new(Assumption { mode, objects }), ..supposed });
                let _ = answers.send(Msg::ManifestRead { ticket, outcome }).await;
            }),
            Effect::Logs(of, effect) => {
                let source = self.source();
                self.readings.handle(of, effect, source, answers)
            }
            Effect::Stop(ticket) => {
                self.readings.end(ticket);
                Work::Stop(ticket)
            }
            Effect::ReadLevel { ticket, ask } => {
                let levels = self.levels();
                under(ticket, async move {
                    let now = levels.read(ask.clone()).await;
                    let question = now.map(|now| LevelQuestion { ask, now, before: now, raised: false });
                    let _ = answers.send(Msg::LevelRead { ticket, question }).await;
                })
            }
            Effect::RaiseLevel { ask, level, shown, time } => {
                let levels = self.levels();
                // A task of its own, which the end of the event loop does not stop in the middle: it is waited for there.
                let raising = async move {
                    let outcome = levels.raise(ask.clone(), level, shown).await;
                    let now = clock::now();
                    let raised = Raised { ask, level, before: shown, until: now + time, stage: Stage::Held };
                    let _ = answers.send(Msg::LevelRaised { raised, outcome, now }).await;
                };
                let raising = async move {
                    if let Err(broken) = tokio::spawn(raising).await
                        && let Ok(panic) = broken.try_into_panic()
                    {
                        std::panic::resume_unwind(panic);
                    }
                };
                in_background(raising)
            }
            Effect::PutBackLevel { proxy, deadline } => {
                let levels = self.levels();
                in_background(async move {
                    let outcome = levels.put_back(&proxy, deadline).await;
                    let _ = answers.send(Msg::LevelPutBack { proxy, outcome, now: clock::now() }).await;
                })
            }
            Effect::Tick => in_background(async move {
                tokio::time::sleep(TICK).await;
                let _ = answers.send(Msg::Ticked(clock::now())).await;
            }),
            Effect::ReadLogs { ticket, plugin, snapshot, deadline, after } => {
                let source = self.source();
                under(ticket, async move {
                    if !after.is_zero() {
                        tokio::time::sleep(after).await;
                    }
                    // Lines are understood where they are read: not on the task that draws.
                    let gathered = logs::gather(source, &snapshot, &plugin, None, deadline).await;
                    let _ = answers.send(Msg::LogsRead { ticket, gathered: Arc::new(gathered) }).await;
                })
            }
            Effect::Suspend { job: true } if !job::has_shell() => {
                // The queue is the loop's own, as for a text that was copied.
                let _ = answers.try_send(Msg::NotStopped);
                Work::Nothing
            }
            Effect::Suspend { job } => Work::Suspend { job },
            Effect::TakeTerminal => Work::TakeTerminal,
            Effect::Redraw => Work::Redraw,
            Effect::Copy(text) => self.copy(text, answers),
            Effect::SwitchScene(scene) => {
                let outcome = Demo::new(scene).map(|demo| Arc::new(demo) as SharedSource);
                let message = match outcome {
                    Ok(source) => {
                        let info = source.info();
                        self.source.lock().unwrap_or_else(PoisonError::into_inner).0 = source;
                        Ok(info)
                    }
                    Err(error) => Err(error.to_string()),
                };
                let _ = answers.try_send(Msg::SceneSwitched(message));
                Work::Nothing
            }
        }
    }
}

/// Waits for an answer, and says where it is late: the shown data is old until then.
async fn noted<T>(answer: impl Future<Output = T>, ticket: Ticket, answers: &mpsc::Sender<Msg>) -> T {
    let mut answer = std::pin::pin!(answer);
    if let Ok(answer) = tokio::time::timeout(UNANSWERED, &mut answer).await {
        return answer;
    }
    let _ = answers.send(Msg::Unanswered(ticket)).await;
    answer.await
}

/// Work that can be stopped by its ticket.
fn under(ticket: Ticket, work: impl Future<Output = ()> + Send + 'static) -> Work {
    Work::Run(Some(ticket), Box::pin(work))
}

/// Work that goes on until it is done.
fn in_background(work: impl Future<Output = ()> + Send + 'static) -> Work {
    Work::Run(None, Box::pin(work))
}

/// Follows a source: gathers what it says, understands it here, and hands the objects on as a whole.
async fn watch(source: SharedSource, epoch: u64, answers: mpsc::Sender<Msg>) {
    let (sender, mut updates) = mpsc::channel(WAITING);
    // The watch ends with this task: its receiver goes, and nothing else holds it.
    let mut reading = tokio::task::JoinSet::new();
    reading.spawn(source.watch(sender));
    let mut collector = Collector::default();
    while let Some(first) = updates.recv().await {
        let mut changed = vec![collector.apply(first)];
        let until = clock::now() + GATHER;
        while let Ok(Some(next)) = tokio::time::timeout_at(until, updates.recv()).await {
            changed.push(collector.apply(next));
        }
        let objects = Arc::new(collector.snapshot(BTreeMap::new()));
        let message = Msg::MeshRead { epoch, objects, changed, health: collector.health().cloned() };
        if answers.send(message).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
