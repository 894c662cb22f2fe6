//! Keys: what is typed goes to the prompt that is open, everything else is an action of the table.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;

use super::{ask, dumps, forget, lay_out};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::keymap;
use crate::app::program::{App, Typing};
use crate::app::rows::{self, Row};
use crate::app::screen::{Focus, Screen, Subject};
use crate::app::state::{Palette, Prompt};
use crate::model::ids::ProxyId;
use crate::report::Answer;

/// A key was pressed.
pub(super) fn pressed(app: &mut App, event: KeyEvent) -> Vec<Effect> {
    let Some(key) = Key::from_event(&event) else { return Vec::new() };
    if app.typing.is_some() {
        return typed(app, key, event);
    }
    match keymap::action_for(key, &app.context()) {
        Some(action) => run(app, action),
        None => Vec::new(),
    }
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
        None => Vec::new(),
    }
}

fn typed(app: &mut App, key: Key, event: KeyEvent) -> Vec<Effect> {
    let action = keymap::action_for(key, &app.context());
    match (&mut app.typing, key, action) {
        (_, _, Some(Action::Quit)) => run(app, Action::Quit),
        (Some(Typing::Find(_)), Key::Esc, _) => {
            app.typing = None;
            app.screen_mut().find.clear();
            lay_out(app);
            Vec::new()
        }
        (Some(Typing::Command(_)), Key::Esc, _) => {
            app.typing = None;
            Vec::new()
        }
        (Some(Typing::Find(_)), Key::Enter, _) => {
            app.typing = None;
            Vec::new()
        }
        (Some(Typing::Command(palette)), Key::Enter, _) => {
            let chosen = palette.selected().map(|binding| binding.action);
            app.typing = None;
            chosen.map(|action| run(app, action)).unwrap_or_default()
        }
        (Some(Typing::Find(_)), Key::Up | Key::Down | Key::PageUp | Key::PageDown, Some(action)) => run(app, action),
        (Some(Typing::Command(palette)), Key::Up | Key::Down, _) => {
            let total = palette.rows.len();
            palette.list.step(if key == Key::Up { -1 } else { 1 }, total, total, |_| true);
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
        (None, ..) => Vec::new(),
    }
}

/// What is typed narrows the screen as it is typed, the best match first.
fn look_for(app: &mut App) -> Vec<Effect> {
    if let Some(Typing::Find(prompt)) = &app.typing {
        let text = prompt.text().to_owned();
        let screen = app.screen_mut();
        screen.find = text;
        screen.list = Default::default();
        lay_out(app);
    }
    Vec::new()
}

fn run(app: &mut App, action: Action) -> Vec<Effect> {
    let page = isize::try_from(app.body_height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
    match action {
        Action::Quit => {
            app.leave();
            Vec::new()
        }
        Action::Down => step(app, 1),
        Action::Up => step(app, -1),
        Action::PageDown => step(app, page),
        Action::PageUp => step(app, -page),
        Action::First => step(app, isize::MIN),
        Action::Last => step(app, isize::MAX),
        Action::Open => open(app),
        Action::Back => back(app),
        Action::Why => focus(app).map(|focus| go(app, Subject::Why(focus))).unwrap_or_default(),
        Action::Chains => focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default(),
        Action::Find => {
            app.typing = Some(Typing::Find(Prompt::with(&app.screen().find)));
            Vec::new()
        }
        Action::Commands => {
            app.typing = Some(Typing::Command(Palette::open(app.context())));
            Vec::new()
        }
        Action::Copy => copy(app),
        Action::Help => go(app, Subject::Help(app.screen().view())),
        Action::Warnings => go(app, Subject::Warnings),
        Action::Refresh => refresh(app),
        Action::NextScene => next_scene(app),
        Action::Toggle => toggle(app, None),
        Action::Expand => toggle(app, Some(true)),
        Action::Collapse => collapse(app),
        Action::ExpandAll => expand_all(app),
        Action::NextTheme => {
            app.theme = (app.theme + 1) % app.options.themes.max(1);
            Vec::new()
        }
    }
}

fn step(app: &mut App, by: isize) -> Vec<Effect> {
    let height = app.body_height;
    let screen = app.screen_mut();
    let rows = std::mem::take(&mut screen.rows);
    screen.list.step(by, height, rows.len(), |row| rows.get(row).is_some_and(Row::is_selectable));
    screen.rows = rows;
    ask::wanted_dumps(app)
}

/// Goes to a screen.
fn go(app: &mut App, subject: Subject) -> Vec<Effect> {
    if app.screen().subject == subject {
        return Vec::new();
    }
    app.screens.push(Screen::new(subject));
    let mut effects = ask::wanted_dumps(app);
    effects.extend(ask::ask(app));
    effects
}

/// Cancels what the screen in sight waits for; else clears what is looked for; else goes back.
fn back(app: &mut App) -> Vec<Effect> {
    let waiting = app.screen().proxy().filter(|proxy| app.snapshot.dump(proxy).is_none()).and_then(|proxy| app.fetches.get(proxy)?.ticket);
    if let Some(ticket) = waiting {
        forget(app, ticket);
        app.event = Some("cancelled; r asks again".to_owned());
        return vec![Effect::Stop(ticket)];
    }
    if !app.screen().find.is_empty() {
        app.screen_mut().find.clear();
        lay_out(app);
        return Vec::new();
    }
    if app.screens.len() > 1 {
        let left = app.screens.pop();
        if let Some(ticket) = left.and_then(|screen| screen.pending) {
            forget(app, ticket);
        }
        return ask::ask(app);
    }
    Vec::new()
}

/// Goes deeper: to what the selected row stands for.
fn open(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let Some(row) = screen.selected().cloned() else { return Vec::new() };
    match (&row, &screen.subject) {
        (Row::Plugin(index), _) => {
            let plugin = screen.plugins().map(|answer| answer.plugins[*index].id.clone());
            plugin.map(|plugin| go(app, Subject::Workloads(plugin))).unwrap_or_default()
        }
        (Row::Workload(_) | Row::Proxy(..), _) => focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default(),
        (Row::Listener(_) | Row::Chain(..), _) => toggle(app, None),
        (Row::NetworkFilter(..) | Row::HttpFilter(..), _) => match raw(app, &row) {
            Some((title, text)) => go(app, Subject::Raw { title, lines: indented(&text) }),
            None => Vec::new(),
        },
        (Row::Sum(listener), Subject::Why(focus)) | (Row::Term(listener, _), Subject::Why(focus)) => {
            let focus = focus.clone();
            let term = if let Row::Term(_, term) = row { Some(term) } else { None };
            let place = rows::why::entry(screen).map(|entry| &entry.listeners[*listener]).map(|listener| {
                let chain = term.and_then(|term| listener.terms[term].chains.first().copied());
                rows::Key { listener: listener.listener.clone(), state: listener.state.as_str(), chain }
            });
            let effects = go(app, Subject::Chains(focus));
            app.screen_mut().open = place.map(rows::opening).unwrap_or_default();
            effects
        }
        _ => Vec::new(),
    }
}

/// The proxy that the selected row stands for, with the plugin in question.
fn focus(app: &mut App) -> Option<Focus> {
    let screen = app.screen();
    let found = match (screen.selected(), &screen.subject) {
        (_, Subject::Chains(focus) | Subject::Why(focus)) => Some(focus.clone()),
        (Some(Row::Plugin(index)), _) => {
            let plugin = &screen.plugins()?.plugins[*index];
            let first = plugin.proxies.first();
            first.map(|(workload, proxy)| Focus { plugin: Some(plugin.id.clone()), workload: Some(workload.clone()), proxy: proxy.clone() })
        }
        (Some(Row::Workload(index)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies.first().map(|proxy| proxy.proxy.clone()).or_else(|| first_proxy(app, index));
            proxy.map(|proxy| Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        (Some(Row::Proxy(index, proxy)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies[*proxy].proxy.clone();
            Some(Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        _ => None,
    };
    if found.is_none() {
        app.event = Some(match app.screen().selected() {
            Some(Row::Plugin(_)) => "the plugin applies to no proxy, so there are no chains to show; open it to see why".to_owned(),
            Some(Row::Workload(_)) => "the workload has no proxy that runs Envoy".to_owned(),
            _ => "nothing is selected".to_owned(),
        });
    }
    found
}

/// The first proxy of a workload that the plugin does not apply to.
fn first_proxy(app: &App, index: &usize) -> Option<ProxyId> {
    let id = &app.screen().workloads()?.workloads[*index].id;
    let workload = app.snapshot.workloads.iter().find(|workload| workload.id == *id)?;
    let has_envoy = |proxy: &&ProxyId| {
        let pod = app.snapshot.objects.pods.get(*proxy);
        pod.and_then(|pod| pod.proxy.as_ref()).is_some_and(|proxy| proxy.kind != crate::model::workload::ProxyKind::Ztunnel)
    };
    workload.pods.iter().find(has_envoy).cloned()
}

fn toggle(app: &mut App, to: Option<bool>) -> Vec<Effect> {
    let screen = app.screen_mut();
    let Some(key) = screen.selected().cloned().and_then(|row| rows::chains::key_of(screen, &row)) else { return Vec::new() };
    let open = to.unwrap_or(!screen.open.contains(&key));
    if open {
        screen.open.insert(key)
    } else {
        screen.open.remove(&key)
    };
    lay_out(app);
    Vec::new()
}

/// Closes the selected row, or goes to the row above it in the tree.
fn collapse(app: &mut App) -> Vec<Effect> {
    let height = app.body_height;
    let screen = app.screen_mut();
    let Some(row) = screen.selected().cloned() else { return Vec::new() };
    if let Some(key) = rows::chains::key_of(screen, &row)
        && screen.open.remove(&key)
    {
        lay_out(app);
        return Vec::new();
    }
    let above = match row {
        Row::Chain(listener, _) => Row::Listener(listener),
        Row::NetworkFilter(listener, chain, _) | Row::HttpFilter(listener, chain, _) => Row::Chain(listener, chain),
        _ => return Vec::new(),
    };
    if let Some(place) = screen.rows.iter().position(|candidate| *candidate == above) {
        screen.list.select(place, height, screen.rows.len());
    }
    Vec::new()
}

fn expand_all(app: &mut App) -> Vec<Effect> {
    let screen = app.screen_mut();
    let all = rows::chains::all_keys(screen);
    screen.open = if screen.open == all { Default::default() } else { all };
    lay_out(app);
    Vec::new()
}

/// Asks again: the proxies of the screen in sight.
fn refresh(app: &mut App) -> Vec<Effect> {
    let proxies: Vec<ProxyId> = match app.screen().proxy() {
        Some(proxy) => vec![proxy.clone()],
        None => app.fetches.keys().cloned().collect(),
    };
    app.last_change = None;
    app.event = Some("asking again".to_owned());
    proxies.iter().flat_map(|proxy| dumps::fetch(app, proxy, Duration::ZERO)).collect()
}

fn next_scene(app: &mut App) -> Vec<Effect> {
    let scenes = app.options.info.scenes;
    app.options.scene = (app.options.scene + 1) % scenes.len().max(1);
    app.epoch += 1;
    let name = app.scene().unwrap_or_default().to_uppercase();
    app.last_change = Some(format!("the demo's mesh is {name} now"));
    app.event.clone_from(&app.last_change);
    let mut effects: Vec<Effect> = app.fetches.values().filter_map(|fetch| fetch.ticket).map(Effect::Stop).collect();
    effects.extend([Effect::SwitchScene(app.options.scene), Effect::WatchMesh { epoch: app.epoch }]);
    let proxies: Vec<ProxyId> = app.fetches.keys().cloned().collect();
    for proxy in &proxies {
        if let Some(ticket) = app.fetches.get(proxy).and_then(|fetch| fetch.ticket) {
            forget(app, ticket);
        }
        effects.extend(dumps::fetch(app, proxy, Duration::ZERO));
    }
    effects
}

/// Copies what the screen is about: the whole explanation, a row's JSON, or its name.
fn copy(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let selected = screen.selected().cloned();
    let text = match (&screen.subject, &selected) {
        (Subject::Why(_), _) => screen.why().map(Answer::markdown),
        (Subject::Raw { lines, .. }, _) => Some(lines.join("\n")),
        (Subject::Warnings, Some(Row::Warning(index))) => app.snapshot.warnings.get(*index).map(ToString::to_string),
        (Subject::Help(_), _) => Some(keymap::readme_table()),
        (_, Some(row @ (Row::Chain(..) | Row::NetworkFilter(..) | Row::HttpFilter(..) | Row::Listener(_)))) => {
            raw(app, row).map(|(_, text)| text)
        }
        (_, Some(row)) => Some(rows::text(screen, row)),
        (_, None) => None,
    };
    match text {
        Some(text) => vec![Effect::Copy(text)],
        None => {
            app.event = Some("there is nothing here to copy".to_owned());
            Vec::new()
        }
    }
}

/// The JSON that a row of the tree stands for, as the proxy wrote it, with what it is of.
fn raw(app: &App, row: &Row) -> Option<(String, String)> {
    let screen = app.screen();
    let proxy = screen.chains()?.proxies.first()?;
    let dump = &app.snapshot.dump(&proxy.proxy)?.dump;
    let of = |listener: &usize| dump.listeners.get(proxy.listeners[*listener].index);
    let chain = |listener: &usize, chain: &usize| {
        let place = proxy.listeners[*listener].filter_chains[*chain].place;
        of(listener)?.chains.get(place)
    };
    match row {
        Row::Listener(index) => of(index).map(|listener| (listener.name.clone(), listener.raw.as_str().to_owned())),
        Row::Chain(listener, place) => chain(listener, place).map(|chain| (chain.name.clone(), chain.raw.as_str().to_owned())),
        Row::NetworkFilter(listener, place, filter) => {
            let filter = chain(listener, place)?.network_filters.get(*filter)?;
            Some((filter.name.clone(), filter.raw.as_str().to_owned()))
        }
        Row::HttpFilter(listener, place, filter) => {
            let filter = chain(listener, place)?.http_filters.as_ref()?.get(*filter)?;
            // What ECDS holds under the filter's name is what the reference stands for.
            let entry = dump.ecds.iter().find(|entry| entry.name == filter.name);
            let held = entry.map(|entry| format!(",\n{}", entry.raw.as_str())).unwrap_or_default();
            Some((
                filter.name.clone(),
                if held.is_empty() { filter.raw.as_str().to_owned() } else { format!("[{}{held}]", filter.raw.as_str()) },
            ))
        }
        _ => None,
    }
}

/// The lines of a JSON text, indented; the text as it is where it cannot be read.
fn indented(text: &str) -> Arc<[String]> {
    let pretty = serde_json::from_str::<serde_json::Value>(text).and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| text.to_owned()).lines().map(str::to_owned).collect()
}
