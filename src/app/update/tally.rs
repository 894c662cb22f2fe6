//! The count of findings in the header: asked for in the background, when what it rests on has changed, one question at a time.

use std::time::Duration;

use super::ask;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::question::{Answered, Question};
use crate::app::screen::Subject;
use crate::app::state::{Sum, Ticket};
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
    }
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
