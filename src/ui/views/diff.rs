//! Diff: type by type what istiod would send a proxy against what the proxy has; of the selected difference also why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, pane, proxy_title};
use crate::analysis::answers::{DiffLine, TypeDiff};
use crate::app::App;
use crate::app::rows;
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Diff(focus) = &screen.subject else { return 0 };
    let inside = inset(pane(screen, proxy_title(app, focus, look)).render(area, buffer, look));
    let Some(entry) = screen.diff() else {
        empty::diff(app, focus).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let mut question = vec![Piece::new(Role::Title, "What would istiod send the proxy, and what does it have?")];
    question.extend(entry.note.iter().map(|note| Piece::new(Role::Warning, format!("  Nothing can be compared: {note}"))));
    question.extend(
        entry
            .way_note
            .iter()
            .map(|note| Piece::new(Role::Muted, format!("  istiod was asked over {}, since {note}", entry.way.unwrap_or_default()))),
    );
    question.extend(entry.view_note.iter().map(|note| Piece::new(Role::Warning, format!("  Not compared with what istiod says: {note}"))));
    let rest = below_question(question, inside, buffer, look);
    if screen.rows.is_empty() && !screen.find.is_empty() {
        empty::not_found(screen).into_iter().for_each(|reason| reason.render(rest, buffer, look));
        return usize::from(rest.height);
    }
    let row = |index: usize| {
        let row = &screen.rows[index];
        let hits = rows::hits(screen, index);
        match (rows::diff::of_type(screen, row), rows::diff::line(screen, row)) {
            (Some(found), _) => of_type(found, hits, look),
            (_, Some(line)) => difference(line, index == screen.list.selected, hits),
            _ => vec![TextLine::default()],
        }
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// What the type comes to, what it was held against where istiod did not tell, and what is no difference that matters.
fn of_type<'a>(found: &'a TypeDiff, hits: &'a [usize], look: &Look<'_>) -> Vec<TextLine<'a>> {
    let (role, mark) = match found.same {
        Some(true) => (Role::Good, look.symbols.good),
        Some(false) => (Role::Bad, look.symbols.bad),
        None => (Role::Warning, look.symbols.warning),
    };
    let name = Piece::new(role, format!("{mark} {:<4} ", found.short));
    let mut lines = vec![TextLine::new([name, Piece::new(Role::Title, found.sentence()).with_hits(hits)]).hanging(7)];
    let said = found.basis_note.iter().chain(&found.notes);
    lines.extend(said.map(|said| TextLine::new([Piece::text("       "), Piece::new(Role::Muted, said.as_str())]).hanging(7)));
    lines
}

/// The difference behind its sign; and for the selected one why.
fn difference<'a>(line: &'a DiffLine, selected: bool, hits: &'a [usize]) -> Vec<TextLine<'a>> {
    let role = match line.sign() {
        '+' => Role::Good,
        '-' => Role::Bad,
        _ => Role::Warning,
    };
    let sign = Piece::new(role, format!("     {} ", line.sign()));
    let mut lines = vec![TextLine::new([sign, Piece::text(line.detail.as_str()).with_hits(hits)]).hanging(7)];
    if selected {
        let because = |why: &'a str| TextLine::new([Piece::new(Role::Muted, "       because "), Piece::text(why)]).hanging(15);
        lines.extend(line.causes.iter().map(|cause| because(&cause.why)));
    }
    lines
}
