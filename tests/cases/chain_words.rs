//! Chains by where they lead and what they match, whatever their place and name.

use serde_json::{Value, json};

use super::inputs::Case;
use super::support;

/// The chains of a listener of a file: each with its kind and meaning.
fn chains(path: &str, listener: &str) -> Vec<(String, String)> {
    let answer = support::json(&["chains", "--from", path, "--listener", listener]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let chains = answer["proxies"][0]["listeners"][0]["filterChains"].as_array().unwrap();
    chains.iter().map(|chain| (text(&chain["kind"]), text(&chain["meaning"]))).collect()
}

fn said(kind: &str, meaning: &str) -> (String, String) {
    (kind.to_owned(), meaning.to_owned())
}

/// A TCP chain to a cluster.
fn tcp(cluster: &str, matches: &Value) -> Value {
    let proxy = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "cluster": cluster});
    json!({"filter_chain_match": matches, "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}]})
}

/// What is said of the default chain, and of one beside it, of a listener of a proxy of this type.
fn of_listener(node: &str, direction: &str, port: u16, others: &[Value], default: &Value) -> Vec<(String, String)> {
    let mut listener = json!({"name": "l", "filter_chains": others, "default_filter_chain": default,
        "address": {"socket_address": {"address": "10.0.0.1", "port_value": port}}});
    if !direction.is_empty() {
        listener["traffic_direction"] = json!(direction);
    }
    let dump = json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": {"id": format!("{node}~10.1.0.7~p.n~n.svc.cluster.local")}}},
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [{"name": "l", "active_state": {"listener": listener}}]}]});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, dump.to_string()).unwrap();
    chains(path.to_str().unwrap(), "l")
}

const PASSED: &str = "everything that no other chain takes, passed through";
const DROPPED: &str =
    "dropped: destinations that the mesh does not know (outboundTrafficPolicy REGISTRY_ONLY, of the mesh or of a Sidecar)";
const ITSELF: &str = "blackhole: traffic to the proxy itself goes nowhere";

#[test]
fn field_02_a_default_chain_is_that_of_what_it_leads_to() {
    let case = Case::open("02-default-chain-is-no-passthrough");
    let path = case.path("istio-auto-port.json");
    let of = |listener: &str| chains(path.to_str().unwrap(), listener).pop().unwrap();
    assert_eq!(of("10.96.0.50_443"), said("outbound", "TCP to webhook.shop.svc.cluster.local port 443, for what no other chain takes"));
    assert_eq!(of("0.0.0.0_80"), said("default", PASSED));
    assert_eq!(of("0.0.0.0_81"), said("blackhole", DROPPED));
    let path = case.path("gateway-http-in-default-chain.json");
    assert_eq!(chains(path.to_str().unwrap(), "default-eg-http"), [said("default", "HTTP on port 10080 (all connections)")]);
    let data = Case::open("data");
    let answer = support::json(&["chains", "--from", data.path("eg-egctl-in.all.json").to_str().unwrap()]);
    assert!(!answer.to_string().contains("passed through"), "nothing of it leads to PassthroughCluster");
}

#[test]
fn field_02_default_chains_of_every_direction() {
    let port = json!({"destination_port": 80});
    let one = |node: &str, direction: &str, cluster: &str| {
        of_listener(node, direction, 443, &[tcp("inbound|80||", &port)], &tcp(cluster, &json!({}))).pop().unwrap()
    };
    assert_eq!(one("sidecar", "OUTBOUND", "outbound|443|v1|a.b").1, "TCP to a.b port 443, for what no other chain takes");
    assert_eq!(one("sidecar", "OUTBOUND", "PassthroughCluster"), said("default", PASSED));
    assert_eq!(one("sidecar", "INBOUND", "inbound|80||").0, "service");
    assert_eq!(one("sidecar", "INBOUND", "InboundPassthroughClusterIpv4").0, "passthrough");
    assert_eq!(one("router", "OUTBOUND", "outbound|443||a.b"), said("gateway", "TCP on port 443, for what no other chain takes"));
    assert_eq!(of_listener("router", "OUTBOUND", 443, &[], &tcp("x", &json!({}))), [said("gateway", "TCP on port 443 (all connections)")]);
}

#[test]
fn field_06_names_of_a_waypoints_chains_of_old_releases() {
    let data = Case::open("data");
    let path = data.path("istio-proxyconfig-config_dump.json");
    let found = chains(path.to_str().unwrap(), "main_internal");
    assert_eq!(
        found,
        [
            said("waypoint", "HTTP to httpbin.default.svc.cluster.local port 8000"),
            said("waypoint", "HTTP to httpbin.default.svc.cluster.local port 8100"),
            said("waypoint", "TCP straight to a pod"),
            said("waypoint", "HTTP straight to a pod"),
        ]
    );
    let text = support::meshscope(&["chains", "--from", path.to_str().unwrap()]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("[if address is 192.168.195.248/32, protocol is 'h2c' or 'http/1.1']"), "{text}");
}

#[test]
fn field_25_what_the_black_hole_is_for() {
    let case = Case::open("25-registry-only");
    let path = case.path("dump.json");
    let path = path.to_str().unwrap();
    assert_eq!(chains(path, "virtualOutbound"), [said("blackhole", ITSELF), said("blackhole", DROPPED)]);
    assert_eq!(chains(path, "0.0.0.0_81")[1], said("blackhole", DROPPED));
    let asked = "port=5432,address=203.0.113.9,direction=outbound";
    let taken = support::json(&["chains", "--from", path, "--connection", asked]);
    let taken = &taken["proxies"][0];
    assert_eq!((&taken["chain"]["place"], &taken["chain"]["meaning"]), (&json!(1), &json!(DROPPED)));
    assert!(taken["consequence"].as_str().unwrap().contains("BlackHoleCluster"), "{taken}");
    // What comes in and leads there is not for an unknown destination.
    let inbound = of_listener(
        "sidecar",
        "INBOUND",
        15006,
        &[tcp("BlackHoleCluster", &json!({"destination_port": 15006}))],
        &tcp("BlackHoleCluster", &json!({})),
    );
    assert_eq!(inbound, [said("blackhole", ITSELF), said("blackhole", "dropped: what comes here goes nowhere (BlackHoleCluster)")]);
}
