//! What the line of events says.

use super::program::App;
use crate::model::logs::{LogTime, hour};

impl App {
    /// Says what happened.
    pub(super) fn say(&mut self, text: String) {
        self.event = Some(text);
        self.failed = false;
    }

    /// Says what failed.
    pub(super) fn say_failure(&mut self, text: String) {
        self.event = Some(text);
        self.failed = true;
    }

    /// Says what failed. The old data stays on screen, so its time is shown.
    pub(super) fn say_stale_failure(&mut self, why: &str, shown: Option<LogTime>) {
        let of = shown.map(|time| format!("shown as of {}: ", hour(time))).unwrap_or_default();
        self.say_failure(format!("{of}{why}"));
    }

    /// Says that what had failed answers again, where a failure is what was said last.
    pub(super) fn say_answers_again(&mut self, whose: &str) {
        if self.failed {
            self.say(format!("{whose} answers again"));
        }
    }
}
