//! What only the shape of a Kubernetes object tells to be a secret: a container's environment, the data of a Secret, the
//! annotation that repeats an object. Everything else is for the names of keys to say.

use serde_json::{Map, Value};

use super::REDACTED;
use super::names::Name;
use super::yaml::TOO_LARGE;
use crate::ingest::yaml::{Unread, parse};
use crate::model::logs::DISCOVERY;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// The container whose environment meshscope reads; of others, no value is of use.
const PROXY: &str = "istio-proxy";

/// Redacts an object and all that lies in it.
pub(super) fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => {
            fields.remove(LAST_APPLIED);
            if fields.get("kind").and_then(Value::as_str) == Some("Secret") {
                secret(fields);
            }
            if let Some(Value::Object(data)) = fields.get_mut("data") {
                mesh_configuration(data);
            }
            for (key, value) in fields.iter_mut() {
                if CONTAINERS.contains(&key.as_str()) {
                    value.as_array_mut().into_iter().flatten().for_each(container);
                }
                redact(value);
            }
        }
        _ => {}
    }
}

/// The mesh configuration in the data of a ConfigMap, which within a List does not say its kind. What is no YAML could hold a secret
/// anywhere; the note is no YAML either, so that who reads it learns the same.
fn mesh_configuration(data: &mut Map<String, Value>) {
    for key in ["mesh", "meshNetworks"] {
        let Some(Value::String(text)) = data.get_mut(key) else { continue };
        match parse(text) {
            Ok(_) => {}
            Err(_) if text == TOO_LARGE => {}
            Err(Unread::TooLarge) => TOO_LARGE.clone_into(text),
            Err(Unread::NotYaml(_)) => *text = format!("{REDACTED} this is not YAML, and so its secrets could not be found"),
        }
    }
}

fn secret(fields: &mut Map<String, Value>) {
    for part in ["data", "stringData"] {
        match fields.get_mut(part) {
            Some(Value::Object(data)) => data.values_mut().for_each(|value| *value = REDACTED.into()),
            Some(other) => *other = REDACTED.into(),
            None => {}
        }
    }
}

/// Where a plugin's configuration is: in the objects, and in what istiod and Envoy make of it.
const PLUGIN_CONFIG: [&str; 3] = ["pluginConfig", "plugin_config", "configuration"];
/// What Envoy needs to know what a value is.
const TYPES: [&str; 2] = ["@type", "type_url"];

/// Takes every string out of the plugins' configuration; whether there was one.
pub(super) fn blank_plugins(value: &mut Value) -> bool {
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= blank_plugins(item)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                found |= if PLUGIN_CONFIG.contains(&key.as_str()) { blank(value) } else { blank_plugins(value) };
            }
        }
        _ => {}
    }
    found
}

fn blank(value: &mut Value) -> bool {
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= blank(item)),
        Value::Object(fields) => {
            let values = fields.iter_mut().filter(|(key, _)| !TYPES.contains(&key.as_str()));
            values.for_each(|(_, value)| found |= blank(value));
        }
        Value::String(text) => {
            // An object as text is compared with the object itself, and so stays an object.
            match serde_json::from_str::<Value>(text) {
                Ok(mut inner @ (Value::Array(_) | Value::Object(_))) => {
                    blank(&mut inner);
                    *text = inner.to_string();
                }
                _ => *text = REDACTED.to_owned(),
            }
            found = true;
        }
        _ => {}
    }
    found
}

fn container(container: &mut Value) {
    let name = container.get("name").and_then(Value::as_str);
    let switches = name == Some(DISCOVERY);
    if name != Some(PROXY)
        && let Some(Value::Array(env)) = container.get_mut("env")
    {
        let is_read = |entry: &Value| switches && entry.get("name").and_then(Value::as_str).is_some_and(is_switch);
        let values = env.iter_mut().filter(|entry| !is_read(entry)).filter_map(|entry| entry.get_mut("value"));
        values.filter(|value| value.as_str() != Some("")).for_each(|value| *value = REDACTED.into());
    }
    for part in ["args", "command"] {
        if let Some(Value::Array(words)) = container.get_mut(part) {
            flags(words);
        }
    }
}

/// Whether an environment variable of istiod switches a feature: its name is all that says so.
fn is_switch(name: &str) -> bool {
    (name.starts_with("ENABLE_") || name.starts_with("PILOT_")) && !Name::new(name).is_suspect()
}

/// `["--password", "…"]`: the word after a flag that names a secret.
fn flags(words: &mut [Value]) {
    let mut secret_next = false;
    for word in words {
        let Some(text) = word.as_str() else { continue };
        let is_flag = text.starts_with('-');
        let names_secret = is_flag && !text.contains('=') && Name::new(text).is_suspect();
        if secret_next && !is_flag {
            *word = REDACTED.into();
        }
        secret_next = names_secret;
    }
}
