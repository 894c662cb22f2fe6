//! One way of writing a configuration, whoever wrote it.
//!
//! Envoy writes snake_case and istiod lowerCamelCase (Protobuf's JSON mapping has both); what stands in no order that matters is sorted,
//! and a message within a TypedStruct stands there as itself.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fields::{self, Zone};
use super::place::{self, Place};

/// A configuration in the one way of writing; None where the text is no JSON.
pub fn canonical(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(|value| rewritten("", value, &Place::MESSAGE))
}

/// The configuration that an entry of the ECDS section holds, in the one way of writing.
pub fn typed_config(entry: &str) -> Option<Value> {
    let mut entry = canonical(entry)?;
    let mut filter = entry.get_mut("ecds_filter")?.take();
    match filter.get_mut("typed_config") {
        Some(typed) => Some(typed.take()),
        None => Some(filter),
    }
}

/// The same of an object without some of its fields, which are named in snake_case and not even read.
pub fn canonical_without(text: &str, left_out: &[&str]) -> Option<Value> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let kept = fields.into_iter().filter(|(key, _)| !left_out.contains(&snake_case(key.clone()).as_str()));
    let read: Option<Map<String, Value>> = kept.map(|(key, raw)| Some((key, serde_json::from_str(raw.get()).ok()?))).collect();
    read.map(|object| rewritten("", Value::Object(object), &Place::MESSAGE))
}

fn rewritten(key: &str, value: Value, place: &Place) -> Value {
    match (value, place.zone) {
        (value, Zone::Data) => data(key, value),
        (Value::Object(object), _) => {
            let place = place.typed(&object);
            message(object, &place)
        }
        (Value::Array(list), _) => {
            let element_place = place.of_elements();
            let mut list: Vec<Value> = list.into_iter().map(|element| rewritten(key, element, &element_place)).collect();
            if fields::is_set(key) {
                list.sort_by_cached_key(Value::to_string);
            }
            if key == "virtual_hosts" { by_name(list) } else { Value::Array(list) }
        }
        (other, _) => other,
    }
}

fn message(object: Map<String, Value>, place: &Place) -> Value {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let of = text("@type").to_owned();
    let inner = if of.ends_with("TypedStruct") { Some(Place::of(&(text("type_url").to_owned() + text("typeUrl")))) } else { None };
    let is_data = of.rsplit('/').next().is_some_and(place::is_data);
    let mut written = Map::new();
    for (key, value) in object {
        let field = place.field(&key);
        let key = match &field {
            Some(field) => field.name().to_owned(),
            None if place.zone == Zone::Message => snake_case(key),
            None => key,
        };
        let below = match &inner {
            Some(inner) if key == "value" => inner.clone(),
            _ if is_data && key == "value" => Place::DATA,
            _ => place.below(&key),
        };
        let value = rewritten(&key, value, &below);
        // An empty list and one that is not there are the same to Protobuf, and so is an Any that names no type.
        let is_empty = || below.zone != Zone::Data && value.as_array().is_some_and(Vec::is_empty);
        if value.is_null() || is_untyped(&value) || is_empty() {
            continue;
        }
        let value = match &field {
            Some(field) if below.zone != Zone::Data || field.is_map() => place::scalar(field, value),
            _ => Some(value),
        };
        written.extend(value.map(|value| (key, value)));
    }
    if place.zone == Zone::Message { unwrapped(written) } else { Value::Object(written) }
}

/// `{"@type": ""}`: istiod's plugins without configuration have one over xDS.
fn is_untyped(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1 && object.get("@type").and_then(Value::as_str) == Some(""))
}

/// The message that a TypedStruct or an Any stands for, in its place, with the name of its type alone.
fn unwrapped(mut written: Map<String, Value>) -> Value {
    let name = |of: &Value| of.as_str().map(|of| of.rsplit('/').next().unwrap_or(of).to_owned());
    let outer = written.get("@type").and_then(name);
    let wraps = outer.as_ref().is_some_and(|of| of.ends_with("TypedStruct") || of == "google.protobuf.Any");
    let bare = outer.is_none() && written.len() == 2 && written.get("value").is_some_and(Value::is_string);
    let inner = if wraps || bare { written.get("type_url").and_then(name) } else { None };
    match (outer, inner, written.get_mut("value")) {
        (Some(_), Some(of), Some(Value::Object(inner))) => {
            let mut inner = std::mem::take(inner);
            inner.insert("@type".to_owned(), Value::String(of));
            Value::Object(inner)
        }
        (Some(_), None, Some(Value::Object(inner))) if wraps && inner.contains_key("@type") => Value::Object(std::mem::take(inner)),
        (_, Some(of), _) => {
            written.remove("type_url");
            written.insert("@type".to_owned(), Value::String(of));
            Value::Object(written)
        }
        (Some(of), _, _) => {
            written.insert("@type".to_owned(), Value::String(of));
            Value::Object(written)
        }
        _ => Value::Object(written),
    }
}

/// What people wrote stays as it is, but for the wrapper around a module's configuration: that reaches it as the same text whether it was
/// written as a text or as a Struct, and not at all where it is empty.
fn data(key: &str, value: Value) -> Value {
    if key != "configuration" {
        return value;
    }
    let of = value.get("@type").and_then(Value::as_str).unwrap_or_default();
    let inner = match &value {
        Value::Object(object) if object.is_empty() => return Value::Null,
        _ if of.ends_with("google.protobuf.StringValue") || of.ends_with("google.protobuf.Struct") => value.get("value"),
        _ if !of.is_empty() && value.as_object().is_some_and(|object| object.len() == 1) => return Value::Null,
        _ => return value,
    };
    match inner {
        None => Value::Null,
        Some(Value::String(text)) if text.is_empty() => Value::Null,
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        Some(inner) => inner.clone(),
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
fn snake_case(key: String) -> String {
    let is_field = key.bytes().all(|byte| byte.is_ascii_alphanumeric()) && key.starts_with(|first: char| first.is_ascii_lowercase());
    if !is_field || !key.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return key;
    }
    let mut written = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            written.push('_');
        }
        written.push(letter.to_ascii_lowercase());
    }
    fields::numbered(&written).map_or(written, str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{canonical, canonical_without};

    fn same(one: &str, other: &str) -> bool {
        canonical(one).unwrap() == canonical(other).unwrap()
    }

    #[test]
    fn what_differs_in_writing_alone_is_the_same() {
        assert!(same(r#"{"connectTimeout": "1s", "x": []}"#, r#"{"connect_timeout": "1s", "y": null}"#));
        assert!(same(r#"{"proxy100Continue": true, "consecutive5xx": 1}"#, r#"{"proxy_100_continue": true, "consecutive_5xx": 1}"#));
        assert!(same(r#"{"domains": ["a", "b"]}"#, r#"{"domains": ["b", "a"]}"#));
        assert!(!same(r#"{"routes": ["a", "b"]}"#, r#"{"routes": ["b", "a"]}"#), "the first route that fits is taken");
        assert!(same(r#"{"config": {"name": "x", "configuration": {"@type": ""}}}"#, r#"{"config": {"name": "x"}}"#));
        assert!(same(r#"{"virtualHosts": [{"name": "a"}, {"name": "b"}]}"#, r#"{"virtual_hosts": [{"name": "b"}, {"name": "a"}]}"#));
    }

    #[test]
    fn a_message_is_itself_whatever_wraps_it() {
        let plain = r#"{"x": {"@type": "type.googleapis.com/x.Y", "max_requests": 1}}"#;
        for wrapped in [
            r#"{"x": {"@type": "t/xds.type.v3.TypedStruct", "typeUrl": "t/x.Y", "value": {"maxRequests": 1}}}"#,
            r#"{"x": {"@type": "t/udpa.type.v1.TypedStruct", "type_url": "t/x.Y", "value": {"max_requests": 1}}}"#,
            r#"{"x": {"@type": "t/google.protobuf.Any", "value": {"@type": "t/x.Y", "max_requests": 1}}}"#,
        ] {
            assert!(same(plain, wrapped), "{wrapped}");
        }
        assert!(same(r#"{"type_url": "t/x.Y", "value": "AA=="}"#, r#"{"@type": "t/x.Y", "value": "AA=="}"#));
    }

    #[test]
    fn keys_that_people_chose_stay_as_they_are() {
        for text in [
            r#"{"filter_metadata":{"istio":{"fooBar":null,"foo_bar":[]}}}"#,
            r#"{"key_values":{"MODE":"a","someMode":"b"}}"#,
            r#"{"policies":{"myPolicy":{"a":1}}}"#,
            r#"{"metadata":{"@type":"google.protobuf.Struct","value":{"fooBar":[]}}}"#,
        ] {
            assert_eq!(canonical(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_modules_configuration_is_what_reaches_the_module() {
        let text = r#"{"configuration": {"@type": "t/google.protobuf.StringValue", "value": "{\"fooBar\": [1]}"}}"#;
        assert!(same(text, r#"{"configuration": {"@type": "t/google.protobuf.Struct", "value": {"fooBar": [1]}}}"#));
        assert!(same(r#"{"configuration": {"@type": "t/google.protobuf.StringValue", "value": ""}}"#, r#"{"configuration": {}}"#));
        assert!(same(r#"{"configuration": {}}"#, "{}"));
        assert!(!same(text, "{}"));
    }

    #[test]
    fn fields_can_be_left_out() {
        assert_eq!(
            canonical_without(r#"{"filterChains": [1], "bindToPort": false}"#, &["filter_chains"]).unwrap().to_string(),
            r#"{"bind_to_port":false}"#
        );
    }
}
