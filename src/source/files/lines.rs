//! The lines of one log file. What no filter wants is passed over before it is a line at all.

use std::io;
use std::sync::Arc;

use super::blocks::{Blocks, Input, line_at, start_of};
use crate::ingest::logs::{begins, leading, split_kubelet};
use crate::model::logs::{LogOrigin, LogTime};
use crate::source::logs::split::{self, LONGEST};
use crate::source::logs::{LogBatch, LogItem, Sieve};

/// A log file while it is read.
pub(super) struct Lines {
    origin: Arc<LogOrigin>,
    blocks: Blocks,
    /// How many lines to leave out at the start.
    skip: u64,
    /// What is older is left out.
    since: Option<LogTime>,
    /// Whether the last line with a time was young enough.
    young: bool,
    sieve: Option<Sieve>,
}

impl Lines {
    /// A file that is read from its first byte.
    pub fn new(origin: Arc<LogOrigin>, input: Input, skip: u64, since: Option<LogTime>, sieve: Option<Sieve>) -> Self {
        Self { origin, blocks: Blocks::new(input), skip, since, young: since.is_none(), sieve }
    }

    /// The next lines that are wanted; None at the end. Blocks.
    pub fn next(&mut self) -> io::Result<Option<LogBatch>> {
        loop {
            let end = self.blocks.fill(begins_record)?;
            if end == 0 {
                return Ok(None);
            }
            let mut batch = LogBatch::default();
            let mut from = self.skipped(end);
            while let Some((start, stop)) = self.wanted(from, end) {
                let mut at = start;
                while at < stop {
                    at = self.take(at, stop, &mut batch);
                }
                from = stop;
            }
            self.blocks.bytes.drain(..end);
            if !batch.items.is_empty() {
                return Ok(Some(batch));
            }
        }
    }

    /// Takes the line at a place, and says where the next one begins.
    fn take(&mut self, at: usize, stop: usize, batch: &mut LogBatch) -> usize {
        let (bytes, next) = line_at(&self.blocks.bytes[..stop], at);
        let line = split::line(&self.origin, &bytes[..bytes.len().min(LONGEST)], bytes.len() > LONGEST);
        if let Some(since) = self.since
            && let Some(time) = line.time.or_else(|| leading(&line.text))
        {
            self.young = time >= since;
        }
        if self.young {
            batch.items.push(LogItem::Line(line));
        }
        next
    }

    /// Leaves lines out at the start, as long as some are to be.
    fn skipped(&mut self, end: usize) -> usize {
        let mut from = 0;
        while self.skip > 0 && from < end {
            from = line_at(&self.blocks.bytes[..end], from).1;
            self.skip -= 1;
        }
        from
    }

    /// The next lines that may be wanted: all that there are, or one record that the sieve lets through.
    fn wanted(&self, from: usize, end: usize) -> Option<(usize, usize)> {
        let block = &self.blocks.bytes[..end];
        let Some(Sieve(find)) = &self.sieve else { return (from < end).then_some((from, end)) };
        let found = find(block, from).filter(|found| *found < end)?;
        let mut start = start_of(block, found).max(from);
        while start > from && !begins_record(line_at(block, start).0) {
            start = start_of(block, start - 1).max(from);
        }
        let mut stop = line_at(block, found).1;
        while stop < end && !begins_record(line_at(block, stop).0) {
            stop = line_at(block, stop).1;
        }
        Some((start, stop))
    }
}

/// Whether a line begins a record, behind the kubelet's time.
fn begins_record(line: &[u8]) -> bool {
    begins(split_kubelet(&String::from_utf8_lossy(line)).1)
}
