//! The level of a proxy's `wasm` logger: the question before it is changed, and what every screen shows while it is raised.

use std::time::Duration;

use super::asking::table;
use crate::analysis::logs::Silence;
use crate::app::App;
use crate::app::level::{LevelQuestion, Raised, Stage, countdown};
use crate::model::log_level::WASM;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;

/// How much of the first line is kept for how the source is.
const HEALTH: usize = 10;

/// What can be typed.
const FORM: [(&str, &str); 4] = [
    ("debug", "the level: info, debug or trace"),
    ("5m", "for how long: 10s to 60m"),
    ("Enter", "sends the request, by port-forward or else by exec in the container"),
    ("Esc", "leaves everything as it is"),
];

/// The same where the level is raised.
const RAISED: [(&str, &str); 4] = [
    ("back", "puts it back now"),
    ("debug 5m", "another level or time: info, debug or trace, 10s to 60m"),
    ("Enter", "sends the request, by port-forward or else by exec in the container"),
    ("Esc", "leaves everything as it is"),
];

/// The title of the question, and the request that would be sent for what is typed, with what can be typed.
pub(super) fn question(question: &LevelQuestion, typed: &str) -> (&'static str, Vec<TextLine<'static>>) {
    let mut lines = match question.wish(typed) {
        Ok(wish) => {
            let [request, proxy, then] = question.request(wish);
            vec![
                TextLine::new([Piece::new(Role::Warning, request)]),
                TextLine::new([Piece::text(proxy)]),
                TextLine::new([Piece::text(then)]),
            ]
        }
        Err(why) => vec![TextLine::new([Piece::new(Role::Bad, why)]), blank(), blank()],
    };
    lines.push(blank());
    if !question.raised {
        let hidden = Silence::at(Some(question.now));
        lines.extend([TextLine::new([Piece::text(format!("Now {hidden}."))]), blank()]);
    }
    lines.extend(table(if question.raised { &RAISED } else { &FORM }));
    lines.push(blank());
    let promise = "The level is the only thing that meshscope changes. It is put back at its end, and when the program ends.";
    lines.push(TextLine::new([Piece::new(Role::Muted, promise)]));
    (if question.raised { "The level is raised: put it back?" } else { "Raise the level of the proxy's wasm logger?" }, lines)
}

fn blank() -> TextLine<'static> {
    TextLine::new([Piece::text("")])
}

/// What is raised, where and for how long yet; of several what ends first.
pub(super) fn status(app: &App, width: u16, look: &Look<'_>) -> Vec<Piece<'static>> {
    // What could not be put back goes before what has its time yet.
    let first = app.raised.values().min_by_key(|raised| (raised.stage != Stage::Overdue, raised.until));
    let Some(Raised { ask, level, until, stage, .. }) = first else { return Vec::new() };
    let more = if app.raised.len() > 1 { format!(" +{}", app.raised.len() - 1) } else { String::new() };
    let left = app.now.map_or(Duration::ZERO, |now| until.saturating_duration_since(now));
    let (role, mark, when) = match stage {
        Stage::Held => (Role::Warning, look.symbols.warning, countdown(left)),
        Stage::Ending => (Role::Warning, look.symbols.warning, "ending".to_owned()),
        Stage::Overdue => (Role::Bad, look.symbols.bad, "not put back".to_owned()),
    };
    // Of two thirds of the line, which are the most that it gives, what the source's health leaves. The end of a pod's name is
    // what tells it from its like.
    let (before, after) = (format!("{mark} {WASM} {level} "), format!(" {when}{more}"));
    let others = before.chars().count() + after.chars().count() + HEALTH;
    let room = (usize::from(width) * 2 / 3).saturating_sub(others).max(12);
    let pod = &ask.proxy.pod;
    let skip = pod.chars().count().saturating_sub(room);
    let pod: String = match skip {
        0 => pod.clone(),
        skip => look.symbols.ellipsis.chars().chain(pod.chars().skip(skip + 1)).collect(),
    };
    vec![Piece::new(role, before + &pod + &after), Piece::text("  ")]
}
