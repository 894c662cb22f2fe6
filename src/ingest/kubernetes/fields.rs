//! Reading fields of a raw object by path, with a warning for each that is not as expected.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use serde_json::Value;

use crate::ingest::logs::instant;
use crate::ingest::{managed_fields, schema};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::labels::{LabelSelector, Labels, Operator, Requirement, Selector};
use crate::model::logs::LogTime;
use crate::model::warning::Warning;

/// An object's fields and the warnings that reading them made.
pub(super) struct Fields<'v> {
    pub(super) name: &'v ObjectName,
    kind: Kind,
    value: &'v Value,
    warnings: RefCell<Vec<Warning>>,
    /// What the warnings say: several fields can be looked for behind one that is wrong.
    said: RefCell<HashSet<String>>,
    /// Whether a field of the spec has another type than it has to have: nobody can decode such an object.
    wrong_type: Cell<bool>,
}

impl<'v> Fields<'v> {
    pub(super) fn new(kind: Kind, name: &'v ObjectName, value: &'v Value) -> Self {
        Self { name, kind, value, warnings: RefCell::default(), said: RefCell::default(), wrong_type: Cell::new(false) }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings.into_inner()
    }

    /// Checks the type of every field of the spec, also of unread ones.
    pub(super) fn check_types(&self) {
        for fault in schema::wrong_types(self.kind, self.value) {
            self.wrong_type.set(true);
            self.say(fault);
        }
    }

    /// Whether a field of the spec has a wrong type.
    pub(super) fn has_wrong_type(&self) -> bool {
        self.wrong_type.get()
    }

    /// Says that a field is not as expected.
    pub(super) fn warn(&self, pointer: &str, what: impl std::fmt::Display) {
        self.say(format!("{} {what}", self.path(pointer)));
    }

    fn say(&self, what: String) {
        if self.said.borrow_mut().insert(what.clone()) {
            self.warnings.borrow_mut().push(Warning::new(format!("{} {}", self.kind, self.name), what, ""));
        }
    }

    /// A JSON pointer as a path, with the places of lists in brackets: `spec.ports[0].port`.
    fn path(&self, pointer: &str) -> String {
        let parts = pointer.strip_prefix('/').unwrap_or(pointer);
        let (mut path, mut at) = (String::new(), Some(self.value));
        for part in parts.split('/') {
            match at {
                Some(Value::Array(_)) => path.push_str(&format!("[{part}]")),
                _ if path.is_empty() => path.push_str(part),
                _ => path.push_str(&format!(".{part}")),
            }
            at = at.and_then(|value| value.pointer(&format!("/{part}")));
        }
        path
    }

    /// Says that a field has another type than it has to have, so that it is no absent one.
    fn wrong(&self, pointer: &str, value: &Value, wanted: &str) {
        self.wrong_type.set(self.wrong_type.get() || pointer.starts_with("/spec"));
        self.warn(pointer, format_args!("is {} and not {wanted}", shape(value)));
    }

    /// What of the spec was not as expected so far: istiod cannot decode such an object (`istio.io/api
    /// extensions/v1alpha1/wasm_json.gen.go`), and one that it cannot decode keeps its informer from reading the whole kind.
    pub(super) fn undecodable(&mut self) -> Vec<String> {
        let of_spec = self.warnings.get_mut().iter_mut().filter(|warning| warning.what.starts_with("spec."));
        let fix = format!("correct it: istiod cannot decode the object, and until then it sees no change to any {}", self.kind);
        of_spec
            .map(|warning| {
                warning.fix.clone_from(&fix);
                warning.what.clone()
            })
            .collect()
    }

    /// The value at a JSON pointer; None where it is absent or null.
    pub(super) fn get(&self, pointer: &str) -> Option<&'v Value> {
        let (mut value, mut at) = (self.value, 0);
        for part in pointer.split('/').skip(1) {
            value = match value {
                Value::Object(fields) if part.contains('~') => fields.get(&part.replace("~1", "/").replace("~0", "~"))?,
                Value::Object(fields) => fields.get(part)?,
                Value::Array(items) if part.parse::<usize>().is_ok() => items.get(part.parse::<usize>().ok()?)?,
                Value::Null => return None,
                other => {
                    self.wrong(&pointer[..at], other, "a map");
                    return None;
                }
            };
            at += part.len() + 1;
        }
        Some(value).filter(|value| !value.is_null())
    }

    /// A switch; false where it is absent.
    pub(super) fn truth(&self, pointer: &str) -> bool {
        match self.get(pointer) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                self.wrong(pointer, other, "a boolean");
                false
            }
        }
    }

    /// A string; empty where absent.
    pub(super) fn text(&mut self, pointer: &str) -> String {
        match self.get(pointer) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                self.wrong(pointer, other, "text");
                String::new()
            }
        }
    }

    /// A string that may be absent or empty.
    pub(super) fn optional_text(&mut self, pointer: &str) -> Option<String> {
        Some(self.text(pointer)).filter(|text| !text.is_empty())
    }

    /// A whole number, written as a number (`5.0` is one) or as text.
    pub(super) fn number(&mut self, pointer: &str) -> Option<i64> {
        let value = self.get(pointer)?;
        let number =
            value.as_i64().or_else(|| value.as_f64().and_then(whole)).or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        if number.is_none() {
            self.wrong(pointer, value, "a whole number");
        }
        number
    }

    /// The elements of a list; none where it is absent.
    pub(super) fn list(&mut self, pointer: &str) -> &'v [Value] {
        match self.get(pointer) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong(pointer, other, "a list");
                &[]
            }
        }
    }

    /// The entries of a map; none where it is absent.
    pub(super) fn map(&self, pointer: &str) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
        let entries = match self.get(pointer) {
            None => None,
            Some(Value::Object(entries)) => Some(entries),
            Some(other) => {
                self.wrong(pointer, other, "a map");
                None
            }
        };
        entries.into_iter().flatten()
    }

    /// A map of text to text; none where it is absent.
    pub(super) fn labels(&mut self, pointer: &str) -> Labels {
        let mut labels = Labels::new();
        for (key, value) in self.map(pointer) {
            match value.as_str() {
                Some(text) => {
                    labels.insert(key.clone(), text.to_owned());
                }
                None => {
                    self.wrong_type.set(self.wrong_type.get() || pointer.starts_with("/spec"));
                    self.warn(pointer, format_args!("has {} as the value of {key}", shape(value)));
                }
            }
        }
        labels
    }

    /// A selector whose labels are at `labels`; None where `whole` is absent.
    pub(super) fn selector(&mut self, whole: &str, labels: &str) -> Option<Selector> {
        let unread = match (self.get(whole)?, self.get(labels)) {
            (Value::Object(_), None) => false,
            (Value::Object(_), Some(Value::Object(pairs))) => !pairs.values().all(Value::is_string),
            _ => true,
        };
        Some(Selector { unread, ..Selector::of(self.labels(labels)) })
    }

    /// `metadata.creationTimestamp`.
    pub(super) fn created(&mut self) -> Option<String> {
        self.optional_text("/metadata/creationTimestamp")
    }

    /// When the spec was last written, by `metadata.managedFields`; None where these are not there.
    pub(super) fn changed(&mut self) -> Option<LogTime> {
        managed_fields::writes(self.list("/metadata/managedFields")).last().and_then(|write| instant(&write.time))
    }
}

/// The whole number that a number with a fraction of zero is; None beyond 32 bits, of which no field that is read has more.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= f64::from(u32::MAX)).then_some(number as i64)
}

/// What a value is, for a warning.
pub(in crate::ingest) fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// A string within a raw element; empty where it is absent or something else.
pub(in crate::ingest) fn str_of<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The strings at a pointer within each raw element; those that are not there are left out.
pub(super) fn texts(items: &[Value], pointer: &str) -> Vec<String> {
    items.iter().map(|item| str_of(item, pointer).to_owned()).filter(|text| !text.is_empty()).collect()
}

/// A port number within a raw element.
pub(super) fn port_of(value: &Value, pointer: &str) -> Option<u16> {
    let value = value.pointer(pointer)?;
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
    u16::try_from(number).ok().filter(|port| *port != 0)
}

/// A port's protocol, which is TCP where none is written.
pub(in crate::ingest) fn or_tcp(protocol: &str) -> String {
    if protocol.is_empty() { "TCP" } else { protocol }.to_owned()
}

/// A Kubernetes `LabelSelector`. An operator that Kubernetes does not know matches nothing.
pub(super) fn label_selector(value: &Value) -> LabelSelector {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pairs = value.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let expressions = value.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    LabelSelector {
        pairs: Selector::of(pairs.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()),
        expressions: expressions
            .map(|expression| {
                let values: Vec<String> =
                    expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(text).collect();
                let (operator, values) = match str_of(expression, "/operator") {
                    "In" => (Operator::In, values),
                    "NotIn" => (Operator::NotIn, values),
                    "Exists" => (Operator::Exists, Vec::new()),
                    "DoesNotExist" => (Operator::DoesNotExist, Vec::new()),
                    _ => (Operator::In, Vec::new()),
                };
                Requirement { key: str_of(expression, "/key").to_owned(), operator, values }
            })
            .collect(),
    }
}
