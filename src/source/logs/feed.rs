//! Where a source puts what one container wrote, and what it knows of its coming.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::{LogBatch, LogItem};
use crate::clock;
use crate::model::logs::MarkKind;

/// Hands the lines of one container on, and knows which of them come as soon as they are written: those after the stream was read
/// to its end, until the reader lets a batch wait. Then the stream waits too, and what comes late of it tells of the reader and not
/// of clocks.
#[derive(Debug)]
pub struct LogFeed {
    out: mpsc::Sender<LogBatch>,
    /// Whether the stream was read to its end once.
    live: bool,
    /// Whether the reader let a batch wait since it was read to its end.
    held_up: bool,
}

impl LogFeed {
    /// A stream whose lines are of the past as yet.
    pub fn new(out: mpsc::Sender<LogBatch>) -> Self {
        Self { out, live: false, held_up: false }
    }

    /// Another stream of the same container begins, with lines of the past.
    pub fn begin(&mut self) {
        (self.live, self.held_up) = (false, false);
    }

    /// Hands on what came just now; false where nobody reads any more.
    pub async fn lines(&mut self, items: Vec<LogItem>) -> bool {
        let came = (self.live && !self.held_up).then(clock::now);
        self.send(LogBatch { items, live: self.live, came }).await
    }

    /// Tells that the stream has been read to its end for now; false where nobody reads any more.
    pub async fn at_end(&mut self) -> bool {
        (self.live, self.held_up) = (true, false);
        self.send(LogBatch { live: true, ..LogBatch::default() }).await
    }

    /// Tells what happened to the stream, in words; false where nobody reads any more.
    pub async fn mark(&mut self, kind: MarkKind, text: String) -> bool {
        self.send(LogBatch { items: vec![LogItem::Mark(kind, text)], ..LogBatch::default() }).await
    }

    async fn send(&mut self, batch: LogBatch) -> bool {
        match self.out.try_send(batch) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(batch)) => {
                self.held_up = true;
                self.out.send(batch).await.is_ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_its_reader_tells_nothing_of_when_it_was_written() {
        let (out, mut batches) = mpsc::channel(1);
        let mut feed = LogFeed::new(out);
        let mut came = Vec::new();
        let mut take = async |batches: &mut mpsc::Receiver<LogBatch>| came.push(batches.recv().await.unwrap().came.is_some());
        feed.lines(Vec::new()).await;
        take(&mut batches).await;
        feed.at_end().await;
        take(&mut batches).await;
        feed.lines(Vec::new()).await;
        // This one came in time, and has to wait.
        join(feed.lines(Vec::new()), take(&mut batches)).await;
        take(&mut batches).await;
        feed.lines(Vec::new()).await;
        take(&mut batches).await;
        feed.at_end().await;
        take(&mut batches).await;
        feed.lines(Vec::new()).await;
        take(&mut batches).await;
        assert_eq!(came, [false, false, true, true, false, false, true]);
        drop(batches);
        assert!(!feed.at_end().await);
    }
}
