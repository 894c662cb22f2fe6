//! What of an answer goes into a recording: all of it but secrets, and what no answer needs and others would rather not
//! give away or carry along.

use serde_json::{Map, Value};

use super::super::Reply;
use crate::ingest::{managed_fields, manifest, redact};

/// JSON as files of a recording have it.
pub(super) fn pretty(value: &Value) -> String {
    // Values have keys of text, so that writing them cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A List of objects without secrets; None where there are none. The text is why it is not a List.
pub(super) fn objects(bytes: &[u8]) -> Result<Option<Value>, String> {
    let mut list = manifest::list(bytes).map_err(|why| format!("the answer {why}"))?;
    let is_whole = manifest::incomplete(&list).is_none();
    let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) else {
        // The mesh configuration of another recording stands alone.
        return if list.get("kind").and_then(Value::as_str) == Some("ConfigMap") {
            redact::value(&mut list);
            Ok(Some(list))
        } else {
            Err("the answer is not a Kubernetes List".to_owned())
        };
    };
    if items.is_empty() && is_whole {
        return Ok(None);
    }
    for item in items {
        managed_fields::prune(item);
        if let Some(status) = item.get_mut("status").and_then(Value::as_object_mut) {
            status.remove("nodeInfo");
        }
        redact::value(item);
    }
    Ok(Some(list))
}

/// The mesh configurations among ConfigMaps: the one as it is, several as a List.
pub(super) fn mesh_configuration(mut list: Value) -> Option<Value> {
    let is_mesh = |item: &Value| {
        let name = item.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        (name == "istio" || name.starts_with("istio-")) && item.pointer("/data/mesh").is_some()
    };
    let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) else { return is_mesh(&list).then_some(list) };
    items.retain(is_mesh);
    match items.len() {
        0 => None,
        1 => items.pop().map(|mut item| {
            // A List leaves out what all its items have in common.
            if let Some(fields) = item.as_object_mut() {
                fields.entry("kind").or_insert("ConfigMap".into());
                fields.entry("apiVersion").or_insert("v1".into());
            }
            item
        }),
        _ => Some(list),
    }
}

/// What istiod would send a proxy, as one dump without secrets, with what is to be known of how it was read; None where it is no dump.
pub(super) fn view(reply: &Reply) -> Option<String> {
    let read: Value = serde_json::from_slice(&reply.bytes).ok()?;
    let mut dump = match read {
        Value::Object(dump) => dump,
        list => Map::from_iter([("configs".to_owned(), list)]),
    };
    let notes = match reply.way {
        "xDS" => vec![format!("istiod was asked over xDS, since {}", reply.tried.join("; "))],
        _ => reply.tried.clone(),
    };
    // Those of a recording are in the dump already.
    if !notes.is_empty() {
        dump.insert("notes".to_owned(), notes.into());
    }
    Some(text(pretty(&Value::Object(dump)).as_bytes()))
}

/// A JSON answer or, where it is none, a text; without secrets.
pub(super) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_json = text.trim_start().starts_with(['{', '[']);
    if is_json { redact::json(&text) } else { redact::text(&text) }.into_owned()
}

/// `/server_info` without the command line, which says more of the machine than of the mesh.
pub(super) fn server_info(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut info) => {
            if let Some(fields) = info.as_object_mut() {
                fields.remove("command_line_options");
            }
            text(pretty(&info).as_bytes())
        }
        Err(_) => text(bytes),
    }
}

/// The answers of several istiods to one question as one: each speaks for the proxies that are connected to it.
pub(super) fn merged(answers: &[Vec<u8>]) -> Option<String> {
    let mut values = answers.iter().filter_map(|answer| serde_json::from_slice::<Value>(answer).ok());
    let (Some(mut all), true) = (values.next(), answers.len() > 1) else { return answers.first().map(|answer| text(answer)) };
    values.for_each(|value| merge(&mut all, value));
    Some(text(pretty(&all).as_bytes()))
}

/// The answers of several istiods on what each proxy watches, without the proxies' metadata, which say more of the machines than of
/// the mesh.
pub(super) fn watches(answers: &[Vec<u8>]) -> Option<String> {
    let mut all: Value = serde_json::from_str(&merged(answers)?).ok()?;
    for client in all.get_mut("clients").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        client.retain(|key, _| matches!(key.as_str(), "connectionId" | "connectedAt" | "watches"));
    }
    Some(pretty(&all))
}

fn merge(all: &mut Value, other: Value) {
    match (all, other) {
        (Value::Array(all), Value::Array(other)) => all.extend(other.into_iter().filter(|value| !value.is_null()).collect::<Vec<_>>()),
        (Value::Object(all), Value::Object(other)) => {
            for (key, value) in other {
                match all.get_mut(&key) {
                    Some(here) => merge(here, value),
                    None => {
                        all.insert(key, value);
                    }
                }
            }
        }
        (all @ Value::Null, other) => *all = other,
        (Value::Number(all), Value::Number(other)) => {
            if let (Some(a), Some(b)) = (all.as_u64(), other.as_u64()) {
                *all = a.saturating_add(b).into();
            }
        }
        _ => {}
    }
}
