//! Log records as lines for eyes and as objects of JSON. Nothing of them reaches a terminal as a control character.

use std::fmt::Write;
use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::paint::{Paint, Style};
use crate::analysis::answers::{log_entry, log_timestamp};
use crate::analysis::logs::{Names, Severity, summary};
use crate::model::logs::{LogKind, LogOrigin, LogRecord};
use crate::model::printable::Printable;

/// As wide as the longest of what a record can be: `fetch failed`.
const WHAT: usize = 12;
/// A name that is longer pushes the rest of its line to the right.
const WIDEST: usize = 24;

/// Prints records. It remembers the names that it has printed, so that columns stay where they are.
#[derive(Debug)]
pub struct LogPrinter {
    json: bool,
    paint: Paint,
    names: Names,
    width: usize,
    /// The day of the last record, `2026-11-23`.
    day: String,
}

impl LogPrinter {
    /// A printer of objects of JSON, or of lines for eyes. The containers that are there at the start are named alike.
    pub fn new(json: bool, paint: Paint, origins: &[Arc<LogOrigin>]) -> Self {
        let mut printer = Self { json, paint, names: Names::default(), width: 0, day: String::new() };
        origins.iter().for_each(|origin| printer.names.meet(origin));
        printer.width = origins.iter().map(|origin| printer.names.of(origin).width()).max().unwrap_or_default().min(WIDEST);
        printer
    }

    /// The record, with its line end.
    pub fn print(&mut self, record: &LogRecord) -> Printable {
        if self.json {
            return Printable::page(&(super::json_line(&log_entry(record)) + "\n"));
        }
        let mut out = String::new();
        let stamp = record.time.and_then(log_timestamp).unwrap_or_default();
        let (day, time) = stamp.split_once('T').unwrap_or_default();
        if !day.is_empty() && day != self.day {
            // The times are those of the day, until another begins.
            let _ = writeln!(out, "{}", self.paint.paint(Style::Muted, &format!("{day} UTC")));
            day.clone_into(&mut self.day);
        }
        self.names.meet(&record.origin);
        let who = self.names.of(&record.origin);
        self.width = self.width.max(who.width()).min(WIDEST);
        let padded = |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(text.width())));
        let what = summary::what(record);
        let level = Some(record.level.as_str()).filter(|level| record.kind == LogKind::Plugin || Severity::of(level) != Severity::Info);
        let level = level.filter(|level| !level.is_empty()).map(|level| format!("{}  ", self.paint.paint(grave(level), level)));
        let _ = write!(
            out,
            "{} {} {} {}",
            self.paint.paint(Style::Muted, &padded(time.get(..12).unwrap_or(time), 12)),
            self.paint.paint(Style::Strong, &padded(&who, self.width)),
            self.paint.paint(style(record), &padded(what, WHAT)),
            level.unwrap_or_default(),
        );
        for (number, line) in summary::words(record).lines().enumerate() {
            let before = if number == 0 { "" } else { "\n    " };
            // Labels stand behind a tab, which is no danger but would be shown as one.
            let _ = write!(out, "{before}{}", self.paint.paint(Style::Plain, &line.replace('\t', "  ")));
        }
        out.truncate(out.trim_end().len());
        self.paint.page(&(out + "\n"))
    }
}

fn grave(level: &str) -> Style {
    match Severity::of(level) {
        Severity::Warning => Style::Warn,
        Severity::Error | Severity::Critical => Style::Bad,
        Severity::Trace | Severity::Debug | Severity::Info => Style::Muted,
    }
}

fn style(record: &LogRecord) -> Style {
    match record.kind {
        _ if record.plugin.is_some() => Style::Plugin,
        LogKind::Mark => Style::Warn,
        LogKind::Access => match Severity::of_record(record) {
            Severity::Error | Severity::Critical => Style::Bad,
            Severity::Warning => Style::Warn,
            Severity::Trace | Severity::Debug | Severity::Info => Style::Plain,
        },
        _ => Style::Plain,
    }
}
