//! The only reader of time: tokio's clock, which a test can hold still and move. What is measured or waited for is told
//! by it; the time of day is never asked for, since what has a time carries the one that its source wrote.

pub use tokio::time::Instant;

/// Now.
pub fn now() -> Instant {
    Instant::now()
}
