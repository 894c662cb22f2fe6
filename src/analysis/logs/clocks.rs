//! Notices clocks that differ: a program's own against the kubelet's, and one log's against the others'. Lines are put in the
//! order of their times, so that the reader has to know when those do not tell the order.

use std::collections::BTreeMap;

use super::merge::{Moment, WINDOW, Written};
use crate::model::logs::LogTime;

/// How many records have to agree: one alone may have been held up. So many are looked at together; where it counts when they came,
/// one of those that came at once.
const AGREEING: usize = 16;

/// What was seen of the clocks of each log.
#[derive(Debug, Default)]
pub struct Clocks {
    logs: BTreeMap<usize, Clock>,
}

#[derive(Debug, Default)]
struct Clock {
    /// By how much the kubelet's times were behind the records' own.
    own: Recent,
    /// How long after their times records came, on a clock with any start.
    delays: Recent,
    /// When the last one came.
    came: Option<Moment>,
}

/// The values that came since as many as have to agree were looked at, the least of those, and whether it was said what they mean.
#[derive(Debug, Default)]
struct Recent {
    values: Vec<i64>,
    least: Option<i64>,
    said: bool,
}

/// Clocks that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// The program's own times are so far ahead of the kubelet's; behind them where it is negative.
    Own(LogTime),
    /// The records come so much later than those of another log that have the same times.
    Behind(LogTime, usize),
}

impl Clocks {
    /// Looks at a record of a log. `came` is when it came, where it came as soon as it was written. Each difference is told once.
    pub fn look(&mut self, log: usize, written: Written, came: Option<Moment>) -> Option<Skew> {
        let clock = self.logs.entry(log).or_default();
        if let (Some(told), Some(taken)) = (written.told, written.taken) {
            let middle = clock.own.add(told.saturating_sub(taken)).map(|sorted| sorted[AGREEING / 2]);
            if let Some(ahead) = middle.filter(|ahead| clock.own.tells(ahead.saturating_abs())) {
                return Some(Skew::Own(ahead));
            }
        }
        let time = written.taken.or(written.told)?;
        let came = came.filter(|came| clock.came.replace(*came) != Some(*came))?;
        let delay = clock.delays.add(came.saturating_sub(time))?[0];
        let others = self.logs.iter().filter(|(other, _)| **other != log);
        let (least, other) = others.filter_map(|(other, clock)| Some((clock.delays.least?, *other))).min()?;
        let behind = delay.saturating_sub(least);
        let clock = self.logs.get_mut(&log)?;
        clock.delays.tells(behind).then_some(Skew::Behind(behind, other))
    }

    /// Forgets a log that ended.
    pub fn forget(&mut self, log: usize) {
        self.logs.remove(&log);
    }
}

impl Recent {
    /// Takes a value. Gives the last ones, sorted, where they are enough now, and begins anew.
    fn add(&mut self, value: i64) -> Option<[i64; AGREEING]> {
        self.values.push(value);
        let mut enough: [i64; AGREEING] = self.values.as_slice().try_into().ok()?;
        enough.sort_unstable();
        self.values.clear();
        self.least = enough.first().copied();
        Some(enough)
    }

    /// Whether a difference is large and was not told; it is then.
    fn tells(&mut self, difference: i64) -> bool {
        let is_news = !self.said && difference > WINDOW;
        self.said |= is_news;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_clock_that_is_steadily_behind_is_told_once() {
        let mut clocks = Clocks::default();
        let mut said = Vec::new();
        for tick in 0..40 {
            let now = tick * SECOND;
            for (log, behind) in [(0, 0), (1, 5 * SECOND)] {
                let written = Written { told: Some(now - behind), taken: Some(now - behind) };
                said.extend(clocks.look(log, written, Some(now + 1_000_000)));
            }
        }
        assert_eq!(said, [Skew::Behind(5 * SECOND, 0)]);
    }

    #[test]
    fn one_record_that_was_held_up_is_no_skew() {
        let mut clocks = Clocks::default();
        for tick in 0..60 {
            let now = tick * SECOND;
            for log in [0, 1] {
                let late = if tick % 3 == 0 { 4 * SECOND } else { 0 };
                let written = Written { told: Some(now - late), taken: Some(now) };
                assert_eq!(clocks.look(log, written, Some(now + late)), None);
            }
        }
        // What is old when it comes tells nothing of clocks.
        for tick in 0..60 {
            assert_eq!(clocks.look(2, Written { told: Some(tick), taken: Some(tick) }, None), None);
        }
    }

    #[test]
    fn records_that_came_at_once_are_one_witness() {
        let mut clocks = Clocks::default();
        for tick in 0..60 {
            let now = tick * SECOND;
            // Sixteen of each log at once, and now and then all of one are late.
            let late = if tick % 3 == 0 { 4 * SECOND } else { 0 };
            for (log, delay) in [(0, 0), (1, late)] {
                for _ in 0..AGREEING {
                    let written = Written { told: None, taken: Some(now) };
                    assert_eq!(clocks.look(log, written, Some(now + delay)), None);
                }
            }
        }
    }

    #[test]
    fn a_program_whose_time_is_not_the_nodes_is_told() {
        let mut clocks = Clocks::default();
        let said: Vec<Skew> =
            (0..40).filter_map(|tick| clocks.look(0, Written { told: Some(tick + SECOND), taken: Some(tick) }, None)).collect();
        assert_eq!(said, [Skew::Own(SECOND)]);
    }
}
