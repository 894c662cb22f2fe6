//! Which type each field of an ECDS entry has to have. A field of another type is no absent one: nothing is known of it.

use serde_json::Value;

use crate::ingest::kubernetes;

/// The type of a field, by its name in snake_case; fields that are not here are not read.
enum Shape {
    /// Text.
    Text,
    /// An object with these fields.
    Object(&'static [(&'static str, Shape)]),
}

use Shape::{Object, Text};

/// `envoy.extensions.wasm.v3.PluginConfig`, as far as it is read.
const PLUGIN: Shape = Object(&[
    ("name", Text),
    ("root_id", Text),
    ("failure_policy", Text),
    (
        "vm_config",
        Object(&[(
            "code",
            Object(&[
                ("local", Object(&[("filename", Text)])),
                ("remote", Object(&[("http_uri", Object(&[("uri", Text)])), ("sha256", Text)])),
            ]),
        )]),
    ),
]);

/// `ecds_filter`: a `TypedExtensionConfig`, or the bare message as istiod writes it.
const FILTER: Shape = Object(&[
    ("@type", Text),
    ("name", Text),
    ("config", PLUGIN),
    ("typed_config", Object(&[("@type", Text), ("type_url", Text), ("config", PLUGIN), ("value", Object(&[("config", PLUGIN)]))])),
]);

/// The first field of an `ecds_filter` that has another type than it has to have, as one clause.
pub(super) fn fault_of_filter(value: &Value) -> Option<String> {
    fault(value, &FILTER, "ecds_filter")
}

fn fault(value: &Value, shape: &Shape, place: &str) -> Option<String> {
    match (value, shape) {
        (Value::Null, _) | (Value::String(_), Text) => None,
        (Value::Object(fields), Object(known)) => known.iter().find_map(|(name, shape)| {
            let camel = camel_case(name);
            let value = fields.get(*name).or_else(|| fields.get(&camel))?;
            fault(value, shape, &format!("{place}.{name}"))
        }),
        (other, Text) => Some(format!("{place} is {} and not text", of(other))),
        (other, Object(_)) => Some(format!("{place} is {} and not an object", of(other))),
    }
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut all, part| {
        let (head, tail) = part.split_at(part.len().min(1));
        all.push_str(&head.to_ascii_uppercase());
        all.push_str(tail);
        all
    })
}

fn of(value: &Value) -> &'static str {
    if value.is_object() { "an object" } else { kubernetes::shape(value) }
}

/// What a JSON text is, by its first character.
pub(super) fn of_text(text: &str) -> &'static str {
    match text.trim_start().chars().next() {
        Some('{') => "an object",
        Some('[') => "a list",
        Some('"') => "text",
        Some('t' | 'f') => "a boolean",
        Some('n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_of_another_type_is_named() {
        let faults = [
            (json!("x"), Some("ecds_filter is text and not an object")),
            (json!({"name": 1}), Some("ecds_filter.name is a number and not text")),
            (json!({"typedConfig": []}), Some("ecds_filter.typed_config is a list and not an object")),
            (
                json!({"typed_config": {"config": {"vmConfig": {"code": {"local": {"filename": true}}}}}}),
                Some("ecds_filter.typed_config.config.vm_config.code.local.filename is a boolean and not text"),
            ),
            (json!({"typed_config": {"config": {"vm_config": null, "rootId": "x"}}}), None),
        ];
        for (value, expected) in faults {
            assert_eq!(fault_of_filter(&value).as_deref(), expected, "{value}");
        }
    }
}
