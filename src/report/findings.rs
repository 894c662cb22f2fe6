//! The findings: what, what shows it, why it matters, what to do.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{junit, markdown, sarif};
use crate::analysis::answers::FindingsAnswer;
use crate::analysis::findings::{Finding, Severity};
use crate::model::warning::Warning;

impl Form for FindingsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        let plain = |text: &str| paint.paint(Style::Plain, text);
        let mut out: String = self.findings.iter().map(|finding| text(finding, paint) + "\n").collect();
        let _ = writeln!(out, "{}.", plain(&format!("{}: {}", self.scope, self.summary())));
        for unchecked in &self.not_checked {
            let _ = writeln!(out, "{} {}", paint.paint(Style::Warn, "Not looked at:"), plain(&format!("{unchecked}.")));
        }
        out
    }

    fn markdown(&self) -> String {
        let scope = Paint::Plain.paint(Style::Plain, &self.scope.to_string());
        let mut out = format!("### Findings: {}\n\n{scope}.\n", self.summary());
        self.findings.iter().for_each(|finding| out.push_str(&finding_markdown(finding)));
        if !self.not_checked.is_empty() {
            let _ = writeln!(out, "\nNot looked at:\n");
        }
        for unchecked in &self.not_checked {
            let _ = writeln!(out, "- {}", Paint::Plain.paint(Style::Plain, &unchecked.to_string()));
        }
        out
    }

    fn sarif(&self) -> Option<String> {
        Some(sarif::written(self))
    }

    fn junit(&self) -> Option<String> {
        Some(junit::written(self))
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Warn,
        Severity::Information => Style::Muted,
    }
}

fn text(finding: &Finding, paint: Paint) -> String {
    let mut out = format!(
        "{} {}  {}\n  {}\n",
        paint.paint(style(finding.severity), finding.severity.as_str()),
        paint.paint(Style::Strong, finding.code),
        paint.paint(Style::Plugin, &finding.object.to_string()),
        paint.paint(Style::Plain, &finding.what),
    );
    for (name, line) in lines(finding) {
        let _ = writeln!(out, "    {}  {}", paint.paint(Style::Muted, &format!("{name:8}")), paint.paint(Style::Plain, &line));
    }
    out
}

/// How many proxies are named where people read; the forms for programs have all.
const MOST: usize = 10;

/// One finding, as it is pasted into an issue.
pub fn of_one(finding: &Finding) -> String {
    Paint::Plain.page(finding_markdown(finding).trim_start()).into_string()
}

/// What stands under a finding, each line with what it is.
fn lines(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&str, String)> = finding.said_proxies(MOST).map(|proxies| ("proxies", proxies)).into_iter().collect();
    for (place, evidence) in finding.evidence.iter().enumerate() {
        lines.push((if place == 0 { "evidence" } else { "" }, evidence.clone()));
    }
    lines.push(("matters", finding.why.to_owned()));
    lines.push(("fix", finding.fix.clone()));
    lines.extend(finding.place.iter().map(|place| ("look at", place.to_string())));
    lines
}

fn finding_markdown(finding: &Finding) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let mut out = format!(
        "\n#### {} {}: {}\n\n{}\n\n",
        finding.severity.as_str(),
        markdown::code(finding.code),
        plain(&finding.object.to_string()),
        plain(&finding.what)
    );
    for (name, line) in lines(finding) {
        let name = if name.is_empty() { "evidence" } else { name };
        let _ = writeln!(out, "- {name}: {}", plain(&line));
    }
    out
}
