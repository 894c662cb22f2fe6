//! A log file in blocks of whole lines, so that a file of any size takes little memory.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use crate::ingest::logs::leading;
use crate::model::logs::LogTime;

/// How much is read at once. The lines of a block are a batch, and some batches of each file wait in memory.
const BLOCK: usize = 64 << 10;
/// The largest block: what does not fit is taken apart.
const LARGEST: usize = 1 << 20;

/// What a file is read from.
pub(super) type Input = Box<dyn Read + Send>;

/// A file while it is read.
pub(super) struct Blocks {
    input: Input,
    /// What was read and is not done with; it begins with a line.
    pub bytes: Vec<u8>,
    at_end: bool,
}

impl Blocks {
    /// A file at its first byte.
    pub fn new(input: Input) -> Self {
        Self { input, bytes: Vec::new(), at_end: false }
    }

    /// Reads on until there are whole lines, the last of them before one that satisfies `is_start`, and says where they end;
    /// 0 at the end of the file.
    pub fn fill(&mut self, is_start: fn(&[u8]) -> bool) -> io::Result<usize> {
        let mut wanted = BLOCK;
        loop {
            let missing = wanted.saturating_sub(self.bytes.len()) as u64;
            if !self.at_end && (self.input.by_ref().take(missing).read_to_end(&mut self.bytes)? as u64) < missing {
                self.at_end = true;
            }
            if self.at_end {
                return Ok(self.bytes.len());
            }
            // Of the last line a part may be missing, so that what comes before it is whole and itself may not be.
            let mut starts = starts_from_end(&self.bytes).filter(|start| *start > 0);
            if let Some(start) = starts.find(|start| is_start(line_at(&self.bytes, *start).0)) {
                return Ok(start);
            }
            if self.bytes.len() >= LARGEST {
                return Ok(memrchr(b'\n', &self.bytes).map_or(self.bytes.len(), |end| end + 1));
            }
            wanted = self.bytes.len() * 2;
        }
    }
}

/// What is known of a log after one look at all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// How many lines it has.
    pub lines: u64,
    /// Its youngest time.
    pub youngest: Option<LogTime>,
}

impl Extent {
    /// Looks at a whole log.
    pub fn of(input: Input) -> io::Result<Self> {
        let (mut extent, mut blocks) = (Self::default(), Blocks::new(input));
        loop {
            let end = blocks.fill(|_| true)?;
            if end == 0 {
                return Ok(extent);
            }
            let block = &blocks.bytes[..end];
            extent.lines += memchr_iter(b'\n', block).count() as u64 + u64::from(!block.ends_with(b"\n"));
            let youngest = starts_from_end(block).find_map(|start| leading(&String::from_utf8_lossy(line_at(block, start).0)));
            extent.youngest = extent.youngest.max(youngest);
            blocks.bytes.drain(..end);
        }
    }
}

/// The line that begins, or goes on, at a place, and where the next begins.
pub(super) fn line_at(block: &[u8], at: usize) -> (&[u8], usize) {
    let rest = block.get(at..).unwrap_or_default();
    match memchr(b'\n', rest) {
        Some(end) => (&rest[..end], at + end + 1),
        None => (rest, block.len()),
    }
}

/// Where the line that a place is in begins.
pub(super) fn start_of(block: &[u8], at: usize) -> usize {
    memrchr(b'\n', block.get(..at).unwrap_or_default()).map_or(0, |before| before + 1)
}

/// Where the lines of a block begin, the last first.
fn starts_from_end(block: &[u8]) -> impl Iterator<Item = usize> {
    let mut end = Some(block.len());
    std::iter::from_fn(move || {
        let start = start_of(block, end?);
        end = start.checked_sub(1);
        Some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Box::new(io::Cursor::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_extent_of_a_log_is_its_lines_and_its_youngest_time() {
        assert_eq!(Extent::of(input("")).unwrap(), Extent::default());
        let extent = Extent::of(input("2026-11-23T19:37:41.5Z one\n2026-11-23T19:37:41.25Z two\n  no time\nlast")).unwrap();
        assert_eq!(extent, Extent { lines: 4, youngest: Some(1_795_462_661_250_000_000) });
        let many = "2026-11-23T19:37:41.5Z one\n".repeat(20_000);
        assert_eq!(Extent::of(input(&many)).unwrap().lines, 20_000);
    }

    #[test]
    fn blocks_end_where_lines_do() {
        let long = "x".repeat(3 * BLOCK) + "\nshort\n" + &"y".repeat(2 * LARGEST) + "\nend";
        let (mut blocks, mut found) = (Blocks::new(input(&long)), Vec::new());
        loop {
            let end = blocks.fill(|_| true).unwrap();
            if end == 0 {
                break;
            }
            found.push(blocks.bytes.drain(..end).collect::<Vec<u8>>());
        }
        assert_eq!(found.concat(), long.as_bytes());
        assert!(found.iter().all(|block| block.len() <= LARGEST), "memory has a bound");
        assert!(found[0].ends_with(b"\n") && found[0].len() > 3 * BLOCK);
    }
}
