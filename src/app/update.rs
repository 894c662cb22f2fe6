//! What each message does to the state, and what is to be done outside because of it. No I/O, no clock, no panic.

mod actions;
mod ask;
mod connection;
mod copy;
mod deferred;
mod diff;
mod dumps;
mod keys;
mod level;
mod logs;
mod mesh;
mod secret;
mod settle;
mod side_request;
mod successor;
mod sync;
mod tally;
mod target;
mod timeline;
mod tree;
mod walk;
mod what_if;

use std::sync::Arc;
use std::time::Duration;

use super::effect::Effect;
use super::msg::Msg;
use super::program::App;
use super::rows;
use super::state::Ticket;
use crate::model::pull_secret::PullSecret;
use crate::model::snapshot::Dump;
use crate::source::SourceKind;

pub(super) use target::in_question;

/// The first things to do.
pub(super) fn start(app: &mut App) -> Vec<Effect> {
    let mut effects = vec![Effect::WatchMesh { epoch: app.epoch }];
    if app.options.info.kind == SourceKind::Dump {
        effects.extend(dumps::fetch_all(app, app.options.proxies.clone(), Duration::ZERO));
    }
    effects
}

/// Takes a message.
pub(super) fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    let effects = take(app, msg);
    tally::note_complete(app);
    tally::sum_up(app);
    effects
}

fn take(app: &mut App, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::KeyPressed(key) => keys::pressed(app, key),
        Msg::Pasted(text) => keys::pasted(app, &text),
        // A window that shrinks and grows again between two frames has lost what was drawn, at an unchanged size.
        Msg::Resized => vec![Effect::Redraw],
        Msg::StopAsked => vec![Effect::Suspend { job: false }],
        Msg::Continued => vec![Effect::TakeTerminal],
        Msg::NotStopped => {
            app.note = Some("not stopped: no shell started this program as a job, so nothing would go on with it".to_owned());
            Vec::new()
        }
        Msg::MeshRead { epoch, objects, changed, health } if epoch == app.epoch => mesh::read(app, &objects, &changed, health),
        Msg::MeshRead { .. } => Vec::new(),
        Msg::DumpRead { ticket, proxy, dump, changes } => dumps::read(app, ticket, proxy, dump, changes),
        Msg::ViewRead { ticket, views } => diff::read(app, ticket, views),
        Msg::SecretRead { ticket, secret, found } => secret::read(app, ticket, secret, found),
        Msg::SyncRead { ticket, outcome } => sync::read(app, ticket, outcome),
        Msg::Unanswered(ticket) => {
            app.sync_failed |= app.sync == Some(ticket);
            app.fetches.values_mut().filter(|fetch| fetch.ticket == Some(ticket)).for_each(|fetch| fetch.silent = true);
            Vec::new()
        }
        Msg::Denied(ticket) => {
            app.fetches.values_mut().filter(|fetch| fetch.ticket == Some(ticket)).for_each(|fetch| fetch.lasting = true);
            Vec::new()
        }
        Msg::Answered { ticket, answer } => ask::answered(app, ticket, answer),
        Msg::LogsRead { ticket, gathered } => timeline::read(app, ticket, gathered),
        Msg::ManifestRead { ticket, outcome } => what_if::read(app, ticket, outcome),
        Msg::Logs(of, message) => logs::told(app, of, message),
        Msg::LevelRead { ticket, question } => level::read(app, ticket, question),
        Msg::LevelRaised { raised, outcome, now } => level::raised(app, raised, outcome, now),
        Msg::LevelPutBack { proxy, outcome, now } => level::back(app, &proxy, &outcome, now),
        Msg::Ticked(now) => level::ticked(app, now),
        Msg::Copied(outcome) => {
            app.note = Some(match outcome {
                Ok(whereto) => format!("copied to {whereto}"),
                Err(why) => format!("not copied: {why}"),
            });
            Vec::new()
        }
        Msg::SceneSwitched(Ok(info)) => {
            app.options.info = info;
            Vec::new()
        }
        Msg::SceneSwitched(Err(why)) => {
            app.say_failure(why);
            Vec::new()
        }
        Msg::TaskFailed(ticket, what) => task_failed(app, ticket, what),
    }
}

/// A task that broke is a wait that ends without an answer, and is said.
fn task_failed(app: &mut App, ticket: Option<Ticket>, what: String) -> Vec<Effect> {
    let Some(ticket) = ticket else {
        app.say_failure(what);
        return Vec::new();
    };
    if app.sync == Some(ticket) {
        return sync::read(app, ticket, Err(what));
    }
    if let Some(secret) = secret::of(app, ticket) {
        return secret::read(app, ticket, secret, PullSecret::Unread(what));
    }
    let unread = app.fetches.iter().find(|(_, fetch)| fetch.ticket == Some(ticket)).map(|(proxy, _)| proxy.clone());
    forget(app, ticket);
    logs::failed(app, ticket, &what);
    app.say_failure(what.clone());
    match unread.filter(|proxy| app.snapshot.dump(proxy).is_none()) {
        Some(proxy) => {
            // Else the screen would say for ever that it is being read.
            Arc::make_mut(&mut app.snapshot).dumps.insert(proxy, Dump::Failed(what));
            ask::ask(app)
        }
        None => Vec::new(),
    }
}

/// Forgets a request, wherever its answer is waited for.
fn forget(app: &mut App, ticket: Ticket) {
    // Whether it was still waited for makes no difference here.
    let _ = app.waits.end(ticket);
    for screen in &mut app.screens {
        screen.pending = screen.pending.filter(|pending| *pending != ticket);
        screen.reading = screen.reading.filter(|reading| *reading != ticket);
    }
    app.sync = app.sync.filter(|pending| *pending != ticket);
    app.tally.pending = app.tally.pending.filter(|pending| *pending != ticket);
    for fetch in app.fetches.values_mut() {
        fetch.ticket = fetch.ticket.filter(|pending| *pending != ticket);
    }
}

/// Lays out the rows of the visible screen.
fn lay_out(app: &mut App) {
    let (warnings, height) = (app.snapshot.warnings.len(), app.body_height);
    rows::lay_out(app.screen_mut(), warnings, height);
}
