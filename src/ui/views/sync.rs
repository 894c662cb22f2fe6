//! Sync: a line a proxy with the state of each type, and below it the details of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{below_question, empty, inset, list, pane, parted, state, widest};
use crate::analysis::answers::{SyncAnswer, SyncEntry, TypeAnswer};
use crate::app::App;
use crate::app::rows;
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, rows as rows_of};
use crate::ui::theme::Role;
use crate::ui::widgets::{Align, Column, Table, TableRow};

/// The first column.
const PROXY: Column<'static> = Column { title: "PROXY", min: 20, want: 60, priority: 1, align: Align::Left };

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Sync { namespace, .. } = &screen.subject else { return 0 };
    let selected = screen.selected().and_then(|row| rows::sync::entry(screen, row));
    let title = vec![Piece::new(Role::Title, "istiod and its proxies")];
    let said = selected.zip(screen.sync()).map(|(entry, answer)| (entry, details(answer, entry, look)));
    let (above, below) = match &said {
        Some((_, lines)) => {
            let below = height_below(screen, lines, area, look);
            let [above, below] = area.layout(&Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]));
            (above, Some(below))
        }
        None => (area, None),
    };
    let inside = pane(screen, title).render(above, buffer, look);
    let Some(answer) = screen.sync().filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::sync(app, namespace.as_deref())).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let rest = below_question(question(answer), inset(inside), buffer, look);
    let rest = Rect { x: inside.x, width: inside.width, ..rest };
    let columns = columns(answer);
    let row = |index: usize| match rows::sync::entry(screen, &screen.rows[index]) {
        Some(entry) => TableRow::Cells(cells(answer, entry, rows::hits(screen, index), look)),
        None => TableRow::Cells(Vec::new()),
    };
    Table { columns: &columns, total: screen.rows.len(), row, state: list(screen), focused: true }.render(rest, buffer, look);
    if let (Some((entry, lines)), Some(area)) = (&said, below) {
        parted(vec![Piece::new(Role::Title, entry.proxy.to_string())], lines, screen.part, area, buffer, look);
    }
    Table::<fn(usize) -> TableRow<'static>>::body_height(rest.height)
}

/// Lines of a pane's border.
const BORDERS: u16 = 2;
/// What the list has besides its rows: its borders, the headline in two lines, the line under it, and the columns' names.
const BESIDE_ROWS: usize = 6;

/// How high the pane below the list is: half of all, or more where its text needs it and the list does not.
fn height_below(screen: &Screen, lines: &[TextLine<'_>], area: Rect, look: &Look<'_>) -> u16 {
    let needed: usize = lines.iter().map(|line| rows_of(line, area.width.saturating_sub(4), look.ascii())).sum();
    let needed = u16::try_from(needed).unwrap_or(u16::MAX).saturating_add(BORDERS);
    let list = u16::try_from(screen.rows.len() + BESIDE_ROWS).unwrap_or(u16::MAX);
    needed.min(area.height.saturating_sub(list)).max(area.height / 2)
}

/// The summary, and who was asked.
fn question(answer: &SyncAnswer) -> Vec<Piece<'static>> {
    let asked: Vec<String> = answer.istiods.iter().map(|istiod| istiod.sentence()).collect();
    let trouble = answer.proxies.iter().any(SyncEntry::is_trouble);
    let mut pieces = vec![
        Piece::new(if trouble { Role::Warning } else { Role::Title }, answer.headline()),
        Piece::new(Role::Muted, format!("  {}", asked.join("; "))),
    ];
    if let Some(skew) = &answer.skew {
        pieces.push(Piece::new(Role::Warning, format!("  {skew}")));
    }
    pieces
}

/// The proxy, a column a type, its istiod, its version.
fn columns(answer: &SyncAnswer) -> Vec<Column<'_>> {
    let names: Vec<String> = answer.proxies.iter().map(|entry| entry.proxy.to_string()).collect();
    let mut columns = vec![Column { want: widest(names.iter().map(String::as_str), &PROXY), ..PROXY }];
    for (place, name) in answer.types.iter().enumerate() {
        let cells: Vec<String> = answer.proxies.iter().filter_map(|entry| Some(mark_and_cell(entry.types.get(place)?, "x"))).collect();
        let column = Column::left(name, 9, 32, 2);
        columns.push(Column { want: widest(cells.iter().map(String::as_str), &column), ..column });
    }
    columns.extend([Column::left("ISTIOD", 12, 30, 4), Column::left("VERSION", 8, 24, 3)]);
    columns
}

fn mark_and_cell(found: &TypeAnswer, mark: &str) -> String {
    format!("{mark} {}", found.cell())
}

fn cells<'a>(answer: &SyncAnswer, entry: &'a SyncEntry, hits: &[usize], look: &Look<'_>) -> Vec<Vec<Piece<'a>>> {
    let mut cells = vec![vec![Piece::text(entry.proxy.to_string()).with_hits(hits.to_vec())]];
    if entry.types.is_empty() {
        cells.push(vec![match &entry.stopped {
            Some(why) => Piece::new(Role::Muted, format!("{} {why}", look.symbols.ellipsis)),
            None => Piece::new(Role::Bad, format!("{} not connected", look.symbols.bad)),
        }]);
        cells.extend((1..answer.types.len()).map(|_| Vec::new()));
    }
    cells.extend(entry.types.iter().map(|found| {
        let (role, mark) = role(found, look);
        vec![Piece::new(role, mark_and_cell(found, mark))]
    }));
    let text = |text: &'a Option<String>| vec![Piece::new(Role::Muted, text.as_deref().unwrap_or_default())];
    cells.extend([text(&entry.istiod), text(&entry.version)]);
    cells
}

/// What a state is drawn with; the word says it too.
fn role(found: &TypeAnswer, look: &Look<'_>) -> (Role, &'static str) {
    state::weight(found.weight(), " ", look)
}

/// What is to be said of a proxy: what is not as it should be first, then each type, the plugins, and what all that does not say.
fn details<'a>(answer: &'a SyncAnswer, entry: &'a SyncEntry, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let mut lines: Vec<TextLine<'a>> = Vec::new();
    for sentence in entry.said() {
        let role = if entry.is_trouble() { Role::Warning } else { Role::Text };
        lines.push(TextLine::new([Piece::new(role, format!("{} {sentence}", look.symbols.warning))]).hanging(2));
    }
    let quiet = entry.types.iter().filter(|found| !found.is_trouble());
    lines.extend(quiet.map(|found| TextLine::new([Piece::text(found.sentence())])));
    if entry.connected {
        if !entry.plugin_states.is_empty() {
            lines.push(TextLine::new([Piece::new(Role::Muted, "Plugins: "), Piece::text(entry.plugins_cell())]).hanging(2));
        }
        lines.push(TextLine::new([Piece::new(Role::Muted, "Plugins that it watches: "), Piece::text(entry.said_watched())]).hanging(2));
    }
    lines.extend(answer.note.map(|note| TextLine::new([Piece::new(Role::Muted, note)])));
    lines
}
