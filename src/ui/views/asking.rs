//! The prompt of a question, with what can be said in it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{level, paragraph};
use crate::analysis::connection::FORM;
use crate::analysis::logs::typed;
use crate::app::program::Asking;
use crate::app::state::Prompt;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, rows};
use crate::ui::theme::Role;
use crate::ui::widgets::{Pane, PromptLine, popup};

/// How wide it is at most.
const WIDTH: u16 = 80;

/// What can be supposed.
const SUPPOSITIONS: [(&str, &str); 4] = [
    ("STRICT", "the workload's mutual TLS mode; PERMISSIVE and DISABLE too"),
    ("plugin.yaml", "a file of manifests, as kubectl apply would take it"),
    ("STRICT plugin.yaml", "both"),
    ("", "Nothing is written to the cluster."),
];

/// What can be named.
const SAVING: [(&str, &str); 2] =
    [("NAME.log", "a new file; one that is there already is never overwritten"), ("", "The lines that are shown are written, as text.")];

/// Draws it over the middle of the area, and returns where the cursor is.
pub(super) fn render(asking: &Asking, prompt: &Prompt, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Option<Position> {
    let (title, lines) = match asking {
        Asking::Connection => ("Which chain takes a connection?", table(&FORM)),
        Asking::Filter => ("Which lines are shown?", table(&typed::FORM)),
        Asking::SaveLogs => ("Into which file are the lines saved?", table(&SAVING)),
        Asking::WhatIf(_) => ("What would be, if …?", table(&SUPPOSITIONS)),
        Asking::Level(question) => level::question(question, prompt.text()),
    };
    let pane = Pane { title: vec![Piece::new(Role::Title, title)], note: Vec::new(), focused: true };
    let width = area.width.min(WIDTH);
    // Within the border and the room next to it.
    let height: usize = lines.iter().map(|line| rows(line, width.saturating_sub(2), look.ascii())).sum();
    let inside = popup(buffer, area, (width, u16::try_from(height).unwrap_or(u16::MAX).saturating_add(4)), &pane, look);
    let cursor = PromptLine { sign: look.symbols.step, prompt, note: Vec::new() }.render(inside, buffer, look);
    let skip = 2.min(inside.height);
    paragraph(buffer, Rect { y: inside.y + skip, height: inside.height - skip, ..inside }, &lines, look);
    cursor
}

/// What can be typed, and what it means.
pub(super) fn table(form: &[(&'static str, &'static str)]) -> Vec<TextLine<'static>> {
    let longest = form.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    let line = |(key, means): &(&'static str, &'static str)| {
        TextLine::new([Piece::new(Role::Key, format!("{key:<longest$}  ")), Piece::new(Role::Muted, *means)])
    };
    form.iter().map(line).collect()
}
