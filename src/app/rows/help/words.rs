//! What the words of each screen mean.

mod chains;
mod running;

use crate::app::action::View;

/// Words, each with its meaning.
type Words = &'static [(&'static str, &'static str)];

/// The words of a screen.
pub(super) fn of(view: View) -> Words {
    match view {
        View::Plugins => chains::PLUGINS,
        View::Workloads => chains::WORKLOADS,
        View::Chains => chains::CHAINS,
        View::Why => chains::WHY,
        View::WhatIf => chains::WHAT_IF,
        View::Mtls => chains::MTLS,
        View::Connection => chains::CONNECTION,
        View::Order => chains::ORDER,
        View::Logs => running::LOGS,
        View::Record => running::RECORD,
        View::Timeline => running::TIMELINE,
        View::Sync => running::SYNC,
        View::Diff => running::DIFF,
        View::Health => running::HEALTH,
        View::Raw => chains::RAW,
        View::Findings | View::Help => running::FINDINGS,
    }
}
