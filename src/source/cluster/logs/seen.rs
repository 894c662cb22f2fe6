//! Which lines of a log were handed on already, so that a stream goes on where it ended: no line lost, none doubled.
//!
//! The API server takes the time to go on from in whole seconds, so that lines come again. They are known by their time and
//! a hash of their text, and by the hash alone where several have one time. The runtime writes the two outputs of a container
//! into one log, and their lines can swap by a little: so not the last line is looked at, but those of the last second.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use jiff::Timestamp;

use crate::model::logs::{LogLine, LogTime};

const SECOND: LogTime = 1_000_000_000;
/// The lines that are remembered; where a second has more, the memory is shorter than a second.
const MOST: usize = 1 << 16;

/// The memory of one container's log.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The youngest time.
    newest: Option<LogTime>,
    /// The lines of the last second, as time and hash.
    recent: VecDeque<(LogTime, u64)>,
    /// What is older was seen and is no longer remembered, or was never wanted.
    floor: Option<LogTime>,
    /// The lines that come again after the stream was taken up, with how often.
    again: HashMap<(LogTime, u64), u32>,
    /// Whether the log still has to show that it reaches back to where the stream ended.
    unproven: bool,
}

impl Seen {
    /// Whether a line is new. The lines have to come in the order of the log.
    pub fn is_new(&mut self, line: &LogLine) -> bool {
        // Without a time it is not a line of the log, but what the kubelet has to say instead.
        let Some(time) = line.time else { return true };
        let key = (time, BuildHasherDefault::<DefaultHasher>::default().hash_one(&line.text));
        if !self.again.is_empty() {
            if let Some(left) = self.again.get_mut(&key) {
                *left -= 1;
                if *left == 0 {
                    self.again.remove(&key);
                }
                self.unproven = false;
                return false;
            }
            if self.floor.is_some_and(|floor| time < floor) {
                return false;
            }
            if self.newest.is_some_and(|newest| time > newest + SECOND) {
                self.again.clear();
            }
        }
        self.remember(key);
        true
    }

    /// Whether lines may be missing: a new line came after the stream was taken up, and none that was seen before it.
    /// Told once.
    pub fn is_gap(&mut self) -> bool {
        std::mem::take(&mut self.unproven)
    }

    /// From now on nothing that is older than the first line is wanted: the log was not asked for from its start.
    pub fn begins_here(&mut self) {
        self.floor = self.floor.or(self.newest);
    }

    /// Prepares for the lines that come again; the time to ask for, in whole seconds. None where no line was seen yet.
    pub fn resume(&mut self) -> Option<Timestamp> {
        self.again.clear();
        for key in &self.recent {
            *self.again.entry(*key).or_default() += 1;
        }
        let horizon = self.newest? - SECOND;
        let floor = self.floor.map_or(horizon, |floor| floor.max(horizon));
        self.floor = Some(floor);
        self.unproven = true;
        // The client would round to the nearest second, which can be the one after.
        Timestamp::from_second(floor.div_euclid(SECOND)).ok()
    }

    fn remember(&mut self, key: (LogTime, u64)) {
        let newest = self.newest.map_or(key.0, |newest| newest.max(key.0));
        self.newest = Some(newest);
        self.recent.push_back(key);
        while let Some((time, _)) = self.recent.front().copied()
            && (time < newest - SECOND || self.recent.len() > MOST)
        {
            self.recent.pop_front();
            self.floor = self.floor.max(Some(time));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::ids::ProxyId;
    use crate::model::logs::{LogOrigin, LogSource};

    fn line(second: i64) -> LogLine {
        let pod = ProxyId::new("web-1", "shop");
        let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None });
        LogLine { origin, time: Some(second * SECOND), text: "x".to_owned(), cut: false }
    }

    /// A log: lines with times that may swap by half a second and may be equal, as may the texts.
    fn log() -> impl Strategy<Value = Vec<LogLine>> {
        let steps = prop::collection::vec((0i64..4, -5i64..=5, 0u8..3), 1..60);
        steps.prop_map(move |steps| {
            let mut clock = 1_795_462_661 * SECOND;
            let of = |(step, swap, text): (i64, i64, u8)| {
                clock += step * SECOND / 4;
                LogLine { time: Some(clock + swap * SECOND / 20), text: format!("line {text}"), ..line(0) }
            };
            steps.into_iter().map(of).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_doubled(log in log(), cuts in prop::collection::vec(0usize..60, 0..5)) {
            let (mut seen, mut taken, mut reached) = (Seen::default(), Vec::new(), 0);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(log.len())).chain([log.len()]).collect();
            cuts.sort_unstable();
            for cut in cuts {
                let since = seen.resume().map_or(LogTime::MIN, |since| since.as_second() * SECOND);
                // The kubelet leaves lines out one by one.
                for line in log[..cut].iter().filter(|line| line.time.unwrap() >= since) {
                    if seen.is_new(line) {
                        prop_assert!(reached == 0 || !seen.is_gap());
                        seen.is_gap();
                        taken.push(line.clone());
                    }
                }
                reached = cut;
            }
            prop_assert_eq!(taken, log);
        }
    }

    #[test]
    fn a_log_that_no_longer_reaches_back_is_noticed_once() {
        let mut seen = Seen::default();
        assert!(seen.resume().is_none());
        assert!(seen.is_new(&line(10)) && !seen.is_gap());
        assert_eq!(seen.resume().unwrap().as_second(), 9);
        assert!(!seen.is_new(&line(10)) && seen.is_new(&line(11)) && !seen.is_gap());
        seen.resume();
        assert!(seen.is_new(&line(90)) && seen.is_gap() && !seen.is_gap());
        assert!(seen.is_new(&LogLine { time: None, ..line(0) }));
    }

    #[test]
    fn what_was_not_asked_for_at_first_is_not_new_later() {
        let mut seen = Seen::default();
        assert!(seen.is_new(&line(10)));
        seen.begins_here();
        seen.resume();
        assert!(!seen.is_new(&LogLine { time: Some(10 * SECOND - 1), ..line(0) }) && !seen.is_new(&line(10)) && seen.is_new(&line(11)));
    }
}
