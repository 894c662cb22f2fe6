//! The endpoints of a cluster, by their addresses.
//!
//! No difference: an endpoint's health, which the proxy judges itself, what Envoy writes out where it was not set, the weight of a locality,
//! which Envoy drops unless the cluster weighs localities, and an address that istiod sends again, of which Envoy takes one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How many addresses are told.
const MOST_TOLD: usize = 5;

/// What of each endpoint decides whether it is chosen and how it is reached, as often as its address is there.
pub(super) type Endpoints = BTreeMap<String, Vec<Value>>;

/// The endpoints of a list.
pub(super) fn of(list: &Value) -> Endpoints {
    let mut found = Endpoints::new();
    let elements = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for group in elements(list, "endpoints") {
        for entry in elements(&group, "lb_endpoints") {
            let mut told = Map::new();
            told.insert("load_balancing_weight".to_owned(), entry.get("load_balancing_weight").cloned().unwrap_or_else(|| json!(1)));
            told.insert("priority".to_owned(), group.get("priority").cloned().unwrap_or_else(|| json!(0)));
            let filled = |value: &&Value| value.as_object().is_some_and(|object| !object.is_empty());
            told.extend(group.get("locality").filter(filled).map(|locality| ("locality".to_owned(), locality.clone())));
            told.extend(entry.get("metadata").filter(filled).map(|metadata| ("metadata".to_owned(), metadata.clone())));
            found.entry(address(&entry["endpoint"]["address"])).or_default().push(Value::Object(told));
        }
    }
    found
}

/// `10.0.0.1:80`; an internal listener's name and the endpoint's, or the path of a socket.
fn address(address: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(socket) = address.get("socket_address") {
        return format!("{}:{}", text(&socket["address"]), text(&socket["port_value"]));
    }
    if let Some(internal) = address.get("envoy_internal_address") {
        let id = internal.get("endpoint_id").map(|id| format!("/{}", text(id))).unwrap_or_default();
        return text(&internal["server_listener_name"]) + &id;
    }
    match address.get("pipe").and_then(|pipe| pipe.get("path")) {
        Some(path) => text(path),
        None => address.to_string(),
    }
}

/// The endpoints that the proxy has otherwise than istiod sends them, each with its address.
pub(super) fn otherwise<'e>(sent: &'e Endpoints, held: &'e Endpoints) -> impl Iterator<Item = (&'e str, &'e Value, &'e Value)> {
    let both = sent.iter().filter_map(|(address, sent)| Some((address, sent, held.get(address)?)));
    both.filter_map(|(address, sent, held)| {
        let other = held.iter().find(|held| !sent.contains(held))?;
        Some((address.as_str(), sent.first()?, other))
    })
}

/// The addresses that one of the two lacks, each as who alone has them and a sentence.
pub(super) fn missing(cluster: &str, sent: &Endpoints, held: &Endpoints) -> impl Iterator<Item = (&'static str, String)> {
    let lacks = |one: &Endpoints, other: &Endpoints| {
        let missing: Vec<&str> = one.keys().filter(|address| !other.contains_key(*address)).map(String::as_str).collect();
        let more = missing.len().saturating_sub(MOST_TOLD);
        let told = missing[..missing.len() - more].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!missing.is_empty()).then(|| told + &more)
    };
    let lacking =
        lacks(sent, held).map(|told| ("istiod", format!("endpoints of {cluster}: the proxy lacks {told}, which istiod would send")));
    let extra =
        lacks(held, sent).map(|told| ("proxy", format!("endpoints of {cluster}: the proxy has {told}, which istiod would not send")));
    lacking.into_iter().chain(extra)
}
