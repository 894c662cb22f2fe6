//! A screen of logs: what is held, which of it is shown, where the person is in it, and how the reading goes.

mod again;
mod held;
pub mod message;
mod of;
mod spoken;
pub mod world;

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::state::{ListState, Ticket};
use crate::analysis::logs::{Activity, Filter, Names, Typed};
use crate::logs::Tie;
use crate::logs::pane::{Batch, Found, Place};
use crate::model::ids::PluginId;
use crate::model::logs::{LogEvent, LogOrigin, LogRecord};
use crate::source::logs::AT_ONCE;

pub use held::Held;
pub use of::LogsOf;
use spoken::Spoken;

/// How the reading goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing was said yet.
    Opening,
    /// It goes on.
    Open,
    /// All was read, and nothing more comes.
    Ended,
    /// There is nothing to read, and why.
    Nothing(String),
}

/// A column of the list that can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// When it was written.
    Time,
    /// Whose it is.
    Source,
    /// What it is.
    What,
    /// How grave it is.
    Level,
    /// The scope or component.
    Scope,
}

/// A filter that was asked for and is not in force yet.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its number.
    pub generation: u64,
    /// As it was typed; None where it is the one in force, made anew of the mesh as it is.
    pub typed: Option<Typed>,
    /// The places of the records that it is held against.
    pub until: Place,
    /// By what these are tied to their plugins anew.
    pub tie: Option<Arc<Tie>>,
}

/// The screen.
#[derive(Debug)]
pub struct Logs {
    /// The reading's ticket, which all that comes of it carries.
    pub ticket: Ticket,
    /// The records.
    pub held: Held,
    /// The selected row and the one at the top.
    pub list: ListState,
    /// Whether the youngest row stays selected as rows come.
    pub follows: bool,
    /// How many rows came since it was followed last.
    pub came: u64,
    /// How the reading goes.
    pub reading: Reading,
    /// The logs that are read.
    pub origins: Arc<[Arc<LogOrigin>]>,
    /// What was asked for and is not there.
    pub unknown: Vec<String>,
    /// The names of the logs.
    pub names: Names,
    /// How wide the widest of them is.
    pub widest: usize,
    /// The filter that is in force.
    pub typed: Typed,
    /// Its number.
    pub generation: u64,
    /// The filter itself; None for the first, which the reading has.
    pub filter: Option<Arc<Filter>>,
    /// The one that was asked for last, until it is in force.
    pub asked: Option<Asked>,
    /// By what the records that are held are to be tied to their plugins anew, until that is done.
    pub tie: Option<Arc<Tie>>,
    /// What is highlighted.
    pub pattern: Option<Regex>,
    /// What is looked for now.
    pub seeking: Option<Ticket>,
    /// What passes the filter, over time.
    pub activity: Activity,
    /// For how long nothing came.
    pub quiet: Duration,
    spoken: Spoken,
    /// By how many cells the messages are scrolled.
    pub scrolled: usize,
    hidden: u8,
    plugin: Option<PluginId>,
}

impl Logs {
    /// A screen whose reading begins.
    pub fn new(ticket: Ticket, of: &LogsOf, memory: usize) -> Self {
        Self {
            ticket,
            held: Held::new(memory),
            list: ListState::default(),
            follows: true,
            came: 0,
            reading: Reading::Opening,
            origins: Arc::new([]),
            unknown: Vec::new(),
            names: Names::default(),
            widest: 0,
            typed: of.first_filter(),
            generation: 0,
            filter: None,
            asked: None,
            tie: None,
            pattern: None,
            seeking: None,
            activity: Activity::default(),
            quiet: Duration::ZERO,
            spoken: Spoken::default(),
            scrolled: 0,
            hidden: 0,
            plugin: of.plugin.clone(),
        }
    }

    /// A screen whose reading begins anew: what is asked for and how it is shown stays.
    pub fn again(self, ticket: Ticket, of: &LogsOf, memory: usize) -> Self {
        Self {
            typed: self.latest().clone(),
            pattern: self.pattern,
            scrolled: self.scrolled,
            hidden: self.hidden,
            ..Self::new(ticket, of, memory)
        }
    }

    /// The filter that was asked for last, else the one in force.
    pub fn latest(&self) -> &Typed {
        self.asked.as_ref().and_then(|asked| asked.typed.as_ref()).unwrap_or(&self.typed)
    }

    /// How many logs are read: of more than that, the first.
    pub fn read(&self) -> usize {
        self.origins.len().min(AT_ONCE)
    }

    /// Whether a column is shown, as far as there is room.
    pub fn shows(&self, column: Column) -> bool {
        self.hidden & (1 << column as u8) == 0
    }

    /// Shows or hides a column.
    pub fn toggle(&mut self, column: Column) {
        self.hidden ^= 1 << column as u8;
    }

    /// The selected record, with its place.
    pub fn selected(&self) -> Option<(Place, &Arc<LogRecord>)> {
        let place = self.held.place(self.list.selected)?;
        Some((place, self.held.get(place)?))
    }

    /// Takes records in. Hands back the places of those that were looked at by another filter than the one in force.
    pub fn take(&mut self, batch: &Batch, height: usize) -> Option<std::ops::Range<Place>> {
        self.quiet = Duration::ZERO;
        let (before, rows) = (self.held.end(), self.held.rows());
        let current = batch.generation == self.generation;
        for (record, passes) in batch.records.iter().zip(&batch.passes) {
            if self.speaks(record) {
                self.spoken.add(record);
            }
            self.held.push(record.clone(), current && *passes);
        }
        if current {
            self.activity.merge(&batch.activity);
        }
        self.arrived(self.held.rows() - rows);
        self.shrink();
        self.settle(height);
        (!current).then(|| before..self.held.end())
    }

    /// Makes room, and keeps the selection where it is.
    fn shrink(&mut self) {
        let (dropped, gone) = self.held.shrink();
        for record in &dropped {
            if self.speaks(record) {
                self.spoken.remove(record);
            }
        }
        self.list.selected = self.list.selected.saturating_sub(gone);
        self.list.offset = self.list.offset.saturating_sub(gone);
    }

    /// Takes what passes the filter of these places.
    pub fn found(&mut self, range: std::ops::Range<Place>, found: &Found, height: usize) {
        self.show(range, found);
        self.settle(height);
    }

    /// The rows of a part are these now. What was selected stays selected.
    fn show(&mut self, range: std::ops::Range<Place>, found: &Found) {
        let selected = self.selected().map(|(place, _)| place);
        let (above, rows) = (self.list.selected.saturating_sub(self.list.offset), self.held.rows());
        self.held.replace(range, &found.places);
        self.activity.merge(&found.activity);
        self.arrived(self.held.rows().saturating_sub(rows));
        if let Some(place) = selected {
            // What was selected stays where it is on the screen, else what comes after it takes its place.
            self.list.selected = self.held.row_of(place);
            self.list.offset = self.list.selected.saturating_sub(above);
        }
    }

    fn arrived(&mut self, rows: usize) {
        if !self.follows {
            self.came += rows as u64;
        }
    }

    fn speaks(&self, record: &LogRecord) -> bool {
        record.event == Some(LogEvent::PluginLog) && self.plugin.is_some() && record.plugin == self.plugin
    }

    /// Keeps the selection within the rows; where the end is followed, at the end.
    fn settle(&mut self, height: usize) {
        let row = if self.follows { usize::MAX } else { self.list.selected };
        self.list.select(row, height, self.held.rows());
    }

    /// Goes up or down. Up ends the following; the very end begins it again.
    pub fn step(&mut self, by: isize, height: usize) {
        self.list.step(by, height, self.held.rows(), |_| true);
        if by == isize::MAX {
            (self.follows, self.came) = (true, 0);
        } else if by < 0 {
            self.follows = false;
        }
    }

    /// Goes to the record of a place, where it is still shown.
    pub fn go_to(&mut self, place: Place, height: usize) -> bool {
        let row = self.held.row_of(place);
        if self.held.place(row) != Some(place) {
            return false;
        }
        self.follows = false;
        self.list.select(row, height, self.held.rows());
        true
    }

    /// The records that copying takes: the marked ones, else the selected one.
    pub fn chosen(&self) -> Vec<Arc<LogRecord>> {
        let marked: Vec<Arc<LogRecord>> = self.held.marked().filter_map(|place| self.held.get(place).cloned()).collect();
        if marked.is_empty() { self.selected().map(|(_, record)| record.clone()).into_iter().collect() } else { marked }
    }

    /// Whether the plugin in question has said nothing in all that is held.
    pub fn is_silent(&self) -> bool {
        self.plugin.is_some() && self.spoken.is_empty() && self.held.end() > 0
    }

    /// Whether all that the plugin in question has said is a warning or worse, so that the rest of it may be hidden.
    pub fn may_say_more(&self) -> bool {
        self.spoken.only_grave()
    }

    /// How many lines the plugin in question has said of which the filter's level shows none; 0 where it shows some.
    pub fn said_below(&self) -> usize {
        self.spoken.hidden_by(self.typed.level)
    }
}

#[cfg(test)]
mod tests;
