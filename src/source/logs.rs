//! Log lines as every source streams them: a bounded channel for each container, so that a slow reader slows its sources
//! and nothing piles up, and at their place among the lines the marks that say what happened to the stream.

mod feed;
pub(super) mod split;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

pub use self::feed::LogFeed;
use crate::clock::Instant;
use crate::model::logs::{LogLine, LogOrigin, MarkKind};

/// The containers whose logs are wanted. They may change while a source follows: pods come and go.
pub type LogTargets = watch::Receiver<Arc<[Arc<LogOrigin>]>>;

/// Where a source puts the streams that it opens. Bounded, as each stream is.
pub type LogStreams = mpsc::Sender<LogNews>;

/// How many logs are read at once. In a cluster each is a connection of its own through the API server and the kubelet.
pub const AT_ONCE: usize = 50;

/// How many batches of one container may wait for their reader.
pub const BATCHES: usize = 4;

/// Which lines are wanted of each container.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Only those that are younger; in what cannot grow, than the youngest line of all. None is as far as the log goes back.
    pub since: Option<Duration>,
    /// Only so many from the end.
    pub tail: Option<u64>,
    /// Those of the container that ran before this one.
    pub previous: bool,
    /// Whether to go on with what comes.
    pub follow: bool,
    /// What to leave out before it is a line at all. Only a source whose lines are bytes in a file looks at it.
    pub sieve: Option<Sieve>,
}

/// Finds the next place in many lines, from a place on, that is in a record that may be wanted. Wrong only in that it lets too
/// much through.
pub type Find = dyn Fn(&[u8], usize) -> Option<usize> + Send + Sync;

/// A quick look at bytes, by which most of a large file is left out.
#[derive(Clone)]
pub struct Sieve(pub Arc<Find>);

impl fmt::Debug for Sieve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sieve")
    }
}

/// What a source says while it streams.
#[derive(Debug)]
pub enum LogNews {
    /// A container's stream. It ends where its sender is dropped.
    Stream(LogStream),
    /// Something about the whole.
    Mark(MarkKind, String),
}

/// The lines of one container, in its own order.
#[derive(Debug)]
pub struct LogStream {
    /// Whose they are.
    pub origin: Arc<LogOrigin>,
    /// The lines.
    pub batches: mpsc::Receiver<LogBatch>,
}

/// Lines that came together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogBatch {
    /// Lines and marks. Without any, it says that nothing more is there for the moment.
    pub items: Vec<LogItem>,
    /// Whether they are as young as can be: the stream had been read to its end when they came.
    pub live: bool,
    /// When they came, where they came as soon as they were written; None where they may have waited.
    pub came: Option<Instant>,
}

/// What is said where there are more logs than are read at once.
pub(super) fn too_many(more: usize) -> String {
    format!("{AT_ONCE} logs are read at once, and {more} more are not: name workloads to choose")
}

/// A line, or what happened between two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// A line.
    Line(LogLine),
    /// What happened to the stream, in words.
    Mark(MarkKind, String),
}
