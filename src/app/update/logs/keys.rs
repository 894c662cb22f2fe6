//! The keys of a screen of logs.

use super::narrow::ask;
use super::{open_line, save};
use crate::analysis::logs::{PluginWord, Severity, Typed};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::logs::message::LogsEffect;
use crate::app::logs::{Column, Logs};
use crate::app::program::{App, Asking, Typing};
use crate::app::state::{Prompt, Ticket};
use crate::app::update::forget;
use crate::logs::pane::{Place, Sought};

/// By how many cells one key scrolls long lines.
const SCROLL: usize = 16;

/// Does what a screen of logs does in its own way; None for everything else.
pub(in crate::app::update) fn run(app: &mut App, action: Action) -> Option<Vec<Effect>> {
    let height = app.body_height;
    let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
    let logs = app.screen_mut().logs.as_deref_mut()?;
    let latest = logs.latest().clone();
    match action {
        Action::Down => logs.step(1, height),
        Action::Up => logs.step(-1, height),
        Action::PageDown => logs.step(page, height),
        Action::PageUp => logs.step(-page, height),
        Action::First => logs.step(isize::MIN, height),
        Action::Last => logs.step(isize::MAX, height),
        Action::ScrollRight => logs.scrolled += SCROLL,
        Action::ScrollLeft => logs.scrolled = logs.scrolled.saturating_sub(SCROLL),
        Action::TimeColumn => logs.toggle(Column::Time),
        Action::SourceColumn => logs.toggle(Column::Source),
        Action::WhatColumn => logs.toggle(Column::What),
        Action::LevelColumn => logs.toggle(Column::Level),
        Action::ScopeColumn => logs.toggle(Column::Scope),
        Action::Mark => mark(logs, height),
        Action::Open => return Some(open_line(app)),
        Action::Save => return Some(save(app)),
        Action::Filter => app.typing = Some(Typing::Question(Asking::Filter, Prompt::with(&latest.to_string()))),
        Action::Find => app.typing = Some(Typing::Find(Prompt::with(&latest.highlight.unwrap_or_default()))),
        Action::Graver => return Some(graver(app, latest, Severity::graver)),
        Action::Milder => return Some(graver(app, latest, Severity::milder)),
        Action::AllLines => return Some(all_lines(app, latest)),
        Action::NextError => return Some(seek(app, Sought::Level(Severity::Error), true)),
        Action::PreviousError => return Some(seek(app, Sought::Level(Severity::Error), false)),
        Action::NextWarning => return Some(seek(app, Sought::Level(Severity::Warning), true)),
        Action::PreviousWarning => return Some(seek(app, Sought::Level(Severity::Warning), false)),
        Action::NextFound => return Some(seek_found(app, true)),
        Action::PreviousFound => return Some(seek_found(app, false)),
        Action::Refresh => {
            let snapshot = app.snapshot.clone();
            return Some(super::again_at(app, app.screens.len() - 1, snapshot));
        }
        Action::Back if logs.pattern.is_some() => (logs.pattern, logs.typed.highlight) = (None, None),
        _ => return None,
    }
    Some(Vec::new())
}

/// Marks a line and goes on to the next, so that several are marked with one key.
fn mark(logs: &mut Logs, height: usize) {
    if let Some((place, _)) = logs.selected() {
        logs.held.mark(place);
        logs.step(1, height);
    }
}

fn graver(app: &mut App, latest: Typed, step: fn(Severity) -> Option<Severity>) -> Vec<Effect> {
    match step(latest.level.unwrap_or(Severity::Trace)) {
        Some(level) => ask(app, Typed { level: Some(level), ..latest }),
        None => {
            app.note = Some("there is no level beyond that".to_owned());
            Vec::new()
        }
    }
}

fn all_lines(app: &mut App, latest: Typed) -> Vec<Effect> {
    let plugin = match latest.plugin {
        PluginWord::Any if app.screen().plugin().is_none() => {
            app.note = Some("these logs were opened for no plugin, and all lines are shown; F names one".to_owned());
            return Vec::new();
        }
        PluginWord::Any => PluginWord::This,
        PluginWord::This | PluginWord::Named(_) => PluginWord::Any,
    };
    ask(app, Typed { plugin, ..latest })
}

/// Goes to the next line, or the one before, that has what was found last.
pub(in crate::app::update) fn seek_found(app: &mut App, onward: bool) -> Vec<Effect> {
    let Some(logs) = &app.screen().logs else { return Vec::new() };
    match logs.pattern.clone() {
        Some(pattern) => seek(app, Sought::Text(pattern), onward),
        None => {
            app.note = Some("nothing is looked for; / finds".to_owned());
            Vec::new()
        }
    }
}

/// Looks for a line from the selected one on, round over the end.
fn seek(app: &mut App, sought: Sought, onward: bool) -> Vec<Effect> {
    let ticket = app.waits.begin("the line that is looked for");
    let Some(logs) = app.screen_mut().logs.as_mut() else { return Vec::new() };
    let (selected, rows) = (logs.list.selected, logs.held.rows());
    let records = if onward {
        logs.held.shown(selected + 1..rows).chain(logs.held.shown(0..selected + 1)).collect()
    } else {
        logs.held.shown(0..selected).rev().chain(logs.held.shown(selected..rows).rev()).collect()
    };
    let of = logs.ticket;
    let before = logs.seeking.replace(ticket);
    let mut effects = Vec::new();
    if let Some(before) = before {
        forget(app, before);
        effects.push(Effect::Stop(before));
    }
    effects.push(Effect::Logs(of, LogsEffect::Seek { ticket, sought, records }));
    effects
}

/// Goes to the line that was looked for, unless another is looked for by now.
pub(super) fn sought(app: &mut App, place: usize, ticket: Ticket, found: Option<Place>) {
    let height = app.body_height;
    if !app.waits.end(ticket) {
        return;
    }
    let Some(logs) = app.screens[place].logs.as_mut() else { return };
    logs.seeking = None;
    if !found.is_some_and(|found| logs.go_to(found, height)) {
        app.note = Some("no line that is shown has it".to_owned());
    }
}
