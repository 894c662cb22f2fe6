//! Rules about where plugins apply: to nothing, nearly to something, to what ignores them, to no chain.

use meshscope::analysis::findings::Severity;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::recorded::{Mesh, object, wasm_plugin};
use super::support::world::{self, GATEWAY_GROUP, GATEWAY_NAME};
use super::{found, one, with};

fn selecting(labels: Value) -> Value {
    wasm_plugin("default/p", json!({"selector": {"matchLabels": labels}}))
}

fn labelled(mut object: Value, revision: &str) -> Value {
    object["metadata"]["labels"] = json!({"istio.io/rev": revision});
    object
}

#[test]
fn a_plugin_that_applies_to_nothing() {
    let nothing =
        one(with([selecting(json!({"app": "nobody", "tier": "web"}))], "matches-nothing"), Severity::Warning, "WasmPlugin default/p");
    assert!(nothing.evidence[0].starts_with("nearest is Deployment default/"), "{nothing:?}");
    assert_eq!(with([selecting(json!({"app": "httpbin"}))], "matches-nothing"), []);
    // What istiod itself adds to a proxy is not on the pod, so it may apply.
    for code in ["matches-nothing", "near-miss"] {
        assert_eq!(with([selecting(json!({"topology.istio.io/network": "n"}))], code), []);
    }
}

#[test]
fn a_plugin_that_one_label_keeps_away() {
    let slip = || [selecting(json!({"app": "httpbn"}))];
    let near = one(with(slip(), "near-miss"), Severity::Warning, "WasmPlugin default/p");
    assert!(near.fix.contains("did you mean app=httpbin?"), "{near:?}");
    assert_eq!(with(slip(), "matches-nothing"), [], "it is said once");
    assert_eq!(with([selecting(json!({"app": "httpbin"}))], "near-miss"), []);
    assert_eq!(with([selecting(json!({"app": "nobody", "tier": "web"}))], "near-miss"), [], "two labels are no slip");
    // Of another workload, which has not come yet.
    let checkout = || [selecting(json!({"app": "checkout"}))];
    assert_eq!(with(checkout(), "near-miss"), []);
    let nothing = one(with(checkout(), "matches-nothing"), Severity::Warning, "WasmPlugin default/p");
    assert_eq!(nothing.fix, "apply what it is for, correct its selector, or delete it");
    // One more label than the pods have; it is the selector that is to be changed.
    let more = one(with([selecting(json!({"app": "httpbin", "tier": "web"}))], "near-miss"), Severity::Warning, "WasmPlugin default/p");
    assert_eq!(more.fix, "take tier out of the selector, or set tier=web on the pod template of the Deployment");
    let other =
        one(with([selecting(json!({"app": "httpbin", "version": "beta"}))], "near-miss"), Severity::Warning, "WasmPlugin default/p");
    assert!(other.fix.starts_with("write version=v1 in the selector"), "{other:?}");
    let serviced = one(with([selecting(json!({"app": "store", "version": "v1"}))], "near-miss"), Severity::Warning, "WasmPlugin default/p");
    assert_eq!(serviced.fix, "write app=httpbin in the selector", "its Service looks for app=httpbin");
}

#[test]
fn a_plugin_for_a_workload_without_a_proxy() {
    let plain = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "plain", "labels": {"app": "plain"}},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running"}});
    let finding =
        one(with([plain.clone(), selecting(json!({"app": "plain"}))], "matches-nothing"), Severity::Warning, "WasmPlugin default/p");
    assert!(finding.what.ends_with("it is for pod/plain, which has none."), "{finding:?}");
    assert!(finding.evidence[0].starts_with("Pod default/plain: wanted a proxy, found none"), "{finding:?}");
    assert_eq!(with([plain.clone(), selecting(json!({"app": "plain"}))], "near-miss"), [], "no label is wrong");
    assert_eq!(with([plain, selecting(json!({"app": "httpbin"}))], "matches-nothing"), []);
}

#[test]
fn a_selector_on_a_waypoint_is_ignored() {
    let mesh = |plugin: Value| world::world("1.31.0", &[world::waypoint("n", "wp"), world::wasm_plugin("n", plugin)]);
    let ignored = mesh(world::selecting(json!({GATEWAY_NAME: "wp"})));
    let finding = one(found(&ignored, "selector-ignored"), Severity::Warning, "WasmPlugin n/p");
    assert!(finding.fix.contains("kind Gateway, name wp"), "{finding:?}");
    assert_eq!(found(&ignored, "matches-nothing"), [], "it is said once");
    // A Gateway cannot be targeted from another namespace.
    let root = world::world(
        "1.31.0",
        &[world::waypoint("n", "wp"), world::wasm_plugin("istio-system", world::selecting(json!({GATEWAY_NAME: "wp"})))],
    );
    let finding = one(found(&root, "selector-ignored"), Severity::Warning, "WasmPlugin istio-system/p");
    assert!(finding.fix.ends_with("name wp, and create the plugin in n"), "{finding:?}");
    for other in [world::selecting(json!({GATEWAY_NAME: "another"})), world::targeting(&[world::target(GATEWAY_GROUP, "Gateway", "wp")])] {
        assert_eq!(found(&mesh(other.clone()), "selector-ignored"), [], "{other}");
    }
    // A sidecar takes selectors.
    let sidecar =
        world::world("1.31.0", &[world::sidecar("n", json!({"app": "a"})), world::wasm_plugin("n", world::selecting(json!({"app": "a"})))]);
    assert_eq!(found(&sidecar, "selector-ignored"), []);
    // Until 1.19 there was nothing to ignore.
    let old = world::world("1.19.0", &[world::waypoint("n", "wp"), world::wasm_plugin("n", world::selecting(json!({GATEWAY_NAME: "wp"})))]);
    assert_eq!(found(&old, "selector-ignored"), []);
}

#[test]
fn a_match_that_lets_it_into_no_chain() {
    let matching = |port: u16| {
        let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "match": [{"mode": "SERVER", "ports": [{"number": port}]}]});
        with([wasm_plugin("default/p", spec)], "match-excludes-all")
    };
    let excluded = one(matching(8000), Severity::Error, "WasmPlugin default/p");
    assert_eq!(excluded.fix, "write port 80 in the place of 8000");
    assert_eq!(matching(80), []);
    // One that names no workload may be meant for others.
    let everywhere = json!({"match": [{"mode": "SERVER", "ports": [{"number": 9999}]}]});
    one(with([wasm_plugin("default/p", everywhere)], "match-excludes-all"), Severity::Warning, "WasmPlugin default/p");
}

#[test]
fn a_match_of_clients_on_a_workload_that_serves() {
    let of = |app: &str, mode: &str| {
        let spec = json!({"selector": {"matchLabels": {"app": app}}, "match": [{"mode": mode}]});
        Mesh::permissive().with([wasm_plugin("default/p", spec)])
    };
    let finding = one(found(&super::of(of("httpbin", "CLIENT")), "match-excludes-all"), Severity::Information, "WasmPlugin default/p");
    let said =
        "match CLIENT is for what the workload sends: requests that come to it, as by Service default/httpbin, do not pass the plugin";
    assert!(
        finding.what.ends_with("applies to 1 proxy, and is in no inbound chain of them.") && finding.evidence[0].contains(said),
        "{finding:?}"
    );
    let why = of("httpbin", "CLIENT").ask(&["why", "default/p", "deploy/httpbin"]);
    assert!(why["workloads"][0]["reason"].as_str().unwrap().ends_with(said), "{why}");
    for mode in ["SERVER", "CLIENT_AND_SERVER"] {
        assert_eq!(found(&super::of(of("httpbin", mode)), "match-excludes-all"), [], "{mode}");
    }
    // For all workloads of a namespace it is meant so.
    let all = wasm_plugin("default/p", json!({"match": [{"mode": "CLIENT"}]}));
    assert_eq!(with([all], "match-excludes-all"), []);
}

#[test]
fn an_object_that_no_istiod_uses() {
    let canary = labelled(selecting(json!({"app": "httpbin"})), "canary");
    let finding = one(with([canary.clone()], "object-not-used"), Severity::Warning, "WasmPlugin default/p");
    assert!(finding.fix.contains("istio.io/rev=default"), "{finding:?}");
    assert_eq!(with([canary], "matches-nothing"), [], "it is said once");
    assert_eq!(with([labelled(selecting(json!({"app": "httpbin"})), "default")], "object-not-used"), []);
    let undecodable = wasm_plugin("default/p", json!({"phase": "EARLY"}));
    one(with([undecodable], "object-not-used"), Severity::Error, "WasmPlugin default/p");
    // The url has a rule of its own.
    let url = object("extensions.istio.io/v1alpha1", "WasmPlugin", "default/p", json!({"url": "10.0.0.1:5000/x"}));
    assert_eq!(with([url], "object-not-used"), []);
    let too_old = world::world("1.29.0", &[world::sidecar("n", json!({})), world::extension("n", json!({"lua": {"inlineCode": "x"}}))]);
    one(found(&too_old, "object-not-used"), Severity::Error, "TrafficExtension n/p");
    assert!(too_old.objects.policies.keys().all(|(kind, _)| *kind != Kind::EnvoyFilter));
}
