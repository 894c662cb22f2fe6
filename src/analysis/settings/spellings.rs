//! A message in any spelling is the same message: made at random from the types, written in two ways.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{Changes, canonical};
use crate::model::descriptors;

const TYPES: [&str; 8] = [
    "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "envoy.extensions.filters.http.rbac.v3.RBAC",
    "envoy.extensions.filters.http.wasm.v3.Wasm",
    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.route.v3.RouteConfiguration",
];

/// Numbers at random, from one seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// The fields of a message at random, as Envoy writes them and in another spelling.
fn message(of: &MessageDescriptor, chance: &mut Chance, deep: u8) -> (Map<String, Value>, Map<String, Value>) {
    let (mut envoys, mut other) = (Map::new(), Map::new());
    for field in of.fields() {
        let of_oneof = field.containing_oneof();
        // Of several alternatives one is set; a module's configuration has rules of its own.
        let is_first = of_oneof.as_ref().is_none_or(|oneof| oneof.fields().next().is_some_and(|first| first.name() == field.name()));
        let skipped = matches!(field.name(), "configuration" | "virtual_hosts" | "type_url" | "failure_policy");
        let odds = if of.fields().len() > 12 { 6 } else { 2 };
        if skipped || !is_first || deep == 0 && field.kind().as_message().is_some() || chance.below(odds) > 0 {
            if !skipped && !field.supports_presence() && chance.below(2) == 0 {
                other.insert(field.json_name().to_owned(), zero(&field));
            }
            continue;
        }
        let (one, two) = values(&field, chance, deep);
        envoys.insert(field.name().to_owned(), one);
        other.insert(if chance.below(4) == 0 { field.name() } else { field.json_name() }.to_owned(), two);
    }
    (envoys, other)
}

/// The value of a field that need not be written.
fn zero(field: &FieldDescriptor) -> Value {
    match field.kind() {
        _ if field.is_map() => json!({}),
        _ if field.is_list() => json!([]),
        Kind::Bool => json!(false),
        Kind::String | Kind::Bytes => json!(""),
        Kind::Enum(of) => json!(of.default_value().name()),
        _ => json!(0),
    }
}

fn values(field: &FieldDescriptor, chance: &mut Chance, deep: u8) -> (Value, Value) {
    if field.is_map() {
        let kind = field.kind().as_message().unwrap().map_entry_value_field().kind();
        let pairs: Vec<_> = ["a_b", "aB", "x.y"].iter().map(|key| ((*key).to_owned(), one(&kind, chance, deep))).collect();
        let of = |take: fn(&(Value, Value)) -> &Value| pairs.iter().map(|(key, both)| (key.clone(), take(both).clone())).collect();
        return (of(|both| &both.0), of(|both| &both.1));
    }
    if field.is_list() {
        let (first, second) = (one(&field.kind(), chance, deep), one(&field.kind(), chance, deep));
        return (json!([first.0, second.0]), json!([first.1, second.1]));
    }
    one(&field.kind(), chance, deep)
}

fn one(kind: &Kind, chance: &mut Chance, deep: u8) -> (Value, Value) {
    let number = chance.below(9) + 1;
    match kind {
        Kind::Bool => (json!(true), json!(true)),
        Kind::String => (json!(format!("text_{number}")), json!(format!("text_{number}"))),
        Kind::Bytes => (json!("+/8="), json!("-_8")),
        Kind::Float | Kind::Double => (json!(number), json!(format!("{number}.0"))),
        Kind::Enum(of) => {
            let value = of.values().nth(usize::try_from(number).unwrap() % of.values().len()).unwrap();
            (json!(value.name()), json!(value.number()))
        }
        Kind::Message(of) => match of.full_name() {
            "google.protobuf.Duration" => (json!(format!("{number}.500s")), json!(format!("{number}.5s"))),
            "google.protobuf.Struct" => (json!({"a_b": 1, "aB": {"c_d": null}}), json!({"a_b": 1, "aB": {"c_d": null}})),
            "google.protobuf.Any" => {
                let of = descriptors::message(TYPES[usize::try_from(chance.below(4)).unwrap()]).unwrap();
                let (mut envoys, other) = message(&of, chance, deep.saturating_sub(1));
                let type_url = format!("type.googleapis.com/{}", of.full_name());
                envoys.insert("@type".to_owned(), json!(type_url));
                let wrapped = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "typeUrl": type_url, "value": other});
                (Value::Object(envoys), json!({"@type": "type.googleapis.com/google.protobuf.Any", "value": wrapped}))
            }
            "google.protobuf.BoolValue" => (json!(false), json!(false)),
            "google.protobuf.UInt64Value" | "google.protobuf.UInt32Value" => (json!(number), json!(number.to_string())),
            name if name.starts_with("google.protobuf.") => (json!("x"), json!("x")),
            _ => {
                let (envoys, other) = message(of, chance, deep.saturating_sub(1));
                (Value::Object(envoys), Value::Object(other))
            }
        },
        _ => (json!(number), json!(number.to_string())),
    }
}

fn both(place: usize, seed: u64) -> (Value, Value) {
    let of = descriptors::message(TYPES[place]).unwrap();
    let (mut envoys, mut other) = message(&of, &mut Chance(seed), 4);
    let type_url = json!(format!("type.googleapis.com/{}", of.full_name()));
    envoys.insert("@type".to_owned(), type_url.clone());
    other.insert("@type".to_owned(), type_url);
    (Value::Object(envoys), Value::Object(other))
}

/// Renames the keys of every map of which both spellings are there.
fn renamed(value: &mut Value) -> bool {
    match value {
        Value::Object(object) if object.contains_key("a_b") && object.contains_key("aB") => {
            let own = object.remove("a_b").unwrap();
            object.insert("a_B".to_owned(), own);
            true
        }
        Value::Object(object) => object.values_mut().any(renamed),
        Value::Array(list) => list.iter_mut().any(renamed),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_message_is_the_same_in_any_spelling(place in 0..TYPES.len(), seed: u64) {
        let (envoys, other) = both(place, seed);
        let (one, two) = (canonical(&envoys.to_string()).unwrap(), canonical(&other.to_string()).unwrap());
        let mut changes = Changes::default();
        changes.between(&one, &two);
        let found: Vec<String> = changes.list.iter().map(ToString::to_string).collect();
        prop_assert!(found.is_empty() && changes.untold == 0, "{found:?} {} {envoys} {other}", changes.untold);
    }

    #[test]
    fn a_key_of_a_map_is_what_it_is(place in 0..TYPES.len(), seed: u64) {
        let (envoys, mut other) = both(place, seed);
        if renamed(&mut other) {
            let mut changes = Changes::default();
            changes.between(&canonical(&other.to_string()).unwrap(), &canonical(&envoys.to_string()).unwrap());
            prop_assert!(changes.count() > 0, "{envoys} {other}");
        }
    }
}

#[test]
fn requirements_of_jwt_are_the_same_in_either_spelling() {
    let of = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    let envoys = json!({"typed_config": {"@type": of, "rules": [{"match": {"prefix": "/"}, "requires": {
        "requires_any": {"requirements": [{"provider_name": "origins-0"}, {"allow_missing": {}}]}}}],
        "requirement_map": {"a_b": {"requires_all": {}}}, "bypass_cors_preflight": true,
        "providers": {"origins-0": {"issuer": "x", "payload_in_metadata": "payload", "clock_skew_seconds": 0}}}});
    let istiods = json!({"typedConfig": {"@type": of, "rules": [{"match": {"prefix": "/"}, "requires": {
        "requiresAny": {"requirements": [{"providerName": "origins-0"}, {"allowMissing": {}}]}}}],
        "requirementMap": {"a_b": {"requiresAll": {}}}, "bypassCorsPreflight": true,
        "providers": {"origins-0": {"issuer": "x", "payloadInMetadata": "payload"}}}});
    assert_eq!(canonical(&envoys.to_string()), canonical(&istiods.to_string()));
    let other = istiods.to_string().replace("a_b", "aB");
    assert_ne!(canonical(&envoys.to_string()), canonical(&other));
}
