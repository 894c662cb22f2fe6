//! Cuts bytes into lines, wherever the chunks in which they come end, and takes the kubelet's time from in front of them.

use std::sync::Arc;

use memchr::memchr;

use crate::ingest::logs::split_kubelet;
use crate::model::logs::{LogLine, LogOrigin};

/// A line that is longer is cut there: memory has to have a bound, and a config dump in a log is no line to be read.
pub const LONGEST: usize = 256 << 10;

/// The part of a line whose end has not come yet.
#[derive(Debug, Default)]
pub struct Splitter {
    rest: Vec<u8>,
    cut: bool,
}

impl Splitter {
    /// Takes a chunk and hands each line that ends in it on, without its end, with whether it was cut.
    pub fn feed(&mut self, mut chunk: &[u8], mut each: impl FnMut(&[u8], bool)) {
        while let Some(end) = memchr(b'\n', chunk) {
            let (line, after) = chunk.split_at(end);
            if self.rest.is_empty() && line.len() <= LONGEST {
                each(line, false);
            } else {
                self.keep(line);
                each(&self.rest, self.cut);
                self.forget();
            }
            chunk = after.get(1..).unwrap_or_default();
        }
        self.keep(chunk);
    }

    /// The last line, where it has no end.
    pub fn end(&mut self, each: impl FnOnce(&[u8], bool)) {
        if !self.rest.is_empty() {
            each(&self.rest, self.cut);
            self.forget();
        }
    }

    /// Drops what has no end: the line was cut off and comes again.
    pub fn forget(&mut self) {
        self.rest.clear();
        self.cut = false;
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST - self.rest.len();
        self.cut |= part.len() > room;
        self.rest.extend_from_slice(&part[..part.len().min(room)]);
    }
}

/// A line of bytes, with the kubelet's time where one stands in front.
pub fn line(origin: &Arc<LogOrigin>, bytes: &[u8], cut: bool) -> LogLine {
    // A container on Windows ends its lines so.
    let whole = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes));
    let (time, text) = split_kubelet(&whole);
    LogLine { origin: origin.clone(), time, text: text.to_owned(), cut }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ids::ProxyId;
    use crate::model::logs::LogSource;

    fn origin() -> Arc<LogOrigin> {
        let pod = ProxyId::new("web-1", "shop");
        Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None })
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(text in "[ab\n\u{e4}]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let mut found = Vec::new();
            let mut splitter = Splitter::default();
            let (bytes, mut last) = (text.as_bytes(), 0);
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < bytes.len()).collect();
            cuts.sort_unstable();
            for cut in cuts.into_iter().chain([bytes.len()]) {
                splitter.feed(&bytes[last..cut], |line, _| found.push(line.to_vec()));
                last = cut;
            }
            splitter.end(|line, _| found.push(line.to_vec()));
            let expected: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_kubelets_time_is_taken_and_a_lines_own_is_left() {
        let parsed = line(&origin(), b"2026-11-23T19:37:41.428955773Z 2026-11-23T19:37:41.428949Z\tinfo\tx", false);
        assert_eq!(parsed.time, Some(1_795_462_661_428_955_773));
        assert_eq!(parsed.text, "2026-11-23T19:37:41.428949Z\tinfo\tx");
        assert_eq!(line(&origin(), b"2026-11-23T21:37:41.428955773+02:00 \xe4", false).text, "\u{fffd}");
        let own = line(&origin(), b"2026-11-23T19:37:41.428949Z\tinfo\ta b", false);
        assert_eq!((own.time, own.text.as_str()), (None, "2026-11-23T19:37:41.428949Z\tinfo\ta b"));
        assert_eq!(line(&origin(), b"2026-11-23T19:37:41.428955773Z ", false).text, "");
        for odd in [&b""[..], b" ", b"2026-11-23T", b"2026-99-23T19:37:41.428955773Z x", b"\xff\xfe 1"] {
            assert_eq!(line(&origin(), odd, false).time, None);
        }
    }

    #[test]
    fn a_line_beyond_the_bound_is_cut_and_the_next_is_whole() {
        let mut bytes = vec![b'x'; LONGEST + 5];
        bytes.extend_from_slice(b"\nnext\n");
        for step in [bytes.len(), 1000] {
            let (mut splitter, mut found) = (Splitter::default(), Vec::new());
            bytes.chunks(step).for_each(|chunk| splitter.feed(chunk, |line, cut| found.push((line.len(), cut))));
            assert_eq!(found, [(LONGEST, true), (4, false)]);
        }
    }
}
