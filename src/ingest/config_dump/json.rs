//! Small pieces of JSON that several parts read: tolerant numbers and strings, and offsets into a shared text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;
use serde_json::value::RawValue;

use super::outer::offset;
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
