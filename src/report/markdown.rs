//! Pieces of Markdown that several answers share.

use crate::model::printable::printable;
use crate::model::warning::Warning;

/// A name as code.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", printable(text).replace('`', "'"))
}

/// Warnings as a list under a heading; nothing where there are none.
pub(super) fn warnings(warnings: &[Warning]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let items: Vec<String> = warnings.iter().map(|warning| format!("- {}", printable(&warning.to_string()))).collect();
    format!("\nNot everything could be read:\n\n{}\n", items.join("\n"))
}
