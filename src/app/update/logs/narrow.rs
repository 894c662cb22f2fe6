//! The filter of a screen of logs: asked for, held against what is there away from the task that draws, and then in force.

use std::ops::Range;
use std::sync::Arc;

use super::{close, own_namespace};
use crate::analysis::logs::typed::pattern;
use crate::analysis::logs::{Filter, Typed};
use crate::app::effect::Effect;
use crate::app::logs::message::{FilterBy, LogsEffect};
use crate::app::logs::{Asked, Logs};
use crate::app::program::{App, Asking};
use crate::app::screen::Subject;
use crate::logs::pane::{Found, Place};
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
    let (snapshot, namespace) = (app.snapshot.clone(), own_namespace(app));
    let screen = app.screen_mut();
    let Subject::Logs(of) = &screen.subject else { return Vec::new() };
    let Some(logs) = &mut screen.logs else { return Vec::new() };
    let generation = logs.asked.as_ref().map_or(logs.generation, |asked| asked.generation) + 1;
    let (first, until) = (logs.held.dropped(), logs.held.end());
    logs.asked = Some(Asked { generation, typed: typed.clone(), until });
    let by = FilterBy::Typed { typed: Box::new(typed), plugin: of.plugin.clone(), namespace, snapshot };
    vec![Effect::Logs(logs.ticket, LogsEffect::Filter { generation, by, first, records: logs.held.since(first) })]
}

/// Lowers the filter of the logs in sight to what a logger that was raised writes.
pub(in crate::app::update) fn lower(app: &mut App, raised: LogLevel) -> Vec<Effect> {
    let Some(logs) = &app.screen().logs else { return Vec::new() };
    let latest = logs.asked.as_ref().map_or(&logs.typed, |asked| &asked.typed).clone();
    let level = super::lowered(latest.level, [raised].into_iter());
    if level == latest.level { Vec::new() } else { ask(app, Typed { level, ..latest }) }
}

/// Has what came since a place held against the filter in force.
pub(super) fn part(logs: &Logs, first: Place) -> Option<Effect> {
    let first = first.max(logs.held.dropped());
    let (by, records) = (FilterBy::Made(logs.filter.clone()?), logs.held.since(first));
    (!records.is_empty()).then(|| Effect::Logs(logs.ticket, LogsEffect::Filter { generation: logs.generation, by, first, records }))
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
    let (filter, found) = match outcome {
        Ok(outcome) => outcome,
        Err(why) => {
            if asked.is_some() {
                app.note = Some(why);
            }
            return Vec::new();
        }
    };
    let Some(asked) = asked else {
        if generation == logs.generation {
            logs.found(range, &found, height);
        }
        return Vec::new();
    };
    logs.pattern = asked.typed.highlight.as_ref().and_then(|text| pattern(text).ok());
    (logs.typed, logs.generation, logs.filter) = (asked.typed, generation, Some(filter));
    logs.activity = Default::default();
    let came = logs.came;
    logs.found(range, &found, height);
    // Other lines are shown now, and none of them has come.
    logs.came = came;
    let rest = part(logs, asked.until);
    close(app, &Asking::Filter);
    rest.into_iter().collect()
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
