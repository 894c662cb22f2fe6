//! Protobuf messages of Envoy as the JSON that Envoy's own config dump is written in, whatever messages stand within them.

use bytes::Bytes;
use envoy_types::pb::google::protobuf::Any;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MapKey, MessageDescriptor, Value};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::model::descriptors;
use crate::model::envoy::UNREAD;

/// How deep messages may stand within messages.
const DEEPEST: u8 = 60;

/// `{"configs": [..]}` of the sections of a config dump.
///
/// # Errors
/// Where a section is not what its type says: why, as one clause.
pub(super) fn config_dump(sections: &[Any]) -> Result<Bytes, String> {
    let pool = descriptors::pool()?;
    let mut out = Vec::with_capacity(sections.iter().map(|section| section.value.len() * 2).sum::<usize>() + 16);
    out.extend_from_slice(b"{\"configs\":[");
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let packed = Packed { pool, type_url: &section.type_url, value: &section.value, depth: 0 };
        serde_json::to_writer(&mut out, &packed).map_err(|error| format!("the section {} cannot be read: {error}", section.type_url))?;
    }
    out.extend_from_slice(b"]}");
    Ok(Bytes::from(out))
}

/// A message within an Any. It is decoded when it is written, so that one resource at a time is held decoded.
struct Packed<'a> {
    pool: &'a DescriptorPool,
    type_url: &'a str,
    value: &'a [u8],
    depth: u8,
}

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("@type", self.type_url)?;
        let name = self.type_url.rsplit('/').next().unwrap_or_default();
        match self.pool.get_message_by_name(name) {
            Some(descriptor) if self.depth < DEEPEST => {
                let message = DynamicMessage::decode(descriptor, self.value).map_err(S::Error::custom)?;
                let written = Message { pool: self.pool, message: &message, depth: self.depth + 1 };
                if is_well_known(&message.descriptor_name()) {
                    map.serialize_entry("value", &written)?;
                } else {
                    written.fields(&mut map)?;
                }
            }
            _ if self.value.is_empty() => {}
            _ => map.serialize_entry(UNREAD, &true)?,
        }
        map.end()
    }
}

trait Named {
    fn descriptor_name(&self) -> String;
}

impl Named for DynamicMessage {
    fn descriptor_name(&self) -> String {
        descriptor(self).full_name().to_owned()
    }
}

fn descriptor(message: &DynamicMessage) -> MessageDescriptor {
    prost_reflect::ReflectMessage::descriptor(message)
}

/// Whether JSON has a form of its own for a message (`google/protobuf/*.proto`).
fn is_well_known(name: &str) -> bool {
    let Some(name) = name.strip_prefix("google.protobuf.") else { return false };
    name.ends_with("Value") || matches!(name, "Any" | "Struct" | "Duration" | "Timestamp" | "FieldMask")
}

struct Message<'a> {
    pool: &'a DescriptorPool,
    message: &'a DynamicMessage,
    depth: u8,
}

impl Message<'_> {
    /// The fields that are set, by the names of the `.proto`.
    fn fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (field, value) in self.message.fields() {
            let entry_kind = |of: MessageDescriptor| of.map_entry_value_field().kind();
            let kind = match field.kind() {
                Kind::Message(entry) if field.is_map() => entry_kind(entry),
                kind => kind,
            };
            map.serialize_entry(field.name(), &Piece { pool: self.pool, value, kind: &kind, depth: self.depth })?;
        }
        Ok(())
    }

    /// A field by its name; None where it is not set.
    fn get(&self, name: &str) -> Option<Value> {
        let set = self.message.fields().find(|(field, _)| field.name() == name);
        set.map(|(_, value)| value.clone())
    }

    fn number(&self, name: &str) -> i64 {
        match self.get(name) {
            Some(Value::I64(number)) => number,
            Some(Value::I32(number)) => i64::from(number),
            _ => 0,
        }
    }
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.message.descriptor_name();
        let piece = |value: &Value, serializer: S| {
            let kind = Kind::Bool;
            Piece { pool: self.pool, value, kind: &kind, depth: self.depth }.serialize(serializer)
        };
        match name.strip_prefix("google.protobuf.").filter(|_| is_well_known(&name)) {
            Some("Any") => {
                let type_url = match self.get("type_url") {
                    Some(Value::String(url)) => url,
                    _ => String::new(),
                };
                let value = match self.get("value") {
                    Some(Value::Bytes(value)) => value,
                    _ => Bytes::new(),
                };
                Packed { pool: self.pool, type_url: &type_url, value: &value, depth: self.depth + 1 }.serialize(serializer)
            }
            Some("Duration") => serializer.serialize_str(&duration(self.number("seconds"), self.number("nanos"))),
            Some("Timestamp") => {
                let nanos = i32::try_from(self.number("nanos")).unwrap_or_default();
                let time = jiff::Timestamp::new(self.number("seconds"), nanos).map_err(S::Error::custom)?;
                serializer.serialize_str(&time.to_string())
            }
            Some("Struct") => match self.get("fields") {
                Some(fields) => piece(&fields, serializer),
                None => serializer.serialize_map(Some(0))?.end(),
            },
            Some("ListValue") => match self.get("values") {
                Some(values) => piece(&values, serializer),
                None => serializer.serialize_seq(Some(0))?.end(),
            },
            Some("FieldMask") => match self.get("paths") {
                Some(Value::List(paths)) => {
                    let paths: Vec<&str> = paths.iter().filter_map(Value::as_str).collect();
                    serializer.serialize_str(&paths.join(","))
                }
                _ => serializer.serialize_str(""),
            },
            // Of the kinds of a Value one is set; of the wrappers of scalars the only field, or its default.
            Some("Value") => match self.message.fields().next() {
                Some((field, _)) if field.name() == "null_value" => serializer.serialize_unit(),
                Some((_, value)) => piece(value, serializer),
                None => serializer.serialize_unit(),
            },
            Some(_) => match descriptor(self.message).get_field_by_name("value") {
                Some(field) => piece(&self.message.get_field(&field), serializer),
                None => serializer.serialize_unit(),
            },
            None => {
                let mut map = serializer.serialize_map(None)?;
                self.fields(&mut map)?;
                map.end()
            }
        }
    }
}

/// A value of a field. The kind names the values of enums.
struct Piece<'a> {
    pool: &'a DescriptorPool,
    value: &'a Value,
    kind: &'a Kind,
    depth: u8,
}

impl Serialize for Piece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { pool, kind, depth, .. } = *self;
        match self.value {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I32(value) => serializer.serialize_i32(*value),
            Value::U32(value) => serializer.serialize_u32(*value),
            // JSON's numbers do not hold 64 bits.
            Value::I64(value) => serializer.serialize_str(&value.to_string()),
            Value::U64(value) => serializer.serialize_str(&value.to_string()),
            // By way of its text, which is as short as it can be: 0.1 is not to become 0.10000000149.
            Value::F32(value) => float(value.to_string().parse().unwrap_or(f64::from(*value)), serializer),
            Value::F64(value) => float(*value, serializer),
            Value::String(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.serialize_str(&base64(value)),
            Value::EnumNumber(number) => match kind {
                Kind::Enum(of) => match of.get_value(*number) {
                    Some(value) => serializer.serialize_str(value.name()),
                    None => serializer.serialize_i32(*number),
                },
                _ => serializer.serialize_i32(*number),
            },
            Value::Message(message) if depth < DEEPEST => Message { pool, message, depth: depth + 1 }.serialize(serializer),
            Value::Message(_) => Err(S::Error::custom("messages stand too deep within messages")),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(&Piece { pool, value, kind, depth })?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&key_text(key), &Piece { pool, value, kind, depth })?;
                }
                map.end()
            }
        }
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

fn float<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(value) } else { serializer.serialize_str(&value.to_string()) }
}

/// `10s`, `0.250s`: with three digits of a fraction, six or nine, as Envoy writes it.
fn duration(seconds: i64, nanos: i64) -> String {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
    match nanos {
        0 => format!("{sign}{seconds}s"),
        _ if nanos % 1_000_000 == 0 => format!("{sign}{seconds}.{:03}s", nanos / 1_000_000),
        _ if nanos % 1_000 == 0 => format!("{sign}{seconds}.{:06}s", nanos / 1_000),
        _ => format!("{sign}{seconds}.{nanos:09}s"),
    }
}

/// Standard base64, with padding.
pub(in crate::source::cluster) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
