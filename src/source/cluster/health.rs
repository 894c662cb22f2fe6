//! One health for the many watches of a cluster: it is live when all of them are, and a failing one is seen at each attempt.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use super::trouble::{Cause, Trouble};
use crate::clock::{self, Instant};
use crate::model::logs::LogTime;
use crate::model::update::{Health, Update};
use crate::source::Updates;

/// How long to wait where only a person can help (sign in again, grant a right).
pub(super) const SLOW_RETRY: Duration = Duration::from_secs(30);
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Collects how the parts of a source are and says how the whole is.
pub(super) struct Board {
    updates: Updates,
    context: String,
    server: String,
    state: Mutex<State>,
    heard: StdMutex<Heard>,
    /// Whether the server is silent: connections are open, and nothing comes.
    silent: watch::Sender<bool>,
}

/// When the server said anything last.
#[derive(Clone, Copy)]
struct Heard {
    moment: Instant,
    time: LogTime,
}

impl Heard {
    fn now() -> Self {
        let time = LogTime::try_from(clock::time_of_day().as_nanosecond()).unwrap_or_default();
        Self { moment: clock::now(), time }
    }
}

#[derive(Default)]
struct State {
    /// The parts whose first answer is awaited.
    waiting: BTreeSet<String>,
    /// The parts that fail at the moment.
    failing: BTreeSet<String>,
    /// The failing part whose attempts are shown: when the server goes, all fail at once, and all would say the same.
    speaker: Option<String>,
    shown: Shown,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Connecting,
    Live,
    Degraded,
    Silent,
    Failed,
}

/// The part that fails while the server is silent.
const CONNECTION: &str = "the connection";

impl Board {
    /// A board without parts.
    pub fn new(updates: Updates, context: String, server: String) -> Self {
        let (heard, silent) = (StdMutex::new(Heard::now()), watch::Sender::new(false));
        Self { updates, context, server, state: Mutex::new(State::default()), heard, silent }
    }

    /// The server said something.
    pub fn record_answer(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard::now();
    }

    /// For how long it has said nothing.
    pub fn quiet(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).moment.elapsed()
    }

    /// Whether it is silent; changes with it.
    pub fn unresponsive(&self) -> watch::Receiver<bool> {
        self.silent.subscribe()
    }

    /// A test of the connection brought no answer. Every watch is given up, and made again once the server speaks. Where the failure is
    /// no silence, and the watches say what it is, it is left to them.
    pub async fn mark_unresponsive(&self, trouble: &Trouble) {
        let mut state = self.state.lock().await;
        let is_silent = *self.silent.borrow();
        if state.shown == Shown::Failed || !is_silent && trouble.cause != Cause::TimedOut && !state.failing.is_empty() {
            return;
        }
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        state.failing.insert(CONNECTION.to_owned());
        state.shown = Shown::Silent;
        self.silent.send_replace(true);
        let what = format!("nothing is heard from the API server {}: {}", self.server, trouble.text);
        self.send(Health::Silent { since: heard.time, seconds: heard.moment.elapsed().as_secs(), what }).await;
    }

    /// The server answers a test of the connection.
    pub async fn mark_responsive(&self) {
        self.record_answer();
        if self.silent.send_replace(false) {
            self.settled(CONNECTION).await;
        }
    }

    /// Says what is waited for, before there are parts.
    pub async fn connecting(&self, what: String) {
        self.send(Health::Connecting(what)).await;
    }

    /// Names the parts whose first answers make the source live.
    pub async fn expect(&self, parts: impl IntoIterator<Item = String>) {
        self.state.lock().await.waiting.extend(parts);
    }

    /// A part works, or is known not to be there.
    pub async fn settled(&self, part: &str) {
        // The lock is held while sending, so that the states arrive in the order in which they came about.
        let mut state = self.state.lock().await;
        let was_failing = state.failing.remove(part);
        state.waiting.remove(part);
        if state.speaker.as_deref() == Some(part) {
            state.speaker = None;
        }
        if !state.failing.is_empty() {
            return;
        }
        if state.waiting.is_empty() {
            if state.shown != Shown::Live {
                state.shown = Shown::Live;
                self.send(Health::Live).await;
            }
        } else if was_failing {
            state.shown = Shown::Connecting;
            let first = state.waiting.iter().next().cloned().unwrap_or_default();
            self.send(Health::Connecting(format!("{first} and {} more", state.waiting.len().saturating_sub(1)))).await;
        }
    }

    /// An attempt failed: shows it and waits until the next is due. `attempt` counts from 1.
    pub async fn failing(&self, part: &str, trouble: &Trouble, attempt: u32) {
        if matches!(trouble.cause, Cause::Unauthorized | Cause::NoCredential) {
            self.unauthorized(part, trouble).await;
            return tokio::time::sleep(SLOW_RETRY).await;
        }
        let wait = delay(attempt);
        {
            let mut state = self.state.lock().await;
            state.failing.insert(part.to_owned());
            if *self.silent.borrow() {
                drop(state);
                // The test of the connection goes on, and one request in its place is enough. The sender lives as long as this board.
                let _ = self.unresponsive().wait_for(|silent| !silent).await;
                return;
            }
            let speaks = state.speaker.as_deref().is_none_or(|speaker| speaker == part);
            if speaks && state.shown != Shown::Failed {
                state.speaker = Some(part.to_owned());
                state.shown = Shown::Degraded;
                let what = match trouble.cause {
                    Cause::Unreachable | Cause::TimedOut => {
                        format!("cannot reach the API server {} for {part}: {}", self.server, trouble.text)
                    }
                    _ => format!("cannot read {part}: {}", trouble.text),
                };
                let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.send(Health::Degraded { what, attempt, retry_in_ms }).await;
            }
        }
        tokio::time::sleep(wait).await;
    }

    async fn unauthorized(&self, part: &str, trouble: &Trouble) {
        let mut state = self.state.lock().await;
        state.failing.insert(part.to_owned());
        if state.shown == Shown::Failed {
            return;
        }
        state.shown = Shown::Failed;
        let what = match trouble.cause {
            Cause::NoCredential => format!("there are no credentials for context {}: {}", self.context, trouble.text),
            _ => format!("the API server does not accept the credentials of context {}: {}", self.context, trouble.text),
        };
        let fix = format!("sign in again (as for `kubectl --context {} get pods`), or choose another --context", self.context);
        self.send(Health::Failed { what, fix }).await;
    }

    async fn send(&self, health: Health) {
        // A reader that is gone ends the watch elsewhere.
        let _ = self.updates.send(Update::Health(health)).await;
    }
}

/// Doubles from half a second to half a minute, less up to a fifth, so that many clients do not come back at one moment.
pub(super) fn delay(attempt: u32) -> Duration {
    let full = FIRST_RETRY.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_RETRY);
    let thousandths = u32::try_from(RandomState::new().hash_one(attempt) % 200).unwrap_or_default();
    full - full * thousandths / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_are_bounded() {
        assert!(delay(1) <= FIRST_RETRY && delay(1) >= FIRST_RETRY * 4 / 5);
        assert!(delay(3) > delay(1));
        assert!(delay(60) <= LONGEST_RETRY);
    }
}
