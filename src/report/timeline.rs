//! The story of a change: the steps down the page with their times, then what could not be seen.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{Table, markdown};
use crate::analysis::answers::{StepAnswer, TimelineAnswer, TimelinePart};
use crate::analysis::timeline::Unseen;
use crate::model::printable::printable;
use crate::model::warning::Warning;

impl Form for TimelineAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        let mut out = format!("The last change of {} {}\n", self.plugin_kind, paint.paint(Style::Plugin, &self.plugin));
        for TimelinePart { heading, steps, unseen, .. } in self.parts() {
            let _ = writeln!(out, "\n{}", paint.paint(Style::Strong, &heading));
            if !steps.is_empty() {
                out.extend(table(steps).text(paint).lines().map(|line| format!("  {line}\n")));
            }
            for line in details(steps) {
                let _ = writeln!(out, "    {}", paint.paint(Style::Muted, &line));
            }
            for unseen in unseen {
                let _ = writeln!(out, "  {}", paint.paint(Style::Warn, &unseen.sentence()));
            }
        }
        let _ = writeln!(out);
        for note in self.said() {
            let _ = writeln!(out, "{}", paint.paint(Style::Plain, &note));
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("### The last change of {} {}\n", self.plugin_kind, markdown::code(&self.plugin));
        for TimelinePart { heading, steps, unseen, .. } in self.parts() {
            let _ = writeln!(out, "\n#### {}\n", printable(&heading));
            if !steps.is_empty() {
                let _ = writeln!(out, "{}", table(steps).markdown());
            }
            for line in details(steps).into_iter().chain(unseen.iter().map(Unseen::sentence)) {
                let _ = writeln!(out, "- {}", printable(&line));
            }
        }
        let _ = writeln!(out);
        for note in self.said() {
            let _ = writeln!(out, "{}\n", printable(&note));
        }
        out.truncate(out.trim_end().len());
        out + "\n"
    }
}

fn table(steps: &[StepAnswer]) -> Table {
    let mut table = Table::new(&["TIME", "STEP", "AFTER THE STEP BEFORE", "WHAT HAPPENED"]);
    for step in steps {
        let style = if step.step.is_bad() { Style::Bad } else { Style::Plain };
        table.row([
            (Style::Plain, step.time.clone()),
            (style, format!("{}{}", step.step.words(), step.mark())),
            (Style::Plain, step.since_previous.map(|since| since.to_string()).unwrap_or_default()),
            (style, step.sentence()),
        ]);
    }
    table
}

/// What shows each step, and what is to be known of it. Two steps that one line shows have it once.
fn details(steps: &[StepAnswer]) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if steps.get(place + 1).is_none_or(|next| next.evidence != step.evidence) {
            lines.push(format!("{}: {}", step.step.words(), step.shown_by()));
        }
        lines.extend(step.note.iter().map(|note| format!("{}: {note}", step.step.words())));
    }
    lines
}
