//! `filter_chain_matcher`, read into a tree. An input or matcher that is not known is named as it is written, never an error.

use serde_json::Value;

use super::json::field;
use crate::model::envoy::{Branch, Condition, Input, Matcher, OnMatch};

/// Deeper trees than this are not followed: Istio's have three levels, and a text from outside may have any.
const DEPTH: usize = 32;

/// The tree.
pub(super) fn parse(tree: &Value) -> Matcher {
    node(tree, 0)
}

fn node(matcher: &Value, depth: usize) -> Matcher {
    let mut branches = Vec::new();
    if let Some(tree) = field(matcher, "matcher_tree", "matcherTree") {
        let input = input(tree);
        branches.extend(map(tree, "exact_match_map", "exactMatchMap", depth, |key| Condition::Is(input.clone(), key.to_owned())));
        branches.extend(map(tree, "prefix_match_map", "prefixMatchMap", depth, |key| Condition::StartsWith(input.clone(), key.to_owned())));
        if let Some(custom) = field(tree, "custom_match", "customMatch") {
            branches.extend(custom_match(custom, &input, depth));
        }
    }
    let list = field(matcher, "matcher_list", "matcherList").and_then(|list| list.get("matchers")).and_then(Value::as_array);
    for (index, item) in list.into_iter().flatten().enumerate() {
        let condition = Condition::Unknown(format!("condition {} of a list", index + 1));
        branches.extend(branch(condition, field(item, "on_match", "onMatch"), depth));
    }
    branches.extend(branch(Condition::NothingElse, field(matcher, "on_no_match", "onNoMatch"), depth));
    Matcher { branches }
}

fn map(tree: &Value, snake: &str, camel: &str, depth: usize, condition: impl Fn(&str) -> Condition) -> Vec<Branch> {
    let map = field(tree, snake, camel).and_then(|map| map.get("map")).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, next)| branch(condition(key), Some(next), depth)).collect()
}

/// `IPMatcher` (`xds/type/matcher/v3/ip.proto`): ranges of addresses.
fn custom_match(custom: &Value, input: &Input, depth: usize) -> Vec<Branch> {
    let config = field(custom, "typed_config", "typedConfig").unwrap_or(custom);
    let Some(matchers) = field(config, "range_matchers", "rangeMatchers").and_then(Value::as_array) else {
        let name = custom.get("name").and_then(Value::as_str).unwrap_or("a custom matcher");
        let mut chains = Vec::new();
        actions_below(config, &mut chains, 0);
        let condition = Condition::Unknown(format!("{input} by {name}"));
        return chains.into_iter().map(|chain| Branch { condition: condition.clone(), on_match: OnMatch::Chain(chain) }).collect();
    };
    let of = |matcher: &Value| {
        let ranges: Vec<String> = matcher.get("ranges").and_then(Value::as_array).into_iter().flatten().map(cidr).collect();
        let condition = match matcher.get("exclusive").and_then(Value::as_bool) {
            Some(true) => Condition::Unknown(format!("{input} is exclusively {}", ranges.join(" or "))),
            _ => Condition::In(input.clone(), ranges),
        };
        branch(condition, field(matcher, "on_match", "onMatch"), depth)
    };
    matchers.iter().filter_map(of).collect()
}

fn cidr(range: &Value) -> String {
    let address = field(range, "address_prefix", "addressPrefix").and_then(Value::as_str).unwrap_or_default();
    let length = field(range, "prefix_len", "prefixLen").map(ToString::to_string).unwrap_or_default();
    if length.is_empty() { address.to_owned() } else { format!("{address}/{length}") }
}

/// None where nothing is to be done, or where what is done does not end the matching (`keep_matching`), so picks no chain.
fn branch(condition: Condition, on_match: Option<&Value>, depth: usize) -> Option<Branch> {
    let on_match = on_match.filter(|on_match| field(on_match, "keep_matching", "keepMatching") != Some(&Value::Bool(true)))?;
    let on_match = match (on_match.get("action").and_then(action_name), on_match.get("matcher")) {
        (Some(chain), _) => OnMatch::Chain(chain),
        (None, Some(next)) if depth < DEPTH => OnMatch::Matcher(node(next, depth + 1)),
        (None, _) => OnMatch::Unknown,
    };
    Some(Branch { condition, on_match })
}

/// The chain's name in an action: a `google.protobuf.StringValue`, or the action's own name.
fn action_name(action: &Value) -> Option<String> {
    let value = field(action, "typed_config", "typedConfig").and_then(|config| config.get("value"));
    value.or_else(|| action.get("name")).and_then(Value::as_str).map(str::to_owned)
}

/// Chains that an unknown matcher leads to: found by their actions, so that they are not shown as unreachable.
fn actions_below(value: &Value, chains: &mut Vec<String>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(fields) => {
            chains.extend(fields.get("action").and_then(action_name));
            fields.values().for_each(|value| actions_below(value, chains, depth + 1));
        }
        Value::Array(items) => items.iter().for_each(|value| actions_below(value, chains, depth + 1)),
        _ => {}
    }
}

/// The input by its type, else by its name, else by the last part of its type.
fn input(tree: &Value) -> Input {
    let input = tree.get("input").unwrap_or(&Value::Null);
    let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
    let type_url = field(input, "typed_config", "typedConfig").and_then(|config| config.get("@type")).and_then(Value::as_str);
    match type_url.and_then(|type_url| type_url.rsplit('.').next()) {
        Some("DestinationPortInput") => Input::Port,
        Some("DestinationIPInput") => Input::Address,
        Some("ApplicationProtocolInput") => Input::Protocol,
        Some("ServerNameInput") => Input::ServerName,
        Some(other) if name.is_empty() => Input::Other(other.to_owned()),
        _ => Input::Other(name.to_owned()),
    }
}
