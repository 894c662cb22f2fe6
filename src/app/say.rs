//! What the line of events says.

use super::program::App;
use crate::analysis::diff::CountChange;
use crate::analysis::lookup;
use crate::model::ids::ProxyId;
use crate::model::logs::{LogTime, hour};

impl App {
    /// Says what happened.
    pub(super) fn say(&mut self, text: String) {
        self.event = Some(text);
        self.event_of = None;
        self.failed = false;
    }

    /// Says what became of a plugin's count in a proxy, and what it followed on.
    pub(super) fn say_after_change(&mut self, proxy: &ProxyId, change: &CountChange, counts: &str) {
        let owner = lookup::owner(&self.snapshot, proxy).map_or_else(|| proxy.pod.clone(), |workload| workload.name.name);
        let cause = self.last_change.iter().map(|cause| format!("{cause} · ")).collect::<String>();
        let port = change.port.map_or_else(|| change.listener.clone(), |port| port.to_string());
        self.say(format!("{cause}{owner} {port}: {counts}"));
    }

    /// Says what failed.
    pub(super) fn say_failure(&mut self, text: String) {
        self.event = Some(text);
        self.event_of = None;
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
