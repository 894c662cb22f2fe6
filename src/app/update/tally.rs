//! The count of findings in the header: asked for in the background, when what it rests on has changed, one question at a time.

use std::time::Duration;

use super::ask;
use crate::analysis::headline::headline;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::question::{Answered, Question};
use crate::app::screen::Subject;
use crate::app::state::{Sum, Ticket};
use crate::model::ids::ProxyId;
use crate::model::snapshot::Dump;
use crate::source::SourceKind;

/// How long a question waits after the one before: a mesh that changes all the time is to leave room for what somebody waits for.
const APART: Duration = Duration::from_secs(1);

/// Asks where the world is another one than was asked of last. Nothing is counted before the objects were read, since what is missing then
/// may still come.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let Some(namespace) = namespace(app) else { return Vec::new() };
    let now = Some((app.snapshot.generation, namespace.clone()));
    if app.tally.pending.is_some() || !app.snapshot.has_objects || !app.awaited().is_empty() || app.tally.asked == now {
        return Vec::new();
    }
    if app.tally.asked.as_ref().is_some_and(|(_, asked)| *asked != namespace) {
        // What was counted is of another namespace.
        app.tally.sum = None;
        app.tally.is_complete = false;
    }
    let question = Question::Findings(namespace);
    if app.screen().pending.is_some() && app.screen().question().as_ref() == Some(&question) {
        // The visible screen asks it.
        return Vec::new();
    }
    let after = if app.tally.sum.is_some() { APART } else { Duration::ZERO };
    let ticket = app.waits.begin("the count of findings");
    app.tally.pending = Some(ticket);
    app.tally.asked = now;
    app.tally.asked_complete = is_read(app);
    vec![Effect::Ask { ticket, question, snapshot: app.snapshot.clone(), after }]
}

/// The namespace that home looks at; None where there is no home, as over a standalone dump.
fn namespace(app: &App) -> Option<Option<String>> {
    match &app.screens.first()?.subject {
        Subject::Plugins { namespace } => Some(namespace.clone()),
        _ => None,
    }
}

/// Takes the answer to a question that was asked for the count.
pub(super) fn answered(app: &mut App, ticket: Ticket, answer: &Answered) -> Option<Vec<Effect>> {
    app.tally.pending.filter(|pending| *pending == ticket)?;
    app.tally.pending = None;
    if let Answered::Findings(answer) = answer {
        app.tally.sum = Some(Sum::of(answer));
        app.tally.is_complete |= app.tally.asked_complete;
    }
    let mut effects = ask(app);
    effects.extend(read(app));
    Some(effects)
}

/// Takes the answer of a screen, where it is the one to count.
pub(super) fn take(app: &mut App, place: usize, is_stale: bool) {
    let screen = &app.screens[place];
    let (Subject::Findings { namespace: of }, Some(answer)) = (&screen.subject, screen.findings()) else { return };
    if namespace(app).is_some_and(|namespace| namespace == *of) {
        let sum = Sum::of(answer);
        app.tally.asked = (!is_stale).then(|| (app.snapshot.generation, of.clone()));
        app.tally.sum = Some(sum);
        app.tally.is_complete |= !is_stale && is_read(app);
    }
}

/// Works out what is wrong with the control plane, once for each state of the world.
pub(super) fn sum_up(app: &mut App) {
    if app.tally.headline_of != app.snapshot.generation {
        app.tally.headline = headline(&app.snapshot);
        app.tally.headline_of = app.snapshot.generation;
    }
}

/// Notes that all was read for the count, where that is so and the last answer is of the world as it is: a reading that finds nothing new
/// asks no question.
pub(super) fn note_complete(app: &mut App) {
    let tally = &app.tally;
    if tally.is_complete || tally.pending.is_some() || tally.sum.is_none() {
        return;
    }
    let is_current = tally.asked.as_ref().is_some_and(|(generation, _)| *generation == app.snapshot.generation);
    app.tally.is_complete = is_current && is_read(app);
}

/// Whether everything was read once that the count goes by: the objects, the istiods, and of a live mesh the first proxies with all that they
/// report of themselves. One that cannot be read does not hold the count back.
fn is_read(app: &App) -> bool {
    if !ask::is_whole(app) {
        return false;
    }
    if app.options.info.kind != SourceKind::Cluster {
        return true;
    }
    let is_done = |proxy: &ProxyId| match app.snapshot.dumps.get(proxy) {
        Some(Dump::Loaded(loaded)) if loaded.vitals.as_ref().is_none_or(|vitals| vitals.brief) => {
            app.fetches.get(proxy).is_some_and(|fetch| fetch.vital && fetch.ticket.is_none())
        }
        Some(Dump::Loaded(_) | Dump::Failed(_)) => true,
        Some(Dump::Loading) | None => app.snapshot.objects.is_gone(proxy),
    };
    app.tally.reads && app.tally.sum.iter().flat_map(|sum| &sum.first).all(is_done)
}

/// Has the first proxies in question read, with all that they say of themselves, once the first readings for the screen are done.
pub(super) fn read(app: &mut App) -> Vec<Effect> {
    let is_answered = app.screen().answer.is_some() && app.screen().pending.is_none();
    if app.tally.reads || app.tally.sum.is_none() || !is_answered || !ask::is_whole(app) {
        return Vec::new();
    }
    app.tally.reads = true;
    ask::wanted_dumps(app)
}

/// Whether proxies beyond those of the screen are read for the count: each request costs a proxy of a live mesh a moment, and a recording
/// is read when somebody asks.
pub(super) fn reads_more(app: &App) -> bool {
    app.tally.reads && app.options.info.kind == SourceKind::Cluster
}
