//! The lines above a log: whose it is, the filter in force, how much was logged in the last minutes, and how the reading goes.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::analysis::logs::{PluginWord, Severity, Silence, Typed, UNLESS_SET};
use crate::app::logs::{Logs, LogsOf, Reading};
use crate::model::logs::LogSource;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, paint, width};
use crate::ui::theme::Role;
use crate::ui::widgets::{paint_wrapped, row_of};

/// How many workloads are named.
const NAMED: usize = 2;

/// Draws them, and returns the room below. `hidden` is what a logger that is raised still hides.
pub(super) fn render(
    of: &LogsOf,
    logs: &Logs,
    live: bool,
    hidden: Option<&Silence>,
    area: Rect,
    buffer: &mut Buffer,
    look: &Look<'_>,
) -> Rect {
    let filter = filter(of, logs, look);
    let room = usize::from(area.width);
    let filter_width = width(&filter, look.ascii());
    // Steps of time fill what is left of their line.
    let reading = |steps: usize| [activity(logs, steps, look), state(logs, live, look)].concat();
    let bare = width(&reading(0), look.ascii());
    let one_line = filter_width + 2 + 12 + bare <= room;
    let taken = if one_line { filter_width + 2 } else { 0 };
    let right = reading(room.saturating_sub(taken + bare));
    let right_width = u16::try_from(width(&right, look.ascii())).unwrap_or(u16::MAX).min(area.width);
    let mut at = paint_wrapped(buffer, area, 0, &TextLine::new(filter).hanging(2), look);
    if one_line {
        at = 0;
    }
    let line = row_of(area, at);
    paint(buffer, Rect { x: line.x + line.width.saturating_sub(right_width), width: right_width, ..line }, &right, look);
    at += 1;
    for (role, text) in notes(of, logs, hidden) {
        let mark = if role == Role::Warning { look.symbols.warning } else { look.symbols.between };
        at += paint_wrapped(buffer, area, at, &TextLine::new([Piece::new(role, format!("{mark} {text}"))]).hanging(2), look);
    }
    let taken = u16::try_from(at).unwrap_or(u16::MAX).min(area.height);
    Rect { y: area.y + taken, height: area.height - taken, ..area }
}

/// `istiod + httpbin · plugin default/helloworld · level ≥ info`, and what else narrows it.
fn filter(of: &LogsOf, logs: &Logs, look: &Look<'_>) -> Vec<Piece<'static>> {
    let Typed { plugin, workloads, source, level, scopes, include, exclude, highlight, text } = &logs.typed;
    let mut pieces = vec![Piece::new(Role::Title, sources(logs, *source))];
    let mut say = |role: Role, word: &str, value: String| {
        pieces.push(Piece::new(Role::Muted, format!(" {} {word}", look.symbols.between)));
        pieces.push(Piece::new(role, value));
    };
    match (plugin, &of.plugin) {
        (PluginWord::This, Some(plugin)) => say(Role::Plugin, "plugin ", plugin.to_string()),
        (PluginWord::Named(name), _) => say(Role::Plugin, "plugin ", name.clone()),
        _ => say(Role::Text, "", "all lines".to_owned()),
    }
    if let Some(level) = level {
        say(Role::Text, "level ", format!("{} {}", look.symbols.at_least, level.word()));
    }
    workloads.iter().for_each(|name| say(Role::Text, "workload ", name.clone()));
    scopes.iter().for_each(|scope| say(Role::Text, "scope ", scope.clone()));
    include.iter().for_each(|text| say(Role::Text, "include ", text.clone()));
    exclude.iter().for_each(|text| say(Role::Text, "exclude ", text.clone()));
    if !text.is_empty() {
        say(Role::Text, "with ", format!("\"{text}\""));
    }
    highlight.iter().for_each(|text| say(Role::Match, "/", text.clone()));
    if logs.asked.as_ref().is_some_and(|asked| asked.typed.is_some()) {
        pieces.push(Piece::new(Role::Muted, format!(" {} filtering", look.symbols.between)));
    }
    pieces
}

/// `istiod + httpbin`.
fn sources(logs: &Logs, only: Option<LogSource>) -> String {
    let of =
        |source: LogSource| logs.origins.iter().filter(move |origin| origin.source == source && only.is_none_or(|only| only == source));
    let mut parts = Vec::new();
    match of(LogSource::Istiod).count() {
        0 => {}
        1 => parts.push("istiod".to_owned()),
        several => parts.push(format!("{several} istiods")),
    }
    let owner = |origin: &std::sync::Arc<crate::model::logs::LogOrigin>| match &origin.workload {
        Some(workload) => workload.name.name.clone(),
        None => origin.pod.pod.clone(),
    };
    let workloads: BTreeSet<String> = of(LogSource::Proxy).map(owner).collect();
    if workloads.len() > NAMED {
        parts.push(format!("{} workloads", workloads.len()));
    } else {
        parts.extend(workloads);
    }
    if parts.is_empty() { "no logs".to_owned() } else { parts.join(" + ") }
}

/// The last minutes, step by step, the highest as high as can be. Steps with warnings or errors stand out.
fn activity(logs: &Logs, steps: usize, look: &Look<'_>) -> Vec<Piece<'static>> {
    let steps = logs.activity.last(steps, logs.quiet);
    let most = steps.iter().map(|step| step.records).max().unwrap_or_default().max(1);
    let bars = look.symbols.bars;
    let top = bars.len() as u64 - 1;
    let bar = |records: u64| bars[usize::try_from((records * top).div_ceil(most)).unwrap_or_default().min(bars.len() - 1)];
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    for step in steps {
        pieces.push(Piece::new(if step.grave > 0 { Role::Warning } else { Role::Info }, bar(step.records)));
    }
    pieces
}

/// `  2 sources  12/s  follow ●`.
fn state(logs: &Logs, live: bool, look: &Look<'_>) -> Vec<Piece<'static>> {
    let (count, read) = (logs.origins.len(), logs.read());
    let s = if count == 1 { "" } else { "s" };
    let mut pieces = vec![match read == count {
        true => Piece::text(format!("  {count} source{s}")),
        false => Piece::new(Role::Warning, format!("  {read} of {count} source{s}")),
    }];
    if live {
        let rate = logs.activity.per_second(logs.quiet);
        pieces.push(Piece::text(if rate > 0.0 && rate < 10.0 { format!("  {rate:.1}/s") } else { format!("  {rate:.0}/s") }));
    }
    pieces.extend(match &logs.reading {
        Reading::Open if logs.follows => vec![Piece::text("  follow "), Piece::new(Role::Good, look.symbols.dot)],
        Reading::Open if logs.came == 0 => vec![Piece::new(Role::Info, "  follow stopped")],
        Reading::Open => vec![Piece::new(Role::Info, format!("  follow stopped {} {} new", look.symbols.between, logs.came))],
        Reading::Ended => vec![Piece::new(Role::Muted, "  read to the end")],
        Reading::Opening => vec![Piece::new(Role::Muted, "  opening")],
        Reading::Nothing(_) => vec![Piece::new(Role::Bad, "  nothing more comes")],
    });
    pieces
}

/// What has to be known of what is shown.
fn notes(of: &LogsOf, logs: &Logs, hidden: Option<&Silence>) -> Vec<(Role, String)> {
    let mut notes: Vec<(Role, String)> = logs.unknown.iter().map(|text| (Role::Warning, format!("{text}."))).collect();
    let Some(plugin) = &of.plugin else { return notes };
    let below = logs.said_below();
    // Only a proxy that runs can be told to say more.
    let raise = if logs.reading == Reading::Open { "; L raises the level of one proxy for a while" } else { "" };
    if logs.is_silent() {
        let unknown = || format!("it does not run (h says), or {UNLESS_SET}{raise}");
        let why = hidden.map_or_else(unknown, Silence::to_string);
        notes.push((Role::Muted, format!("{plugin} itself has said nothing in what is held: {why}.")));
    } else if below > 0 {
        let (s, level) = (if below == 1 { "" } else { "s" }, logs.typed.level.map_or("", Severity::word));
        notes.push((Role::Muted, format!("{plugin} itself has said {below} line{s}, none at level {level} or above: - shows them.")));
    } else if logs.typed.plugin == PluginWord::This && logs.may_say_more() {
        let why = hidden.map_or_else(|| format!("{UNLESS_SET}{raise}"), Silence::to_string);
        notes.push((Role::Muted, format!("{plugin}: {why}.")));
    }
    notes
}
