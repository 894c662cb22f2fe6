//! Navigation between screens: deeper, back, and to what the selected row represents.

use std::sync::Arc;

use super::{ask, copy, dumps, forget, lay_out, logs, sync, tree};
use crate::analysis::{findings::Place, lookup};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Focus, Line, Screen, Subject};
use crate::model::envoy::ListenerState;
use crate::model::ids::{ProxyId, WorkloadId};
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
        _ => Vec::new(),
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

/// Opens the health of the plugin in question.
pub(super) fn health(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let plugin = match (screen.selected(), screen.plugins(), screen.findings()) {
        (Some(Row::Plugin(index)), Some(answer), _) => Some(answer.plugins[*index].id.clone()),
        (Some(Row::Finding(index)), _, Some(answer)) => answer.findings[*index].plugin.clone(),
        _ => logs::line(screen).and_then(|record| record.plugin.clone()).or_else(|| screen.plugin().cloned()),
    };
    if let Some(plugin) = plugin {
        return go(app, Subject::Health(plugin));
    }
    app.note = Some("no plugin is selected".to_owned());
    Vec::new()
}

/// The proxy of the selected row, with the plugin in question.
pub(in crate::app) fn in_question(app: &App) -> Option<Focus> {
    let screen = app.screen();
    match (screen.selected(), &screen.subject) {
        (_, Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Diff(focus)) => Some(focus.clone()),
        (_, Subject::Logs(of) | Subject::Record(Line { of, .. })) => logs::focus(app, of),
        (row, Subject::Order(focus)) => {
            let plugin = row.and_then(|row| rows::order::plugin(screen, row)).or(focus.plugin.as_ref());
            Some(Focus { plugin: plugin.cloned(), ..focus.clone() })
        }
        (Some(row), Subject::Timeline(_)) => rows::timeline::focus(app, row),
        (Some(Row::Finding(index)), _) => {
            let finding = &screen.findings()?.findings[*index];
            let proxy = finding.place.as_ref().map(|place| &place.proxy).or(finding.proxies.first()).cloned();
            proxy.map(|proxy| Focus { plugin: finding.plugin.clone(), workload: lookup::owner(&app.snapshot, &proxy), proxy })
        }
        (Some(Row::Plugin(index)), _) => {
            let plugin = &screen.plugins()?.plugins[*index];
            let first = plugin.proxies.first();
            first.map(|(workload, proxy)| Focus {
                plugin: Some(plugin.id.clone()),
                workload: Some(workload.clone()),
                proxy: proxy.proxy.clone(),
            })
        }
        (Some(row @ Row::Health(_)), Subject::Health(plugin)) => rows::health::proxy(screen, row).map(|proxy| Focus {
            plugin: Some(plugin.clone()),
            workload: lookup::owner(&app.snapshot, proxy),
            proxy: proxy.clone(),
        }),
        (Some(Row::Workload(index)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies.first().map(|proxy| proxy.proxy.clone()).or_else(|| first_proxy(app, *index));
            proxy.map(|proxy| Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        (Some(Row::Proxy(index, proxy)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies[*proxy].proxy.clone();
            Some(Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        (Some(row @ Row::SyncProxy(_)), _) => rows::sync::entry(screen, row).map(|entry| {
            let proxy = entry.proxy.clone();
            Focus { plugin: None, workload: lookup::owner(&app.snapshot, &proxy), proxy }
        }),
        _ => None,
    }
}

/// Why it is not known to what a plugin of the overview applies.
pub(super) fn unknown(app: &App, index: usize) -> Option<String> {
    app.screen().plugins()?.plugins.get(index)?.matched_note.clone()
}

/// The same. Where there is none, it is said why.
pub(super) fn focus(app: &mut App) -> Option<Focus> {
    let found = in_question(app);
    if found.is_none() {
        app.note = Some(match app.screen().selected() {
            Some(Row::Plugin(index)) => unknown(app, *index)
                .unwrap_or_else(|| "the plugin applies to no proxy, so there are no chains to show; n says why".to_owned()),
            Some(Row::Step(..) | Row::Unseen(..) | Row::Sentence(_)) => "that is no proxy's: select a line of one".to_owned(),
            Some(Row::Workload(_)) => "the workload has no proxy that runs Envoy".to_owned(),
            _ if logs::line(app.screen()).is_some() => "the line is of no proxy".to_owned(),
            Some(Row::Finding(_)) => "the finding is about no proxy".to_owned(),
            _ => "nothing is selected".to_owned(),
        });
    }
    found
}

/// The workload of the selected row, with a proxy or without.
pub(super) fn workload(app: &mut App) -> Option<WorkloadId> {
    let screen = app.screen();
    if let (Some(Row::Workload(index) | Row::Proxy(index, _)), Some(answer)) = (screen.selected(), screen.workloads()) {
        return Some(answer.workloads[*index].id.clone());
    }
    let focus = focus(app)?;
    if focus.workload.is_none() {
        app.note = Some("a config dump alone has no PeerAuthentications, so nothing says which mode is in force".to_owned());
    }
    focus.workload
}

/// The first proxy of a workload that the plugin does not apply to.
fn first_proxy(app: &App, index: usize) -> Option<ProxyId> {
    let id = &app.screen().workloads()?.workloads[index].id;
    let workload = app.snapshot.workloads.iter().find(|workload| workload.id == *id)?;
    let has_envoy = |proxy: &&ProxyId| app.snapshot.objects.pods.get(*proxy).is_some_and(|pod| pod.runs_envoy());
    workload.pods.iter().find(has_envoy).cloned()
}
