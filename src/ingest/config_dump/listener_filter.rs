//! Listener filters: which inspectors there are, and for which ports they do not run.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{Text, field, owned};
use crate::model::envoy::{ListenerFilter, ListenerFilterKind, PortPredicate};

#[derive(Deserialize)]
struct RawListenerFilter<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, alias = "typedConfig")]
    typed_config: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "filterDisabled")]
    filter_disabled: Option<&'a RawValue>,
}

/// Deeper predicates than this are not followed.
const DEPTH: usize = 32;

/// Reads a listener filter.
pub(super) fn parse(raw: &RawValue) -> Result<ListenerFilter, serde_json::Error> {
    let fields: RawListenerFilter<'_> = serde_json::from_str(raw.get())?;
    let name = owned(fields.name);
    let type_url = fields.typed_config.map(|raw| super::types::type_in_text(raw.get())).unwrap_or_default();
    // The type decides; the name is free, but all that there is where the configuration comes by ECDS.
    let is = |last: &str, known: &str| type_url.ends_with(last) || type_url.is_empty() && name.ends_with(known);
    let kind = if is(".TlsInspector", ".tls_inspector") {
        ListenerFilterKind::TlsInspector
    } else if is(".HttpInspector", ".http_inspector") {
        ListenerFilterKind::HttpInspector
    } else {
        ListenerFilterKind::Other(name)
    };
    let disabled = fields.filter_disabled.map(|raw| serde_json::from_str::<Value>(raw.get())).transpose()?;
    Ok(ListenerFilter { kind, disabled: disabled.filter(|value| !value.is_null()).map(|value| predicate(&value, 0)) })
}

fn predicate(value: &Value, depth: usize) -> PortPredicate {
    let rules = |set: &Value| {
        let rules = set.get("rules").and_then(Value::as_array);
        rules.into_iter().flatten().map(|rule| predicate(rule, depth + 1)).collect()
    };
    if depth > DEPTH {
        PortPredicate::Unknown
    } else if let Some(range) = field(value, "destination_port_range", "destinationPortRange") {
        // A bound that is absent is 0, as in protobuf.
        let bound = |key: &str| range.get(key).map_or(Some(0), Value::as_i64);
        bound("start").zip(bound("end")).map_or(PortPredicate::Unknown, |(start, end)| PortPredicate::Range(start, end))
    } else if let Some(set) = field(value, "or_match", "orMatch") {
        PortPredicate::Or(rules(set))
    } else if let Some(set) = field(value, "and_match", "andMatch") {
        PortPredicate::And(rules(set))
    } else if let Some(rule) = field(value, "not_match", "notMatch") {
        PortPredicate::Not(Box::new(predicate(rule, depth + 1)))
    } else if field(value, "any_match", "anyMatch") == Some(&Value::Bool(true)) {
        PortPredicate::Any
    } else {
        PortPredicate::Unknown
    }
}
