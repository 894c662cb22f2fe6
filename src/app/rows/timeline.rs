//! The lines of Timeline: the parts of the story with their steps, what could not be seen, and what is to be known of the whole.

use super::Row;
use crate::analysis::answers::{StepAnswer, TimelinePart};
use crate::analysis::lookup;
use crate::analysis::timeline::Unseen;
use crate::app::program::App;
use crate::app::screen::{Focus, Screen, Subject};

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(answer) = screen.timeline() else { return Vec::new() };
    let mut rows = Vec::new();
    let parts = answer.parts();
    for (index, part) in parts.iter().enumerate() {
        rows.push(Row::Part(index));
        rows.extend((0..part.steps.len()).map(|step| Row::Step(index, step)));
        rows.push(Row::Blank);
    }
    // What could not be seen comes at the end, not between the steps.
    let unseen: Vec<Row> =
        parts.iter().enumerate().flat_map(|(index, part)| (0..part.unseen.len()).map(move |place| Row::Unseen(index, place))).collect();
    if !unseen.is_empty() {
        rows.push(Row::Heading("what could not be seen"));
        rows.extend(unseen);
        rows.push(Row::Blank);
    }
    rows.extend(answer.said().into_iter().map(Row::Sentence));
    rows
}

/// The step of a row.
pub fn step<'s>(screen: &'s Screen, row: &Row) -> Option<&'s StepAnswer> {
    let Row::Step(part, step) = row else { return None };
    self::part(screen, *part)?.steps.get(*step)
}

/// What could not be seen, and whose it is.
pub fn unseen<'s>(screen: &'s Screen, row: &Row) -> Option<(TimelinePart<'s>, &'s Unseen)> {
    let Row::Unseen(part, place) = row else { return None };
    let part = self::part(screen, *part)?;
    let unseen = part.unseen.get(*place)?;
    Some((part, unseen))
}

/// A part of the story.
pub fn part(screen: &Screen, index: usize) -> Option<TimelinePart<'_>> {
    screen.timeline()?.parts().into_iter().nth(index)
}

/// The proxy whose part a row is in.
pub(in crate::app) fn focus(app: &App, row: &Row) -> Option<Focus> {
    let screen = app.screen();
    let Subject::Timeline(plugin) = &screen.subject else { return None };
    let (Row::Step(index, _) | Row::Unseen(index, _)) = row else { return None };
    let proxy = self::part(screen, *index)?.proxy?.clone();
    Some(Focus { plugin: Some(plugin.clone()), workload: lookup::owner(&app.snapshot, &proxy), proxy })
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let step = step(screen, row).map(|step| format!("{} {}", step.step.words(), step.sentence()));
    step.or_else(|| unseen(screen, row).map(|(_, unseen)| unseen.sentence()))
}
