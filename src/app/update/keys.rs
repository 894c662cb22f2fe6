//! Keys: what is typed goes to the prompt that is open, everything else is an action of the table.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::actions::run;
use super::deferred::run_or_defer;
use super::{ask, connection, lay_out, level, logs, what_if};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::keymap;
use crate::app::program::{App, Asking, Typing};

/// A key was pressed.
pub(super) fn pressed(app: &mut App, event: KeyEvent) -> Vec<Effect> {
    let key = Key::from_event(&event);
    let action = key.and_then(|key| keymap::action_for(key, &app.context()));
    let mut effects = level::give_up(app);
    if !effects.is_empty() && key == Some(Key::Esc) {
        // That was what it was pressed for.
        app.note = None;
        return effects;
    }
    if app.typing.is_some() && event.kind != KeyEventKind::Release {
        app.note = None;
        // Keys that no binding can name, such as Backspace, edit the line.
        effects.extend(typed(app, key, action, event));
        return effects;
    }
    if let Some(key) = key {
        app.deferred = None;
        app.note = action.is_none().then(|| format!("{} does nothing here; ? shows the keys", key.label(true)));
        let screen = app.screen_mut();
        screen.chosen = true;
        if !screen.rows.is_empty() {
            screen.lost = None;
        }
    }
    effects.extend(action.map(|action| run_or_defer(app, action)).unwrap_or_default());
    effects
}

/// Text was pasted: into a prompt, else nowhere, since a paste is no command.
pub(super) fn pasted(app: &mut App, text: &str) -> Vec<Effect> {
    match &mut app.typing {
        Some(Typing::Find(prompt)) => {
            prompt.paste(text);
            look_for(app)
        }
        Some(Typing::Command(palette)) => {
            palette.prompt.paste(text);
            palette.search();
            Vec::new()
        }
        Some(Typing::Question(_, prompt)) => {
            prompt.paste(text);
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn typed(app: &mut App, key: Option<Key>, action: Option<Action>, event: KeyEvent) -> Vec<Effect> {
    match (&mut app.typing, key, action) {
        (_, _, Some(action @ (Action::Quit | Action::Suspend))) => run(app, action),
        (Some(Typing::Find(_)), Some(Key::Esc), _) => {
            app.typing = None;
            app.screen_mut().find.clear();
            let _ = logs::find(app, "");
            lay_out(app);
            Vec::new()
        }
        (Some(Typing::Command(_) | Typing::Question(..)), Some(Key::Esc), _) => {
            app.typing = None;
            Vec::new()
        }
        (Some(Typing::Find(prompt)), Some(Key::Enter), _) => {
            let text = prompt.text().to_owned();
            let found = logs::find(app, &text);
            if app.note.is_none() {
                app.typing = None;
            }
            if found == Some(true) { logs::seek_found(app, true) } else { Vec::new() }
        }
        (Some(Typing::Command(palette)), Some(Key::Enter), _) => {
            let chosen = palette.selected().map(|binding| binding.action);
            app.typing = None;
            chosen.map(|action| run_or_defer(app, action)).unwrap_or_default()
        }
        (Some(Typing::Question(asking, prompt)), Some(Key::Enter), _) => {
            let (asking, text) = (asking.clone(), prompt.text().to_owned());
            match asking {
                Asking::Connection => connection::answer(app, &text),
                Asking::WhatIf(about) => what_if::asked(app, about, &text),
                Asking::Filter => logs::filter_typed(app, &text),
                Asking::SaveLogs => logs::save_typed(app, &text),
                Asking::Level(question) => level::asked(app, question, &text),
            }
        }
        (Some(Typing::Find(_)), Some(Key::Up | Key::Down | Key::PageUp | Key::PageDown), Some(action)) => run(app, action),
        (Some(Typing::Command(palette)), Some(Key::Up | Key::Down), _) => {
            let total = palette.rows.len();
            palette.list.step(if key == Some(Key::Up) { -1 } else { 1 }, total, total, |_| true);
            Vec::new()
        }
        (Some(Typing::Find(prompt)), ..) => {
            if prompt.key(event) {
                look_for(app)
            } else {
                Vec::new()
            }
        }
        (Some(Typing::Command(palette)), ..) => {
            if palette.prompt.key(event) {
                palette.search();
            }
            Vec::new()
        }
        (Some(Typing::Question(_, prompt)), ..) => {
            prompt.key(event);
            Vec::new()
        }
        (None, ..) => Vec::new(),
    }
}

/// What is typed narrows the screen as it is typed, the best match first.
fn look_for(app: &mut App) -> Vec<Effect> {
    if let Some(Typing::Find(prompt)) = &app.typing {
        let text = prompt.text().to_owned();
        if logs::find(app, &text).is_some() {
            return Vec::new();
        }
        let screen = app.screen_mut();
        screen.find = text;
        screen.list = Default::default();
        lay_out(app);
    }
    // Other rows may be visible now.
    ask::wanted_dumps(app)
}
