//! The answers as text, JSON, YAML and Markdown. Forms only: nothing is computed here.

mod chains;
mod connection;
mod diff;
mod findings;
mod form;
mod health;
mod junit;
mod logs;
mod markdown;
mod mtls;
mod order;
mod paint;
mod plugins;
mod record;
mod sarif;
mod sync;
mod table;
mod timeline;
mod what_if;
mod why;
mod workloads;

use serde::Serialize;
use serde_json::Value;

use self::form::Form;
use crate::cli::Format;
use crate::model::printable::{Printable, is_unprintable};

pub use findings::of_one as finding;
pub use logs::LogPrinter;
pub use paint::{Paint, Style};
pub use table::Table;

/// An answer that can be printed. What prints has no other way to its forms, so that all of them are printable.
pub trait Answer: Form {
    /// The answer in a form; None where it has no such form.
    fn printed(&self, format: Format, paint: Paint) -> Option<Printable> {
        let (text, paint) = match format {
            Format::Text => (self.nothing(paint).unwrap_or_else(|| self.text(paint)), paint),
            Format::Markdown => (markdown(self), Paint::Plain),
            Format::Json => (json(self), Paint::Plain),
            Format::Yaml => (yaml(self), Paint::Plain),
            Format::Sarif => (self.sarif()?, Paint::Plain),
            Format::Junit => (self.junit()?, Paint::Plain),
        };
        Some(paint.page(&if text.ends_with('\n') || text.is_empty() { text } else { text + "\n" }))
    }

    /// As it is pasted into an issue.
    fn pasted(&self) -> String {
        Paint::Plain.page(&markdown(self)).into_string()
    }
}

impl<A: Form> Answer for A {}

fn markdown<A: Form + ?Sized>(answer: &A) -> String {
    answer.nothing(Paint::Plain).unwrap_or_else(|| answer.markdown()) + &markdown::warnings(answer.warnings())
}

fn json<T: Serialize + ?Sized>(answer: &T) -> String {
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
    // JSON writes what is beyond 16 bits as two.
    escaped(written, |c, safe| c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}"))))
}

/// The text with something else in the place of each character that a terminal could act on. The line ends between keys are the only ones
/// that stay.
fn escaped(text: String, escape: impl Fn(char, &mut String)) -> String {
    if !text.chars().any(is_hidden) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_hidden(c) { escape(c, &mut safe) } else { safe.push(c) }
    }
    safe
}

/// Whether a terminal could act on a character of text in lines.
fn is_hidden(c: char) -> bool {
    c != '\n' && is_unprintable(c)
}

/// YAML through the JSON value, so that both forms have the same keys and values.
fn yaml<T: Serialize + ?Sized>(answer: &T) -> String {
    let value = match serde_json::to_value(answer) {
        Ok(value) => value,
        Err(error) => return format!("error: {error}\n"),
    };
    let is_plain = |yaml: &String| !yaml.chars().any(is_hidden);
    let is_same = |yaml: &String| serde_saphyr::from_str::<Value>(yaml).is_ok_and(|read| read == value);
    match serde_saphyr::to_string(&value) {
        Ok(yaml) if is_plain(&yaml) && is_same(&yaml) => yaml,
        // JSON is YAML, but for characters beyond 16 bits, which YAML writes as one (YAML 1.2.2, 5.7).
        _ => {
            escaped(serde_json::to_string_pretty(&value).unwrap_or_default(), |c, safe| safe.push_str(&format!("\\U{:08x}", u32::from(c))))
        }
    }
}
