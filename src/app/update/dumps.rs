//! The proxies' dumps: fetched when a screen needs them, and followed for a while after a change that may concern them,
//! since a change takes a moment to reach a proxy and nothing says when it has.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, forget, settle, successor, sync};
use crate::analysis::diff::{self, CountChange};
use crate::analysis::lookup;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Screen;
use crate::app::state::Ticket;
use crate::fetch;
use crate::model::ids::ProxyId;
use crate::model::snapshot::Dump;
use crate::model::warning::Warning;
use crate::source::{ProxyQuestion, SourceKind};

/// When a followed proxy is asked after a change, each after the answer before: at 0.5, 2, 5, 10, 20 and 30 s, by when a change is in a proxy
/// that is well. istiod waits 100 ms to 10 s for more changes before it pushes (`PILOT_DEBOUNCE_AFTER`, `PILOT_DEBOUNCE_MAX`), the agent
/// fetches a module before Envoy hears of it, and a dump lists what Envoy rejects a moment later as if it were in place.
const FOLLOW: [Duration; 6] = [
    Duration::from_millis(500),
    Duration::from_millis(1500),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(10),
];

/// Asks a proxy for its dump, unless a request is under way. One that waits longer before it asks gives way.
pub(super) fn fetch(app: &mut App, proxy: &ProxyId, after: Duration) -> Vec<Effect> {
    // One that was read is asked all the same: what it said is shown until it answers again.
    if app.snapshot.dump(proxy).is_none()
        && let Some(unreachable) = fetch::unreachable(&app.snapshot.objects, proxy, app.options.info.kind)
    {
        return cannot_be_asked(app, proxy, unreachable.why);
    }
    let mut effects = Vec::new();
    let under_way = app.fetches.get(proxy).and_then(|fetch| Some((fetch.ticket?, fetch.after)));
    if let Some((ticket, waits)) = under_way {
        if waits <= after {
            return Vec::new();
        }
        forget(app, ticket);
        effects.push(Effect::Stop(ticket));
    }
    let vital = app.screen().wants_vitals();
    let fetch = app.fetches.entry(proxy.clone()).or_default();
    fetch.vital |= vital;
    let (vital, objects) = (fetch.vital, app.snapshot.objects.clone());
    let ticket = app.waits.begin(format!("the config dump of {proxy}"));
    fetch.ticket = Some(ticket);
    fetch.after = after;
    fetch.serial += 1;
    let serial = fetch.serial;
    let previous = settle::comparable(app, proxy).or_else(|| successor::before(app, proxy));
    if app.snapshot.dump(proxy).is_none() {
        Arc::make_mut(&mut app.snapshot).dumps.insert(proxy.clone(), Dump::Loading);
    }
    let request = fetch::request(&app.snapshot.objects, proxy, ProxyQuestion::Chains, app.options.deadline);
    effects.push(Effect::FetchConfigDump { ticket, request, serial, previous, objects, vital, after });
    effects
}

/// Says why a proxy cannot be asked, unless that was said.
fn cannot_be_asked(app: &mut App, proxy: &ProxyId, why: String) -> Vec<Effect> {
    if matches!(app.snapshot.dumps.get(proxy), Some(Dump::Failed(known)) if *known == why) {
        return Vec::new();
    }
    let snapshot = Arc::make_mut(&mut app.snapshot);
    snapshot.dumps.insert(proxy.clone(), Dump::Failed(why));
    snapshot.generation += 1;
    list_warnings(app);
    ask::ask(app)
}

/// Follows the proxies that a change may concern: those that were read already, in any namespace that `concerns` names.
pub(super) fn follow(app: &mut App, concerns: impl Fn(&ProxyId) -> bool) -> Vec<Effect> {
    let read: Vec<ProxyId> = app.fetches.keys().filter(|proxy| concerns(proxy)).cloned().collect();
    read.into_iter()
        .flat_map(|proxy| {
            if let Some(fetch) = app.fetches.get_mut(&proxy) {
                fetch.followed = Some(0);
            }
            self::fetch(app, &proxy, FOLLOW[0])
        })
        .collect()
}

/// Asks those proxies again whose dump could not be read.
pub(super) fn retry(app: &mut App, concerns: impl Fn(&ProxyId) -> bool) -> Vec<Effect> {
    let failed = app.snapshot.dumps.iter().filter(|(proxy, dump)| matches!(dump, Dump::Failed(_)) && concerns(proxy));
    let failed: Vec<ProxyId> = failed.map(|(proxy, _)| proxy.clone()).collect();
    failed.into_iter().flat_map(|proxy| self::fetch(app, &proxy, FOLLOW[0])).collect()
}

/// Lists what could not be read or understood, of the objects, of the dumps and of what istiod said.
pub(super) fn list_warnings(app: &mut App) {
    let mut warnings = app.object_warnings.clone();
    for (proxy, dump) in &app.snapshot.dumps {
        match dump {
            Dump::Loaded(loaded) => warnings.extend(loaded.warnings.iter().cloned()),
            Dump::Failed(why) => warnings.push(Warning::new(proxy.to_string(), why.clone(), "r asks again")),
            Dump::Loading => {}
        }
    }
    match &app.snapshot.sync {
        // What a recording has not is nothing to be warned of; the answers that need it say so.
        Some(Err(why)) if app.options.info.kind == SourceKind::Cluster => {
            warnings.push(Warning::new("istiod", why.clone(), "r asks again"))
        }
        Some(Ok(sync)) => warnings.extend(sync.gaps.iter().cloned()),
        Some(Err(_)) | None => {}
    }
    Arc::make_mut(&mut app.snapshot).warnings = warnings;
}

/// Takes a dump; one that nobody waits for is dropped.
pub(super) fn read(app: &mut App, ticket: Ticket, proxy: ProxyId, dump: Dump, changes: Vec<CountChange>) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    let dump = lookup::explained(&app.snapshot.objects, &proxy, dump);
    let before = app.snapshot.dump(&proxy).cloned();
    let mut unchanged = false;
    if let (Some(before), Dump::Loaded(after)) = (&before, &dump) {
        unchanged = before.vitals == after.vitals && diff::is_same(&before.dump, &after.dump);
    }
    let is_silent = before.is_some() && matches!(dump, Dump::Failed(_));
    if let Dump::Failed(why) = &dump
        && (is_silent || !settle::is_starting(app, &proxy))
    {
        app.say_stale_failure(why, before.as_ref().and_then(|before| before.read_at));
    }
    if let Some(fetch) = app.fetches.get_mut(&proxy) {
        let was_silent = std::mem::replace(&mut fetch.silent, matches!(dump, Dump::Failed(_)));
        if was_silent && !fetch.silent {
            app.say_answers_again(&proxy.to_string());
        }
    }
    let mut changes = changes;
    if matches!(&dump, Dump::Loaded(loaded) if settle::awaits_listeners(&app.snapshot, &proxy, loaded)) {
        // What it lacks is on its way.
        changes.clear();
    } else if let Dump::Loaded(loaded) = &dump
        && let Some(change) = successor::read(app, &proxy, &loaded.dump)
        && !changes.contains(&change)
    {
        changes.push(change);
    }
    let name = fetch::own_name(&proxy, &dump);
    // A dump that was read stays in sight when the next one fails: the failure is said, and nothing is lost.
    if !is_silent {
        let snapshot = Arc::make_mut(&mut app.snapshot);
        snapshot.dumps.remove(&proxy);
        snapshot.dumps.insert(name.clone(), dump);
        snapshot.generation += 1;
        list_warnings(app);
    }
    if !changes.is_empty() {
        say(app, &name, &changes);
        app.changes.insert(name.clone(), changes);
    }
    let mut effects = next_request(app, &proxy);
    effects.extend(sync::with_dump(app, &name));
    effects.extend(open_lone_dump(app, &proxy, &name));
    if !unchanged {
        effects.extend(ask::ask(app));
    }
    effects
}

/// What comes next for a proxy whose answer has come.
fn next_request(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let Some(fetch) = app.fetches.get_mut(proxy) else { return Vec::new() };
    fetch.ticket = None;
    let step = fetch.followed.map(|step| step + 1).filter(|step| *step < FOLLOW.len());
    fetch.followed = step.filter(|_| app.options.info.kind == SourceKind::Cluster);
    match fetch.followed {
        Some(step) => self::fetch(app, proxy, FOLLOW[step]),
        None => settle::again(app, proxy),
    }
}

/// Says a change with the old and the new count side by side, and what it followed on.
fn say(app: &mut App, proxy: &ProxyId, changes: &[CountChange]) {
    let plugin = app.screen().plugin();
    let concerned: Vec<&CountChange> = changes.iter().filter(|change| plugin.is_none_or(|plugin| *plugin == change.plugin)).collect();
    // The inbound listener is what the question is about; outbound ones only where nothing else changed.
    let inbound = Some(app.snapshot.objects.inbound_port());
    let Some(change) = concerned.iter().find(|change| change.port == inbound).or_else(|| concerned.first()) else { return };
    let port = change.port.map_or_else(|| change.listener.clone(), |port| port.to_string());
    // The plugin is named where it would not be clear: the line is short on a narrow terminal.
    let several = plugin.is_none() && concerned.iter().any(|other| other.plugin != change.plugin);
    let whose = if several { format!("{} in ", change.plugin) } else { String::new() };
    let owner = lookup::owner(&app.snapshot, proxy).map_or_else(|| proxy.pod.clone(), |workload| workload.name.name);
    let counts = format!("{whose}{owner} {port}: {} → {}", change.before, change.after);
    let said = match &app.last_change {
        Some(cause) => format!("{cause} · {counts}"),
        None => counts,
    };
    app.say(said);
}

/// A lone dump has no objects, so no plugins to begin with: its chains are the first screen.
fn open_lone_dump(app: &mut App, asked: &ProxyId, name: &ProxyId) -> Vec<Effect> {
    if app.options.info.kind != SourceKind::Dump || app.screen().proxy().is_some() {
        return Vec::new();
    }
    let Some(fetch) = app.fetches.remove(asked) else { return Vec::new() };
    app.fetches.insert(name.clone(), fetch);
    if app.snapshot.dump(name).is_none() {
        return Vec::new();
    }
    let plugins = app.snapshot.dump(name).map(|loaded| crate::analysis::placement::plugins_in(&loaded.dump)).unwrap_or_default();
    let focus = crate::app::screen::Focus { plugin: plugins.into_iter().next(), workload: None, proxy: name.clone() };
    app.screens = vec![Screen::new(crate::app::screen::Subject::Chains(focus))];
    ask::ask(app)
}
