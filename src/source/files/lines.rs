//! The lines of one log file. What no filter wants is passed over before it is a line at all.

use std::io;
use std::sync::Arc;

use super::blocks::{Blocks, Extent, Input, line_at, start_of};
use crate::ingest::logs::{Unwrapper, begins, begins_wrapped, leading};
use crate::model::logs::{LogLine, LogOrigin, LogTime};
use crate::source::logs::split::{self, LONGEST};
use crate::source::logs::{LogBatch, LogItem, Sieve};

/// Which lines of a file are asked for.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// How many lines to leave out at the start.
    pub skip: u64,
    /// Whether those are lines of the container, and not of the file.
    pub unwrapped: bool,
    /// What is older is left out.
    pub since: Option<LogTime>,
    /// What to leave out before it is a line at all.
    pub sieve: Option<Sieve>,
}

/// A log file while it is read.
pub(super) struct Lines {
    origin: Arc<LogOrigin>,
    blocks: Blocks,
    /// For a standalone log, whose lines may have something around them.
    unwrapper: Option<Unwrapper>,
    /// Whether only lines that say that they are this container's are asked for.
    of_origin: bool,
    wanted: Wanted,
    /// Whether the last line with a time was young enough.
    young: bool,
    at_end: bool,
}

impl Lines {
    /// The file of one container's log, read from its first byte.
    pub fn new(origin: Arc<LogOrigin>, input: Input, wanted: Wanted) -> Self {
        let young = wanted.since.is_none();
        Self { origin, blocks: Blocks::new(input), unwrapper: None, of_origin: false, wanted, young, at_end: false }
    }

    /// A standalone log: all its lines, or those of `only` one container. Lines without a prefix belong to `own`.
    pub fn alone(own: Arc<LogOrigin>, only: Option<Arc<LogOrigin>>, input: Input, wanted: Wanted) -> Self {
        let unwrapper = Some(Unwrapper::new(own.clone()));
        let of_origin = only.is_some();
        Self { unwrapper, of_origin, ..Self::new(only.unwrap_or(own), input, wanted) }
    }

    /// Whether anything was around the lines so far.
    pub fn is_wrapped(&self) -> bool {
        self.unwrapper.as_ref().is_some_and(Unwrapper::is_wrapped)
    }

    /// Reads to the end for how many lines there are of each of these containers, and how young; where there is one, all lines are its own.
    pub fn extents(mut self, origins: &[Arc<LogOrigin>]) -> io::Result<Vec<Extent>> {
        let (mut extents, mut at, mut last) = (vec![Extent::default(); origins.len()], 0, None);
        while let Some(batch) = self.next()? {
            for item in batch.items {
                let LogItem::Line(line) = item else { continue };
                // Most lines are of the container of the line before.
                if origins.len() > 1 && last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &line.origin)) {
                    at = origins.iter().position(|origin| *origin == line.origin).unwrap_or(usize::MAX);
                    last = Some(line.origin.clone());
                }
                let Some(extent) = extents.get_mut(at) else { continue };
                extent.lines += 1;
                extent.youngest = extent.youngest.max(line.time.or_else(|| leading(&line.text)));
            }
        }
        Ok(extents)
    }

    /// The next lines that are wanted; None at the end. Blocks.
    pub fn next(&mut self) -> io::Result<Option<LogBatch>> {
        while !self.at_end {
            let is_start: fn(&[u8]) -> bool = match self.unwrapper {
                Some(_) => |line| begins_wrapped(&String::from_utf8_lossy(line)),
                None => |line| begins(&String::from_utf8_lossy(line)),
            };
            let end = self.blocks.fill(is_start)?;
            let mut batch = LogBatch::default();
            if end == 0 {
                self.at_end = true;
                let mut lines = Vec::new();
                if let Some(unwrapper) = &mut self.unwrapper {
                    unwrapper.flush(|line| lines.push(line));
                }
                lines.into_iter().for_each(|line| self.take(line, &mut batch));
            }
            let mut from = self.skipped(end);
            // Between the lines of one record there can be those of other containers.
            let hides = |unwrapper: &Unwrapper| unwrapper.hides(&self.blocks.bytes[..end]);
            let sieve = self.wanted.sieve.clone().filter(|_| !self.of_origin && !self.unwrapper.as_ref().is_some_and(hides));
            while let Some((start, stop)) = wanted(&self.blocks.bytes[..end], from, sieve.as_ref(), is_start) {
                let mut at = start;
                while at < stop {
                    at = self.line(at, stop, &mut batch);
                }
                from = stop;
            }
            self.blocks.bytes.drain(..end);
            if !batch.items.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Leaves lines of the file out at the start, as long as some are to be.
    fn skipped(&mut self, end: usize) -> usize {
        let mut from = 0;
        while !self.wanted.unwrapped && self.wanted.skip > 0 && from < end {
            from = line_at(&self.blocks.bytes[..end], from).1;
            self.wanted.skip -= 1;
        }
        from
    }

    /// Takes the line at a place, and says where the next one begins.
    fn line(&mut self, at: usize, stop: usize, batch: &mut LogBatch) -> usize {
        let (whole, next) = line_at(&self.blocks.bytes[..stop], at);
        let Some(bytes) = without_hole(whole) else { return next };
        let (bytes, cut) = (&bytes[..bytes.len().min(LONGEST)], bytes.len() > LONGEST);
        let (mut one, mut more) = (None, Vec::new());
        match &mut self.unwrapper {
            Some(unwrapper) => unwrapper.push(&String::from_utf8_lossy(bytes), cut, |line| match one {
                None => one = Some(line),
                Some(_) => more.push(line),
            }),
            None => one = Some(split::line(&self.origin, bytes, cut)),
        }
        one.into_iter().chain(more).for_each(|line| self.take(line, batch));
        next
    }

    /// Takes a line of a container, where it is wanted.
    fn take(&mut self, line: LogLine, batch: &mut LogBatch) {
        if self.of_origin && line.origin != self.origin {
            return;
        }
        if self.wanted.unwrapped && self.wanted.skip > 0 {
            self.wanted.skip -= 1;
            return;
        }
        if let Some(since) = self.wanted.since
            && let Some(time) = line.time.or_else(|| leading(&line.text))
        {
            self.young = time >= since;
        }
        if self.young {
            batch.items.push(LogItem::Line(line));
        }
    }
}

/// A line without the zeros in front of it: a log that was truncated while its writer went on has a hole there (`copytruncate` of logrotate).
/// None where there is nothing else.
fn without_hole(line: &[u8]) -> Option<&[u8]> {
    match line.first() {
        Some(0) => line.iter().position(|byte| *byte != 0).map(|filled| &line[filled..]),
        _ => Some(line),
    }
}

/// The next lines of a block that may be wanted: all that there are, or one record that the sieve lets through.
fn wanted(block: &[u8], from: usize, sieve: Option<&Sieve>, is_start: fn(&[u8]) -> bool) -> Option<(usize, usize)> {
    let end = block.len();
    let Some(Sieve(find)) = sieve else { return (from < end).then_some((from, end)) };
    let found = find(block, from).filter(|found| *found < end)?;
    let mut start = start_of(block, found).max(from);
    while start > from && !is_start(line_at(block, start).0) {
        start = start_of(block, start - 1).max(from);
    }
    let mut stop = line_at(block, found).1;
    while stop < end && !is_start(line_at(block, stop).0) {
        stop = line_at(block, stop).1;
    }
    Some((start, stop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::ProxyId;
    use crate::model::logs::LogSource;

    #[test]
    fn a_hole_is_no_part_of_a_line() {
        let pod = ProxyId::new("file", "");
        let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None });
        let bytes = [&[0; 3 << 20][..], b"one\ntwo\n", &[0; 2 << 20]].concat();
        let mut lines = Lines::new(origin, Box::new(io::Cursor::new(bytes)), Wanted::default());
        let mut found = Vec::new();
        while let Some(batch) = lines.next().unwrap() {
            found.extend(batch.items.into_iter().filter_map(|item| if let LogItem::Line(line) = item { Some(line.text) } else { None }));
        }
        assert_eq!(found, ["one", "two"]);
    }

    #[test]
    fn in_a_recording_nothing_may_pretend_to_be_another_pod() {
        const OWN: &str = "2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching";
        let pod = ProxyId::new("file", "");
        let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None });
        for text in [format!("[pod/web-1/istio-proxy] {OWN}"), format!("web-1 istio-proxy {OWN}"), "\u{1b}[1mbold".to_owned()] {
            let input = Box::new(io::Cursor::new(text.clone().into_bytes()));
            let batch = Lines::new(origin.clone(), input, Wanted::default()).next().unwrap().unwrap();
            assert_eq!(batch.items, [LogItem::Line(LogLine { origin: origin.clone(), time: None, text, cut: false })]);
        }
    }
}
