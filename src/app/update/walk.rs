//! Navigation between screens: deeper, back, and to what the selected row represents.

use std::sync::Arc;

use super::target::{NO_PLUGIN, focus, plugin, workload};
use super::{ask, copy, dumps, forget, lay_out, logs, sync, tree};
use crate::analysis::findings::Place;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::envoy::ListenerState;
use crate::model::ids::ProxyId;
use crate::model::snapshot::Dump;

/// Goes to a screen.
pub(super) fn go(app: &mut App, subject: Subject) -> Vec<Effect> {
    if app.screen().subject == subject {
        return Vec::new();
    }
    // Between two screens of one proxy the way does not grow: the one before is gone back to.
    let below = app.screens.len().checked_sub(2).map(|below| app.screens[below].subject == subject);
    // The place in a log is come back to.
    if below == Some(true) && app.screen().logs.is_none() {
        return leave(app);
    }
    app.screens.push(Screen::new(subject));
    dumps::outdate(app);
    let mut effects = logs::begin(app);
    effects.extend(ask::wanted_dumps(app));
    effects.extend(ask::ask(app));
    effects
}

/// Cancels what the visible screen waits for; else clears what is looked for; else goes back.
pub(super) fn back(app: &mut App) -> Vec<Effect> {
    let is_reading = |proxy: &&ProxyId| matches!(app.snapshot.dumps.get(*proxy), Some(Dump::Loading));
    let unread = app.screen().proxy().filter(is_reading).cloned();
    let waiting = unread.and_then(|proxy| Some((app.fetches.get(&proxy)?.ticket?, proxy)));
    if let Some((ticket, proxy)) = waiting {
        forget(app, ticket);
        // Nothing is being read any more, and the screen must not say so.
        Arc::make_mut(&mut app.snapshot).dumps.remove(&proxy);
        app.note = Some("cancelled; r asks again".to_owned());
        let mut effects = vec![Effect::Stop(ticket)];
        effects.extend(ask::ask(app));
        return effects;
    }
    if !app.screen().find.is_empty() {
        app.screen_mut().find.clear();
        lay_out(app);
        return Vec::new();
    }
    leave(app)
}

/// Goes back to the screen before; home stays.
fn leave(app: &mut App) -> Vec<Effect> {
    if app.screens.len() < 2 {
        return Vec::new();
    }
    let left = app.screens.pop();
    let reading = left.as_ref().and_then(|screen| screen.logs.as_ref().map(|logs| logs.ticket).or(screen.reading));
    for ticket in left.and_then(|screen| screen.pending).into_iter().chain(reading) {
        forget(app, ticket);
    }
    let mut effects: Vec<Effect> = reading.map(Effect::Stop).into_iter().collect();
    effects.extend(ask::wanted_dumps(app));
    effects.extend(ask::ask(app));
    effects
}

/// Goes deeper: to what the selected row represents.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let Some(row) = screen.selected().cloned() else { return Vec::new() };
    match (&row, &screen.subject) {
        (Row::Plugin(index), _) => {
            let plugin = screen.plugins().map(|answer| answer.plugins[*index].id.clone());
            plugin.map(|plugin| go(app, Subject::Workloads(plugin))).unwrap_or_default()
        }
        (Row::Workload(_) | Row::Proxy(..) | Row::SyncProxy(_) | Row::Health(_), _) => {
            focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default()
        }
        (Row::Listener(_) | Row::Chain(..), _) => tree::toggle(app, None),
        (Row::NetworkFilter(..) | Row::HttpFilter(..), _) => match copy::raw(app, &row) {
            Some((title, text)) => go(app, Subject::Raw { title, lines: copy::indented(&text) }),
            None => Vec::new(),
        },
        (Row::Sum(_) | Row::Term(..) | Row::Difference(..), Subject::Why(_)) => show_chain(app, why_place(screen, &row)),
        (Row::Taken, Subject::Connection(..)) => show_chain(app, connection_place(screen, None)),
        (Row::Loser(loser), Subject::Connection(..)) => show_chain(app, connection_place(screen, Some(*loser))),
        (_, Subject::Timeline(_)) => focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default(),
        (row, Subject::Order(_)) => show_chain(app, rows::order::chain(screen, row)),
        (Row::DiffType(_), _) => focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default(),
        (Row::DiffLine(..), _) => show_chain(app, rows::diff::place(screen, &row)),
        (Row::Finding(index), _) => open_finding(app, *index),
        _ => {
            app.note = Some("there is nothing more to show of this line".to_owned());
            Vec::new()
        }
    }
}

/// Goes to the findings, of the namespace that home looks at.
pub(super) fn findings(app: &mut App) -> Vec<Effect> {
    let namespace = match &app.screens[0].subject {
        Subject::Plugins { namespace } => namespace.clone(),
        _ => None,
    };
    go(app, Subject::Findings { namespace })
}

/// Goes to where a finding can be looked at: its chain, else what istiod or the logs say of its proxy where that shows it, else the workloads of its plugin, else what its policies come to.
fn open_finding(app: &mut App, index: usize) -> Vec<Effect> {
    let Some(finding) = app.screen().findings().and_then(|answer| answer.findings.get(index)).cloned() else { return Vec::new() };
    if let Some(Place { listener, state, chain, .. }) = finding.place {
        return show_chain(app, Some(rows::Key { listener, state, chain }));
    }
    if finding.is_of_sync() {
        return sync::open(app);
    }
    if finding.is_of_requests() {
        return logs::of_selected(app);
    }
    match (finding.plugin, finding.object.kind) {
        (Some(plugin), _) => go(app, Subject::Workloads(plugin)),
        (None, "PeerAuthentication" | "DestinationRule" | "Namespace") => {
            workload(app).map(|workload| go(app, Subject::Mtls(workload))).unwrap_or_default()
        }
        (None, _) => focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default(),
    }
}

/// The place of a sum of Why, of one of its terms, or of a difference in the tree of chains.
fn why_place(screen: &Screen, row: &Row) -> Option<rows::Key> {
    let (Row::Sum(listener) | Row::Term(listener, _) | Row::Difference(listener, _)) = row else { return None };
    let listener = &rows::why::entry(screen)?.listeners[*listener];
    let chain = match row {
        Row::Term(_, term) => listener.terms[*term].chains.first().copied(),
        Row::Difference(_, place) => listener.differences[*place].chain,
        _ => None,
    };
    Some(rows::Key { listener: listener.listener.clone(), state: listener.state.as_str(), chain })
}

/// The place of the chain that takes the connection, or of one that does not, in the tree of chains.
fn connection_place(screen: &Screen, loser: Option<usize>) -> Option<rows::Key> {
    let answer = screen.connection()?;
    let chain = match loser {
        Some(loser) => answer.losers[loser].place,
        None => answer.chain.as_ref()?.place,
    };
    // Only an active listener takes connections.
    Some(rows::Key { listener: answer.listener.as_ref()?.name.clone(), state: ListenerState::Active.as_str(), chain: Some(chain) })
}

/// Goes to the chains of the proxy, with this listener or chain open and selected.
fn show_chain(app: &mut App, place: Option<rows::Key>) -> Vec<Effect> {
    let Some((place, focus)) = place.and_then(|place| Some((place, focus(app)?))) else { return Vec::new() };
    let effects = go(app, Subject::Chains(focus));
    let height = app.body_height;
    app.screen_mut().open = rows::opening(place);
    lay_out(app);
    rows::select_plugin(app.screen_mut(), height);
    effects
}

/// Goes to the chains of the selected workload; from a line of a log, to the one that it names.
pub(super) fn chains(app: &mut App) -> Vec<Effect> {
    let line = logs::line(app.screen()).cloned();
    let effects = focus(app).map(|focus| go(app, Subject::Chains(focus))).unwrap_or_default();
    if matches!(app.screen().subject, Subject::Chains(_)) {
        let (snapshot, height) = (app.snapshot.clone(), app.body_height);
        let screen = app.screen_mut();
        screen.seek_line = line;
        rows::chains::select_line(screen, &snapshot, height);
    }
    effects
}

/// Goes to the workloads of a plugin, to the first that it does not reach.
pub(super) fn near_misses(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let mut effects = match (screen.selected(), screen.plugins()) {
        (Some(Row::Plugin(index)), Some(answer)) => {
            let plugin = answer.plugins[*index].id.clone();
            go(app, Subject::Workloads(plugin))
        }
        _ => Vec::new(),
    };
    if matches!(app.screen().subject, Subject::Workloads(_)) {
        app.screen_mut().seek_miss = true;
        ask::select_miss(app, app.screens.len() - 1);
        effects.extend(ask::wanted_dumps(app));
    }
    effects
}

/// Opens why the plugin in question is where it is.
pub(super) fn why(app: &mut App) -> Vec<Effect> {
    let Some(focus) = focus(app) else { return Vec::new() };
    if focus.plugin.is_none() && matches!(app.screen().selected(), Some(Row::Finding(_))) {
        app.note = Some(NO_PLUGIN.to_owned());
        return Vec::new();
    }
    go(app, Subject::Why(focus))
}

/// Opens the health of the plugin in question.
pub(super) fn health(app: &mut App) -> Vec<Effect> {
    plugin(app).map(|plugin| go(app, Subject::Health(plugin))).unwrap_or_default()
}
