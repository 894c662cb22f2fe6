//! The level of a proxy's `wasm` logger, raised for a while and put back: the only thing that the program changes anywhere.
//!
//! [`Levels`] remembers what was raised from before the first byte of it is sent until the proxy itself has answered that it is
//! no more, so that whoever ends the program, in whatever way it can still end by itself, can have all of it put back.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{FutureExt, future};
use tokio::sync::Mutex as AsyncMutex;

use crate::clock;
use crate::ingest::logging;
use crate::model::ids::ProxyId;
use crate::model::log_level::{LogLevel, WASM};
use crate::source::{FailureKind, LevelRequest, ProxyRequest, Reply, SharedSource, SourceError, agent_command};

/// The request that sets the level, for a proxy that is asked for its levels by `ask`.
pub fn request(ask: &ProxyRequest, level: LogLevel) -> LevelRequest {
    let ProxyRequest { proxy, container, admin_port, deadline, .. } = ask.clone();
    LevelRequest { proxy, container, admin_port, logger: WASM, level, deadline }
}

/// A level that was raised, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Raised {
    ask: ProxyRequest,
    /// What was sent, the last at the end: of two that were sent, the first is in force where the second did not arrive.
    sent: Vec<LogLevel>,
    /// Whether the proxy has answered the last of them. Else it may still be on its way.
    answered: bool,
    before: LogLevel,
}

/// Why a level was not raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRaised {
    /// Why, in one line.
    pub why: String,
    /// Whether something is still to be put back: it was raised before, or the request was sent and may have been done.
    pub held: bool,
}

/// What became of putting a level back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutBack {
    /// The proxy has the level again that it had before.
    Done(LogLevel),
    /// It had that level already: it was started anew, or somebody else put it back.
    Already(LogLevel),
    /// Somebody else has set another level meanwhile, which is left as it is.
    Changed {
        /// The level in force.
        now: LogLevel,
    },
    /// The pod is gone, and its levels with it.
    Gone,
    /// It was not put back, and is still to be: why, in one line.
    Failed(String),
}

impl PutBack {
    /// Whether nothing is left to be put back.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

impl fmt::Display for PutBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(level) => write!(f, "is at {level} again"),
            Self::Already(level) => write!(f, "was at {level} again already"),
            Self::Changed { now } => write!(f, "is at {now}, which somebody else has set meanwhile: it is left so"),
            Self::Gone => f.write_str("is gone with its pod"),
            Self::Failed(why) => write!(f, "is not put back: {why}"),
        }
    }
}

/// The levels that were raised. Clones share them.
#[derive(Clone)]
pub struct Levels {
    source: SharedSource,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Whether the program ends: nothing more is raised.
    closed: bool,
    proxies: BTreeMap<ProxyId, Proxy>,
}

#[derive(Default)]
struct Proxy {
    /// Held from the first question of a change to its last, so that no two changes of one proxy mix.
    turn: Arc<AsyncMutex<()>>,
    raised: Option<Raised>,
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Levels").field(&self.state().proxies.keys()).finish()
    }
}

impl Levels {
    /// None raised yet, of the proxies of a source.
    pub fn of(source: SharedSource) -> Self {
        Self { source, state: Arc::default() }
    }

    /// The level in force.
    ///
    /// # Errors
    /// One line, where the proxy does not say it.
    pub async fn read(&self, ask: ProxyRequest) -> Result<LogLevel, SourceError> {
        let proxy = ask.proxy.clone();
        level_in(&self.source.proxy(ask).await?, &proxy)
    }

    /// Raises it, where it still is as the person was shown it (`shown`), and returns the level that is to be put back. What this
    /// program raised before is changed, and the level from before that is the one to be put back.
    ///
    /// # Errors
    /// Where it was not raised, or the proxy did not confirm it; it is then put back at once, as far as that is possible.
    pub async fn raise(&self, ask: ProxyRequest, level: LogLevel, shown: LogLevel) -> Result<LogLevel, NotRaised> {
        let proxy = ask.proxy.clone();
        let _turn = self.turn(&proxy).lock_owned().await;
        let not = |why: String| NotRaised { why, held: self.raised(&proxy).is_some() };
        let now = self.read(ask.clone()).await.map_err(|error| not(error.to_string()))?;
        if now != shown {
            return Err(not(format!("the {WASM} logger of {} is at {now} by now, and not at {shown}: nothing was changed", proxy)));
        }
        let ours = self.raised(&proxy).filter(|raised| raised.sent.contains(&now));
        let mut raised = ours.unwrap_or_else(|| Raised { ask: ask.clone(), sent: Vec::new(), answered: false, before: now });
        raised.sent.push(level);
        raised.answered = false;
        let before = raised.before;
        if !self.remember(raised) {
            return Err(not("the program ends: nothing was changed".to_owned()));
        }
        let Err(error) = self.set(&ask, level).await else {
            self.change(&proxy, |raised| raised.iter_mut().for_each(|raised| raised.answered = true));
            return Ok(before);
        };
        let undone = self.undo(&proxy, ask.deadline).await;
        Err(not(if undone.is_over() { error.to_string() } else { format!("{error}; it may have been done all the same") }))
    }

    /// Puts a level back, if it is still as it was set here.
    pub async fn put_back(&self, proxy: &ProxyId, deadline: Duration) -> PutBack {
        let _turn = self.turn(proxy).lock_owned().await;
        self.undo(proxy, deadline).await
    }

    /// Runs the program, puts back all however it ends, and only then passes its end on, even if that is a panic. Says what is not
    /// as it was before.
    pub async fn put_back_after<T>(&self, run: impl Future<Output = T>, within: Duration, say: impl Fn(&str)) -> T {
        let ended = AssertUnwindSafe(run).catch_unwind().await;
        self.put_back_all(within).await.iter().for_each(|line| say(line));
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Puts back all, in no more than this time, after which nothing is raised any more. Returns a line for each that is not as it
    /// was before, with the command that does it by hand.
    pub async fn put_back_all(&self, within: Duration) -> Vec<String> {
        let proxies: Vec<ProxyId> = {
            let mut state = self.state();
            state.closed = true;
            state.proxies.keys().cloned().collect()
        };
        let until = clock::now() + within;
        let each = proxies.iter().map(async |proxy| {
            let outcome = tokio::time::timeout_at(until, self.put_back(proxy, within)).await;
            let outcome = outcome.unwrap_or_else(|_| PutBack::Failed(format!("no answer within {} s", within.as_secs())));
            match outcome {
                PutBack::Failed(_) => {
                    let by_hand = self.by_hand(&self.raised(proxy)?);
                    Some(format!("the {WASM} logger of {proxy} {outcome}; do it by hand: {by_hand}"))
                }
                PutBack::Changed { .. } => Some(format!("the {WASM} logger of {proxy} {outcome}")),
                PutBack::Done(_) | PutBack::Already(_) | PutBack::Gone => None,
            }
        });
        future::join_all(each).await.into_iter().flatten().collect()
    }

    /// Undoes what is remembered, to be called in turn.
    async fn undo(&self, proxy: &ProxyId, deadline: Duration) -> PutBack {
        let Some(Raised { ask, sent, answered, before }) = self.raised(proxy) else { return PutBack::Gone };
        let ask = ProxyRequest { deadline, ..ask };
        let outcome = match self.read(ask.clone()).await {
            Ok(now) if now == before && answered => PutBack::Already(before),
            Ok(now) if now != before && !sent.contains(&now) => PutBack::Changed { now },
            // Also where it seems to be as it was, but what was sent has yet to arrive: this comes after it.
            Ok(_) => self.set(&ask, before).await.map_or_else(|error| failed(&error), |()| PutBack::Done(before)),
            Err(error) => failed(&error),
        };
        if outcome.is_over() {
            self.change(proxy, |raised| *raised = None);
        }
        outcome
    }

    /// Sets the level, and takes the proxy's word for it that it is set.
    async fn set(&self, ask: &ProxyRequest, level: LogLevel) -> Result<(), SourceError> {
        let reply = self.source.set_log_level(request(ask, level)).await?;
        let now = level_in(&reply, &ask.proxy)?;
        if now == level {
            return Ok(());
        }
        let what = format!("the {WASM} logger of {} is at {now} after it was set to {level}", ask.proxy);
        Err(SourceError::new(FailureKind::Refused, what, ""))
    }

    /// Remembers what is about to be raised; false where the program ends and nothing may be.
    fn remember(&self, raised: Raised) -> bool {
        let mut state = self.state();
        if !state.closed {
            let proxy = raised.ask.proxy.clone();
            state.proxies.entry(proxy).or_default().raised = Some(raised);
        }
        !state.closed
    }

    fn change(&self, proxy: &ProxyId, change: impl FnOnce(&mut Option<Raised>)) {
        change(&mut self.state().proxies.entry(proxy.clone()).or_default().raised);
    }

    fn turn(&self, proxy: &ProxyId) -> Arc<AsyncMutex<()>> {
        self.state().proxies.entry(proxy.clone()).or_default().turn.clone()
    }

    fn raised(&self, proxy: &ProxyId) -> Option<Raised> {
        self.state().proxies.get(proxy)?.raised.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and what is in it must be put back even if something did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a person would type to put it back.
    fn by_hand(&self, raised: &Raised) -> String {
        let Raised { ask, before, .. } = raised;
        let ProxyRequest { proxy: ProxyId { pod, namespace }, container, admin_port, .. } = ask;
        let mut command = agent_command(*admin_port, "POST", &request(ask, *before).path());
        if let Some(path) = command.last_mut() {
            // A shell takes the question mark for a pattern.
            *path = format!("'{path}'");
        }
        let context = self.source.info().name;
        format!("kubectl --context '{context}' exec -n {namespace} {pod} -c {container} -- {}", command.join(" "))
    }
}

/// The level of the `wasm` logger in an answer that lists all.
fn level_in(reply: &Reply, proxy: &ProxyId) -> Result<LogLevel, SourceError> {
    let levels = logging::parse(&String::from_utf8_lossy(&reply.bytes));
    levels.and_then(|levels| levels.of(WASM)).ok_or_else(|| {
        let what = format!("{proxy} does not say the level of a {WASM} logger");
        SourceError::new(FailureKind::Refused, what, "see what /logging of its admin port answers")
    })
}

/// A pod that is gone took its levels with it; everything else is a failure to try again after.
fn failed(error: &SourceError) -> PutBack {
    if error.kind == FailureKind::Missing { PutBack::Gone } else { PutBack::Failed(error.to_string()) }
}
