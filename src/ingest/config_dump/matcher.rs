//! `filter_chain_matcher`: the tree of conditions by which a listener picks a chain by name, told in words a chain.
//!
//! Only Istio's waypoints and HBONE listeners use it (`core/listener_waypoint.go`). An input or matcher that is not known
//! is named as it is written, never an error.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// What stands for the conditions of a chain to which no way through the tree leads.
pub(super) const NEVER: &str = "never: the listener's matcher does not name this chain";

/// Deeper trees than this are not followed: Istio's have three levels, and a text from outside may have any.
const DEPTH: usize = 32;

/// The conditions for each chain, by its name: each way through the tree that ends at the chain is one text.
pub(super) fn conditions(raw: &RawValue) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    if let Ok(tree) = serde_json::from_str::<Value>(raw.get()) {
        walk(&tree, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(matcher: &Value, path: &mut Vec<String>, found: &mut BTreeMap<String, Vec<String>>) {
    if path.len() > DEPTH {
        return;
    }
    if let Some(tree) = get(matcher, "matcher_tree", "matcherTree") {
        let input = input_name(tree);
        for (snake, camel, word) in [("exact_match_map", "exactMatchMap", "is"), ("prefix_match_map", "prefixMatchMap", "starts with")] {
            let map = get(tree, snake, camel).and_then(|map| map.get("map")).and_then(Value::as_object);
            for (key, next) in map.into_iter().flatten() {
                step(next, format!("{input} {word} {key}"), path, found);
            }
        }
        if let Some(custom) = get(tree, "custom_match", "customMatch") {
            custom_match(custom, &input, path, found);
        }
    }
    let list = get(matcher, "matcher_list", "matcherList").and_then(|list| list.get("matchers")).and_then(Value::as_array);
    for (index, item) in list.into_iter().flatten().enumerate() {
        if let Some(next) = get(item, "on_match", "onMatch") {
            step(next, format!("condition {} of a list", index + 1), path, found);
        }
    }
    if let Some(next) = get(matcher, "on_no_match", "onNoMatch") {
        step(next, "nothing else matches".to_owned(), path, found);
    }
}

/// `IPMatcher` (`xds/type/matcher/v3/ip.proto`): ranges of addresses.
fn custom_match(custom: &Value, input: &str, path: &mut Vec<String>, found: &mut BTreeMap<String, Vec<String>>) {
    let config = get(custom, "typed_config", "typedConfig").unwrap_or(custom);
    let Some(ranges) = get(config, "range_matchers", "rangeMatchers").and_then(Value::as_array) else {
        let name = custom.get("name").and_then(Value::as_str).unwrap_or("a custom matcher");
        path.push(format!("{input} by {name}"));
        actions_below(config, path, found, 0);
        path.pop();
        return;
    };
    for range in ranges {
        let cidr = |range: &Value| {
            let address = get(range, "address_prefix", "addressPrefix").and_then(Value::as_str).unwrap_or_default();
            let length = get(range, "prefix_len", "prefixLen").map(ToString::to_string).unwrap_or_default();
            if length.is_empty() { address.to_owned() } else { format!("{address}/{length}") }
        };
        let texts: Vec<String> = range.get("ranges").and_then(Value::as_array).into_iter().flatten().map(cidr).collect();
        if let Some(next) = get(range, "on_match", "onMatch") {
            step(next, format!("{input} is {}", texts.join(" or ")), path, found);
        }
    }
}

fn step(on_match: &Value, condition: String, path: &mut Vec<String>, found: &mut BTreeMap<String, Vec<String>>) {
    path.push(condition);
    if let Some(name) = on_match.get("action").and_then(action_name) {
        found.entry(name).or_default().push(path.join(", "));
    }
    if let Some(next) = on_match.get("matcher") {
        walk(next, path, found);
    }
    path.pop();
}

/// The chain's name in an action: a `google.protobuf.StringValue`, or the action's own name.
fn action_name(action: &Value) -> Option<String> {
    let value = get(action, "typed_config", "typedConfig").and_then(|config| config.get("value"));
    value.or_else(|| action.get("name")).and_then(Value::as_str).map(str::to_owned)
}

/// Chains that an unknown matcher leads to: found by their actions, so that they are not shown as unreachable.
fn actions_below(value: &Value, path: &mut Vec<String>, found: &mut BTreeMap<String, Vec<String>>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("action").and_then(action_name) {
                found.entry(name).or_default().push(path.join(", "));
            }
            fields.values().for_each(|value| actions_below(value, path, found, depth + 1));
        }
        Value::Array(items) => items.iter().for_each(|value| actions_below(value, path, found, depth + 1)),
        _ => {}
    }
}

/// The input in Istio's short word: `port`, `ip`, `application-protocol`, else its last part.
fn input_name(tree: &Value) -> String {
    let input = tree.get("input").unwrap_or(&Value::Null);
    let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
    let type_url = get(input, "typed_config", "typedConfig").and_then(|config| config.get("@type")).and_then(Value::as_str);
    match type_url.and_then(|type_url| type_url.rsplit('.').next()) {
        Some("DestinationPortInput") => "port".to_owned(),
        Some("DestinationIPInput") => "address".to_owned(),
        Some("ApplicationProtocolInput") => "protocol".to_owned(),
        Some("ServerNameInput") => "SNI".to_owned(),
        Some(other) if name.is_empty() => other.to_owned(),
        _ => name.to_owned(),
    }
}

fn get<'v>(value: &'v Value, snake: &str, camel: &str) -> Option<&'v Value> {
    value.get(snake).or_else(|| value.get(camel))
}
