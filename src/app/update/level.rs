//! The level of a proxy's `wasm` logger: the question before it is raised, its time while it is, and how it is put back. What is
//! left of it when the program ends is put back by [`crate::level::Levels`], which the handler has.

use std::time::Duration;

use super::{forget, logs, target};
use crate::app::effect::Effect;
use crate::app::level::{LevelQuestion, Raised, Stage, Wish};
use crate::app::program::{App, Asking, Typing};
use crate::app::state::{Prompt, Ticket};
use crate::clock::Instant;
use crate::fetch;
use crate::level::{NotRaised, PutBack};
use crate::model::ids::ProxyId;
use crate::model::log_level::{LogLevel, WASM};
use crate::source::{ProxyQuestion, SourceError, SourceKind};

/// How long after a failure it is tried again to put a level back.
const AGAIN: Duration = Duration::from_secs(5);

/// Asks the proxy in question for its level, to ask the person what is to be done. Of a proxy whose level is raised it is known.
pub(super) fn begin(app: &mut App) -> Vec<Effect> {
    if app.options.info.kind != SourceKind::Cluster {
        app.note = Some(app.options.info.has_no_proxies().to_string());
        return Vec::new();
    }
    let Some(focus) = target::focus(app) else { return Vec::new() };
    match app.raised.get(&focus.proxy) {
        Some(raised) if raised.stage == Stage::Ending => app.note = Some(format!("the {WASM} logger of {} is being put back", focus.proxy)),
        Some(raised) => {
            let Raised { ask, level, before, .. } = raised.clone();
            prompt(app, LevelQuestion { ask, now: level, before, raised: true });
        }
        None => {
            let ask = fetch::request(&app.snapshot.objects, &focus.proxy, ProxyQuestion::Logging, app.options.deadline);
            app.note = Some(format!("reading the log levels of {}; any key cancels", focus.proxy));
            let ticket = app.waits.begin("the log levels");
            app.level_read = Some(ticket);
            return vec![Effect::ReadLevel { ticket, ask }];
        }
    }
    Vec::new()
}

/// Whoever goes on typing does not wait for the question: it must not open under a key that was meant for something else.
pub(super) fn give_up(app: &mut App) -> Vec<Effect> {
    let Some(ticket) = app.level_read.take() else { return Vec::new() };
    forget(app, ticket);
    vec![Effect::Stop(ticket)]
}

/// The level in force was read, or cannot be.
pub(super) fn read(app: &mut App, ticket: Ticket, question: Result<LevelQuestion, SourceError>) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    app.level_read = None;
    app.note = None;
    match question {
        Ok(question) if question.now == LogLevel::Trace => app.note = Some(question.needless()),
        Ok(question) => {
            app.note = (question.now == LogLevel::Debug).then(|| question.needless());
            prompt(app, question);
        }
        Err(error) => app.say_failure(error.to_string()),
    }
    Vec::new()
}

fn prompt(app: &mut App, question: LevelQuestion) {
    let prompt = Prompt::with(question.proposal());
    app.typing = Some(Typing::Question(Asking::Level(question), prompt));
}

/// Does what was typed. What cannot be understood stays in the prompt, and the reason is said.
pub(super) fn asked(app: &mut App, question: LevelQuestion, text: &str) -> Vec<Effect> {
    let wish = match question.wish(text) {
        Ok(wish) => wish,
        Err(why) => {
            app.note = Some(why);
            return Vec::new();
        }
    };
    app.typing = None;
    match wish {
        Wish::Back => put_back(app, &question.ask.proxy),
        Wish::Raise(level, time) => {
            let LevelQuestion { ask, now, .. } = question;
            app.say(format!("setting the {WASM} logger of {} to {level}", ask.proxy));
            vec![Effect::RaiseLevel { ask, level, shown: now, time }]
        }
    }
}

/// A level was raised, and how long it is to stay so; or it was not.
pub(super) fn raised(app: &mut App, raised: Raised, outcome: Result<LogLevel, NotRaised>, now: Instant) -> Vec<Effect> {
    app.now = Some(now);
    let proxy = raised.ask.proxy.clone();
    let mut effects = Vec::new();
    match outcome {
        Ok(before) => {
            effects = logs::lower(app, raised.level);
            app.say(format!("{WASM} is at {} on {proxy}; L puts back {before}", raised.level));
            app.raised.insert(proxy, Raised { before, ..raised });
        }
        Err(NotRaised { why, held }) => {
            app.say_failure(why);
            if held {
                // What was raised before has its own end.
                app.raised.entry(proxy).or_insert(Raised { until: now + AGAIN, stage: Stage::Overdue, ..raised });
            } else {
                app.raised.remove(&proxy);
            }
        }
    }
    effects.extend(tick(app));
    effects
}

/// Another second has passed: what is due is put back.
pub(super) fn ticked(app: &mut App, now: Instant) -> Vec<Effect> {
    app.now = Some(now);
    app.ticking = false;
    let is_due = |raised: &&Raised| raised.stage != Stage::Ending && raised.until <= now;
    let due: Vec<ProxyId> = app.raised.values().filter(is_due).map(|raised| raised.ask.proxy.clone()).collect();
    let mut effects: Vec<Effect> = due.iter().flat_map(|proxy| put_back(app, proxy)).collect();
    effects.extend(tick(app));
    effects
}

/// What became of putting a level back.
pub(super) fn back(app: &mut App, proxy: &ProxyId, outcome: &PutBack, now: Instant) -> Vec<Effect> {
    app.now = Some(now);
    if let PutBack::Failed(why) = outcome {
        app.say_failure(format!("{WASM} is not put back on {proxy}, tried again in {} s: {why}", AGAIN.as_secs()));
        if let Some(raised) = app.raised.get_mut(proxy) {
            raised.until = now + AGAIN;
            raised.stage = Stage::Overdue;
        }
    } else {
        app.raised.remove(proxy);
        app.say(format!("the {WASM} logger of {proxy} {outcome}"));
    }
    tick(app)
}

/// A pod that is gone has no level: it is found out, and shown no more.
pub(super) fn follow_pods(app: &mut App) -> Vec<Effect> {
    let objects = &app.snapshot.objects;
    let is_gone = |raised: &&Raised| raised.stage == Stage::Held && objects.is_gone(&raised.ask.proxy);
    let gone: Vec<ProxyId> = app.raised.values().filter(is_gone).map(|raised| raised.ask.proxy.clone()).collect();
    gone.iter().flat_map(|proxy| put_back(app, proxy)).collect()
}

fn put_back(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let deadline = app.options.deadline;
    let Some(raised) = app.raised.get_mut(proxy) else { return Vec::new() };
    raised.stage = Stage::Ending;
    vec![Effect::PutBackLevel { proxy: proxy.clone(), deadline }]
}

/// Counts seconds, while there is something to count them for.
fn tick(app: &mut App) -> Vec<Effect> {
    if app.ticking || app.raised.is_empty() {
        return Vec::new();
    }
    app.ticking = true;
    vec![Effect::Tick]
}
