//! What a screen of logs holds once more: tied to the plugins that there are now, and held against the filter in force.

use std::ops::Range;

use super::Logs;
use crate::analysis::logs::Activity;
use crate::logs::pane::{Found, Place, Tied};
use crate::model::logs::LogRecord;

impl Logs {
    /// Takes what passes the filter in force of a part that it was held against before.
    pub fn found_again(&mut self, range: Range<Place>, found: Found, height: usize) {
        // What was dropped since is counted already, and stays so.
        self.each(range.clone(), Activity::remove);
        let (came, found) = (self.came, Found { activity: Activity::default(), ..found });
        self.show(range.clone(), &found);
        self.came = came;
        self.each(range, Activity::add);
        // Other names can take more room.
        self.shrink();
        self.settle(height);
    }

    /// Counts the rows of a part over time.
    fn each(&mut self, range: Range<Place>, count: impl Fn(&mut Activity, &LogRecord)) {
        for row in self.held.row_of(range.start)..self.held.row_of(range.end) {
            if let Some(record) = self.held.row(row) {
                count(&mut self.activity, record);
            }
        }
    }

    /// Ties records to other plugins.
    pub fn tied(&mut self, tied: Vec<Tied>) {
        for tied in tied {
            let place = tied.place;
            let said = |logs: &Self| logs.held.get(place).filter(|record| logs.speaks(record)).cloned();
            if let Some(record) = said(self) {
                self.spoken.remove(&record);
            }
            self.held.tie(tied);
            if let Some(record) = said(self) {
                self.spoken.add(&record);
            }
        }
    }
}
