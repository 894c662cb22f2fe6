//! The proxies' dumps: fetched when a screen needs them, and followed for a while after a change that may concern them,
//! since a change takes a moment to reach a proxy and nothing says when it has.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, forget, settle, successor, sync};
use crate::analysis::diff::{self, CountChange};
use crate::analysis::{lookup, placement};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Screen;
use crate::app::state::Ticket;
use crate::fetch;
use crate::model::ids::ProxyId;
use crate::model::logs::hour;
use crate::model::snapshot::{Dump, LoadedDump};
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

/// From where on a proxy is followed that is read for the count of findings alone: after 10 s, and once more.
const COUNTED: usize = FOLLOW.len() - 2;

/// Asks proxies for their dumps. Of those that cannot be asked the answers take note once.
pub(super) fn fetch_all(app: &mut App, proxies: Vec<ProxyId>, after: Duration) -> Vec<Effect> {
    let before = app.snapshot.generation;
    let mut effects: Vec<Effect> = proxies.iter().flat_map(|proxy| fetch(app, proxy, after)).collect();
    if app.snapshot.generation != before {
        list_warnings(app);
        effects.extend(ask::ask(app));
    }
    effects
}

/// Asks a proxy for its dump, unless a request is under way. One that waits longer before it asks gives way.
fn fetch(app: &mut App, proxy: &ProxyId, after: Duration) -> Vec<Effect> {
    // One that was read is asked all the same: what it said is shown until it answers again.
    if app.snapshot.dump(proxy).is_none()
        && let Some(unreachable) = fetch::unreachable(&app.snapshot.objects, proxy, app.options.info.kind)
    {
        cannot_be_asked(app, proxy, unreachable.why);
        return Vec::new();
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
    let vital = app.wants_vitals();
    let fetch = app.fetches.entry(proxy.clone()).or_default();
    fetch.vital |= vital;
    let (vital, objects) = (fetch.vital, app.snapshot.objects.clone());
    let ticket = app.waits.begin(format!("the config dump of {proxy}"));
    fetch.ticket = Some(ticket);
    fetch.lasting = false;
    fetch.after = after;
    fetch.idle = Duration::ZERO;
    fetch.serial += 1;
    let serial = fetch.serial;
    let previous = settle::comparable(app, proxy).or_else(|| successor::before(app, proxy));
    // Why the last request failed stays visible until there is another answer.
    if !app.snapshot.dumps.contains_key(proxy) {
        Arc::make_mut(&mut app.snapshot).dumps.insert(proxy.clone(), Dump::Loading);
    }
    let request = fetch::request(&app.snapshot.objects, proxy, ProxyQuestion::Chains, app.options.deadline);
    effects.push(Effect::FetchConfigDump { ticket, request, serial, previous, objects, vital, after });
    effects
}

/// Notes why a proxy cannot be asked, unless that is known.
fn cannot_be_asked(app: &mut App, proxy: &ProxyId, why: String) {
    if is_known(app, proxy, &why) {
        return;
    }
    let snapshot = Arc::make_mut(&mut app.snapshot);
    snapshot.dumps.insert(proxy.clone(), Dump::Failed(why));
    snapshot.generation += 1;
}

/// Whether a proxy failed for the same reason before.
fn is_known(app: &App, proxy: &ProxyId, why: &str) -> bool {
    matches!(app.snapshot.dumps.get(proxy), Some(Dump::Failed(known)) if known == why)
}

/// Follows the proxies that a change may concern, which `concerns` says: those of the visible screen that were read already, and less often
/// those that are read for the count of findings alone. Others that were read are followed from when a screen needs them.
pub(super) fn follow(app: &mut App, concerns: impl Fn(&ProxyId) -> bool) -> Vec<Effect> {
    let (shown, needed) = (ask::shown(app), ask::needed(app));
    let (mut soon, mut later) = (Vec::new(), Vec::new());
    for (proxy, fetch) in app.fetches.iter_mut().filter(|(proxy, _)| concerns(proxy)) {
        let is_counted = needed.contains(proxy) && !shown.contains(proxy);
        fetch.followed = Some(if is_counted { COUNTED } else { 0 });
        if is_counted {
            later.push(proxy.clone());
        } else if needed.contains(proxy) {
            soon.push(proxy.clone());
        }
    }
    let mut effects = fetch_all(app, soon, FOLLOW[0]);
    effects.extend(fetch_all(app, later, FOLLOW[COUNTED]));
    effects
}

/// Has proxies that were read before read once more for a screen that was just opened and shows what they log: their logs go on.
pub(super) fn outdate(app: &mut App) {
    if is_live(app) && app.screen().wants_vitals() {
        for fetch in app.fetches.values_mut() {
            fetch.followed.get_or_insert(FOLLOW.len() - 1);
        }
    }
}

/// Reads proxies whose pods changed: those of the visible screen at once, others when a screen needs them.
pub(super) fn read_once(app: &mut App, proxies: Vec<ProxyId>) -> Vec<Effect> {
    let needed = ask::needed(app);
    let (now, later): (Vec<_>, Vec<_>) = proxies.into_iter().partition(|proxy| needed.contains(proxy));
    for (_, fetch) in app.fetches.iter_mut().filter(|(proxy, _)| later.contains(proxy)) {
        fetch.followed.get_or_insert(FOLLOW.len() - 1);
    }
    fetch_all(app, now, Duration::ZERO)
}

/// Asks those proxies again whose dump could not be read.
pub(super) fn retry(app: &mut App, concerns: impl Fn(&ProxyId) -> bool) -> Vec<Effect> {
    let failed = app.snapshot.dumps.iter().filter(|(proxy, dump)| matches!(dump, Dump::Failed(_)) && concerns(proxy));
    let failed: Vec<ProxyId> = failed.map(|(proxy, _)| proxy.clone()).collect();
    fetch_all(app, failed, FOLLOW[0])
}

/// Lists what could not be read or understood, of the objects, of the dumps and of what istiod said.
pub(super) fn list_warnings(app: &mut App) {
    let mut warnings = app.object_warnings.clone();
    for (proxy, dump) in &app.snapshot.dumps {
        match dump {
            Dump::Loaded(loaded) => warnings.extend(loaded.warnings.iter().cloned()),
            Dump::Failed(why) => {
                let unreachable = fetch::unreachable(&app.snapshot.objects, proxy, app.options.info.kind);
                // A machine outside of the cluster is no failure, and what does not run answers nobody.
                if !unreachable.as_ref().is_some_and(|unreachable| unreachable.outside) {
                    let fix = if unreachable.is_some() { "" } else { "r asks again" };
                    warnings.push(Warning::new(proxy.to_string(), why.clone(), fix));
                }
            }
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
    // A dump that was read stays visible when the next one fails: the failure is said, and nothing is lost.
    let stays = matches!(&dump, Dump::Failed(why) if before.is_some() || is_known(app, &proxy, why));
    let unchanged = match (&before, &dump) {
        (Some(before), Dump::Loaded(after)) => before.vitals == after.vitals && diff::is_same(&before.dump, &after.dump),
        _ => stays,
    };
    say_failure(app, &proxy, &dump, before.as_deref());
    let early = matches!(&dump, Dump::Loaded(loaded) if placement::awaits_listeners(&app.snapshot, &proxy, &loaded.dump));
    if let Some(fetch) = app.fetches.get_mut(&proxy).filter(|_| !stays) {
        fetch.early = early;
    }
    let mut changes = changes;
    if early {
        // What it lacks is on its way.
        changes.clear();
    } else if let Dump::Loaded(loaded) = &dump
        && let Some(change) = successor::read(app, &proxy, &loaded.dump)
        && !changes.contains(&change)
    {
        changes.push(change);
    }
    let name = fetch::own_name(&proxy, &dump);
    if !stays {
        let snapshot = Arc::make_mut(&mut app.snapshot);
        snapshot.dumps.remove(&proxy);
        snapshot.dumps.insert(name.clone(), dump);
        snapshot.generation += 1;
        list_warnings(app);
    }
    let mut effects = next_request(app, &proxy);
    if !changes.is_empty() {
        say(app, &name, &changes);
        app.changes.insert(name.clone(), changes);
    } else if is_live(app) && app.fetches.get(&proxy).is_none_or(|fetch| fetch.followed.is_none()) {
        // What changed last is over: an old change would look like a new one.
        app.changes.remove(&name);
    }
    effects.extend(sync::with_dump(app, &name));
    effects.extend(open_lone_dump(app, &proxy, &name));
    if !unchanged {
        effects.extend(ask::ask(app));
    }
    effects
}

/// Says that a proxy that should answer does not, or that it answers again, once each. The proxy of a pod that starts need not answer yet,
/// and that of a pod that ends no more.
fn say_failure(app: &mut App, proxy: &ProxyId, dump: &Dump, before: Option<&LoadedDump>) {
    let is_ending = settle::is_ending(app, proxy);
    let is_excused = is_ending || before.is_none() && settle::is_starting(app, proxy);
    let Some(fetch) = app.fetches.get_mut(proxy) else { return };
    let is_silent = matches!(dump, Dump::Failed(_)) && !is_ending;
    let was_silent = std::mem::replace(&mut fetch.silent, is_silent);
    let was_said = std::mem::replace(&mut fetch.said, is_silent && !is_excused);
    match dump {
        Dump::Failed(why) if !was_said && !is_excused => {
            app.say_stale_failure(why, before.and_then(|before| before.read_at));
            app.event_of = Some(proxy.clone());
        }
        Dump::Loaded(_) if was_silent => app.say_answers_again(&proxy.to_string()),
        _ => {}
    }
}

fn is_live(app: &App) -> bool {
    app.options.info.kind == SourceKind::Cluster
}

/// What comes next for a proxy whose answer has come. One that the visible screen does not need waits until a screen does.
fn next_request(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let is_needed = ask::needed(app).contains(proxy);
    let is_live = is_live(app);
    let Some(fetch) = app.fetches.get_mut(proxy) else { return Vec::new() };
    fetch.ticket = None;
    fetch.followed = fetch.followed.map(|step| step + 1).filter(|step| is_live && *step < FOLLOW.len());
    match fetch.followed {
        _ if !is_needed => Vec::new(),
        Some(step) => fetch_all(app, vec![proxy.clone()], FOLLOW[step]),
        None => settle::again(app, proxy),
    }
}

/// Says a change with the old and the new count side by side, when it was read, and what it followed on.
fn say(app: &mut App, proxy: &ProxyId, changes: &[CountChange]) {
    let plugin = app.screen().plugin();
    let concerned: Vec<&CountChange> = changes.iter().filter(|change| plugin.is_none_or(|plugin| *plugin == change.plugin)).collect();
    // The inbound listener is what the question is about; outbound ones only where nothing else changed.
    let inbound = Some(app.snapshot.objects.inbound_port());
    let Some(change) = concerned.iter().find(|change| change.port == inbound).or_else(|| concerned.first()) else { return };
    // The plugin is named where the screen does not, behind the counts: the line is short on a narrow terminal.
    let whose = if plugin.is_none() { format!(" ({})", change.plugin) } else { String::new() };
    let at = app.snapshot.dump(proxy).and_then(|loaded| loaded.read_at).map(|time| format!(" at {}", hour(time))).unwrap_or_default();
    app.say_after_change(proxy, change, &format!("{} → {}{whose}{at}", change.before, change.after));
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
    let plugins = app.snapshot.dump(name).map(|loaded| placement::plugins_in(&loaded.dump)).unwrap_or_default();
    let focus = crate::app::screen::Focus { plugin: plugins.into_iter().next(), workload: None, proxy: name.clone() };
    app.screens = vec![Screen::new(crate::app::screen::Subject::Chains(focus))];
    ask::ask(app)
}
