//! The answers as text, JSON, YAML and Markdown. Forms only: nothing is computed here.

mod chains;
mod markdown;
mod paint;
mod plugins;
mod table;
mod why;
mod workloads;

use serde::Serialize;

use crate::cli::Format;
use crate::model::warning::Warning;

pub use paint::{Paint, Style};
pub use table::Table;

/// An answer that can be printed.
pub trait Answer: Serialize {
    /// What could not be read.
    fn warnings(&self) -> &[Warning];
    /// For eyes.
    fn text(&self, paint: Paint) -> String;
    /// To be pasted into an issue.
    fn markdown(&self) -> String;
}

/// Prints an answer in a form.
pub fn render<A: Answer>(answer: &A, format: Format, paint: Paint) -> String {
    let text = match format {
        Format::Text => answer.text(paint),
        Format::Markdown => answer.markdown(),
        Format::Json => serde_json::to_string_pretty(answer).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}")),
        Format::Yaml => yaml(answer),
    };
    if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" }
}

/// YAML through the JSON value, so that both forms have the same keys and values.
fn yaml<A: Answer>(answer: &A) -> String {
    let written = serde_json::to_value(answer).map_err(|error| error.to_string());
    written
        .and_then(|value| serde_saphyr::to_string(&value).map_err(|error| error.to_string()))
        .unwrap_or_else(|error| format!("error: {error}\n"))
}
