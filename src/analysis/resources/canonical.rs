//! One way of writing a resource, whoever wrote it.
//!
//! Envoy writes snake_case and istiod lowerCamelCase (Protobuf's JSON mapping has both): `consecutive_5xx` is `consecutive5xx`, which does
//! not lead back, so that the second is taken for both. What stands in no order that matters is sorted, and a message within a TypedStruct
//! stands there as itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Lists in which the order says nothing: istiod makes some of them of Go's maps.
const SETS: [&str; 7] =
    ["domains", "services", "matchSubjectAltNames", "matchTypedSubjectAltNames", "queryParameters", "lbEndpoints", "endpoints"];

/// The names of fields as the proxy has them, by how they stand in the one way of writing.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// A field's name for people, in snake_case.
    pub(super) fn of(&self, key: &str) -> String {
        self.0.get(key).cloned().unwrap_or_else(|| snake_case(key))
    }

    /// A value with its fields' names for people.
    pub(super) fn within(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => object.iter().map(|(key, value)| (self.of(key), self.within(value))).collect(),
            Value::Array(list) => list.iter().map(|value| self.within(value)).collect(),
            other => other.clone(),
        }
    }

    fn camel_case(&mut self, key: String) -> String {
        if !key.contains('_') || key.bytes().any(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_')) {
            return key;
        }
        let mut written = String::with_capacity(key.len());
        let mut after = false;
        for letter in key.chars() {
            if letter != '_' {
                written.push(if after { letter.to_ascii_uppercase() } else { letter });
            }
            after = letter == '_';
        }
        if !self.0.contains_key(&written) {
            self.0.insert(written.clone(), key);
        }
        written
    }
}

/// Whether the elements of the list behind this key stand in no order that matters.
pub(super) fn is_set(key: &str) -> bool {
    SETS.contains(&key)
}

/// A resource in the one way of writing; None where the text is no JSON.
pub(super) fn canonical(text: &str, names: &mut Names) -> Option<Value> {
    serde_json::from_str(text).ok().map(|value| rewritten("", value, names))
}

fn rewritten(key: &str, value: Value, names: &mut Names) -> Value {
    match value {
        Value::Object(object) => message(object, names),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(|element| rewritten("", element, names)).collect();
            if is_set(key) {
                list.sort_by(order);
            }
            if key == "virtualHosts" { by_name(list) } else { Value::Array(list) }
        }
        other => other,
    }
}

fn message(object: Map<String, Value>, names: &mut Names) -> Value {
    let mut written = Map::new();
    for (key, value) in object {
        let key = names.camel_case(key);
        let value = rewritten(&key, value, names);
        // An empty list and one that is not there are the same to Protobuf.
        if !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)) {
            written.insert(key, value);
        }
    }
    let is_struct = written.get("@type").and_then(Value::as_str).is_some_and(|of| of.ends_with("TypedStruct"));
    match (is_struct, written.remove("typeUrl"), written.remove("value")) {
        (true, Some(of), Some(Value::Object(mut inner))) => {
            inner.insert("@type".to_owned(), of);
            Value::Object(inner)
        }
        (_, of, value) => {
            written.extend(of.map(|of| ("typeUrl".to_owned(), of)));
            written.extend(value.map(|value| ("value".to_owned(), value)));
            Value::Object(written)
        }
    }
}

/// A list of virtual hosts by their names, which Envoy wants to be each another one; the list where they are not.
fn by_name(list: Vec<Value>) -> Value {
    let names: Option<Vec<String>> = list.iter().map(|host| Some(host.get("name")?.as_str()?.to_owned())).collect();
    let Some(names) = names else { return Value::Array(list) };
    let hosts: Map<String, Value> = names.into_iter().zip(list.iter().cloned()).collect();
    if hosts.len() == list.len() { Value::Object(hosts) } else { Value::Array(list) }
}

/// `maxRequests` as `max_requests`. What is no name of a field, such as a key with dots, stays as it is.
fn snake_case(key: &str) -> String {
    if key.bytes().any(|byte| !byte.is_ascii_alphanumeric()) {
        return key.to_owned();
    }
    let mut written = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            written.push('_');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

/// Some order, the same for equal values.
fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => one.to_string().cmp(&other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Names, canonical};

    fn same(one: &str, other: &str) -> bool {
        let mut names = Names::default();
        canonical(one, &mut names).unwrap() == canonical(other, &mut names).unwrap()
    }

    #[test]
    fn what_differs_in_writing_alone_is_the_same() {
        assert!(same(r#"{"connectTimeout": "1s", "x": []}"#, r#"{"connect_timeout": "1s", "y": null}"#));
        assert!(same(r#"{"outlierDetection": {"consecutive5xx": 7}}"#, r#"{"outlier_detection": {"consecutive_5xx": 7}}"#));
        assert!(same(r#"{"domains": ["a", "b"]}"#, r#"{"domains": ["b", "a"]}"#));
        assert!(!same(r#"{"routes": ["a", "b"]}"#, r#"{"routes": ["b", "a"]}"#), "the first route that fits is taken");
        let typed = r#"{"@type": "t/xds.type.v3.TypedStruct", "typeUrl": "t/x.Y", "value": {"a": 1}}"#;
        assert!(same(typed, r#"{"@type": "t/x.Y", "a": 1}"#));
        assert!(same(r#"{"virtualHosts": [{"name": "a"}, {"name": "b"}]}"#, r#"{"virtual_hosts": [{"name": "b"}, {"name": "a"}]}"#));
        assert!(!same(r#"{"maxRequests": 0}"#, "{}"), "a number that is written is one that was set");
    }
    #[test]
    fn names_are_told_as_the_proxy_has_them() {
        let mut names = Names::default();
        let value = canonical(r#"{"consecutive_5xx": {"a_b": 1}, "maxRequests": 1}"#, &mut names).unwrap();
        assert_eq!(names.within(&value).to_string(), r#"{"consecutive_5xx":{"a_b":1},"max_requests":1}"#);
        assert_eq!(names.of("envoy.lb"), "envoy.lb");
    }
}
