//! The log of one container: read once, or followed from run to run and over lost connections for as long as it is wanted.

use std::time::Duration;

use futures::AsyncBufRead;
use kube::api::LogParams;

use super::super::Shared;
use super::super::health::{SLOW_RETRY, delay};
use super::super::trouble::{Cause, Trouble};
use super::from::From;
use super::parting::Parting;
use super::pod::{Container, Run, look};
use super::read::{Ended, Reader, fix, open};
use super::seen::Seen;
use crate::clock;
use crate::model::logs::{LogOrigin, MarkKind};
use crate::source::FailureKind;

/// A log is rotated away while nobody reads it, so it is not waited for as long as objects are.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// A stream that ends before has not ended in an ordinary way, and taking it up again at once would be a busy loop.
const SHORTEST: Duration = Duration::from_secs(1);
/// How often a log that is not followed is tried.
const ATTEMPTS: u32 = 4;
/// What the kubelet says where a container has no run before this one (`pkg/kubelet: validateContainerLogStatus`).
const NOT_RESTARTED: &str = "previous terminated container";

/// The task of one container.
pub(super) struct Follower<'s> {
    shared: &'s Shared,
    pub reader: Reader,
    from: From,
    /// The run that was read last.
    pub run: Option<Run>,
    /// Whether that run is over and was read to its end.
    read_out: bool,
    /// Whether lines of this run can have been handed on.
    opened: bool,
    /// Whether the stream ended where the log did not, so that going on is worth a mark.
    broke: bool,
    /// What was said last of why nothing comes.
    said: Option<(MarkKind, String)>,
}

/// What to do next.
enum Next {
    /// Look again at once.
    Again,
    /// Look again after a while: nothing more comes of this run.
    Wait,
    /// Nothing: it is not wanted.
    Stop,
}

/// Why a pass ended before its end.
enum Broken {
    Trouble(Trouble),
    ReaderGone,
}

impl std::convert::From<Trouble> for Broken {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl<'s> Follower<'s> {
    /// A task that begins, with what is known of the container from before.
    pub fn new(shared: &'s Shared, mut reader: Reader, from: From, (seen, run): (Seen, Option<Run>)) -> Self {
        (reader.partial, reader.seen) = (from.is_partial(), seen);
        Self { shared, reader, from, run, read_out: false, opened: false, broke: false, said: None }
    }

    /// Reads the log once, to its end.
    pub async fn once(&mut self, previous: bool, parting: &mut Parting) {
        for attempt in 1..=ATTEMPTS {
            let Err(trouble) = self.read_whole(previous, parting).await else { return };
            if attempt == ATTEMPTS || !matches!(trouble.cause, Cause::Unreachable | Cause::TimedOut) {
                let text = format!("the log cannot be read: {}", self.words(&trouble));
                let kind = if trouble.text.contains(NOT_RESTARTED) { MarkKind::NotRestarted } else { MarkKind::Failed };
                // Nobody to tell it to is no failure.
                let _ = self.reader.mark(kind, text).await;
                return;
            }
            tokio::time::sleep(delay(attempt)).await;
        }
    }

    /// Reads what there is, of this run or the one before.
    async fn read_whole(&mut self, previous: bool, parting: &mut Parting) -> Result<Ended, Trouble> {
        let stream = self.open(LogParams { previous, ..LogParams::default() }).await?;
        match self.reader.read(stream, true, parting).await? {
            Ended::Silent => Err(Trouble::new(Cause::TimedOut, "it stopped before its end")),
            ended => Ok(ended),
        }
    }

    /// Follows the log until the container is no longer wanted, or nobody reads.
    pub async fn follow(&mut self, parting: &mut Parting) {
        let mut attempt = 0;
        loop {
            let (before, began) = (self.reader.taken, clock::now());
            let next = self.pass(parting).await;
            let brought = self.reader.taken > before || began.elapsed() > SHORTEST;
            attempt = if brought { 1 } else { attempt + 1 };
            let wait = match next {
                Ok(Next::Stop) => break,
                Ok(Next::Again) if brought => continue,
                Ok(Next::Again | Next::Wait) => delay(attempt).min(LONGEST_RETRY),
                Err(Broken::ReaderGone) => return,
                Err(Broken::Trouble(trouble)) => {
                    self.broke = self.opened;
                    // A pod that is gone will be known not to be wanted in a moment.
                    let gone = trouble.cause == Cause::NotFound && attempt < 3;
                    let text = self.words(&trouble);
                    if !gone && self.say(MarkKind::Waiting, text).await.is_err() {
                        return;
                    }
                    let slow = trouble.kind() == FailureKind::Forbidden;
                    if slow { SLOW_RETRY } else { delay(attempt).min(LONGEST_RETRY) }
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = parting.comes() => break,
            }
        }
        self.part().await;
    }

    /// Looks at the container and reads its log until the stream ends.
    async fn pass(&mut self, parting: &mut Parting) -> Result<Next, Broken> {
        let now = self.look().await?;
        if self.run.is_some() && now.run.is_some() && self.run != now.run {
            self.another(&now, parting).await?;
        } else if self.read_out {
            return Ok(Next::Wait);
        }
        let params = LogParams { follow: true, ..LogParams::default() };
        let stream = self.open(params).await.map_err(|trouble| not_yet(trouble, &now))?;
        // Of which run the stream is, is certain only where the container was not started anew meanwhile.
        if self.look().await?.run != now.run {
            return Ok(Next::Again);
        }
        (self.run, self.said, self.opened) = (now.run, None, true);
        if std::mem::take(&mut self.broke) && now.runs {
            self.mark(MarkKind::Resumed, "goes on where it ended").await?;
        }
        let opened = clock::now();
        let ended = self.reader.read(stream, !now.runs, parting).await;
        if self.reader.caught_up {
            self.from.move_to(opened);
        }
        match ended? {
            Ended::ReaderGone => return Err(Broken::ReaderGone),
            Ended::Silent => return Ok(Next::Again),
            Ended::Unwanted => return Ok(Next::Stop),
            Ended::AtEnd if parting.has_come() => return Ok(Next::Stop),
            Ended::AtEnd => {}
        }
        if now.runs {
            self.broke = true;
            return Ok(Next::Again);
        }
        self.read_out = true;
        let (kind, rest) = if now.last { (MarkKind::Ended, "") } else { (MarkKind::Waiting, "; waits for its restart") };
        self.say(kind, format!("{}{rest}", now.state)).await?;
        Ok(Next::Wait)
    }

    /// Goes over to another run: what is left of the one before, the mark, a fresh memory.
    async fn another(&mut self, now: &Container, parting: &mut Parting) -> Result<(), Broken> {
        let (Some(old), Some(new)) = (&self.run, &now.run) else { return Ok(()) };
        let text = if old.pod != new.pod {
            "the pod was replaced by another of the same name".to_owned()
        } else if new.restarts == old.restarts + 1 {
            // The kubelet keeps the log of the run before the current one.
            let rest = match self.read_whole(true, parting).await {
                Ok(Ended::ReaderGone) => return Err(Broken::ReaderGone),
                Ok(_) => "",
                Err(trouble) if trouble.cause == Cause::Refused => "; the log of the run before is gone",
                Err(trouble) => return Err(trouble.into()),
            };
            format!("the container was started anew (restart {}){rest}", new.restarts)
        } else {
            format!("the container was started anew (restart {}, after {}); the logs between are gone", new.restarts, old.restarts)
        };
        (self.run, self.read_out, self.opened, self.broke) = (None, false, false, false);
        (self.reader.seen, self.reader.partial, self.from) = (Seen::default(), false, From::start());
        self.mark(MarkKind::Restarted, &text).await
    }

    /// Says that it is followed no more, and why, where that is not clear yet.
    async fn part(&mut self) {
        if matches!(self.said, Some((MarkKind::Ended, _))) {
            return;
        }
        let gone = matches!(look(self.shared, &self.reader.origin).await, Err(trouble) if trouble.cause == Cause::NotFound);
        let text = if gone { "the pod is gone" } else { "it is no longer among those that are followed" };
        let _ = self.say(MarkKind::Ended, text.to_owned()).await;
    }

    async fn look(&self) -> Result<Container, Trouble> {
        match look(self.shared, &self.reader.origin).await {
            // Logs may be read where pods may not.
            Err(trouble) if trouble.cause == Cause::Forbidden => Ok(Container::unknown()),
            other => other,
        }
    }

    /// Says what the container does, unless that was the last thing said.
    async fn say(&mut self, kind: MarkKind, text: String) -> Result<(), Broken> {
        let said = (kind, text);
        if self.said.as_ref() == Some(&said) {
            return Ok(());
        }
        let told = self.mark(kind, &said.1).await;
        self.said = Some(said);
        told
    }

    async fn mark(&mut self, kind: MarkKind, text: &str) -> Result<(), Broken> {
        if self.reader.mark(kind, text).await { Ok(()) } else { Err(Broken::ReaderGone) }
    }

    async fn open(&mut self, params: LogParams) -> Result<impl AsyncBufRead + use<>, Trouble> {
        let since = self.from.params(&mut self.reader.seen);
        let params = LogParams { since_time: since.since_time, since_seconds: since.since_seconds, tail_lines: since.tail_lines, ..params };
        let LogOrigin { pod, container, .. } = &*self.reader.origin;
        open(self.shared, pod, container, params).await
    }

    fn words(&self, trouble: &Trouble) -> String {
        let fix = fix(self.shared, &self.reader.origin.pod, trouble);
        if fix.is_empty() { trouble.text.clone() } else { format!("{}; {fix}", trouble.text) }
    }
}

/// The kubelet refuses the log of a container that has not been started: then what it waits for says more.
fn not_yet(trouble: Trouble, container: &Container) -> Trouble {
    if trouble.cause == Cause::Refused && !container.runs { Trouble::new(Cause::Refused, &container.state) } else { trouble }
}
