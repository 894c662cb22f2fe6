//! Logs: the lines that pass the filter in the order of their times, of which only those in sight are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::log_line::{beside, hits, level_role};
use super::{empty, log_head, with_details};
use crate::analysis::answers::log_timestamp;
use crate::analysis::logs::{Severity, Silence, summary};
use crate::app::App;
use crate::app::logs::{self, Logs};
use crate::app::screen::{Screen, Subject};
use crate::app::state::ListState;
use crate::logs::pane::TAIL;
use crate::model::logs::{LogKind, LogRecord};
use crate::source::SourceKind;
use crate::ui::Look;
use crate::ui::text::Piece;
use crate::ui::theme::Role;
use crate::ui::widgets::{Column, Pane, Table, TableRow};

/// How many clusters of characters of a line are looked at: more than the widest terminal shows.
const MOST: usize = 500;
/// The least room of the messages.
const LEAST: u16 = 30;
/// The widest name that is shown whole.
const WIDEST: usize = 24;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let (Subject::Logs(of), Some(logs)) = (&screen.subject, screen.logs.as_deref()) else { return 0 };
    let selected = logs.selected();
    let (left, right) = with_details(area, selected.is_some());
    let title = vec![Piece::new(Role::Title, "Logs of "), Piece::new(Role::Title, of.name())];
    let inside = Pane { title, note: note(logs), focused: true }.render(left, buffer, look);
    let live = app.options.info.kind == SourceKind::Cluster;
    let raised = app.raised.values().find(|raised| logs.origins.iter().any(|origin| origin.pod == raised.ask.proxy));
    let hidden = raised.map(|raised| Silence::at(Some(raised.level)));
    let rest = log_head::render(of, logs, live, hidden.as_ref(), inside, buffer, look);
    let height = Table::<fn(usize) -> TableRow<'static>>::body_height(rest.height);
    if logs.held.rows() == 0 {
        empty::logs(app, logs).render(rest, buffer, look);
        return height;
    }
    let (kinds, columns) = columns(logs, rest.width);
    let lead = lead(logs, live, app.options.logs_memory);
    let before = usize::from(lead.is_some());
    let row = |index: usize| match (index.checked_sub(before), &lead) {
        (None, Some(lead)) => TableRow::Section(vec![Piece::new(Role::Section, lead.as_str())]),
        (row, _) => row.and_then(|row| cells(logs, row, &kinds, look)).unwrap_or(TableRow::Section(Vec::new())),
    };
    // The line above the first row is in sight where the first row is at the top.
    let offset = if logs.list.offset == 0 { 0 } else { logs.list.offset + before };
    let state = ListState { selected: logs.list.selected + before, offset };
    Table { columns: &columns, total: logs.held.rows() + before, row, state, focused: true }.render(rest, buffer, look);
    if let (Some((_, record)), Some(right)) = (selected, right) {
        beside(record, logs.pattern.as_ref(), right, buffer, look);
    }
    height
}

/// Where the person is, and how many lines are marked.
fn note(logs: &Logs) -> Vec<Piece<'static>> {
    let rows = logs.held.rows();
    let marked = match logs.held.marked().len() {
        0 => String::new(),
        marked => format!("{marked} marked, "),
    };
    if rows == 0 { Vec::new() } else { vec![Piece::new(Role::Muted, format!("{marked}{} of {rows}", logs.list.selected + 1))] }
}

/// What stands above the oldest line: why there is nothing before it.
fn lead(logs: &Logs, live: bool, memory: usize) -> Option<String> {
    match logs.held.dropped() {
        0 => live.then(|| format!("the last {TAIL} lines of each log, and what came since")),
        dropped => Some(format!("dropped {dropped} lines: {} MB are held", memory / 1_000_000)),
    }
}

/// What a column shows; None for the marks of lines. The message comes last.
type Shown = Option<logs::Column>;

/// The columns for which there is room, those that matter less left out first. What matters least shows only where the messages
/// keep room enough.
fn columns(logs: &Logs, room: u16) -> (Vec<Shown>, Vec<Column<'static>>) {
    let names = u16::try_from(logs.widest.clamp(6, WIDEST)).unwrap_or_default();
    let by_place = [
        (logs::Column::Time, Column::left("TIME", 12, 12, 5), LEAST),
        (logs::Column::Source, Column::left("SOURCE", names, names, 4), LEAST),
        (logs::Column::What, Column::left("WHAT", 12, 12, 3), LEAST),
        (logs::Column::Level, Column::left("LEVEL", 8, 8, 6), 56),
        (logs::Column::Scope, Column::left("SCOPE", 12, 12, 7), 72),
    ];
    let marks = logs.held.marked().len() > 0;
    // The mark of the selected row has its room already.
    let mut left = room.saturating_sub(2 + if marks { 3 } else { 0 });
    let mut shown: Vec<_> = by_place.into_iter().filter(|(kind, ..)| logs.shows(*kind)).collect();
    shown.sort_by_key(|(_, column, _)| column.priority);
    shown.retain(|(_, column, message)| {
        let fits = column.min + 2 + message <= left;
        left = if fits { left - column.min - 2 } else { 0 };
        fits
    });
    shown.sort_by_key(|(kind, ..)| *kind as u8);
    let (mut kinds, mut columns): (Vec<Shown>, Vec<Column<'static>>) = (Vec::new(), Vec::new());
    if marks {
        kinds.push(None);
        columns.push(Column::left("", 1, 1, 1));
    }
    kinds.extend(shown.iter().map(|(kind, ..)| Some(*kind)));
    columns.extend(shown.into_iter().map(|(_, column, _)| column));
    columns.push(Column::left("MESSAGE", LEAST.min(room), room, 2));
    (kinds, columns)
}

fn cells<'a>(logs: &'a Logs, row: usize, kinds: &[Shown], look: &Look<'_>) -> Option<TableRow<'a>> {
    let place = logs.held.place(row)?;
    let record = logs.held.get(place)?;
    let cell = |kind: &Shown| match kind {
        None => Piece::new(Role::Key, if logs.held.is_marked(place) { look.symbols.dot } else { "" }),
        Some(logs::Column::Time) => Piece::new(Role::Muted, time(record)),
        Some(logs::Column::Source) => Piece::text(logs.names.of(&record.origin)),
        Some(logs::Column::What) => Piece::new(role(record), summary::what(record)),
        Some(logs::Column::Level) => Piece::new(level_role(&record.level), record.level.as_str()),
        Some(logs::Column::Scope) => Piece::new(Role::Muted, record.scope.as_str()),
    };
    let mut cells: Vec<Vec<Piece<'a>>> = kinds.iter().map(|kind| vec![cell(kind)]).collect();
    cells.push(message(logs, record, kinds.contains(&Some(logs::Column::Level)), look));
    Some(TableRow::Cells(cells))
}

/// What the line says, from where it is scrolled to. Where there is no room for the level, a grave one stands before it.
fn message(logs: &Logs, record: &LogRecord, level_shown: bool, look: &Look<'_>) -> Vec<Piece<'static>> {
    let words = summary::words(record);
    let mut lines = words.lines();
    let first = lines.next().unwrap_or_default();
    let mut pieces = Vec::new();
    let wanted = record.kind == LogKind::Plugin || Severity::of(&record.level) != Severity::Info;
    if !level_shown && wanted && logs.shows(logs::Column::Level) && !record.level.is_empty() {
        pieces.push(Piece::new(level_role(&record.level), format!("{}  ", record.level)));
    }
    if logs.scrolled > 0 {
        pieces.push(Piece::new(Role::Muted, look.symbols.ellipsis));
    }
    let text: String = first.graphemes(true).skip(logs.scrolled).take(MOST).collect();
    let text = super::header::plain(&text, look);
    let hits = hits(logs.pattern.as_ref(), &text);
    pieces.push(Piece::new(role(record), text).with_hits(hits));
    let more = lines.count();
    if more > 0 {
        pieces.push(Piece::new(Role::Muted, format!("  and {more} more line{}", if more == 1 { "" } else { "s" })));
    }
    pieces
}

/// `19:08:29.416`: the day stands in the details.
fn time(record: &LogRecord) -> String {
    let stamp = record.time.and_then(log_timestamp).unwrap_or_default();
    stamp.split_once('T').and_then(|(_, time)| time.get(..12)).unwrap_or_default().to_owned()
}

fn role(record: &LogRecord) -> Role {
    let severity = Severity::of_record(record);
    match record.kind {
        _ if severity >= Severity::Error => Role::Bad,
        LogKind::Mark => Role::Warning,
        LogKind::Access if severity >= Severity::Warning => Role::Warning,
        _ if record.plugin.is_some() => Role::Plugin,
        _ => Role::Text,
    }
}
