//! Small pieces of JSON that several parts read: tolerant numbers and strings, and offsets into a shared text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;
use serde_json::value::RawValue;

use super::outer::offset;
use super::shape;
use crate::model::envoy::RawJson;

/// A port, written as a number or as a string; None where it is neither, so that one odd value costs no chain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Port(pub(super) Option<u16>);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortVisitor)
    }
}

struct PortVisitor;

impl<'de> Visitor<'de> for PortVisitor {
    type Value = Port;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a port")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Port, E> {
        Ok(Port(u16::try_from(value).ok()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Port, E> {
        Ok(Port(u16::try_from(value).ok()))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Port, E> {
        Ok(Port(None))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Port, E> {
        Ok(Port(value.parse().ok()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Port, E> {
        Ok(Port(None))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Port, E> {
        Ok(Port(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Port, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Port(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Port, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Port(None))
    }
}

/// What could not be read of something: where in it, and why.
pub(super) struct Fault {
    pub(super) place: String,
    pub(super) what: String,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, what: impl fmt::Display) -> Self {
        Self { place: place.into(), what: what.to_string() }
    }

    /// What was read; an error is pushed to `faults`.
    pub(super) fn note<T>(faults: &mut Vec<Self>, place: &str, read: Result<T, serde_json::Error>) -> Option<T> {
        read.map_err(|error| faults.push(Self::new(place, error))).ok()
    }
}

/// An object, of which serde would take a list of its fields' values too.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, serde_json::Error> {
    object_in(raw.get())
}

/// The same in a text.
pub(super) fn object_in<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if text.starts_with('{') {
        return serde_json::from_str(text);
    }
    Err(de::Error::custom(format_args!("it is {} and not an object", shape::of_text(text))))
}

/// The elements of a list; what is none is a fault.
pub(super) fn values<'a>(raw: Option<&'a RawValue>, place: &str, faults: &mut Vec<Fault>) -> Vec<&'a RawValue> {
    let Some(raw) = raw else { return Vec::new() };
    serde_json::from_str(raw.get()).unwrap_or_else(|_| {
        faults.push(Fault::new(place, format_args!("it is {} and not a list", shape::of_text(raw.get()))));
        Vec::new()
    })
}

/// A string that may be absent.
pub(super) type Text<'a> = Option<Cow<'a, str>>;

/// The text, or nothing.
pub(super) fn owned(text: Text<'_>) -> String {
    text.map(Cow::into_owned).unwrap_or_default()
}

/// A field under its name in snake_case or in lowerCamelCase.
pub(super) fn field<'v>(value: &'v Value, snake: &str, camel: &str) -> Option<&'v Value> {
    value.get(snake).or_else(|| value.get(camel))
}

/// The piece of `whole` that a raw value, which borrows from its text, stands for.
pub(super) fn piece(whole: &RawJson, text: &str, raw: &RawValue) -> RawJson {
    let start = offset(text, raw.get());
    whole.piece(start..start + raw.get().len())
}
