//! Puts the records of several logs in the order of their times. What one container wrote stays in its own order.
//!
//! Where the logs are at their ends a record waits for a short window, so that what another container wrote before it has time to
//! come. Where they are read from the past, the youngest record of each is awaited and the oldest of them goes first, so that the
//! order is exact.

use std::collections::{BTreeMap, VecDeque};

use crate::model::logs::LogTime;

/// Nanoseconds of a clock that only runs forward, from any start.
pub type Moment = i64;

/// How long a record waits for what was written before it, and by how much clocks may differ without being told: 300 ms.
pub const WINDOW: Moment = 300_000_000;
/// How long a log that was just opened is waited for, where others have lines already: 2 s.
const PATIENCE: Moment = 2_000_000_000;
/// How many bytes any log may have waiting. Where more wait, the oldest record does not wait for the end of its window.
const ROOM: usize = 12 << 20;
/// How many more bytes are divided among the logs, so that a loud one leaves room for the others.
const SHARES: usize = 4 << 20;

/// The records that wait for their turn. Logs are told apart by numbers.
#[derive(Debug)]
pub struct Merge<T> {
    live: bool,
    logs: BTreeMap<usize, Log<T>>,
    /// How many bytes wait.
    bytes: usize,
}

/// When a record was written, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// By its own time; else the kubelet's.
    pub told: Option<LogTime>,
    /// By the kubelet's.
    pub taken: Option<LogTime>,
}

#[derive(Debug)]
struct Log<T> {
    waiting: VecDeque<Waiting<T>>,
    bytes: usize,
    /// The place in time of the last record, which no later one of this log goes before.
    last: LogTime,
    /// Whether it is read from the past, so that the others wait for it.
    past: bool,
    /// When it last brought something.
    moved: Moment,
    closed: bool,
}

#[derive(Debug)]
struct Waiting<T> {
    time: LogTime,
    due: Moment,
    bytes: usize,
    record: T,
}

impl<T> Merge<T> {
    /// For logs that are followed.
    pub fn live() -> Self {
        Self { live: true, logs: BTreeMap::new(), bytes: 0 }
    }

    /// For logs that have an end: each record waits until every log shows its next.
    pub fn exact() -> Self {
        Self { live: false, logs: BTreeMap::new(), bytes: 0 }
    }

    /// Begins a log.
    pub fn open(&mut self, log: usize, now: Moment) {
        let fresh = Log { waiting: VecDeque::new(), bytes: 0, last: LogTime::MIN, past: true, moved: now, closed: false };
        self.logs.insert(log, fresh);
    }

    /// Ends a log. What waits keeps its turn.
    pub fn close(&mut self, log: usize) {
        if let Some(ended) = self.logs.get_mut(&log) {
            ended.closed = true;
        }
        self.logs.retain(|_, log| !log.closed || !log.waiting.is_empty());
    }

    /// The log has been read to its end for now, or brings nothing for a while: the others do not wait for it.
    pub fn at_end(&mut self, log: usize) {
        self.set_past(log, false);
    }

    /// The log goes on after a break, with what was written meanwhile.
    pub fn goes_on(&mut self, log: usize, now: Moment) {
        self.set_past(log, true);
        if let Some(log) = self.logs.get_mut(&log) {
            log.moved = now;
        }
    }

    fn set_past(&mut self, log: usize, past: bool) {
        if let Some(log) = self.logs.get_mut(&log) {
            log.past = past;
        }
    }

    /// Whether more of a log is asked for. What is not taken waits at its source.
    pub fn wants(&self, log: usize) -> bool {
        let share = if self.live { SHARES / self.logs.len().max(1) } else { 1 };
        self.logs.get(&log).is_some_and(|log| log.bytes < share || self.live && self.bytes < ROOM)
    }

    /// Takes a record of a log, with its size in memory. `live` says that the log was at its end before it.
    pub fn push(&mut self, log: usize, written: Written, live: bool, now: Moment, bytes: usize, record: T) {
        let Some(log) = self.logs.get_mut(&log) else { return };
        let due = if live { now + WINDOW } else { now };
        // A time that is ahead of when the kubelet took the line is wrong, and would hold back all that follows.
        let told = written.told.map(|told| written.taken.map_or(told, |taken| told.min(taken.saturating_add(WINDOW))));
        log.last = told.unwrap_or(log.last).max(log.last);
        log.moved = now;
        // Even a record of nothing is one.
        let bytes = bytes.max(1);
        log.bytes += bytes;
        self.bytes += bytes;
        log.waiting.push_back(Waiting { time: log.last, due, bytes, record });
    }

    /// The next record whose turn it is.
    pub fn pop(&mut self, now: Moment) -> Option<T> {
        let (mut due, mut oldest) = (!self.live || self.bytes >= ROOM, None);
        for (number, log) in &self.logs {
            match log.waiting.front() {
                Some(front) => {
                    due |= front.due <= now;
                    oldest = oldest.into_iter().chain([(front.time, *number)]).min();
                }
                None if self.holds_up(log, now) => return None,
                None => {}
            }
        }
        let (_, number) = oldest.filter(|_| due)?;
        let log = self.logs.get_mut(&number)?;
        let first = log.waiting.pop_front()?;
        log.bytes -= first.bytes;
        self.bytes -= first.bytes;
        if log.closed && log.waiting.is_empty() {
            self.logs.remove(&number);
        }
        Some(first.record)
    }

    /// When to look again, if nothing happens before; None where nothing waits for a time.
    pub fn next(&self, now: Moment) -> Option<Moment> {
        if !self.live {
            return None;
        }
        let held_up = self.logs.values().filter(|log| self.holds_up(log, now)).map(|log| log.moved + PATIENCE).max();
        let due = self.logs.values().filter_map(|log| log.waiting.front()).map(|front| front.due).min()?;
        Some(held_up.map_or(due, |until| until.max(due)))
    }

    /// Whether nothing waits and no log is open.
    pub fn is_over(&self) -> bool {
        self.logs.is_empty()
    }

    fn holds_up(&self, log: &Log<T>, now: Moment) -> bool {
        !log.closed && log.waiting.is_empty() && (!self.live || log.past && now < log.moved + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(time: LogTime) -> Written {
        Written { told: Some(time), taken: None }
    }

    fn drain<T>(merge: &mut Merge<T>, now: Moment) -> Vec<T> {
        std::iter::from_fn(|| merge.pop(now)).collect()
    }

    #[test]
    fn lines_of_two_logs_stand_in_their_order() {
        let mut merge = Merge::live();
        [0, 1].iter().for_each(|log| merge.open(*log, 0));
        [0, 1].iter().for_each(|log| merge.at_end(*log));
        merge.push(0, at(200), true, 1_000, 1, "b");
        merge.push(1, at(100), true, 2_000, 1, "a");
        merge.push(1, at(300), true, 3_000, 1, "c");
        assert_eq!((merge.pop(4_000), merge.next(4_000)), (None, Some(1_000 + WINDOW)));
        // What was written before goes along with what is due, and what comes after stays.
        assert_eq!(drain(&mut merge, 1_000 + WINDOW), ["a", "b"]);
        assert_eq!(drain(&mut merge, 3_000 + WINDOW), ["c"]);
        assert_eq!(merge.next(9_000), None);
    }

    #[test]
    fn the_past_of_a_log_is_waited_for_but_not_for_ever() {
        let mut merge = Merge::live();
        [0, 1].iter().for_each(|log| merge.open(*log, 0));
        merge.push(0, at(200), false, 0, 1, "b");
        assert_eq!((merge.pop(1), merge.next(1)), (None, Some(PATIENCE)));
        merge.push(1, at(100), false, 2, 1, "a");
        assert_eq!(drain(&mut merge, 3), ["a"]);
        merge.at_end(1);
        assert_eq!(drain(&mut merge, 4), ["b"]);
        merge.push(0, at(300), false, 5, 1, "c");
        assert_eq!(drain(&mut merge, 5), ["c"]);
        merge.goes_on(1, 10);
        merge.push(0, at(400), false, 11, 1, "d");
        assert_eq!((drain(&mut merge, 11), drain(&mut merge, 10 + PATIENCE)), (vec![], vec!["d"]));
    }

    #[test]
    fn a_time_that_cannot_be_holds_nothing_back() {
        let mut merge = Merge::exact();
        [0, 1].iter().for_each(|log| merge.open(*log, 0));
        merge.push(0, Written { told: Some(LogTime::MAX), taken: Some(100) }, false, 0, 1, "a");
        merge.push(0, Written { told: Some(WINDOW + 200), taken: Some(WINDOW + 200) }, false, 0, 1, "b");
        merge.push(1, at(WINDOW + 150), false, 0, 1, "c");
        [0, 1].iter().for_each(|log| merge.close(*log));
        assert_eq!(drain(&mut merge, 0), ["a", "c", "b"]);
        assert!(merge.is_over());
    }

    #[test]
    fn what_waits_has_a_bound() {
        let mut merge = Merge::live();
        merge.open(0, 0);
        merge.open(1, 0);
        merge.at_end(1);
        merge.push(0, at(1), true, 0, ROOM - 1, "a");
        assert!(merge.wants(0) && merge.wants(1));
        assert_eq!(merge.pop(0), None);
        merge.push(0, at(3), true, 0, 1, "c");
        assert!(!merge.wants(0) && merge.wants(1) && !merge.wants(7));
        merge.push(1, at(2), true, 0, SHARES / 2, "b");
        assert!(!merge.wants(0) && !merge.wants(1) && merge.bytes <= ROOM + SHARES);
        // What is too much does not wait for the end of its window.
        assert_eq!(drain(&mut merge, 0), ["a"]);
        assert!(merge.wants(0) && merge.wants(1));
        assert_eq!(drain(&mut merge, WINDOW), ["b", "c"]);
        assert_eq!(merge.bytes, 0);
    }

    /// What happens: a record with a time comes to a log, or a log is at its end for now, or time passes.
    #[derive(Clone, Debug)]
    enum Step {
        Record(usize, Option<LogTime>, bool),
        AtEnd(usize),
        Pass(Moment),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let record = (0usize..4, prop::option::of(0i64..50), any::<bool>()).prop_map(|(log, time, live)| Step::Record(log, time, live));
        let pass = (0i64..3).prop_map(|windows| Step::Pass(windows * WINDOW / 2));
        prop::collection::vec(prop_oneof![6 => record, 1 => (0usize..4).prop_map(Step::AtEnd), 2 => pass], 0..120)
    }

    proptest! {
        #[test]
        fn each_log_keeps_its_order_and_nothing_is_lost_or_doubled(steps in steps(), live in any::<bool>()) {
            let mut merge = if live { Merge::live() } else { Merge::exact() };
            (0..4).for_each(|log| merge.open(log, 0));
            let (mut now, mut pushed, mut found) = (0, Vec::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Record(log, time, is_live) => {
                        merge.push(log, Written { told: time, taken: None }, is_live, now, 1, (log, pushed.len(), time));
                        pushed.push((log, pushed.len(), time));
                    }
                    Step::AtEnd(log) => merge.at_end(log),
                    Step::Pass(time) => now += time,
                }
                found.extend(drain(&mut merge, now));
            }
            (0..4).for_each(|log| merge.close(log));
            found.extend(drain(&mut merge, now + WINDOW));
            prop_assert!(merge.is_over());
            for log in 0..4 {
                let of = |all: &[(usize, usize, Option<LogTime>)]| -> Vec<usize> {
                    all.iter().filter(|(of, ..)| *of == log).map(|(_, number, _)| *number).collect()
                };
                prop_assert_eq!(of(&found), of(&pushed));
            }
            if !live {
                // The order is exact, as far as each log's own order lets it be.
                let mut last = [LogTime::MIN; 4];
                let times: Vec<LogTime> = found.iter().map(|(log, _, time)| {
                    last[*log] = time.unwrap_or(last[*log]).max(last[*log]);
                    last[*log]
                }).collect();
                prop_assert!(times.is_sorted(), "{times:?}");
            }
        }
    }
}
