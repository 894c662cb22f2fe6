//! All the logs that are read at once, and what waits of them.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::Bound;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::mark::mark;
use super::tie::Tie;
use super::{Seen, View};
use crate::analysis::logs::merge::Moment;
use crate::analysis::logs::{Clocks, Filter, Merge, Skew, Written};
use crate::clock;
use crate::ingest::logs::failure::Failures;
use crate::ingest::logs::{AccessFormat, Assembler};
use crate::model::logs::{LogKind, LogLine, LogOrigin, LogRecord, LogSource, LogTime, MarkKind};
use crate::source::logs::{LogBatch, LogItem, LogStream};

/// How many records are handed on at once, and how many bytes of them.
const TOGETHER: usize = 1000;
const TOGETHER_BYTES: usize = 1 << 20;

/// Everything that is under way.
pub(super) struct Reader {
    began: Instant,
    logs: BTreeMap<usize, Log>,
    /// How many logs there were.
    count: usize,
    /// The log that was served last: the others come first.
    served: usize,
    merge: Merge<LogRecord>,
    clocks: Clocks,
    tie: Tie,
    filter: Arc<Filter>,
    /// The access log's format, where the mesh has one of its own.
    format: Option<Arc<AccessFormat>>,
    /// What was read, whether or not it is asked for.
    pub(super) seen: Seen,
    /// Whether records are tied to their plugins as they are handed out and not as they come: a line can be here before its object is.
    late: bool,
}

/// One log.
struct Log {
    origin: Arc<LogOrigin>,
    batches: mpsc::Receiver<LogBatch>,
    assembler: Assembler,
    /// The first line of the record that the assembler keeps, where it keeps one.
    kept: Option<Arrival>,
    /// Knows which plugin the lines of a failure are about.
    failures: Failures<Arrival>,
    /// The time of the last record.
    last: Option<LogTime>,
    /// Whether it was read to its end before the last batch came.
    live: bool,
}

/// When a line came.
#[derive(Clone, Copy, Default)]
struct Arrival {
    /// To the kubelet.
    taken: Option<LogTime>,
    /// To this program, where that was as soon as it was written: only then does it tell of clocks.
    came: Option<Moment>,
}

impl Reader {
    /// Reads for this view, what is written now or what was written once.
    pub(super) fn new(view: &View, live: bool) -> Self {
        let merge = if live { Merge::live() } else { Merge::exact() };
        let (logs, clocks, tie, filter) = (BTreeMap::new(), Clocks::default(), Tie::new(view), view.filter.clone());
        let (format, seen) = (view.format(), Seen::default());
        Self { began: clock::now(), logs, count: 0, served: 0, merge, clocks, tie, filter, format, seen, late: live }
    }

    /// Goes by another view from now on. Says by what the records that were handed out are to be tied anew, where that can matter.
    pub(super) fn look_at(&mut self, view: &View) -> Option<Tie> {
        self.filter = view.filter.clone();
        self.format = view.format();
        self.logs.values_mut().for_each(|log| log.assembler.set_access_format(self.format.clone()));
        self.tie.follow(view).then(|| self.tie.clone())
    }

    /// Begins a log.
    pub(super) fn begin(&mut self, stream: LogStream) {
        let LogStream { origin, batches } = stream;
        self.merge.open(self.count, self.now());
        let mut assembler = Assembler::default();
        assembler.set_access_format(self.format.clone());
        let log = Log { origin, batches, assembler, kept: None, failures: Failures::default(), last: None, live: false };
        self.logs.insert(self.count, log);
        self.count += 1;
    }

    /// The next batch of any log of which more is wanted; None at the end of that log. Never where no log is open.
    pub(super) async fn next(&mut self) -> (usize, Option<LogBatch>) {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(usize, Option<LogBatch>)> {
        let after = (Bound::Excluded(self.served), Bound::Unbounded);
        for range in [after, (Bound::Unbounded, Bound::Included(self.served))] {
            for (number, log) in self.logs.range_mut(range) {
                if !self.merge.wants(*number) {
                    continue;
                }
                if let Poll::Ready(batch) = log.batches.poll_recv(context) {
                    self.served = *number;
                    return Poll::Ready((*number, batch));
                }
            }
        }
        Poll::Pending
    }

    /// Takes a batch in, or the end of a log.
    pub(super) fn take(&mut self, number: usize, batch: Option<LogBatch>) {
        let Some(batch) = batch else { return self.end(number) };
        let now = self.now();
        let (at_end, came) = (batch.items.is_empty(), batch.came.map(|came| self.moment(came)));
        if let Some(log) = self.logs.get_mut(&number) {
            log.live = batch.live;
        }
        for item in batch.items {
            match item {
                LogItem::Line(line) => self.line(number, line, came, now),
                LogItem::Mark(kind, text) => {
                    self.flush(number, now);
                    self.mark(number, kind, text, now);
                }
            }
        }
        if at_end {
            self.flush(number, now);
            self.merge.at_end(number);
        }
    }

    fn line(&mut self, number: usize, line: LogLine, came: Option<Moment>, now: Moment) {
        let Some(log) = self.logs.get_mut(&number) else { return };
        let arrival = Arrival { taken: line.time, came };
        match log.assembler.push(line) {
            // The line begins another record.
            Some(record) => {
                let first = log.kept.replace(arrival).unwrap_or_default();
                self.record(number, record, first, now);
            }
            None => {
                log.kept.get_or_insert(arrival);
            }
        }
    }

    /// Takes what the assembler keeps back: nothing more of it comes for the moment.
    fn flush(&mut self, number: usize, now: Moment) {
        let Some(log) = self.logs.get_mut(&number) else { return };
        let first = log.kept.take().unwrap_or_default();
        if let Some(record) = log.assembler.flush() {
            self.record(number, record, first, now);
        }
        self.waited(number, true, now);
    }

    /// Takes a record, which waits where the lines after it may say whose failure it is of.
    fn record(&mut self, number: usize, record: LogRecord, first: Arrival, now: Moment) {
        let Some(log) = self.logs.get_mut(&number) else { return };
        match log.failures.take(record, first) {
            Some((record, first)) => self.hand_on(number, record, first, now),
            None => self.waited(number, false, now),
        }
    }

    /// Hands on what has waited long enough, or all.
    fn waited(&mut self, number: usize, all: bool, now: Moment) {
        while let Some((record, first)) = self.logs.get_mut(&number).and_then(|log| log.failures.next(all)) {
            self.hand_on(number, record, first, now);
        }
    }

    fn hand_on(&mut self, number: usize, record: LogRecord, first: Arrival, now: Moment) {
        let Arrival { taken, came } = first;
        self.seen.count(&record);
        let Some(log) = self.logs.get_mut(&number) else { return };
        let (live, written) = (log.live, Written { told: record.time, taken });
        log.last = record.time.or(log.last);
        // A request's own time is its start, and its line is written at its end.
        let told = written.told.filter(|_| record.kind != LogKind::Access);
        let skew = self.clocks.look(number, Written { told, taken }, came);
        let record = if self.late { Some(record) } else { self.wanted(record) };
        if let Some(record) = record {
            self.merge.push(number, written, live, now, record.size(), record);
        }
        if let Some(skew) = skew {
            let text = self.told(&skew);
            self.mark(number, MarkKind::Skew, text, now);
        }
    }

    /// The record, tied to its plugin, where it is asked for.
    fn wanted(&mut self, mut record: LogRecord) -> Option<LogRecord> {
        self.tie.tie(&mut record);
        self.filter.matches(&record).then_some(record)
    }

    /// The record whose turn it is.
    fn pop(&mut self, now: Moment) -> Option<LogRecord> {
        loop {
            match self.merge.pop(now)? {
                record if self.late && record.kind != LogKind::Mark => {
                    if let Some(record) = self.wanted(record) {
                        return Some(record);
                    }
                }
                record => return Some(record),
            }
        }
    }

    fn mark(&mut self, number: usize, kind: MarkKind, text: String, now: Moment) {
        let Some(log) = self.logs.get(&number) else { return };
        let origin = Arc::new(LogOrigin { source: LogSource::Meshscope, ..(*log.origin).clone() });
        let written = Written { told: log.last, taken: None };
        let record = mark(origin, log.last, kind, text);
        self.merge.push(number, written, log.live, now, record.size(), record);
        match kind {
            MarkKind::Waiting | MarkKind::Failed | MarkKind::NotRestarted | MarkKind::Ended => self.merge.at_end(number),
            MarkKind::Resumed | MarkKind::Restarted => self.merge.goes_on(number, now),
            MarkKind::Dropped | MarkKind::Skew => {}
        }
    }

    fn end(&mut self, number: usize) {
        self.flush(number, self.now());
        self.logs.remove(&number);
        self.merge.close(number);
        self.clocks.forget(number);
    }

    /// The records whose turn it is.
    pub(super) fn ready(&mut self) -> Vec<LogRecord> {
        let (now, mut ready, mut bytes) = (self.now(), Vec::new(), 0);
        while ready.len() < TOGETHER
            && bytes < TOGETHER_BYTES
            && let Some(record) = self.pop(now)
        {
            bytes += record.size();
            ready.push(record);
        }
        ready
    }

    /// When records will be ready though nothing comes.
    pub(super) fn wake(&self) -> Option<Instant> {
        let moment = self.merge.next(self.now())?;
        Some(self.began + Duration::from_nanos(u64::try_from(moment).unwrap_or_default()))
    }

    /// Ends all logs, and hands out what is held back of them.
    pub(super) fn rest(&mut self) -> Vec<LogRecord> {
        let numbers: Vec<usize> = self.logs.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.end(number));
        std::iter::from_fn(|| self.pop(Moment::MAX)).collect()
    }

    /// Whether every log has ended and was handed out.
    pub(super) fn is_over(&self) -> bool {
        self.logs.is_empty() && self.merge.is_over()
    }

    fn now(&self) -> Moment {
        self.moment(clock::now())
    }

    fn moment(&self, at: Instant) -> Moment {
        Moment::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(Moment::MAX)
    }

    fn told(&self, skew: &Skew) -> String {
        let seconds = |time: LogTime| format!("{:.1} s", Duration::from_nanos(time.unsigned_abs()).as_secs_f64());
        match skew {
            Skew::Own(time) if *time > 0 => format!("its own times are {} ahead of the kubelet's", seconds(*time)),
            Skew::Own(time) => format!("its own times are {} behind the kubelet's", seconds(*time)),
            Skew::Behind(time, other) => {
                let other = self.logs.get(other).map(|log| log.origin.pod.pod.clone()).unwrap_or_default();
                format!("its lines come {} later than those of {other} that have the same time: one of the clocks is wrong", seconds(*time))
            }
        }
    }
}
