//! Actions: what each does to the state.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, connection, copy, diff, dumps, forget, level, logs, secret, sync, target, timeline, tree, walk, what_if};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::keymap::Context;
use crate::app::program::{App, Typing};
use crate::app::rows::Row;
use crate::app::screen::Subject;
use crate::app::state::{Palette, Prompt};
use crate::model::ids::ProxyId;

/// Does it, where it can be done.
pub(super) fn run(app: &mut App, action: Action) -> Vec<Effect> {
    let page = isize::try_from(app.body_height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
    if let Some(effects) = logs::run(app, action) {
        return effects;
    }
    match action {
        Action::Quit => {
            app.leave();
            Vec::new()
        }
        Action::Suspend => vec![Effect::Suspend { job: true }],
        Action::Down => step(app, 1),
        Action::Up => step(app, -1),
        Action::PageDown => step(app, page),
        Action::PageUp => step(app, -page),
        Action::First => step(app, isize::MIN),
        Action::Last => step(app, isize::MAX),
        Action::Open => walk::open(app),
        Action::Back => walk::back(app),
        Action::Why => walk::why(app),
        Action::Chains => walk::chains(app),
        Action::Logs => logs::open(app),
        Action::Plugin => logs::plugin(app),
        Action::Mtls => target::workload(app).map(|workload| walk::go(app, Subject::Mtls(workload))).unwrap_or_default(),
        Action::WhatIf => what_if::begin(app),
        Action::Connection => connection::ask(app),
        Action::Order => target::focus(app).map(|focus| walk::go(app, Subject::Order(focus))).unwrap_or_default(),
        Action::RaiseLevel => level::begin(app),
        Action::Timeline => timeline::open(app),
        Action::Sync => sync::open(app),
        Action::Diff => diff::open(app),
        Action::Health => walk::health(app),
        Action::NearMisses => walk::near_misses(app),
        Action::Find => {
            app.typing = Some(Typing::Find(Prompt::with(&app.screen().find)));
            Vec::new()
        }
        Action::Commands => {
            app.typing = Some(Typing::Command(Palette::open(app.context())));
            Vec::new()
        }
        Action::Copy => copy::copy(app),
        Action::Help => walk::go(app, Subject::Help(Context { typing: false, ..app.context() })),
        Action::Findings => walk::findings(app),
        Action::EveryProxy => ask::every_proxy(app),
        Action::Refresh => refresh(app),
        Action::AllNamespaces => all_namespaces(app),
        Action::NextScene => next_scene(app),
        Action::NextPart => {
            let screen = app.screen_mut();
            screen.part = screen.part.wrapping_add(1);
            Vec::new()
        }
        Action::Toggle => tree::toggle(app, None),
        Action::Expand => tree::toggle(app, Some(true)),
        Action::Collapse => tree::collapse(app),
        Action::ExpandAll => tree::expand_all(app),
        // What only a screen of logs offers is done by now.
        Action::Filter
        | Action::Graver
        | Action::Milder
        | Action::AllLines
        | Action::Mark
        | Action::Save
        | Action::NextError
        | Action::PreviousError
        | Action::NextWarning
        | Action::PreviousWarning
        | Action::NextFound
        | Action::PreviousFound
        | Action::ScrollRight
        | Action::ScrollLeft
        | Action::TimeColumn
        | Action::SourceColumn
        | Action::WhatColumn
        | Action::LevelColumn
        | Action::ScopeColumn => Vec::new(),
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
    screen.part = 0;
    ask::wanted_dumps(app)
}

/// Widens home to all namespaces, or narrows it to the one that the program was started for, else the source's.
fn all_namespaces(app: &mut App) -> Vec<Effect> {
    let own = app.options.namespace.clone().unwrap_or_else(|| app.options.info.namespace.clone());
    let screen = app.screen_mut();
    if let Subject::Plugins { namespace } = &mut screen.subject {
        *namespace = if namespace.is_some() { None } else { Some(own) };
    }
    ask::ask(app)
}

/// Asks again: the proxies of the visible screen, and whoever else it goes by.
fn refresh(app: &mut App) -> Vec<Effect> {
    app.last_change = None;
    app.note = Some("asking again".to_owned());
    let proxies: Vec<ProxyId> = match app.screen().proxy() {
        Some(proxy) => vec![proxy.clone()],
        None => app.fetches.keys().cloned().collect(),
    };
    let mut effects = dumps::fetch_all(app, proxies, Duration::ZERO);
    effects.extend(sync::read_again(app));
    effects.extend(timeline::read_again(app, Duration::ZERO));
    effects.extend(diff::read_again(app));
    effects.extend(secret::read_again(app));
    effects
}

fn next_scene(app: &mut App) -> Vec<Effect> {
    let scenes = app.options.info.scenes;
    app.options.scene = (app.options.scene + 1) % scenes.len().max(1);
    app.epoch += 1;
    let name = app.scene().unwrap_or_default().to_uppercase();
    let change = format!("the demo's mesh is {name} now");
    app.last_change = Some(change.clone());
    app.say(change);
    let mut effects: Vec<Effect> = app.fetches.values().filter_map(|fetch| fetch.ticket).map(Effect::Stop).collect();
    effects.extend([Effect::SwitchScene(app.options.scene), Effect::WatchMesh { epoch: app.epoch }]);
    let proxies: Vec<ProxyId> = app.fetches.keys().cloned().collect();
    for proxy in &proxies {
        if let Some(ticket) = app.fetches.get(proxy).and_then(|fetch| fetch.ticket) {
            forget(app, ticket);
        }
    }
    effects.extend(dumps::fetch_all(app, proxies, Duration::ZERO));
    effects.extend(logs::begin_again(app));
    effects.extend(timeline::read_again(app, Duration::ZERO));
    effects.extend(diff::read_again(app));
    // Of another scene its istiod says something else.
    let snapshot = Arc::make_mut(&mut app.snapshot);
    snapshot.sync = None;
    snapshot.generation += 1;
    snapshot.pull_secrets.clear();
    effects.extend(secret::read_again(app));
    effects.extend(sync::again(app));
    effects
}
