//! What would be: what comes green, what goes red, what is to be known yellow.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, inset, list, pane};
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::WhatIf(supposed) = &screen.subject else { return 0 };
    let title = vec![Piece::new(Role::Title, format!("what if {}", supposed.typed))];
    let inside = inset(pane(screen, title).render(area, buffer, look));
    if let Some(reason) = empty::not_found(screen).filter(|_| screen.rows.is_empty()) {
        reason.render(inside, buffer, look);
        return usize::from(inside.height);
    }
    let row = |index: usize| {
        let hits = rows::hits(screen, index);
        vec![match &screen.rows[index] {
            Row::Sentence(text) => TextLine::new([Piece::text(text.as_str()).with_hits(hits)]),
            Row::Supposed(entry) => heading(screen, *entry),
            Row::Change(sign, text) => change(*sign, text, hits),
            _ => TextLine::default(),
        }]
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(inside, buffer, look)
}

fn heading(screen: &Screen, index: usize) -> TextLine<'_> {
    let entry = screen.what_if().and_then(Result::ok).and_then(|answer| answer.workloads.get(index));
    let Some(entry) = entry else { return TextLine::default() };
    let workload = entry.workload.as_deref().map(|name| format!("{} {name}  ", entry.workload_kind.unwrap_or_default()));
    TextLine::new([Piece::new(Role::Title, workload.unwrap_or_default()), Piece::new(Role::Muted, entry.proxy.to_string())])
}

fn change<'a>(sign: char, text: &'a str, hits: &'a [usize]) -> TextLine<'a> {
    let role = match sign {
        '+' => Role::Good,
        '-' => Role::Bad,
        '!' => Role::Warning,
        _ => Role::Text,
    };
    TextLine::new([Piece::new(role, format!("{sign} ")), Piece::new(role, text).with_hits(hits)]).hanging(4)
}
