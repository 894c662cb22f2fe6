//! How much was logged in the last minutes, by the records' own times.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Severity;
use crate::model::logs::{LogRecord, LogTime};

/// How long one step is: 5 s.
const STEP: LogTime = 5_000_000_000;
/// How many steps are counted: 3 minutes.
pub const STEPS: usize = 36;

/// How many records there were in each step of time, up to the youngest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    steps: BTreeMap<LogTime, Count>,
    youngest: Option<LogTime>,
}

/// The records of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub records: u64,
    /// How many of them are warnings or worse.
    pub grave: u64,
}

impl Activity {
    /// Counts a record; one without a time stands in no step.
    pub fn add(&mut self, record: &LogRecord) {
        let Some(time) = record.time else { return };
        let count = self.steps.entry(time.div_euclid(STEP)).or_default();
        count.records += 1;
        count.grave += u64::from(Severity::Warning.is_reached(record));
        self.youngest = self.youngest.max(Some(time));
        self.forget();
    }

    /// Counts a record no more that was counted, unless its step is forgotten.
    pub fn remove(&mut self, record: &LogRecord) {
        let Some(count) = record.time.and_then(|time| self.steps.get_mut(&time.div_euclid(STEP))) else { return };
        count.records = count.records.saturating_sub(1);
        count.grave = count.grave.saturating_sub(u64::from(Severity::Warning.is_reached(record)));
    }

    /// Counts what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (step, count) in &other.steps {
            let own = self.steps.entry(*step).or_default();
            own.records += count.records;
            own.grave += count.grave;
        }
        self.youngest = self.youngest.max(other.youngest);
        self.forget();
    }

    fn forget(&mut self) {
        while self.steps.len() > STEPS {
            self.steps.pop_first();
        }
    }

    /// The last steps, the oldest first, `quiet` after the youngest record; empty where no record had a time.
    pub fn last(&self, steps: usize, quiet: Duration) -> Vec<Count> {
        let Some(now) = self.now(quiet) else { return Vec::new() };
        let last = now.div_euclid(STEP);
        let steps = LogTime::try_from(steps.min(STEPS)).unwrap_or_default();
        (last - steps + 1..=last).map(|step| self.steps.get(&step).copied().unwrap_or_default()).collect()
    }

    /// How many records a second there were in the last two steps, the running one included.
    pub fn per_second(&self, quiet: Duration) -> f64 {
        let Some(now) = self.now(quiet) else { return 0.0 };
        let records: u64 = self.last(2, quiet).iter().map(|count| count.records).sum();
        records as f64 / ((now.rem_euclid(STEP) + STEP) as f64 / 1e9)
    }

    fn now(&self, quiet: Duration) -> Option<LogTime> {
        Some(self.youngest?.saturating_add(LogTime::try_from(quiet.as_nanos()).unwrap_or(LogTime::MAX)))
    }
}

/// For how long after the youngest record something is still in sight.
pub const IN_SIGHT: Duration = Duration::from_secs(5 * STEPS as u64);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::ids::ProxyId;
    use crate::model::logs::{LogEvent, LogKind, LogOrigin, LogSource};
    use crate::model::text::Text;

    fn record(seconds: i64, level: &str) -> LogRecord {
        let origin = LogOrigin { source: LogSource::Proxy, pod: ProxyId::new("a", "b"), container: String::new(), workload: None };
        LogRecord {
            time: Some(seconds * 1_000_000_000),
            origin: Arc::new(origin),
            kind: LogKind::Envoy,
            event: None,
            level: level.into(),
            scope: Text::default(),
            plugin: None,
            plugin_note: None,
            failure_of: Text::default(),
            message: Text::default(),
            raw: Text::default(),
        }
    }

    #[test]
    fn steps_are_counted_by_the_records_times() {
        let mut activity = Activity::default();
        for (seconds, level) in [(103, "info"), (100, "warning"), (111, "error"), (96, "")] {
            activity.add(&record(seconds, level));
        }
        let last: Vec<(u64, u64)> = activity.last(4, Duration::ZERO).iter().map(|count| (count.records, count.grave)).collect();
        assert_eq!(last, [(1, 0), (2, 1), (0, 0), (1, 1)]);
        assert_eq!(activity.last(2, Duration::from_secs(10)).iter().map(|count| count.records).sum::<u64>(), 0);
        assert!((activity.per_second(Duration::ZERO) - 1.0 / 6.0).abs() < 1e-9, "one in the last 6 s");
        assert!(activity.per_second(Duration::from_secs(60)).abs() < 1e-9);
        assert!(Activity::default().last(3, Duration::ZERO).is_empty());
    }

    #[test]
    fn what_is_removed_is_counted_no_more_requests_too() {
        let mut failed = record(100, "");
        failed.kind = LogKind::Access;
        failed.event = Some(LogEvent::Request);
        failed.message = Text::from(
            r#""GET /get HTTP/1.1" 503 - wasm_fail_stream - "-" 0 0 1 - "-" "curl" "-" "httpbin" "-" inbound|80|| - 10.0.0.1:80 10.0.0.2:1 - -"#,
        );
        let mut activity = Activity::default();
        for record in [&failed, &record(101, "error")] {
            activity.add(record);
            assert_eq!(activity.last(1, Duration::ZERO)[0].grave, 1);
            activity.remove(record);
            assert_eq!(activity.last(1, Duration::ZERO), [Count::default()]);
        }
    }

    #[test]
    fn only_the_last_minutes_are_kept_and_parts_sum_up() {
        let (mut one, mut other, mut whole) = (Activity::default(), Activity::default(), Activity::default());
        for seconds in 0..1000 {
            let record = record(seconds, "info");
            if seconds % 3 == 0 {
                one.add(&record)
            } else {
                other.add(&record)
            }
            whole.add(&record);
        }
        one.merge(&other);
        assert_eq!(one, whole);
        assert_eq!(whole.last(99, Duration::ZERO).len(), STEPS);
        assert!(whole.last(STEPS, Duration::ZERO).iter().all(|count| count.records == 5));
    }
}
