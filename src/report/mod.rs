//! The answers as text, JSON, YAML and Markdown. Forms only: nothing is computed here.

mod chains;
mod connection;
mod diff;
mod findings;
mod health;
mod junit;
mod logs;
mod markdown;
mod mtls;
mod order;
mod paint;
mod plugins;
mod sarif;
mod sync;
mod table;
mod timeline;
mod what_if;
mod why;
mod workloads;

use std::fmt::Write;

use serde::Serialize;

use crate::cli::Format;
use crate::model::printable::is_unprintable;
use crate::model::warning::Warning;

pub use findings::of_one as finding;
pub use logs::LogPrinter;
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
    /// As SARIF, for CI; only findings have such a form.
    fn sarif(&self) -> String {
        String::new()
    }
    /// As JUnit's XML, for CI; only findings have such a form.
    fn junit(&self) -> String {
        String::new()
    }
}

/// Prints an answer in a form.
pub fn render<A: Answer>(answer: &A, format: Format, paint: Paint) -> String {
    let text = match format {
        Format::Text => answer.text(paint),
        Format::Markdown => answer.markdown(),
        Format::Json => json(answer),
        Format::Yaml => yaml(answer),
        Format::Sarif => answer.sarif(),
        Format::Junit => answer.junit(),
    };
    if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" }
}

fn json<T: Serialize>(answer: &T) -> String {
    written(serde_json::to_string_pretty(answer))
}

/// JSON in one line.
fn json_line<T: Serialize>(value: &T) -> String {
    written(serde_json::to_string(value))
}

/// JSON in which no character is left that a terminal could act on. Those can stand only in strings, where an escape
/// means the same.
fn written(json: serde_json::Result<String>) -> String {
    let written = json.unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    if !written.chars().any(is_hidden) {
        return written;
    }
    let mut safe = String::with_capacity(written.len() + 64);
    for c in written.chars() {
        if !is_hidden(c) {
            safe.push(c);
            continue;
        }
        // JSON writes what is beyond 16 bits as two.
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe
}

/// The line ends between keys are the only ones that stay.
fn is_hidden(c: char) -> bool {
    c != '\n' && is_unprintable(c)
}

/// YAML through the JSON value, so that both forms have the same keys and values.
fn yaml<A: Answer>(answer: &A) -> String {
    let written = serde_json::to_value(answer).map_err(|error| error.to_string());
    let yaml = written.and_then(|value| serde_saphyr::to_string(&value).map_err(|error| error.to_string()));
    match yaml {
        // What the writer of YAML leaves as it is, JSON can escape; and JSON is YAML.
        Ok(yaml) if yaml.chars().any(is_hidden) => json(answer),
        Ok(yaml) => yaml,
        Err(error) => format!("error: {error}\n"),
    }
}
