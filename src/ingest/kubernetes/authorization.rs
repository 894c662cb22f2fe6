//! AuthorizationPolicies and RequestAuthentications, as far as they say whom they are for and what no request can fulfil.

use serde_json::Value;

use super::fields::{Fields, str_of};
use crate::model::kind::Kind;
use crate::model::policy::{Action, FetchedKeys, OfRequests};

/// Fields of an operation that only HTTP has (`pilot/pkg/security/authz/model/model.go: New`).
const OF_HTTP: [&str; 6] = ["hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"];
/// Fields of a source that only HTTP has.
const OF_JWT: [&str; 2] = ["requestPrincipals", "notRequestPrincipals"];

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> OfRequests {
    let has_targets = fields.get("/spec/targetRef").is_some() || !fields.list("/spec/targetRefs").is_empty();
    if kind == Kind::RequestAuthentication {
        let rules = fields.list("/spec/jwtRules").iter().enumerate();
        let fetched = rules.filter_map(|(index, rule)| {
            let source = if str_of(rule, "/jwksUri").is_empty() { "issuer" } else { "jwksUri" };
            let keys =
                || FetchedKeys { field: format!("jwtRules[{index}].{source}"), value: str_of(rule, &format!("/{source}")).to_owned() };
            str_of(rule, "/jwks").is_empty().then(keys)
        });
        return OfRequests { has_targets, fetched_keys: fetched.collect(), ..OfRequests::default() };
    }
    // ALLOW is the value 0 of the enum, so it is the action where nothing is written.
    let action = match fields.text("/spec/action").as_str() {
        "" | "ALLOW" => Some(Action::Allow),
        "DENY" => Some(Action::Deny),
        "CUSTOM" => Some(Action::Custom),
        _ => None,
    };
    // As `strconv.ParseBool` reads it.
    let annotation = fields.labels("/metadata/annotations").remove("istio.io/dry-run");
    let is_dry_run = annotation.is_some_and(|text| matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
    let provider = fields.text("/spec/provider/name");
    let rules = fields.list("/spec/rules");
    let http: Option<Vec<String>> = rules.iter().map(http_field).collect();
    OfRequests {
        enforces: action.filter(|_| !is_dry_run),
        provider,
        rules: rules.len(),
        fits_all: rules.iter().any(|rule| ["from", "to", "when"].iter().all(|part| items(rule, part).is_empty())),
        has_targets,
        http_field: http.and_then(|fields| fields.into_iter().next()),
        needs_jwt: !rules.is_empty() && rules.iter().all(|rule| !items(rule, "from").is_empty() && sources(rule).all(has_principals)),
        any_jwt: rules.iter().any(|rule| rule.as_object().is_some_and(|rule| rule.len() == 1) && sources(rule).any(is_any_principal)),
        fetched_keys: Vec::new(),
    }
}

/// A field of a rule that only HTTP has: without it istiod leaves the rule out for TCP, where its action is ALLOW.
fn http_field(rule: &Value) -> Option<String> {
    let operations = items(rule, "to").iter().filter_map(|item| item.get("operation"));
    let of = |object: &Value, names: &[&str]| names.iter().find(|name| object.get(**name).is_some()).map(|name| (*name).to_owned());
    let mut found =
        operations.filter_map(|operation| of(operation, &OF_HTTP)).chain(sources(rule).filter_map(|source| of(source, &OF_JWT)));
    let conditions = items(rule, "when").iter().map(|condition| str_of(condition, "/key"));
    let of_request = |key: &&str| key.starts_with("request.");
    found.next().or_else(|| conditions.into_iter().find(of_request).map(str::to_owned))
}

fn sources(rule: &Value) -> impl Iterator<Item = &Value> {
    items(rule, "from").iter().map(|item| item.get("source").unwrap_or(&Value::Null))
}

fn has_principals(source: &Value) -> bool {
    !items(source, "requestPrincipals").is_empty()
}

/// Whether whoever has a JWT is such a source.
fn is_any_principal(source: &Value) -> bool {
    let is_all = |principal: &Value| principal.as_str() == Some("*");
    source.as_object().is_some_and(|source| source.len() == 1) && items(source, "requestPrincipals").iter().any(is_all)
}

fn items<'v>(object: &'v Value, list: &str) -> &'v [Value] {
    object.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
