//! What the istiods say of their proxies: asked when a screen uses it, and again and again while that is visible, since nothing reports
//! that it has changed.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, dumps, forget, settle, tally, target, walk};
use crate::analysis::control_plane;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::app::state::{Fetch, Ticket};
use crate::model::ids::ProxyId;
use crate::model::logs::LogTime;
use crate::model::snapshot::Snapshot;
use crate::model::sync::Sync;
use crate::source::SourceKind;

/// How long after an answer a live mesh is asked again, where the sync status is a main part of the screen.
const AGAIN: Duration = Duration::from_secs(10);
/// The same, where it is one evidence of several for the state of a plugin.
const BACKGROUND: Duration = Duration::from_secs(30);
/// The same, while something is wrong with the control plane.
const IN_TROUBLE: Duration = Duration::from_secs(15);

/// How far apart istiods and a proxy are asked at most for both to be of one moment.
const TOGETHER: LogTime = 1_000_000_000;

/// Opens the sync status of the proxies of the shown namespace, with the proxy of the selected row selected.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    if !app.snapshot.has_objects {
        app.note = Some("a config dump alone has nothing that an istiod said".to_owned());
        return Vec::new();
    }
    let at = target::focus(app).map(|focus| focus.proxy);
    // Without a proxy in question all are shown, and nothing is missing.
    app.note = None;
    let namespace = namespace(app, at.as_ref());
    walk::go(app, Subject::Sync { namespace, at })
}

/// The namespace that home looks at, or that of the proxy in question where it is another one.
fn namespace(app: &App, at: Option<&ProxyId>) -> Option<String> {
    let of_home = app.screens.iter().find_map(|screen| match &screen.subject {
        Subject::Plugins { namespace } => Some(namespace.clone()),
        _ => None,
    });
    let namespace = of_home.flatten()?;
    Some(at.map_or(namespace, |proxy| proxy.namespace.clone()))
}

/// Asks, in the place of a request that is under way.
pub(super) fn fetch(app: &mut App, after: Duration) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(ticket) = app.sync {
        forget(app, ticket);
        effects.push(Effect::Stop(ticket));
    }
    let ticket = app.waits.begin("what istiod says of its proxies");
    app.sync = Some(ticket);
    app.sync_after = after;
    effects.push(Effect::FetchSync { ticket, after });
    effects
}

/// Asks for what the visible screen needs and nobody has asked for.
pub(super) fn wanted(app: &mut App) -> Vec<Effect> {
    // A live mesh is asked again and again while the screen is visible, and when it becomes visible again.
    let unknown = app.snapshot.sync.is_none() || is_live(app);
    let too_late = |after: Duration| app.sync.is_none() && unknown || app.sync.is_some() && app.sync_after > after;
    if again_after(app).is_some_and(too_late) { fetch(app, Duration::ZERO) } else { Vec::new() }
}

/// Asks again where an answer is shown or on its way, after the source has become another one.
pub(super) fn again(app: &mut App) -> Vec<Effect> {
    if again_after(app).is_some() || app.sync.is_some() { fetch(app, Duration::ZERO) } else { Vec::new() }
}

/// Asks at once where the visible screen goes by what they say.
pub(super) fn read_again(app: &mut App) -> Vec<Effect> {
    if again_after(app).is_some() { fetch(app, Duration::ZERO) } else { Vec::new() }
}

/// Asks istiod again after the dumps were read that the visible screen needs, where it uses both: the last answer of istiod is older than
/// the dump.
pub(super) fn with_dump(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let needed = ask::needed(app);
    // One that does not answer is not waited for.
    let is_under_way = |fetch: &Fetch| fetch.ticket.is_some() && fetch.after.is_zero() && !fetch.silent;
    let is_being_read = |proxy: &ProxyId| app.fetches.get(proxy).is_some_and(is_under_way);
    if !needed.contains(proxy) || needed.iter().any(is_being_read) {
        return Vec::new();
    }
    let read = app.snapshot.dump(proxy).and_then(|loaded| loaded.read_at);
    let asked = app.snapshot.sync.as_ref().and_then(|sync| sync.as_ref().ok()?.asked);
    // After a change both go out of date quickly, so they are read together.
    let is_followed = app.fetches.get(proxy).is_some_and(|fetch| fetch.followed.is_some());
    let apart = if is_followed { 0 } else { TOGETHER };
    let is_older = asked.zip(read).is_some_and(|(asked, read)| asked.saturating_add(apart) < read);
    let is_asked = app.sync.is_some() && app.sync_after.is_zero();
    if is_live(app) && is_older && !is_asked { read_again(app) } else { Vec::new() }
}

/// Takes what the istiods reported. What was read stays visible when the next request fails, and the failure is reported.
pub(super) fn read(app: &mut App, ticket: Ticket, outcome: Result<Arc<Sync>, String>) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    app.sync = None;
    let waited = app.sync_after;
    let had_failed = std::mem::replace(&mut app.sync_failed, outcome.is_err());
    if had_failed && !app.sync_failed {
        app.say_answers_again("istiod");
    }
    // For others than Sync it is one source of several: that it could not be read is listed among the rest, unless what was read before
    // stays in its place.
    let stays = matches!(app.snapshot.sync, Some(Ok(_)));
    if let Err(why) = &outcome
        && is_main(app)
        && (stays || matches!(app.screen().subject, Subject::Sync { .. }))
    {
        app.say_stale_failure(why, app.snapshot.sync.as_ref().and_then(|sync| sync.as_ref().ok()?.asked));
    }
    let mut effects = Vec::new();
    if outcome.is_ok() || !stays {
        let before = app.snapshot.sync.clone().and_then(Result::ok);
        if let Ok(now) = &outcome {
            effects = settle::follow_pushes(app, before.as_deref(), now);
        }
        let snapshot = Arc::make_mut(&mut app.snapshot);
        snapshot.sync = Some(outcome);
        snapshot.generation += 1;
        dumps::list_warnings(app);
    }
    tally::sum_up(app);
    effects.extend(settle::renew(app, waited));
    let Some(after) = again_after(app) else { return effects };
    effects.extend(ask::ask(app));
    if is_live(app) {
        effects.extend(fetch(app, after));
    }
    effects
}

fn is_live(app: &App) -> bool {
    app.options.info.kind == SourceKind::Cluster
}

/// How long an answer does for the visible screen; None where it goes by none.
fn again_after(app: &App) -> Option<Duration> {
    match app.screen().subject {
        _ if !app.snapshot.has_objects => None,
        _ if is_main(app) => Some(AGAIN),
        // A proxy that refused a module goes on with the one that it had, and its dump and counters need not show it.
        Subject::Plugins { .. } | Subject::Workloads(_) | Subject::Why(_) => {
            let is_trouble = app.tally.headline.is_some() || app.sync_failed;
            Some(if is_trouble { IN_TROUBLE } else { BACKGROUND })
        }
        _ => None,
    }
}

/// Whether what the istiods report is a main part of the visible screen.
fn is_main(app: &App) -> bool {
    matches!(app.screen().subject, Subject::Sync { .. } | Subject::Findings { .. } | Subject::Diff(_) | Subject::Health(_))
}

/// Asks at once where other istiods are ready than before.
pub(super) fn follow_istiods(app: &mut App, previous: &Snapshot) -> Vec<Effect> {
    let ready = |snapshot: &Snapshot| -> Vec<ProxyId> {
        let istiods = control_plane::istiods(&snapshot.objects).filter(|istiod| istiod.unready.is_none());
        istiods.map(|istiod| istiod.id.clone()).collect()
    };
    // Before the first answer somebody waits for that already.
    let is_known = app.snapshot.sync.is_some() && is_live(app);
    if is_known && ready(previous) != ready(&app.snapshot) { read_again(app) } else { Vec::new() }
}
