//! Removes private keys, tokens, pull secrets and passwords from whatever comes from a mesh, before anything is kept,
//! shown or written. It never fails and never lets a text through because it did not understand it.
//!
//! What a secret is called stays readable, only its content goes: the names of Secrets, of SDS resources, of files.

mod extent;
mod forms;
mod frame;
mod json;
mod keys;
mod looks;
mod names;
mod objects;
mod rules;
mod scan;
mod strings;
mod text;
mod value;
mod web_keys;
mod yaml;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use memchr::memmem;
use serde_json::Value;

use self::text::Style;
use crate::model::envoy::RawJson;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// How a block of PEM begins and ends.
static KEY_BEGINS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("-----BEGIN "));
const KEY_ENDS: &str = "-----END ";

/// Redacts a JSON text: a config dump or a part of one, an answer of istiod. Nothing is copied where nothing is found, and
/// what is not replaced stays byte for byte.
pub fn json(text: &str) -> Cow<'_, str> {
    if !scan::may_hold_secret(text) {
        return Cow::Borrowed(text);
    }
    json::rewrite(text, Style::Value).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Redacts a part of a document where people chose the names: a plugin's own configuration, as JSON text.
pub fn plugin_config(text: &str) -> Cow<'_, str> {
    json::rewrite(text, Style::Free).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Redacts a Kubernetes object, or a List of them.
pub fn value(value: &mut Value) {
    objects::redact(value);
    let Ok(written) = serde_json::to_string(value) else { return };
    if let Cow::Owned(redacted) = json(&written) {
        // Redacted JSON is JSON; should it not be, nothing of the object is let through.
        *value = serde_json::from_str(&redacted).unwrap_or_else(|_| Value::String(REDACTED.to_owned()));
    }
}

/// A JSON text, redacted already, without the strings of plugins' configuration. What begins like JSON and is none could hold one
/// anywhere, and goes as a whole.
pub fn without_plugin_strings(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with(['{', '[']) {
        return Cow::Borrowed(text);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return format!("{REDACTED}: this is not JSON, and so the strings of plugins could not be found\n").into();
    };
    if objects::blank_plugins(&mut value) { serde_json::to_string_pretty(&value).unwrap_or_default().into() } else { text.into() }
}

/// Redacts one line of a log.
pub fn log_line(line: &str) -> Cow<'_, str> {
    text::rewrite(line, Style::Log).map_or(Cow::Borrowed(line), Cow::Owned)
}

/// Redacts a record of a log that is one object of JSON: by its names and, as a message can hold anything, as a line.
pub fn json_line(line: &str) -> Cow<'_, str> {
    if !scan::may_hold_secret(line) {
        return Cow::Borrowed(line);
    }
    let by_name = json::rewrite(line, Style::Log).map_or(Cow::Borrowed(line), Cow::Owned);
    text::rewrite(&by_name, Style::Log).map_or(by_name, Cow::Owned)
}

/// Redacts a text of many lines: a log, metrics, an error.
pub fn text(text: &str) -> Cow<'_, str> {
    log_line(text)
}

/// Whether the lines of a log end within a private key after this one; `within` says whether they did before it. Who takes lines
/// one by one keeps those of a key together, since only as a whole is it known.
pub fn key_goes_on(line: &str, within: bool) -> bool {
    match KEY_BEGINS.find_iter(line.as_bytes()).last() {
        Some(at) => line[at..].contains("PRIVATE KEY-----") && !line[at..].contains(KEY_ENDS),
        None => within && !line.contains(KEY_ENDS),
    }
}

/// Whether a line can be one of a private key's, by itself: base64 and nothing else, or the key's end.
pub fn is_of_key(line: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    line.contains(KEY_ENDS) || (24..=76).contains(&line.len()) && line.len().is_multiple_of(4) && line.bytes().all(base64)
}

/// Redacts the part of a private key that a text begins with.
pub fn end_of_key(text: &str) -> String {
    format!("{REDACTED}{}", text.find(KEY_ENDS).map_or("", |at| &text[at..]))
}

/// Redacts a JSON text and keeps it, which costs one copy. The only way to make a [`RawJson`] of what a proxy wrote.
pub fn raw_json(text: &str) -> RawJson {
    RawJson::whole(Arc::from(json(text)))
}
