//! Questions to `analysis`: one at a time for each screen, asked again when the world has changed meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{deferred, diff, dumps, lay_out, secret, settle, sync, tally};
use crate::app::effect::Effect;
use crate::app::program::{App, MOST_AT_FIRST};
use crate::app::question::Answered;
use crate::app::rows::{self, identity::Identity};
use crate::app::screen::Subject;
use crate::app::state::{Fetch, Ticket};
use crate::model::ids::ProxyId;
use crate::model::snapshot::Dump;
use crate::source::SourceKind;

/// Asks the question of the visible screen, of the world as it is now, and what the findings come to.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let mut effects = ask_of_screen(app);
    effects.extend(tally::ask(app));
    effects
}

/// Asks the question of the visible screen; what else it needs is requested first.
fn ask_of_screen(app: &mut App) -> Vec<Effect> {
    let mut effects = secret::wanted(app);
    let snapshot = app.snapshot.clone();
    let Some(question) = app.screen().question() else {
        lay_out(app);
        return effects;
    };
    if app.screen().pending.is_some() {
        app.screen_mut().stale = true;
        return effects;
    }
    let ticket = app.waits.begin("the answer");
    let screen = app.screen_mut();
    screen.pending = Some(ticket);
    screen.stale = false;
    effects.push(Effect::Ask { ticket, question, snapshot, after: Duration::ZERO });
    effects
}

/// Takes an answer; one that nobody waits for is dropped.
pub(super) fn answered(app: &mut App, ticket: Ticket, answer: Answered) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    if let Some(effects) = tally::answered(app, ticket, &answer) {
        return effects;
    }
    let Some(place) = app.screens.iter().position(|screen| screen.pending == Some(ticket)) else { return Vec::new() };
    let in_sight = place + 1 == app.screens.len();
    let screen = &mut app.screens[place];
    let first = screen.answer.is_none() || screen.rows.is_empty();
    // The selection stays with what it is on, once that was chosen or the first answers are whole: until then it is on what comes first.
    let chosen = screen.chosen.then(|| rows::identity::selected(screen)).flatten();
    let lost = screen.lost.take();
    screen.pending = None;
    screen.answer = Some(answer);
    if first && screen.open.is_empty() {
        screen.open = rows::chains::open_by_default(screen);
    }
    let stale = std::mem::take(&mut screen.stale);
    tally::take(app, place, stale);
    let (warnings, height) = (app.snapshot.warnings.len(), app.body_height);
    rows::lay_out(&mut app.screens[place], warnings, height);
    let screen = &mut app.screens[place];
    let mut select = |row: &Option<Identity>| row.as_ref().is_some_and(|row| rows::identity::select(screen, row, height));
    let is_back = select(&lost);
    let is_kept = is_back || select(&chosen);
    // A row can come back, with the pod that takes the place of one that is gone or with an object that is created again.
    screen.lost = lost.filter(|_| !is_back).or(chosen.filter(|_| !is_kept));
    if first && !is_kept {
        rows::select_plugin(&mut app.screens[place], height);
    }
    select_miss(app, place);
    rows::chains::select_line(&mut app.screens[place], &app.snapshot, height);
    let mut effects = wanted_dumps(app);
    // The worst finding is read first, also where it came last.
    app.screens[place].chosen |= is_whole(app) && !matches!(app.screens[place].subject, Subject::Findings { .. });
    if stale && in_sight {
        effects.extend(ask(app));
    }
    effects.extend(tally::read(app));
    if in_sight {
        effects.extend(deferred::resume(app));
    }
    effects
}

/// Whether nothing is read for the first time: no kind of objects, no proxy, no istiod.
pub(super) fn is_whole(app: &App) -> bool {
    let reads_istiods = app.sync.is_some() && app.snapshot.sync.is_none();
    let reads_proxies = app.snapshot.dumps.values().any(|dump| matches!(dump, Dump::Loading));
    app.awaited().is_empty() && !reads_istiods && !reads_proxies
}

/// Selects the first near-miss of a screen, where that is wanted, or says that there is none.
pub(super) fn select_miss(app: &mut App, place: usize) {
    let height = app.body_height;
    if !rows::select_miss(&mut app.screens[place], height) {
        app.note = Some("the plugin reaches every workload".to_owned());
    }
}

/// Asks the proxies too that were left out at first.
pub(super) fn every_proxy(app: &mut App) -> Vec<Effect> {
    if !app.reads_some() {
        app.note = Some("every proxy is read, or being read".to_owned());
        return Vec::new();
    }
    app.screen_mut().every_proxy = true;
    wanted_dumps(app)
}

/// Asks for the dumps, and for what istiod says, that the visible screen needs and that nobody has asked for yet.
pub(super) fn wanted_dumps(app: &mut App) -> Vec<Effect> {
    let mut effects = sync::wanted(app);
    effects.extend(diff::wanted(app));
    let (vital, at_once) = (app.wants_vitals(), app.screen().wants_vitals());
    // What is read for the count alone comes with the request that is under way. One that waits for the end of draining waits too long.
    let waits = |proxy: &ProxyId, fetch: &Fetch| fetch.ticket.is_some() && (fetch.after.is_zero() || !settle::drains(app, proxy));
    let lacks_vitals = |proxy: &ProxyId, fetch: &Fetch| vital && !fetch.vital && (at_once || !waits(proxy, fetch));
    let is_new = |proxy: &ProxyId| app.fetches.get(proxy).is_none_or(|fetch| lacks_vitals(proxy, fetch));
    let wanted: Vec<ProxyId> = needed(app).into_iter().filter(|proxy| is_new(proxy) || settle::needs_reading(app, proxy)).collect();
    effects.extend(dumps::fetch_all(app, wanted, Duration::ZERO));
    effects
}

/// The proxies whose dumps the visible screen needs, the first ones where there are many; on home those too that only the count of findings
/// needs.
pub(super) fn needed(app: &App) -> Vec<ProxyId> {
    let mut needed = shown(app);
    if matches!(app.screen().subject, Subject::Plugins { .. }) && tally::reads_more(app) {
        let counted: Vec<ProxyId> =
            app.tally.sum.iter().flat_map(|sum| &sum.first).filter(|proxy| !needed.contains(proxy)).cloned().collect();
        needed.extend(counted);
        needed.truncate(MOST_AT_FIRST);
        retain_askable(app, &mut needed);
    }
    needed
}

/// Leaves out pods that are gone, and those that go and were read.
fn retain_askable(app: &App, proxies: &mut Vec<ProxyId>) {
    let is_live = app.options.info.kind == SourceKind::Cluster;
    let goes = |proxy: &ProxyId| is_live && settle::is_ending(app, proxy) && app.snapshot.dump(proxy).is_some();
    proxies.retain(|proxy| !app.snapshot.objects.is_gone(proxy) && !goes(proxy));
}

/// The proxies of which the visible screen shows something, the first ones where there are many.
pub(super) fn shown(app: &App) -> Vec<ProxyId> {
    let screen = app.screen();
    let mut wanted = match &screen.subject {
        Subject::Plugins { .. } => {
            let all = screen.plugins().map(|answer| answer.plugins.as_slice()).unwrap_or_default();
            let of_plugins = all.iter().flat_map(|plugin| plugin.proxies.iter().map(|(_, proxy)| &proxy.proxy));
            let mut seen = BTreeSet::new();
            of_plugins.filter(|proxy| seen.insert(*proxy)).take(MOST_AT_FIRST).cloned().collect::<Vec<_>>()
        }
        Subject::Workloads(_) => {
            let visible = screen.list.visible(app.body_height, screen.rows.len());
            let shown = screen.rows.get(visible).unwrap_or_default();
            screen.workloads().map(|answer| shown.iter().flat_map(|row| rows::proxies(answer, row)).collect()).unwrap_or_default()
        }
        Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Order(focus) | Subject::Diff(focus) => {
            vec![focus.proxy.clone()]
        }
        Subject::WhatIf(supposed) => {
            let answered = screen.what_if().and_then(Result::ok).map(|answer| answer.workloads.iter().map(|entry| entry.proxy.clone()));
            supposed.proxy.iter().cloned().chain(answered.into_iter().flatten().take(MOST_AT_FIRST)).collect()
        }
        Subject::Findings { .. } => {
            let most = if app.reads_some() { MOST_AT_FIRST } else { usize::MAX };
            screen.findings().map(|answer| answer.proxies.iter().take(most).cloned().collect()).unwrap_or_default()
        }
        Subject::Health(_) => {
            let visible = screen.list.visible(app.body_height, screen.rows.len());
            let shown = screen.rows.get(visible).unwrap_or_default();
            shown.iter().filter_map(|row| rows::health::proxy(screen, row)).cloned().collect()
        }
        Subject::Timeline(_) => {
            let answered = screen.timeline().map(|answer| answer.proxies.iter().map(|part| part.proxy.clone()));
            answered.into_iter().flatten().take(MOST_AT_FIRST).collect()
        }
        Subject::Sync { .. } => {
            let visible = screen.list.visible(app.body_height, screen.rows.len());
            let shown = screen.rows.get(visible).unwrap_or_default().iter().filter_map(|row| rows::sync::entry(screen, row));
            shown.filter(|entry| !entry.plugin_states.is_empty()).map(|entry| entry.proxy.clone()).collect()
        }
        // The access logs of its proxies name clients without one.
        Subject::Mtls(id) => {
            let workload = app.snapshot.workloads.iter().find(|workload| workload.id == *id);
            let is_bounded = app.options.info.kind == SourceKind::Cluster && !screen.every_proxy;
            let most = if is_bounded { MOST_AT_FIRST } else { usize::MAX };
            let pods = workload.map(|workload| workload.pods.as_slice()).unwrap_or_default().iter();
            pods.filter(|proxy| app.snapshot.objects.pods.get(*proxy).is_some_and(|pod| pod.runs_envoy())).take(most).cloned().collect()
        }
        Subject::Logs(_) | Subject::Record(_) | Subject::Raw { .. } | Subject::Help(_) => Vec::new(),
    };
    retain_askable(app, &mut wanted);
    wanted.dedup();
    wanted
}
