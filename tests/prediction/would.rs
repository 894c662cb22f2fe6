//! What istiod would send a single proxy in a mesh built of objects, in short lines: for rules that no recording shows.

use meshscope::analysis::chains::{Facts, Prediction, predict};
use meshscope::model::envoy::{FilterChain, Node};
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::{Object, named, the_pod, world};

/// The newest istiod.
pub const NEWEST: &str = "1.31.0";

/// The pod `w` of namespace `default` with a sidecar.
pub fn sidecar() -> Object {
    let container = json!({"name": "istio-proxy", "args": ["proxy", "sidecar"]});
    let app = json!({"name": "app", "ports": [{"name": "web", "containerPort": 8080}]});
    (
        Kind::Pod,
        json!({"metadata": {"namespace": "default", "name": "w", "labels": {"app": "a"}}, "spec": {"containers": [app, container]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}}),
    )
}

/// A pod without a proxy.
pub fn pod(name: &str, labels: Value, ip: &str) -> Object {
    let container = json!({"name": "app", "ports": [{"name": "web", "containerPort": 8080}]});
    (
        Kind::Pod,
        json!({"metadata": {"namespace": "default", "name": name, "labels": labels}, "spec": {"containers": [container]},
            "status": {"phase": "Running", "podIPs": [{"ip": ip}]}}),
    )
}

/// A Service with an address, or `None`.
pub fn service(name: &str, address: &str, spec: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let mut spec = spec;
    spec["clusterIP"] = json!(address);
    named(Kind::Service, namespace, name, json!({}), spec)
}

pub fn service_entry(name: &str, spec: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    named(Kind::ServiceEntry, namespace, name, json!({}), spec)
}

/// The same object, created so many seconds after another of 0.
pub fn aged((kind, mut object): Object, second: u32) -> Object {
    object["metadata"]["creationTimestamp"] = json!(format!("2026-11-01T00:00:{second:02}Z"));
    (kind, object)
}

/// What the istiod of a version would send the proxy of pod `w`, which says this of itself.
pub fn of(istiod: &str, node: &Node, objects: &[Object]) -> Prediction {
    let snapshot = world(istiod, objects);
    predict(&Facts::of(&snapshot.objects, the_pod(&snapshot), Some(node), None).unwrap())
}

/// The same of the newest istiod.
pub fn send(objects: &[Object]) -> Prediction {
    of(NEWEST, &node(), objects)
}

/// What a proxy says of itself that has nothing special.
pub fn node() -> Node {
    Node { own_ports: vec![15021, 15090], ..Node::default() }
}

/// A line a listener, by name: each chain in brackets.
pub fn lines(prediction: &Prediction) -> Vec<String> {
    let mut found: Vec<String> = prediction
        .listeners
        .iter()
        .map(|listener| {
            let chains: Vec<String> = listener.chains.iter().map(|chain| format!("[{}]", line(chain))).collect();
            format!("{} {}", listener.name, chains.join(" "))
        })
        .collect();
    found.sort();
    found
}

/// The lines of outbound listeners that no mesh is without, left out.
pub fn outbound(prediction: &Prediction) -> Vec<String> {
    lines(prediction).into_iter().filter(|line| !line.starts_with("virtual")).collect()
}

/// `SNI a.example.com to 10.0.0.0/8 http: default/p`: what a chain matches beside ALPN and transport, and its plugins.
fn line(chain: &FilterChain) -> String {
    let matches = &chain.matches;
    let mut words = Vec::new();
    words.extend(chain.is_default.then(|| "else".to_owned()));
    words.extend(matches.destination_port.map(|port| port.to_string()));
    words.extend((!matches.server_names.is_empty()).then(|| format!("SNI {}", matches.server_names.join(","))));
    words.extend((!matches.prefix_ranges.is_empty()).then(|| format!("to {}", matches.prefix_ranges.join(","))));
    words.push(if chain.http_filters.is_some() { "http" } else { "tcp" }.to_owned());
    words.extend(chain.filters().filter_map(|filter| filter.plugin.as_ref()).map(|plugin| plugin.id.name.name.clone()));
    words.join(" ")
}
