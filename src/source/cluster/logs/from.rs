//! From where to read a log: as asked for at first, then from where it was read to.

use std::time::Duration;

use kube::api::LogParams;
use tokio::time::Instant;

use super::seen::Seen;

/// How much further back than to a moment: the way to the server takes time, and its clock is read there.
const MARGIN: Duration = Duration::from_secs(2);

/// Where to begin as long as no line was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct From {
    /// So many lines from the end.
    tail: Option<u64>,
    /// So long before a moment.
    since: Option<(Instant, Duration)>,
}

impl From {
    /// As it is asked for, at a moment.
    pub fn query(tail: Option<u64>, since: Option<Duration>, moment: Instant) -> Self {
        Self { tail, since: since.map(|since| (moment, since)) }
    }

    /// From the first line on.
    pub fn start() -> Self {
        Self::default()
    }

    /// Whether that may be somewhere else than at the log's start.
    pub fn is_partial(&self) -> bool {
        *self != Self::default()
    }

    /// Whatever was there at that moment has been read, or was not wanted: so many lines from the end mean nothing any more.
    pub fn move_to(&mut self, moment: Instant) {
        if self.tail.take().is_some() {
            self.since.get_or_insert((moment, MARGIN));
        }
    }

    /// What to ask for, given what was seen.
    pub fn params(&self, seen: &mut Seen) -> LogParams {
        if let Some(since_time) = seen.resume() {
            return LogParams { since_time: Some(since_time), ..LogParams::default() };
        }
        let back = |(moment, before): (Instant, Duration)| {
            let time = moment.elapsed() + before;
            i64::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).ok()
        };
        let tail_lines = self.tail.and_then(|tail| i64::try_from(tail).ok());
        LogParams { tail_lines, since_seconds: self.since.and_then(back), ..LogParams::default() }
    }
}
