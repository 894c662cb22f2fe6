//! Where a value of a configuration is: in a field whose type is known, or in one of which only the name says something.
//!
//! The types are Envoy's own (`envoy/**/*.proto`). Of messages that Envoy does not have, such as Istio's, [`super::fields`] says what names say.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::fields::Zone;
use super::{values, written};
use crate::model::descriptors;

/// The place of an object, or of a list of such.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Who chose the keys.
    pub(super) zone: Zone,
    /// The type of the message, or of those behind the keys of a map; None where it is not known.
    of: Option<MessageDescriptor>,
}

impl Place {
    /// A message of any type.
    pub(super) const MESSAGE: Self = Self { zone: Zone::Message, of: None };

    /// What people wrote.
    pub(super) const DATA: Self = Self { zone: Zone::Data, of: None };

    /// The place of the elements of a list that is here.
    pub(super) fn of_elements(&self) -> Self {
        Self { zone: Zone::Message, of: self.of.clone() }
    }

    /// The place of an object that says its own type.
    pub(super) fn typed(&self, object: &Map<String, Value>) -> Self {
        match object.get("@type").and_then(Value::as_str) {
            Some(type_url) if self.zone == Zone::Message => Self::of(type_url),
            _ => self.clone(),
        }
    }

    /// A message of the type of this URL. The types of Protobuf itself have forms of their own in JSON.
    pub(super) fn of(type_url: &str) -> Self {
        let known = descriptors::message(type_url).filter(|of| !(is_well_known(of) || of.name() == "TypedStruct"));
        Self { zone: Zone::Message, of: known }
    }

    /// The field that a key means, in either spelling (Protobuf's JSON mapping takes both).
    pub(super) fn field(&self, key: &str) -> Option<FieldDescriptor> {
        let of = self.of.as_ref().filter(|_| self.zone == Zone::Message)?;
        of.get_field_by_name(key).or_else(|| of.get_field_by_json_name(key))
    }

    /// The place behind a key, which is in the one way of writing.
    pub(super) fn below(&self, key: &str) -> Self {
        let Some(field) = self.field(key) else {
            return match self.zone {
                Zone::Map => self.of_elements(),
                zone => Self { zone: zone.below(key), of: None },
            };
        };
        let message = |kind: Kind| kind.as_message().filter(|of| !is_well_known(of)).cloned();
        match field.kind() {
            _ if field.is_map() => {
                let value = field.kind().as_message().map(|entry| entry.map_entry_value_field().kind());
                match value {
                    Some(kind) if is_of_data(&kind) => Self::DATA,
                    kind => Self { zone: Zone::Map, of: kind.and_then(message) },
                }
            }
            kind if is_of_data(&kind) => Self::DATA,
            // These are by their names once they are in the one way of writing.
            kind if key == "virtual_hosts" => Self { zone: Zone::Map, of: message(kind) },
            // A module's configuration, whatever wraps it (`envoy/extensions/wasm/v3/wasm.proto: PluginConfig`).
            _ if key == "configuration" => Self::DATA,
            kind => Self { zone: Zone::Message, of: message(kind) },
        }
    }

    /// Whether a field with this value says the same as one that is not there.
    pub(super) fn is_default(&self, key: &str, value: &Value) -> bool {
        match self.field(key) {
            // Defaults are left out in the one way of writing; what is unset fails closed as this does.
            Some(_) => key == "failure_policy" && value == "FAIL_CLOSED",
            None => self.zone == Zone::Message && values::is_default(key, value),
        }
    }
}

fn is_well_known(of: &MessageDescriptor) -> bool {
    of.package_name() == "google.protobuf"
}

/// Whether people chose all that is in a message of this name.
pub(super) fn is_data(name: &str) -> bool {
    matches!(name, "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue")
}

fn is_of_data(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|of| is_data(of.full_name()))
}

/// The value of a field of a known type in the one way of writing; None where it is the default, which need not be written.
pub(super) fn scalar(field: &FieldDescriptor, value: Value) -> Option<Value> {
    let kind = if field.is_map() { field.kind().as_message()?.map_entry_value_field().kind() } else { field.kind() };
    let is_single = !field.is_map() && !field.is_list();
    let value = match value {
        Value::Array(list) if field.is_list() => list.into_iter().map(|value| written::scalar(&kind, value)).collect(),
        Value::Object(entries) if field.is_map() => entries.into_iter().map(|(key, value)| (key, written::scalar(&kind, value))).collect(),
        other if is_single => written::scalar(&kind, other),
        other => other,
    };
    let is_unset = is_single && !field.supports_presence() && written::is_zero(&kind, &value)
        || !is_single && (value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty));
    (!is_unset).then_some(value)
}
