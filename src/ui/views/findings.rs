//! What is wrong, with evidence and what to do for the selected finding; then what could not be looked at, read or understood.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, pane, section, state};
use crate::analysis::answers::FindingsAnswer;
use crate::analysis::findings::{Finding, Severity};
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::logs::hour;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// How many proxies of a finding are named.
const MOST: usize = 10;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Findings { namespace } = &screen.subject else { return 0 };
    let of = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
    let title = vec![
        Piece::new(Role::Title, "findings"),
        Piece::new(Role::Muted, format!(" {} ", look.symbols.between)),
        Piece::new(Role::Title, of),
    ];
    let inside = inset(pane(screen, title).render(area, buffer, look));
    let Some(answer) = screen.findings().filter(|_| !screen.rows.is_empty() || screen.find.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::findings(app)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let mut question = summary(answer, app.reads_some(), look);
    if let Some(time) = state::read_at(app, answer.proxies.iter()) {
        question.push(Piece::new(Role::Muted, format!("  oldest reading {}", hour(time))));
    }
    let rest = below_question(question, inside, buffer, look);
    let row = |index: usize| match &screen.rows[index] {
        Row::Finding(place) => finding(&answer.findings[*place], index == screen.list.selected, rows::hits(screen, index), look),
        Row::Unchecked(place) => vec![unchecked(answer, *place, look)],
        Row::Heading(text) => vec![section(text, look)],
        Row::Warning(place) => warning(app, *place, look),
        _ => vec![TextLine::default()],
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// `1 error, 2 warnings, 1 information; 24 of 60 proxies read.`, and where `more` says so the key that reads the others.
fn summary(answer: &FindingsAnswer, more: bool, look: &Look<'_>) -> Vec<Piece<'static>> {
    let worst = answer.findings.first().map(|finding| finding.severity);
    let unseen = !answer.not_checked.is_empty();
    let (role, mark) = match worst {
        None if unseen => (Role::Warning, look.symbols.warning),
        None => (Role::Good, look.symbols.good),
        Some(severity) => marked(severity, look),
    };
    let text = match (worst, unseen) {
        (None, true) => format!("Nothing was found in what was looked at, which is not all. {}. {}", answer.scope, answer.beyond()),
        (None, false) => format!("Nothing was found. {}. {}", answer.scope, answer.beyond()),
        (Some(_), _) => {
            let unread = answer.unread().map(|unread| format!("; {unread}")).unwrap_or_default();
            format!("{}{unread}.", answer.summary())
        }
    };
    let mut pieces = vec![Piece::new(role, format!("{mark} ")), Piece::new(Role::Title, text)];
    pieces.extend(more.then(|| Piece::new(Role::Muted, "  a reads the others")));
    pieces
}

fn marked(severity: Severity, look: &Look<'_>) -> (Role, &'static str) {
    match severity {
        Severity::Error => (Role::Bad, look.symbols.bad),
        Severity::Warning => (Role::Warning, look.symbols.warning),
        Severity::Information => (Role::Info, look.symbols.dot),
    }
}

/// What it is; and for the selected one what shows it, why it matters and what to do.
fn finding<'a>(finding: &'a Finding, selected: bool, hits: &'a [usize], look: &Look<'_>) -> Vec<TextLine<'a>> {
    let (role, mark) = marked(finding.severity, look);
    let name = format!("{} {}", finding.code, finding.object);
    let mut lines = vec![
        TextLine::new([Piece::new(role, format!("{mark} {}  ", finding.severity.as_str())), Piece::new(Role::Title, name).with_hits(hits)])
            .hanging(2),
        TextLine::new([Piece::text(format!("  {}", finding.what))]).hanging(2),
    ];
    if !selected {
        return lines;
    }
    if let Some(proxies) = finding.said_proxies(MOST) {
        lines.push(TextLine::new([Piece::new(Role::Muted, "  proxies   "), Piece::text(proxies)]).hanging(12));
    }
    let mut say = |name: &'static str, text: &'a str| {
        lines.push(TextLine::new([Piece::new(Role::Muted, format!("  {name:8}  ")), Piece::text(text)]).hanging(12));
    };
    for (place, evidence) in finding.evidence.iter().enumerate() {
        say(if place == 0 { "evidence" } else { "" }, evidence);
    }
    say("matters", finding.why);
    say("fix", &finding.fix);
    lines
}

fn unchecked<'a>(answer: &FindingsAnswer, place: usize, look: &Look<'_>) -> TextLine<'a> {
    let text = answer.not_checked.get(place).map(ToString::to_string).unwrap_or_default();
    TextLine::new([Piece::new(Role::Warning, format!("{} ", look.symbols.warning)), Piece::text(text)]).hanging(2)
}

fn warning<'a>(app: &'a App, place: usize, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let Some(warning) = app.snapshot.warnings.get(place) else { return vec![TextLine::default()] };
    let first = TextLine::new([
        Piece::new(Role::Warning, format!("{} ", look.symbols.warning)),
        Piece::new(Role::Title, warning.object.as_str()),
        Piece::text(": "),
        Piece::text(warning.what.as_str()),
    ]);
    let mut lines = vec![first.hanging(2)];
    if !warning.fix.is_empty() {
        lines.push(TextLine::new([Piece::text("  "), Piece::new(Role::Muted, warning.fix.as_str())]).hanging(2));
    }
    lines
}
