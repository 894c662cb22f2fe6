//! Which plugins stand in which chains of a sidecar: by mode, by port, by type, and in which release.

use meshscope::model::envoy::FilterChain;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::{Object, named};
use super::would::{NEWEST, aged, node, of, service, sidecar};

/// A plugin on everything in `default`.
fn plugin(name: &str, spec: Value) -> Object {
    let mut spec = spec;
    spec["url"] = json!("oci://r/x:v1");
    named(Kind::WasmPlugin, "default", name, json!({}), spec)
}

/// One HTTP, one detected and one TCP port, and a policy that names one more.
fn ports() -> [Object; 2] {
    let ports = json!([
        {"port": 1, "name": "http", "targetPort": 81}, {"port": 2, "name": "web", "targetPort": 82}, {"port": 3, "name": "tcp", "targetPort": 83}
    ]);
    let spec = json!({"selector": {"matchLabels": {"app": "a"}}, "portLevelMtls": {"90": {"mode": "STRICT"}}});
    [
        service("default/a", "10.96.0.1", json!({"selector": {"app": "a"}, "ports": ports})),
        named(Kind::PeerAuthentication, "default", "p", json!({}), spec),
    ]
}

/// How often the one plugin of a mesh stands where: each listener's chains by port, 0 for those without one, as `port:count`.
fn counts(istiod: &str, spec: Value) -> Vec<String> {
    let [service, policy] = ports();
    let prediction = of(istiod, &node(), &[sidecar(), service, policy, plugin("p", spec)]);
    let mut found = Vec::new();
    for listener in &prediction.listeners {
        let mut by_port = std::collections::BTreeMap::new();
        for chain in &listener.chains {
            let count = chain.filters().filter(|filter| filter.plugin.is_some()).count();
            *by_port.entry(chain.matches.destination_port.unwrap_or(0)).or_insert(0) += count;
        }
        by_port.retain(|_, count| *count > 0);
        if !by_port.is_empty() {
            let counts: Vec<String> = by_port.iter().map(|(port, count)| format!("{port}:{count}")).collect();
            found.push(format!("{} {}", listener.name, counts.join(" ")));
        }
    }
    found.sort();
    found
}

const HTTP_OUT: &str = "0.0.0.0_1 0:1";
const DETECTED_OUT: &str = "10.96.0.1_2 0:1";
const ALL_IN: &str = "virtualInbound 0:2 81:2 82:2 90:1";

#[test]
fn an_http_plugin_stands_in_every_chain_with_http() {
    assert_eq!(counts(NEWEST, json!({})), [HTTP_OUT, DETECTED_OUT, ALL_IN]);
    assert_eq!(counts("1.12.0", json!({})), ["virtualInbound 0:2 81:2 82:2 90:1"], "until 1.13 in no outbound listener");
    assert_eq!(counts("1.14.0", json!({})), [HTTP_OUT, DETECTED_OUT, ALL_IN]);
}

#[test]
fn match_is_by_mode_and_by_the_port_of_the_chain() {
    let matches = |matches: Value| counts(NEWEST, json!({"match": matches}));
    assert_eq!(matches(json!([{"mode": "SERVER"}])), [ALL_IN]);
    assert_eq!(matches(json!([{"mode": "CLIENT"}])), [HTTP_OUT, DETECTED_OUT]);
    // Inbound the port on the workload, outbound the service's.
    assert_eq!(matches(json!([{"ports": [{"number": 81}]}])), ["virtualInbound 81:2"]);
    assert_eq!(matches(json!([{"ports": [{"number": 1}]}])), [HTTP_OUT]);
    assert_eq!(matches(json!([{"ports": [{"number": 90}]}])), ["virtualInbound 90:1"], "the passthrough of a port that a policy names");
    assert_eq!(matches(json!([{"ports": [{"number": 83}, {"number": 7}]}])), Vec::<String>::new(), "a port without HTTP");
    assert_eq!(
        matches(json!([{"mode": "CLIENT", "ports": [{"number": 2}]}, {"mode": "SERVER", "ports": [{"number": 82}]}])),
        [DETECTED_OUT, "virtualInbound 82:2"]
    );
    assert_eq!(
        counts("1.15.0", json!({"match": [{"mode": "SERVER"}]})),
        [HTTP_OUT, DETECTED_OUT, ALL_IN],
        "until 1.15 there is no such field"
    );
}

#[test]
fn a_network_plugin_stands_in_every_chain_but_the_ways_out() {
    let network = |matches: Value| counts(NEWEST, json!({"type": "NETWORK", "match": matches}));
    assert_eq!(network(json!([])), ["0.0.0.0_1 0:1", "10.96.0.1_2 0:2", "10.96.0.1_3 0:1", "virtualInbound 0:5 81:2 82:5 83:3 90:2"]);
    // Inbound, chains without HTTP are compared by the service's port, those with it by the workload's.
    assert_eq!(network(json!([{"mode": "SERVER", "ports": [{"number": 82}]}])), ["virtualInbound 82:2"]);
    assert_eq!(network(json!([{"mode": "SERVER", "ports": [{"number": 2}]}])), ["virtualInbound 82:3"]);
    assert_eq!(network(json!([{"mode": "SERVER", "ports": [{"number": 3}]}])), ["virtualInbound 83:3"]);
    assert_eq!(network(json!([{"mode": "SERVER", "ports": [{"number": 90}]}])), ["virtualInbound 90:1"]);
    assert_eq!(network(json!([{"mode": "CLIENT", "ports": [{"number": 2}]}])), ["10.96.0.1_2 0:2"]);
    assert_eq!(counts("1.19.0", json!({"type": "NETWORK"})), [HTTP_OUT, DETECTED_OUT, ALL_IN], "until 1.19 every plugin is one of HTTP");
}

/// The plugins of the passthrough chain with HTTP, in order.
fn order(istiod: &str, plugins: &[Object]) -> Vec<String> {
    let prediction = of(istiod, &node(), &[&[sidecar()], plugins].concat());
    let inbound = prediction.listeners.iter().find(|listener| listener.name == "virtualInbound").unwrap();
    let chain = inbound.chains.iter().find(|chain| chain.http_filters.is_some()).unwrap();
    chain.filters().filter_map(|filter| Some(filter.plugin.as_ref()?.id.name.name.clone())).collect()
}

#[test]
fn they_stand_in_running_order() {
    let root = (
        Kind::WasmPlugin,
        json!({"metadata": {"namespace": "istio-system", "name": "root"}, "spec": {"url": "oci://r/x:v1", "phase": "AUTHN"}}),
    );
    let plugins = [
        plugin("none", json!({})),
        plugin("stats", json!({"phase": "STATS"})),
        plugin("authz-low", json!({"phase": "AUTHZ", "priority": -1})),
        plugin("authz-unset", json!({"phase": "AUTHZ"})),
        plugin("authz-high", json!({"phase": "AUTHZ", "priority": 7})),
        aged(plugin("young", json!({"phase": "AUTHN"})), 2),
        aged(plugin("old", json!({"phase": "AUTHN"})), 1),
        aged(root, 0),
    ];
    let rest = ["authz-high", "authz-low", "authz-unset", "stats", "none"];
    assert_eq!(order(NEWEST, &plugins), [&["old", "young", "root"][..], &rest].concat());
    assert_eq!(order("1.18.7", &plugins), [&["root", "old", "young"][..], &rest].concat(), "until 1.19 the root namespace goes first");
}

#[test]
fn plain_http_1_0_counts_as_http_where_istiod_says_so() {
    let istiod = |value: &str| {
        let env = json!([{"name": "PILOT_HTTP10", "value": value}]);
        let spec = json!({"containers": [{"name": "discovery", "env": env}]});
        (
            Kind::Pod,
            json!({"metadata": {"namespace": "istio-system", "name": "istiod", "labels": {"app": "istiod"}}, "spec": spec, "status": {"phase": "Running"}}),
        )
    };
    let alpn = |version: &str, value: &str| {
        let prediction = of(version, &node(), &[sidecar(), istiod(value)]);
        let inbound = prediction.listeners.iter().find(|listener| listener.name == "virtualInbound").unwrap();
        let is_plain = |chain: &&FilterChain| chain.http_filters.is_some() && chain.matches.transport_protocol == "raw_buffer";
        inbound.chains.iter().find(is_plain).unwrap().matches.application_protocols.join(",")
    };
    assert_eq!(alpn(NEWEST, "false"), "http/1.1,h2c");
    assert_eq!(alpn(NEWEST, "1"), "http/1.0,http/1.1,h2c");
    assert_eq!(alpn("1.12.0", "false"), "http/1.0,http/1.1,h2c", "until 1.12 always");
}
