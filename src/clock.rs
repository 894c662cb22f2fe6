//! The only reader of time: tokio's clock, which a test can hold still and move. What is measured or waited for is told
//! by it. What has a time carries the one that its source wrote; the time of day is asked for only to say how long ago that was.

pub use tokio::time::Instant;

/// Now.
pub fn now() -> Instant {
    Instant::now()
}

/// The time of day.
pub fn time_of_day() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
