//! The lines of Findings: the findings, what could not be looked at, and what could not be read or understood.

use super::Row;
use crate::analysis::findings::Finding;
use crate::app::screen::Screen;

pub(super) fn rows(screen: &Screen, warnings: usize) -> Vec<Row> {
    let Some(answer) = screen.findings() else { return Vec::new() };
    let mut rows: Vec<Row> = (0..answer.findings.len()).map(Row::Finding).collect();
    let mut part = |heading: &'static str, items: Vec<Row>| {
        if !items.is_empty() {
            rows.extend((!rows.is_empty()).then_some(Row::Blank));
            rows.push(Row::Heading(heading));
            rows.extend(items);
        }
    };
    part("not looked at", (0..answer.not_checked.len()).map(Row::Unchecked).collect());
    part("what could not be read or understood", (0..warnings).map(Row::Warning).collect());
    rows
}

/// The finding of a row.
pub(super) fn of(screen: &Screen, index: usize) -> Option<&Finding> {
    screen.findings()?.findings.get(index)
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let answer = screen.findings()?;
    match row {
        Row::Finding(index) => answer.findings.get(*index).map(|finding| format!("{} {}", finding.code, finding.object)),
        Row::Unchecked(index) => answer.not_checked.get(*index).map(ToString::to_string),
        _ => None,
    }
}
