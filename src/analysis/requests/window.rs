//! The minutes of a log of which requests are read, whatever single lines say of the time.

use crate::ingest::logs::details::details;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogRecord, LogTime};

/// How far back requests are read, in nanoseconds.
const MINUTES: LogTime = 600_000_000_000;
/// How much later than the end of the minutes a line can be: clocks differ, and Envoy writes its log in batches.
const AHEAD: LogTime = 60_000_000_000;

/// Which lines of a log are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The time of the reading, or the end of the log of a recording; None where that is not known, and all lines are read.
    pub until: Option<LogTime>,
    /// Whether the log was recorded.
    pub is_recorded: bool,
}

impl Window {
    /// When the minutes begin.
    pub(super) fn from(self) -> Option<LogTime> {
        Some(self.until?.saturating_sub(MINUTES))
    }

    /// A time of a line, where it can be one: what is later than the reading is by a clock that goes wrong, and says nothing.
    pub(super) fn plausible(self, time: Option<LogTime>) -> Option<LogTime> {
        time.filter(|time| self.until.is_none_or(|until| *time <= until.saturating_add(AHEAD)))
    }
}

/// When a line was written: the time of a request is that of its begin.
pub fn written(record: &LogRecord) -> Option<LogTime> {
    let duration = match details(record) {
        Some(LogDetails::Request(request)) => request.duration_ms.and_then(|duration| LogTime::try_from(duration).ok()),
        _ => None,
    };
    Some(record.time?.saturating_add(duration.unwrap_or_default().saturating_mul(1_000_000)))
}

/// The end of a log, by the times at which its last lines were written. A line follows those that were written before it, so that the last one
/// has it; but of one that is alone, minutes after the line before it, nothing shows that its clock was right.
pub fn end_of_log(written: &[LogTime]) -> Option<LogTime> {
    match *written {
        [.., before, last] if last.saturating_sub(before) > MINUTES => Some(before),
        [.., last] => Some(last),
        [] => None,
    }
}
