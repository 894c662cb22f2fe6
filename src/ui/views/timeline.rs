//! Timeline: the steps of a plugin's last change down the page, with the time since the step before; beside or below, what shows
//! the selected one; at the end, what could not be seen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{empty, inset, list, pane, paragraph, with_details};
use crate::analysis::answers::{Milliseconds, StepAnswer, TimelineAnswer};
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::{Align, Column, Pane, Table, TableRow};

const COLUMNS: [Column<'static>; 4] = [
    Column { title: "TIME", min: 12, want: 15, priority: 1, align: Align::Left },
    Column { title: "SINCE PREVIOUS", min: 18, want: 18, priority: 4, align: Align::Left },
    Column { title: "STEP", min: 13, want: 24, priority: 3, align: Align::Left },
    Column { title: "WHAT HAPPENED", min: 24, want: 110, priority: 2, align: Align::Left },
];

/// How many cells the longest bar has: each is ten times as long as the one before, the first a tenth of a millisecond.
const BAR: u32 = 6;

/// The height from which what shows the selected step stands below a list that is too narrow for it beside it.
const TALL: u16 = 16;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Timeline(plugin) = &screen.subject else { return 0 };
    let title = vec![Piece::new(Role::Title, "The last change of "), Piece::new(Role::Plugin, plugin.to_string())];
    let (rest, details) = match with_details(area, screen.selected().is_some()) {
        (area, None) if area.height >= TALL && screen.selected().is_some() => {
            let [above, below] = area.layout(&Layout::vertical([Constraint::Fill(1), Constraint::Length(area.height / 3)]));
            (above, Some(below))
        }
        beside => beside,
    };
    let inside = pane(screen, title).render(rest, buffer, look);
    let height = Table::<fn(usize) -> TableRow<'static>>::body_height(inside.height);
    let Some(answer) = screen.timeline().filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::timeline(app, plugin)).render(inside, buffer, look);
        return height;
    };
    let row = |index: usize| row(screen, answer, index, look);
    Table { columns: &COLUMNS, total: screen.rows.len(), row, state: list(screen), focused: true }.render(inside, buffer, look);
    if let (Some(area), Some(selected)) = (details, screen.selected()) {
        let pane = Pane { title: vec![Piece::new(Role::Title, "What shows it")], note: Vec::new(), focused: false };
        let inside = inset(pane.render(area, buffer, look));
        paragraph(buffer, inside, &shown_by(screen, selected), look);
    }
    height
}

fn row<'a>(screen: &'a Screen, answer: &'a TimelineAnswer, index: usize, look: &Look<'_>) -> TableRow<'a> {
    let hits = rows::hits(screen, index);
    let row = &screen.rows[index];
    let said = |step: &str, text: String| {
        let role = Role::Muted;
        TableRow::Cells(vec![Vec::new(), Vec::new(), vec![Piece::new(Role::Warning, step.to_owned())], vec![Piece::new(role, text)]])
    };
    match row {
        Row::Part(part) => {
            let heading = answer.parts().get(*part).map(|part| part.heading.clone()).unwrap_or_default();
            TableRow::Section(vec![Piece::new(Role::Section, heading)])
        }
        Row::Heading(text) => TableRow::Section(vec![Piece::new(Role::Section, *text)]),
        Row::Step(..) => rows::timeline::step(screen, row).map_or(TableRow::Cells(Vec::new()), |step| {
            let shift = step.step.words().len() + 1;
            let sentence = Piece::text(step.sentence()).with_hits(super::shifted(hits, shift));
            TableRow::Cells(vec![
                vec![Piece::new(Role::Muted, time(step).to_owned())],
                since(step.since_previous, look),
                vec![Piece::new(role(step), format!("{}{}", step.step.words(), step.mark()))],
                vec![sentence],
            ])
        }),
        Row::Unseen(..) => rows::timeline::unseen(screen, row)
            .map_or(TableRow::Cells(Vec::new()), |(part, unseen)| said(unseen.step.words(), format!("{} ({})", unseen.why, part.heading))),
        Row::Sentence(text) => said("", text.clone()),
        _ => TableRow::Cells(Vec::new()),
    }
}

/// The time of day.
fn time(step: &StepAnswer) -> &str {
    step.time.split_once('T').map_or("", |(_, time)| time.trim_end_matches('Z'))
}

fn role(step: &StepAnswer) -> Role {
    if step.step.is_bad() {
        Role::Bad
    } else if !step.certain || step.skew {
        Role::Warning
    } else {
        Role::Text
    }
}

/// A bar and the duration.
fn since<'a>(since: Option<Milliseconds>, look: &Look<'_>) -> Vec<Piece<'a>> {
    let Some(since) = since else { return Vec::new() };
    // Tenths of a millisecond.
    let tenths = u64::try_from(since.0 / 100_000).unwrap_or_default();
    let cells = tenths.checked_ilog10().map_or(0, |digits| digits + 1).min(BAR) as usize;
    let bar = format!("{}{}", look.symbols.rule.repeat(cells), " ".repeat(BAR as usize - cells));
    vec![Piece::new(Role::Count, bar), Piece::text(format!(" {since}"))]
}

/// What shows the selected row's step, and what is to be known of it.
fn shown_by<'a>(screen: &'a Screen, selected: &'a Row) -> Vec<TextLine<'a>> {
    if let Some((part, unseen)) = rows::timeline::unseen(screen, selected) {
        let owner = Piece::new(Role::Muted, format!("{}: ", part.heading));
        return vec![TextLine::new([owner, Piece::new(Role::Warning, unseen.sentence())])];
    }
    let Some(step) = rows::timeline::step(screen, selected) else {
        return match selected {
            Row::Sentence(text) => vec![TextLine::new([Piece::text(text.as_str())])],
            _ => Vec::new(),
        };
    };
    let mut lines = vec![TextLine::new([Piece::new(role(step), step.sentence())]), TextLine::new([Piece::text(step.shown_by())])];
    if let Some(note) = &step.note {
        lines.extend([TextLine::default(), TextLine::new([Piece::new(Role::Muted, format!("{note}."))])]);
    }
    lines
}
