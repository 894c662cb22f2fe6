//! The lines of what would be: what is supposed, which workloads the plugin touches, what was not understood, and for each proxy the
//! difference.

use super::Row;
use crate::app::screen::Screen;
use crate::model::warning;

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let answer = match screen.what_if() {
        Some(Ok(answer)) => answer,
        Some(Err(why)) => return vec![Row::Change('!', why.to_owned())],
        None => return Vec::new(),
    };
    let mut rows: Vec<Row> = answer.assumed.iter().map(|assumed| Row::Sentence(format!("If {assumed}"))).collect();
    rows.push(Row::Sentence(format!("{} {}", answer.plugin, answer.touches())));
    let warnings: Vec<String> = answer.warnings.iter().map(ToString::to_string).collect();
    rows.extend(warning::summed_up(&warnings, "y copies all").into_iter().map(|warning| Row::Change('!', warning)));
    for (index, entry) in answer.workloads.iter().enumerate() {
        rows.extend([Row::Blank, Row::Supposed(index)]);
        rows.extend(entry.lines().into_iter().map(|(sign, line)| Row::Change(sign, line)));
    }
    rows
}
