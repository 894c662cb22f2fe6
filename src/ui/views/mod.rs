//! The screens. Each draws the rows and the answer of the visible screen, and computes nothing that `analysis` should.

mod asking;
mod chains;
mod connection;
mod diff;
mod empty;
mod findings;
mod header;
mod health;
mod help;
mod level;
mod log_head;
mod log_line;
mod logs;
mod mtls;
mod order;
mod plugins;
mod prediction;
mod raw;
mod state;
mod sync;
mod timeline;
mod what_if;
mod why;
mod workload_details;
mod workloads;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::Look;
use super::text::{Piece, TextLine, rows, width};
use super::theme::{Role, Themes};
use super::widgets::{Chrome, Column, Pane, PromptLine, paint_wrapped, palette, too_small};
use crate::app::App;
use crate::app::action::View;
use crate::app::keymap;
use crate::app::program::{Drawn, Typing};
use crate::app::screen::{Focus, Screen};
use crate::app::state::ListState;
use crate::model::logs::hour;

/// The width from which a pane with details is shown next to a list.
const WIDE: u16 = 118;

/// Draws the whole screen.
pub fn render(app: &App, themes: &Themes, ascii: bool, frame: &mut Frame<'_>) -> Drawn {
    let look = Look::new(themes.at(app.theme), ascii);
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if too_small(area, buffer, &look) {
        return Drawn { body_height: 1 };
    }
    let steps = header::steps(app);
    let chrome = Chrome {
        crumbs: steps.iter().map(String::as_str).collect(),
        status: header::status(app, area.width, &look),
        event: header::event(app, &look),
        notice: header::notice(app),
        hints: keymap::footer(&app.context(), ascii),
    };
    let regions = chrome.render(area, buffer, &look);
    let body_height = body(app, regions.body, buffer, &look);
    let cursor = match &app.typing {
        Some(Typing::Find(prompt)) => {
            let note = found(app);
            let line = Rect { x: regions.event.x + 1, width: regions.event.width.saturating_sub(2), ..regions.event };
            PromptLine { sign: "/", prompt, note }.render(line, buffer, &look)
        }
        Some(Typing::Command(state)) => {
            chrome.render_event(&regions, buffer, &look);
            palette(buffer, regions.body, state, &look)
        }
        Some(Typing::Question(asking, prompt)) => {
            chrome.render_event(&regions, buffer, &look);
            asking::render(asking, prompt, regions.body, buffer, &look)
        }
        None => {
            chrome.render_event(&regions, buffer, &look);
            None
        }
    };
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    Drawn { body_height: body_height.max(1) }
}

/// How much a search found; in a log, what is wrong with it, since nothing is narrowed there.
fn found(app: &App) -> Vec<Piece<'_>> {
    let found = app.screen().rows.len();
    match (&app.screen().logs, &app.note) {
        (Some(_), Some(note)) => vec![Piece::new(Role::Warning, note.as_str())],
        (Some(_), None) => vec![Piece::new(Role::Muted, "Enter goes to the next line that it matches")],
        (None, _) => vec![Piece::new(if found == 0 { Role::Warning } else { Role::Muted }, format!("{found} found"))],
    }
}

/// Draws the view, and returns how many of its rows are in sight.
fn body(app: &App, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let screen = app.screen();
    match screen.view() {
        View::Plugins => plugins::render(app, screen, area, buffer, look),
        View::Workloads => workloads::render(app, screen, area, buffer, look),
        View::Chains => chains::render(app, screen, area, buffer, look),
        View::Why => why::render(app, screen, area, buffer, look),
        View::WhatIf => what_if::render(screen, area, buffer, look),
        View::Mtls => mtls::render(app, screen, area, buffer, look),
        View::Connection => connection::render(app, screen, area, buffer, look),
        View::Order => order::render(app, screen, area, buffer, look),
        View::Logs => logs::render(app, screen, area, buffer, look),
        View::Record => log_line::render(screen, area, buffer, look),
        View::Timeline => timeline::render(app, screen, area, buffer, look),
        View::Sync => sync::render(app, screen, area, buffer, look),
        View::Diff => diff::render(app, screen, area, buffer, look),
        View::Health => health::render(app, screen, area, buffer, look),
        View::Raw => raw::render(screen, area, buffer, look),
        View::Findings => findings::render(app, screen, area, buffer, look),
        View::Help => help::render(screen, area, buffer, look),
    }
}

/// The pane that has the keys, with what is looked for and where in the list the person is.
fn pane<'a>(screen: &Screen, title: Vec<Piece<'a>>) -> Pane<'a> {
    let mut note = Vec::new();
    if !screen.find.is_empty() {
        note.push(Piece::new(Role::Prompt, format!("/{} ", screen.find)));
    }
    let selectable = || screen.rows.iter().filter(|row| row.is_selectable()).count();
    let before = screen.rows.iter().take(screen.list.selected + 1).filter(|row| row.is_selectable()).count();
    if !screen.rows.is_empty() {
        note.push(Piece::new(Role::Muted, format!("{before} of {}", selectable())));
    }
    Pane { title, note, focused: true }
}

/// The title of a pane about a proxy: the pod, the plugin that is looked for in it, and when it was read.
fn proxy_title<'a>(app: &App, focus: &'a Focus, look: &Look<'_>) -> Vec<Piece<'a>> {
    let mut title = vec![Piece::new(Role::Title, focus.proxy.pod.as_str())];
    if let Some(plugin) = &focus.plugin {
        title.extend([Piece::new(Role::Muted, format!(" {} ", look.symbols.between)), Piece::new(Role::Plugin, plugin.to_string())]);
    }
    if let Some(time) = state::read_at(app, std::iter::once(&focus.proxy)) {
        title.push(Piece::new(Role::Muted, format!(" {} read {}", look.symbols.between, hour(time))));
    }
    title
}

/// Paints the question that a screen answers, and returns the room below it.
fn below_question(question: Vec<Piece<'_>>, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> Rect {
    let question = TextLine::new(question);
    let taken = paint_wrapped(buffer, area, 0, &question, look);
    let taken = u16::try_from(taken + 1).unwrap_or(u16::MAX).min(area.height);
    Rect { y: area.y + taken, height: area.height - taken, ..area }
}

/// A line above a part of a list.
fn section(text: &str, look: &Look<'_>) -> TextLine<'static> {
    TextLine::new([Piece::new(Role::Section, format!("{} {text}", look.symbols.rule))])
}

/// A piece and the blanks behind it: as wide as a column, and a gap.
fn padded<'a>(piece: Piece<'a>, column: usize, gap: usize, ascii: bool) -> [Piece<'a>; 2] {
    let missing = column.saturating_sub(width(std::slice::from_ref(&piece), ascii));
    [piece, Piece::text(" ".repeat(missing + gap))]
}

/// The area of a list, and next to it, where there is room and something to show, that of the details.
fn with_details(area: Rect, wanted: bool) -> (Rect, Option<Rect>) {
    if !wanted || area.width < WIDE {
        return (area, None);
    }
    let [left, right] = area.layout(&Layout::horizontal([Constraint::Fill(1), Constraint::Length((area.width / 3).min(64))]));
    (left, Some(right))
}

/// A text, or what is shown in its place where it is empty.
fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// The selection, as far as it is shown: where a prompt has the keys, rows are still moved over.
fn list(screen: &Screen) -> ListState {
    screen.list
}

/// Paints a text into the area, line by line, broken at words.
fn paragraph(buffer: &mut Buffer, area: Rect, lines: &[TextLine<'_>], look: &Look<'_>) {
    let mut at = 0;
    for line in lines {
        at += paint_wrapped(buffer, area, at, line, look);
    }
}

/// A pane with a text that need not fit into it: a part of it then, with how many there are and the key that shows the next.
fn parted(title: Vec<Piece<'_>>, lines: &[TextLine<'_>], part: usize, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
    let room = Pane::default().render(area, buffer, look);
    let (inside, height) = (inset(room), usize::from(room.height));
    let needed: usize = lines.iter().map(|line| rows(line, inside.width, look.ascii())).sum();
    let parts = needed.div_ceil(height.max(1)).max(1);
    let part = part % parts;
    let note = if parts == 1 { String::new() } else { format!("part {} of {parts}, J shows the next", part + 1) };
    Pane { title, note: vec![Piece::new(Role::Muted, note)], ..Pane::default() }.render(area, buffer, look);
    // Painted as a whole and cut, so that a text that is broken goes on where it was.
    let whole = Rect { x: 0, y: 0, width: inside.width, height: u16::try_from(needed).unwrap_or(u16::MAX) };
    let mut drawn = Buffer::empty(whole);
    drawn.set_style(whole, buffer.cell((inside.x, inside.y)).map(|cell| cell.style()).unwrap_or_default());
    paragraph(&mut drawn, whole, lines, look);
    for line in (part * height..needed).take(height) {
        for column in 0..inside.width {
            let (from, to) = (u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(line - part * height).unwrap_or(u16::MAX));
            if let (Some(cell), Some(place)) = (drawn.cell((column, from)).cloned(), buffer.cell_mut((inside.x + column, inside.y + to))) {
                *place = cell;
            }
        }
    }
}

/// A rectangle without its first and last column: room around a text.
fn inset(area: Rect) -> Rect {
    if area.width < 4 { area } else { Rect { x: area.x + 1, width: area.width - 2, ..area } }
}

/// The width that shows the longest of all texts of a column, within what the column may take.
fn widest<'t>(texts: impl Iterator<Item = &'t str>, column: &Column<'_>) -> u16 {
    let longest = texts.map(str::len).max().unwrap_or_default();
    u16::try_from(longest).unwrap_or(u16::MAX).clamp(column.min, column.want.max(column.min))
}

/// What a way of coming in is drawn with, by the word that `analysis` has for it.
fn way_role(way: &str) -> Role {
    if way.contains("mTLS") {
        Role::Mtls
    } else if way.contains("plain") {
        Role::Plaintext
    } else {
        Role::Text
    }
}

/// The search's places in a text that is shown without its first characters.
fn shifted(hits: &[usize], skip: usize) -> Vec<usize> {
    hits.iter().filter_map(|hit| hit.checked_sub(skip)).collect()
}
