//! Logs: their screen, what is told of their reading, and the keys that only they have.

mod keys;
mod narrow;

use std::path::PathBuf;
use std::sync::Arc;

use super::{forget, target, walk};
use crate::analysis::answers::log_timestamp;
use crate::analysis::logs::{Choice, Severity, facts};
use crate::analysis::{attachment, lookup, placement};
use crate::app::effect::Effect;
use crate::app::logs::message::{LogsEffect, LogsMsg};
use crate::app::logs::{Logs, LogsOf, Reading};
use crate::app::program::{App, Asking, Typing};
use crate::app::rows::Row;
use crate::app::screen::{Focus, Line, Screen, Subject};
use crate::app::state::{Prompt, Ticket};
use crate::ingest::collect::Changed;
use crate::logs::pane::{News, Question};
use crate::logs::{Asked, concerns};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::log_level::LogLevel;
use crate::model::logs::{LogRecord, LogSource};
use crate::model::plugin::Plugin;
use crate::model::snapshot::Snapshot;
use crate::model::workload::Pod;

pub(super) use keys::{run, seek_found};
pub(super) use narrow::{filter_typed, find, lower};

/// Goes to the logs of what is selected.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let of = match (&screen.subject, screen.selected()) {
        (Subject::Plugins { .. }, Some(Row::Plugin(index))) => {
            LogsOf { plugin: screen.plugins().map(|answer| answer.plugins[*index].id.clone()), ..LogsOf::default() }
        }
        (Subject::Plugins { namespace }, _) => LogsOf { namespace: namespace.clone(), ..LogsOf::default() },
        (Subject::Workloads(plugin), Some(Row::Workload(index) | Row::Proxy(index, _))) => {
            let workload = screen.workloads().map(|answer| &answer.workloads[*index]);
            // A plugin that does not reach a workload says nothing there.
            let plugin = workload.is_none_or(|workload| workload.matched).then(|| plugin.clone());
            LogsOf { plugin, workload: workload.map(|workload| workload.id.clone()), ..LogsOf::default() }
        }
        (Subject::Workloads(plugin) | Subject::Timeline(plugin) | Subject::Health(plugin), _) => {
            LogsOf { plugin: Some(plugin.clone()), ..LogsOf::default() }
        }
        _ => match screen.focus().cloned().or_else(|| target::focus(app)) {
            Some(Focus { plugin, workload, proxy }) => {
                let plugin = plugin.filter(|plugin| may_log(&app.snapshot, plugin, &proxy));
                let proxy = workload.is_none().then_some(proxy);
                LogsOf { plugin, workload, proxy, namespace: None }
            }
            None => return Vec::new(),
        },
    };
    walk::go(app, Subject::Logs(of))
}

/// Whether a plugin can have lines in the log of a proxy: it applies to it, or the proxy has it.
fn may_log(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> bool {
    let objects = &snapshot.objects;
    let applies = |(plugin, pod): (&Arc<Plugin>, &Arc<Pod>)| attachment::attach(plugin, pod, objects).attached;
    let has = || snapshot.dump(proxy).is_some_and(|loaded| placement::plugins_in(&loaded.dump).contains(plugin));
    objects.plugins.get(plugin).zip(objects.pods.get(proxy)).is_none_or(applies) || has()
}

/// Goes to the logs of the workload that the selected row is about.
pub(super) fn of_selected(app: &mut App) -> Vec<Effect> {
    let workload = target::focus(app).and_then(|focus| focus.workload);
    workload.map(|workload| walk::go(app, Subject::Logs(LogsOf { workload: Some(workload), ..LogsOf::default() }))).unwrap_or_default()
}

/// Begins the reading of the visible screen, where it is one of logs.
pub(super) fn begin(app: &mut App) -> Vec<Effect> {
    let snapshot = app.snapshot.clone();
    begin_at(app, app.screens.len() - 1, snapshot)
}

/// Begins all readings again, of another mesh, of which nothing is known yet.
pub(super) fn begin_again(app: &mut App) -> Vec<Effect> {
    (0..app.screens.len()).flat_map(|place| again_at(app, place, Arc::default())).collect()
}

/// Begins a reading again, where the screen has one.
fn again_at(app: &mut App, place: usize, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let Some(ticket) = app.screens[place].logs.as_ref().map(|logs| logs.ticket) else { return Vec::new() };
    forget(app, ticket);
    let mut effects = vec![Effect::Stop(ticket)];
    effects.extend(begin_at(app, place, snapshot));
    effects
}

fn begin_at(app: &mut App, place: usize, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let Subject::Logs(of) = app.screens[place].subject.clone() else { return Vec::new() };
    let ticket = app.waits.begin(format!("the logs of {}", of.name()));
    let mut logs = match app.screens[place].logs.take() {
        Some(before) => before.again(ticket, &of, app.options.logs_memory),
        None => Logs::new(ticket, &of, app.options.logs_memory),
    };
    // What a level was raised for is to be seen.
    logs.typed.level = lowered(logs.typed.level, app.raised.values().map(|raised| raised.level));
    let question = Question { asked: Asked { choice: choice(app, &of), ..Asked::default() }, typed: logs.typed.clone(), plugin: of.plugin };
    app.screens[place].logs = Some(Box::new(logs));
    vec![Effect::Logs(ticket, LogsEffect::Read(Box::new(question), snapshot))]
}

/// The level of a filter, where loggers are raised to these: not above what they write.
pub(super) fn lowered(filter: Option<Severity>, raised: impl Iterator<Item = LogLevel>) -> Option<Severity> {
    raised.filter_map(|level| Severity::parse(level.as_str())).fold(filter, |least, level| least.map(|least| least.min(level)))
}

fn choice(app: &App, of: &LogsOf) -> Choice {
    let workload = of.workload.as_ref().map(|workload| {
        let (kind, name) = (workload.kind.prefix(), &workload.name);
        format!("{kind}/{}/{}", name.namespace, name.name)
    });
    let names = workload.into_iter().chain(of.proxy.as_ref().map(ToString::to_string)).collect();
    Choice { names, plugin: of.plugin.clone(), namespace: of.namespace.clone(), own_namespace: own_namespace(app) }
}

fn own_namespace(app: &App) -> String {
    app.options.namespace.clone().unwrap_or_else(|| app.options.info.namespace.clone())
}

/// Tells the readings that the mesh has changed.
pub(super) fn look_at(app: &App, changed: &[Changed]) -> Vec<Effect> {
    if !changed.iter().any(concerns) {
        return Vec::new();
    }
    let readings = app.screens.iter().filter_map(|screen| screen.logs.as_ref());
    readings.map(|logs| Effect::Logs(logs.ticket, LogsEffect::LookAt(app.snapshot.clone()))).collect()
}

/// Takes what came of a reading; of one that was left, nothing is wanted any more.
pub(super) fn told(app: &mut App, of: Ticket, message: LogsMsg) -> Vec<Effect> {
    let height = app.body_height;
    let own = |screen: &mut Screen| screen.logs.as_mut().is_some_and(|logs| logs.ticket == of);
    let Some(place) = app.screens.iter_mut().position(own) else { return Vec::new() };
    let Some(logs) = app.screens[place].logs.as_mut() else { return Vec::new() };
    match message {
        LogsMsg::News(News::Opened { origins, unknown }) => {
            origins.iter().for_each(|origin| logs.names.meet(origin));
            logs.widest = origins.iter().map(|origin| logs.names.of(origin).len()).max().unwrap_or_default();
            (logs.reading, logs.origins, logs.unknown) = (Reading::Open, origins, unknown);
        }
        LogsMsg::News(News::Nothing(why)) => logs.reading = Reading::Nothing(why),
        LogsMsg::News(News::Ended) => {
            logs.reading = Reading::Ended;
            // Nothing is waited for any more.
            let _ = app.waits.end(of);
        }
        LogsMsg::News(News::Quiet(time)) => logs.quiet = time,
        LogsMsg::News(News::Anew(tie)) => {
            logs.tie = Some(tie);
            return narrow::again(app, place).into_iter().collect();
        }
        LogsMsg::News(News::Records(batch)) => {
            let unknown = logs.take(&batch, height);
            // What a newer filter has seen is looked at when that comes into force.
            return unknown
                .filter(|_| batch.generation < logs.generation)
                .and_then(|range| narrow::part(logs, range.start))
                .into_iter()
                .collect();
        }
        LogsMsg::Filtered { generation, range, outcome } => return narrow::filtered(app, place, generation, range, outcome),
        LogsMsg::Sought(ticket, found) => keys::sought(app, place, ticket, found),
        LogsMsg::Saved(Ok(what)) => {
            close(app, &Asking::SaveLogs);
            app.say(what);
        }
        LogsMsg::Saved(Err(why)) => app.note = Some(why),
    }
    Vec::new()
}

/// A reading broke: what is held stays in sight, and nothing more comes.
pub(super) fn failed(app: &mut App, of: Ticket, what: &str) {
    for logs in app.screens.iter_mut().filter_map(|screen| screen.logs.as_mut()).filter(|logs| logs.ticket == of) {
        logs.reading = Reading::Nothing(format!("The logs cannot be read: {what}."));
    }
}

/// Closes the prompt of a question that was answered.
fn close(app: &mut App, answered: &Asking) {
    if matches!(&app.typing, Some(Typing::Question(asking, _)) if asking == answered) {
        app.typing = None;
    }
}

/// The line of a log that the visible screen is about.
pub(super) fn line(screen: &Screen) -> Option<&Arc<LogRecord>> {
    match &screen.subject {
        Subject::Record(line) => Some(&line.record),
        _ => screen.logs.as_ref()?.selected().map(|(_, record)| record),
    }
}

/// The proxy that the line in question is about, with its plugin, or else the one that the logs were opened for.
pub(super) fn focus(app: &App, of: &LogsOf) -> Option<Focus> {
    let record = line(app.screen());
    let proxy = record.and_then(|record| facts::proxy(record)).or_else(|| only_proxy(app.screen()))?;
    let workload = record.and_then(|record| record.origin.workload.clone().filter(|_| record.origin.pod == proxy));
    let workload = workload.or_else(|| lookup::owner(&app.snapshot, &proxy));
    Some(Focus { plugin: record.and_then(|record| record.plugin.clone()).or_else(|| of.plugin.clone()), workload, proxy })
}

/// The proxy that is read, where it is the only one.
fn only_proxy(screen: &Screen) -> Option<ProxyId> {
    let mut proxies = screen.logs.as_ref()?.origins.iter().filter(|origin| origin.source == LogSource::Proxy);
    let first = proxies.next()?;
    proxies.next().is_none().then(|| first.pod.clone())
}

/// Goes to the workloads of the plugin that the line is about.
pub(super) fn plugin(app: &mut App) -> Vec<Effect> {
    let plugin = line(app.screen()).and_then(|record| record.plugin.clone());
    match plugin.filter(|plugin| app.snapshot.objects.plugins.contains_key(plugin)) {
        Some(plugin) => walk::go(app, Subject::Workloads(plugin)),
        None => {
            app.note = Some("the line is about no plugin that is there".to_owned());
            Vec::new()
        }
    }
}

/// Opens the selected line.
fn open_line(app: &mut App) -> Vec<Effect> {
    let Subject::Logs(of) = app.screen().subject.clone() else { return Vec::new() };
    let Some(record) = line(app.screen()).cloned() else { return Vec::new() };
    let facts = facts::facts(&record).into();
    walk::go(app, Subject::Record(Line { record, facts, of }))
}

/// What copying takes: the marked lines as they were written, else the selected one.
pub(super) fn text(screen: &Screen) -> Option<String> {
    let chosen = screen.logs.as_ref()?.chosen();
    (!chosen.is_empty()).then(|| chosen.iter().map(|record| record.raw.as_str()).collect::<Vec<_>>().join("\n"))
}

/// Opens the prompt for the file that the lines are to be saved in, with a name by whose they are and when the last was written.
fn save(app: &mut App) -> Vec<Effect> {
    let Subject::Logs(of) = &app.screen().subject else { return Vec::new() };
    let Some(logs) = &app.screen().logs else { return Vec::new() };
    let Some(last) = logs.held.rows().checked_sub(1).and_then(|row| logs.held.row(row)) else {
        app.note = Some("no line is shown, so there is nothing to save".to_owned());
        return Vec::new();
    };
    let time = last.time.and_then(log_timestamp).unwrap_or_default();
    let name = format!("logs-{}-{}.log", of.name(), time.get(..19).unwrap_or_default());
    app.typing = Some(Typing::Question(Asking::SaveLogs, Prompt::with(&name.replace(['/', ' ', ':'], "-"))));
    Vec::new()
}

/// Saves what is shown under the name that was typed. Where that fails, the prompt stays.
pub(super) fn save_typed(app: &mut App, text: &str) -> Vec<Effect> {
    let Some(logs) = &app.screen().logs else { return Vec::new() };
    if text.trim().is_empty() {
        app.note = Some("say the name of a file".to_owned());
        return Vec::new();
    }
    let records = logs.held.shown(0..usize::MAX).map(|(_, record)| record).collect();
    let save = LogsEffect::Save { file: PathBuf::from(text.trim()), records, origins: logs.origins.clone() };
    vec![Effect::Logs(logs.ticket, save)]
}
