//! The prompt of a question, with what can be said in it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::paragraph;
use crate::analysis::connection::FORM;
use crate::analysis::logs::typed;
use crate::app::program::Asking;
use crate::app::state::Prompt;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::{Pane, PromptLine, popup};

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

/// Draws it over the middle of the area, and returns where the cursor stands.
pub(super) fn render(asking: &Asking, prompt: &Prompt, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Option<Position> {
    let (title, form): (&str, &[(&str, &str)]) = match asking {
        Asking::Connection => ("Which chain takes a connection?", &FORM),
        Asking::Filter => ("Which lines are shown?", &typed::FORM),
        Asking::SaveLogs => ("Into which file are the lines saved?", &SAVING),
        Asking::WhatIf(_) => ("What would be, if …?", &SUPPOSITIONS),
    };
    let pane = Pane { title: vec![Piece::new(Role::Title, title)], note: Vec::new(), focused: true };
    let rows = u16::try_from(form.len()).unwrap_or(u16::MAX);
    let inside = popup(buffer, area, (80, rows + 4), &pane, look);
    let cursor = PromptLine { sign: look.symbols.step, prompt, note: Vec::new() }.render(inside, buffer, look);
    let skip = 2.min(inside.height);
    let longest = form.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    let line = |(key, means): &(&'static str, &'static str)| {
        TextLine::new([Piece::new(Role::Key, format!("{key:<longest$}  ")), Piece::new(Role::Muted, *means)])
    };
    let lines: Vec<TextLine<'_>> = form.iter().map(line).collect();
    paragraph(buffer, Rect { y: inside.y + skip, height: inside.height - skip, ..inside }, &lines, look);
    cursor
}
