//! The end of following a container, told from outside: what is on its way is still read, nothing is waited for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::clock;

/// How long the rest of a log that is no longer wanted may take to come. A pod's log ends by itself when the pod does.
const REST: Duration = Duration::from_secs(5);

/// Tells, by being dropped, that a container is no longer wanted.
pub(super) type Wanted = watch::Sender<()>;

/// What a container's task hears of it.
pub(super) struct Parting {
    wanted: watch::Receiver<()>,
    until: Option<Instant>,
}

impl Parting {
    /// The two ends.
    pub fn new() -> (Wanted, Self) {
        let (sender, wanted) = watch::channel(());
        (sender, Self { wanted, until: None })
    }

    /// Whether the container is no longer wanted.
    pub fn has_come(&self) -> bool {
        self.wanted.has_changed().is_err()
    }

    /// Waits until the container is no longer wanted.
    pub async fn comes(&mut self) {
        // Nothing is ever sent: it changes by its end alone.
        let _ = self.wanted.changed().await;
    }

    /// Waits until the rest had its time, too.
    pub async fn over(&mut self) {
        self.comes().await;
        let until = *self.until.get_or_insert_with(|| clock::now() + REST);
        sleep_until(until).await;
    }
}
