//! The filter of a screen of logs: asked for, held against what is there away from the task that draws, and then in force.

use std::ops::Range;
use std::sync::Arc;

use super::{close, own_namespace};
use crate::analysis::logs::facts;
use crate::analysis::logs::typed::pattern;
use crate::analysis::logs::{Filter, Typed};
use crate::app::effect::Effect;
use crate::app::logs::message::{FilterBy, LogsEffect};
use crate::app::logs::{Asked, Logs};
use crate::app::program::{App, Asking};
use crate::app::rows;
use crate::app::screen::{Line, Subject};
use crate::logs::pane::{Found, Place, Tied};
use crate::model::log_level::LogLevel;

/// Asks for the filter that was typed. What cannot be understood stays in the prompt, and the reason is said.
pub(in crate::app::update) fn filter_typed(app: &mut App, text: &str) -> Vec<Effect> {
    match Typed::read(text)
        .and_then(|typed| typed.highlight.iter().try_for_each(|text| pattern(text).map(drop).map_err(|error| error.0)).map(|()| typed))
    {
        Ok(typed) => ask(app, typed),
        Err(why) => {
            app.note = Some(why);
            Vec::new()
        }
    }
}

/// Asks for a filter: everything that is held is looked at anew. The one in force stays until that is done.
pub(super) fn ask(app: &mut App, typed: Typed) -> Vec<Effect> {
    let place = app.screens.len() - 1;
    ask_at(app, place, Some(typed)).into_iter().collect()
}

/// Has what is held tied to its plugins anew, and held against the filter in force as the mesh has it now. One after another: while a
/// filter is asked for, it waits for that.
pub(super) fn again(app: &mut App, place: usize) -> Option<Effect> {
    let logs = app.screens[place].logs.as_ref()?;
    if logs.tie.is_none() || logs.asked.is_some() {
        return None;
    }
    ask_at(app, place, None)
}

fn ask_at(app: &mut App, place: usize, typed: Option<Typed>) -> Option<Effect> {
    let (snapshot, namespace) = (app.snapshot.clone(), own_namespace(app));
    let screen = &mut app.screens[place];
    let Subject::Logs(of) = &screen.subject else { return None };
    let logs = screen.logs.as_mut()?;
    let generation = logs.asked.as_ref().map_or(logs.generation, |asked| asked.generation) + 1;
    let (first, until, tie, or_stay) = (logs.held.dropped(), logs.held.end(), logs.tie.clone(), typed.is_none());
    let wanted = Box::new(typed.as_ref().unwrap_or(&logs.typed).clone());
    logs.asked = Some(Asked { generation, typed, until, tie: tie.clone() });
    let by = FilterBy::Typed { typed: wanted, plugin: of.plugin.clone(), namespace, snapshot, or_stay };
    Some(Effect::Logs(logs.ticket, LogsEffect::Filter { generation, by, first, records: logs.held.since(first), tie }))
}

/// Lowers the filter of the logs in sight to what a logger that was raised writes.
pub(in crate::app::update) fn lower(app: &mut App, raised: LogLevel) -> Vec<Effect> {
    let Some(logs) = &app.screen().logs else { return Vec::new() };
    let latest = logs.latest().clone();
    let level = super::lowered(latest.level, [raised].into_iter());
    if level == latest.level { Vec::new() } else { ask(app, Typed { level, ..latest }) }
}

/// Has what came since a place held against the filter in force.
pub(super) fn part(logs: &Logs, first: Place) -> Option<Effect> {
    let first = first.max(logs.held.dropped());
    let (by, records) = (FilterBy::Made(logs.filter.clone()?), logs.held.since(first));
    let (generation, tie) = (logs.generation, None);
    (!records.is_empty()).then(|| Effect::Logs(logs.ticket, LogsEffect::Filter { generation, by, first, records, tie }))
}

/// Takes what passes a filter: of one that was asked for last, which comes into force, or of the one in force.
pub(super) fn filtered(
    app: &mut App,
    place: usize,
    generation: u64,
    range: Range<Place>,
    outcome: Result<(Arc<Filter>, Found), String>,
) -> Vec<Effect> {
    let height = app.body_height;
    let Some(logs) = app.screens[place].logs.as_mut() else { return Vec::new() };
    let asked = logs.asked.take_if(|asked| asked.generation == generation);
    let (filter, mut found) = match outcome {
        Ok(outcome) => outcome,
        Err(why) => {
            if asked.is_some() {
                app.note = Some(why);
            }
            return again(app, place).into_iter().collect();
        }
    };
    let Some(asked) = asked else {
        if generation == logs.generation {
            logs.found(range, &found, height);
        }
        return Vec::new();
    };
    tied(app, place, std::mem::take(&mut found.tied));
    let Some(logs) = app.screens[place].logs.as_mut() else { return Vec::new() };
    logs.tie.take_if(|tie| asked.tie.as_ref().is_some_and(|done| Arc::ptr_eq(tie, done)));
    (logs.generation, logs.filter) = (generation, Some(filter));
    let by_hand = asked.typed.is_some();
    match asked.typed {
        Some(typed) => {
            logs.pattern = typed.highlight.as_ref().and_then(|text| pattern(text).ok());
            (logs.typed, logs.activity) = (typed, Default::default());
            let came = logs.came;
            logs.found(range, &found, height);
            // Other lines are shown now, and none of them has come.
            logs.came = came;
        }
        None => logs.found_again(range, found, height),
    }
    let rest = part(logs, asked.until);
    if by_hand {
        close(app, &Asking::Filter);
    }
    rest.into_iter().chain(again(app, place)).collect()
}

/// Ties what is held to other plugins, and the lines that are open over it.
fn tied(app: &mut App, place: usize, tied: Vec<Tied>) {
    let (warnings, height) = (app.snapshot.warnings.len(), app.body_height);
    let (below, above) = app.screens.split_at_mut(place + 1);
    let Some(logs) = below[place].logs.as_mut() else { return };
    let is = |at: &Place, line: &Line| logs.held.get(*at).is_some_and(|record| Arc::ptr_eq(record, &line.record));
    let mut opened = Vec::new();
    for screen in above {
        if let Subject::Record(line) = &screen.subject
            && let Some(at) = tied.iter().map(|tied| tied.place).find(|at| is(at, line))
        {
            opened.push((at, screen));
        }
    }
    logs.tied(tied);
    for (at, screen) in opened {
        if let (Subject::Record(line), Some(record)) = (&mut screen.subject, logs.held.get(at)) {
            (line.facts, line.record) = (facts::facts(record).into(), record.clone());
            rows::lay_out(screen, warnings, height);
        }
    }
}

/// Highlights a text while it is typed. What is wrong with it is said, and changes nothing. None where the screen is none of logs,
/// else whether it is highlighted.
pub(in crate::app::update) fn find(app: &mut App, text: &str) -> Option<bool> {
    let logs = app.screen_mut().logs.as_mut()?;
    if text.is_empty() {
        (logs.pattern, logs.typed.highlight) = (None, None);
        return Some(false);
    }
    match pattern(text) {
        Ok(pattern) => (logs.pattern, logs.typed.highlight) = (Some(pattern), Some(text.to_owned())),
        Err(error) => {
            app.note = Some(error.0);
            return Some(false);
        }
    }
    Some(true)
}
