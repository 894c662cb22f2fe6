//! `metadata.managedFields`: who wrote which fields of an object, and when. Of Istio's objects the times of their specs' last writes are
//! kept, of everything else nothing: the field is larger than most objects.

use serde_json::{Map, Value};

use crate::model::plugin::Write;

/// The groups of the objects of which it matters when they were changed.
const GROUPS: [&str; 3] = ["extensions.istio.io/", "networking.istio.io/", "security.istio.io/"];

/// The fields of an entry that are kept.
const KEPT: [&str; 4] = ["manager", "operation", "time", "subresource"];

/// Leaves of the field what [`writes`] reads, and removes it from objects of other groups.
pub fn prune(object: &mut Value) {
    let is_istio = GROUPS.iter().any(|group| str_of(object, "/apiVersion").starts_with(group));
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let entries = match metadata.remove("managedFields") {
        Some(Value::Array(entries)) if is_istio => entries,
        _ => return,
    };
    let kept: Vec<Value> = entries.iter().filter(|entry| is_of_spec(entry)).map(pruned).collect();
    if !kept.is_empty() {
        metadata.insert("managedFields".to_owned(), Value::Array(kept));
    }
}

/// The entry without the names of the fields.
fn pruned(entry: &Value) -> Value {
    let mut kept: Map<String, Value> = KEPT.iter().filter_map(|key| Some(((*key).to_owned(), entry.get(*key)?.clone()))).collect();
    kept.insert("fieldsV1".to_owned(), serde_json::json!({"f:spec": {}}));
    Value::Object(kept)
}

/// Whether the manager owns fields of the spec; a controller that writes the status alone changes nothing for istiod.
fn is_of_spec(entry: &Value) -> bool {
    entry.pointer("/fieldsV1/f:spec").is_some() && str_of(entry, "/subresource").is_empty()
}

/// When each manager of the spec wrote last, the latest last.
pub(super) fn writes(entries: &[Value]) -> Vec<Write> {
    let text = |entry: &Value, at: &str| str_of(entry, at).to_owned();
    let write = |entry| Write { time: text(entry, "/time"), manager: text(entry, "/manager"), operation: text(entry, "/operation") };
    let mut writes: Vec<Write> = entries.iter().filter(|entry| is_of_spec(entry)).map(write).collect();
    writes.retain(|write| !write.time.is_empty());
    writes.sort();
    writes
}

/// A string within an object; empty where it is absent or something else.
fn str_of<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str) -> Value {
        json!({"apiVersion": api_version, "metadata": {"name": "a", "managedFields": [
            {"manager": "kubectl-client-side-apply", "operation": "Update", "time": "2026-11-23T19:37:50Z", "apiVersion": "x",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {}, "f:spec": {"f:url": {}}}},
            {"manager": "kubectl-annotate", "operation": "Update", "time": "2026-11-23T19:38:00Z", "fieldsV1": {"f:metadata": {}}},
            {"manager": "status-writer", "operation": "Update", "subresource": "status", "time": "2026-11-23T19:39:00Z",
             "fieldsV1": {"f:spec": {}}},
            7,
        ]}})
    }

    #[test]
    fn of_a_plugin_the_writes_of_its_spec_are_kept() {
        let mut plugin = object("extensions.istio.io/v1alpha1");
        prune(&mut plugin);
        let kept = &plugin["metadata"]["managedFields"];
        assert_eq!(kept.as_array().map(Vec::len), Some(1));
        assert_eq!(kept[0]["fieldsV1"], json!({"f:spec": {}}), "not the names of its fields");
        let mut again = plugin.clone();
        prune(&mut again);
        assert_eq!(plugin, again, "a recording of a recording has the same");
    }

    #[test]
    fn of_everything_else_nothing_is_kept() {
        let mut pod = object("v1");
        prune(&mut pod);
        assert!(pod["metadata"].get("managedFields").is_none());
        let mut odd = json!({"apiVersion": "extensions.istio.io/v1alpha1", "metadata": {"managedFields": "text"}});
        prune(&mut odd);
        assert!(odd["metadata"].get("managedFields").is_none());
    }
}
