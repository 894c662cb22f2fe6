//! What older releases do otherwise.

use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::*;

/// Whether the plugin applies under an istiod of each of these versions.
fn under(versions: &[&str], objects: &[Object]) -> Vec<bool> {
    versions.iter().map(|version| decide(&world(version, objects)).attached).collect()
}

const ALL: [&str; 8] = ["1.12.0", "1.18.7", "1.20.8", "1.21.6", "1.22.3", "1.24.6", "1.26.2", "1.31-alpha.eed52ebb66ad"];

#[test]
fn fields_that_a_release_does_not_know_are_as_good_as_absent() {
    let web = gateway("n", "web");
    let to_web = || target(GATEWAY_GROUP, "Gateway", "web");
    let to_other = || target(GATEWAY_GROUP, "Gateway", "other");
    let single = |target: Value| json!({"targetRef": target});
    // Without the field the plugin has no selector either, and lands everywhere.
    assert_eq!(under(&ALL, &[wasm_plugin("n", single(to_other())), web.clone()]), [true, true, false, false, false, false, false, false]);
    assert_eq!(
        under(&ALL, &[wasm_plugin("n", targeting(&[to_other()])), web.clone()]),
        [true, true, true, true, false, false, false, false]
    );
    assert_eq!(under(&ALL, &[wasm_plugin("n", single(to_web())), web.clone()]), [true; 8]);
    let app = sidecar("n", json!({"app": "a"}));
    assert_eq!(under(&ALL, &[wasm_plugin("n", single(to_web())), app.clone()]), [true, true, false, false, false, false, false, false]);
    // The list wins over the single form only where it is known.
    let mut both = targeting(&[to_other()]);
    both["targetRef"] = to_web();
    assert_eq!(under(&["1.21.6", "1.22.3"], &[wasm_plugin("n", both), web]), [true, false]);
}

#[test]
fn a_gateway_could_be_targeted_from_the_root_namespace_until_1_24() {
    let plugin = wasm_plugin("istio-system", targeting(&[target(GATEWAY_GROUP, "Gateway", "web")]));
    assert_eq!(under(&["1.22.3", "1.24.6", "1.25.0", "1.31"], &[plugin, gateway("n", "web")]), [true, true, false, false]);
}

#[test]
fn waypoints_took_selectors_once() {
    let wp = waypoint("n", "wp");
    let none = wasm_plugin("n", json!({}));
    assert_eq!(under(&ALL[1..], &[none, wp.clone()]), [true, true, true, false, false, false, false]);
    let labels = wasm_plugin("n", selecting(json!({GATEWAY_NAME: "wp"})));
    assert_eq!(under(&ALL[1..], &[labels, wp.clone()]), [true, false, false, false, false, false, false]);
    let empty = wasm_plugin("n", json!({"selector": {}}));
    assert_eq!(under(&["1.20.8", "1.31"], &[empty, wp]), [false, false], "an empty selector is one");
}

#[test]
fn services_came_step_by_step() {
    let use_wp = || json!({"istio.io/use-waypoint": "wp", "istio.io/use-waypoint-namespace": "n"});
    let wp = || waypoint("n", "wp");
    let to_service = || targeting(&[target("", "Service", "s")]);
    let versions = ["1.22.3", "1.24.6", "1.26.2"];
    let own = [wasm_plugin("n", to_service()), wp(), service("n", "s", use_wp())];
    assert_eq!(under(&versions, &own), [true, true, true]);
    // 1.22 compares the name alone.
    let of_other = [wasm_plugin("n", to_service()), wp(), service("m", "s", use_wp())];
    assert_eq!(under(&versions, &of_other), [true, false, false]);
    // Plugins of the service's own namespace are looked at since 1.25.
    let all_other = [wasm_plugin("m", to_service()), wp(), service("m", "s", use_wp())];
    assert_eq!(under(&versions, &all_other), [false, false, true]);
    let entry = named(Kind::ServiceEntry, "n", "e", use_wp(), json!({"hosts": ["x.example"]}));
    let to_entry = wasm_plugin("n", targeting(&[target("networking.istio.io", "ServiceEntry", "e")]));
    assert_eq!(under(&versions, &[to_entry, wp(), entry]), [false, true, true]);
    let class = wasm_plugin("istio-system", targeting(&[target(GATEWAY_GROUP, "GatewayClass", "istio-waypoint")]));
    assert_eq!(under(&versions, &[class, wp()]), [false, false, true]);
}

#[test]
fn what_istiod_discards_depends_on_its_release() {
    let app = || sidecar("n", json!({}));
    assert_eq!(under(&["1.29.0", "1.30.0"], &[wasm_plugin("n", json!({"url": ""})), app()]), [true, false]);
    assert_eq!(under(&["1.12.0", "1.31"], &[wasm_plugin("n", json!({"url": "10.0.0.1:5000/x"})), app()]), [false, false]);
    let reload = wasm_plugin("n", json!({"failStrategy": "FAIL_RELOAD"}));
    assert_eq!(under(&["1.18.7", "1.26.2", "1.27.0"], &[reload, app()]), [true, false, true], "1.18 has no such field");
    assert_eq!(under(&["1.29.0", "1.30.0"], &[extension("n", json!({"lua": {"inlineCode": "x"}})), app()]), [false, true]);
    let selectors = "discoverySelectors:\n- matchLabels: {istio-discovery: enabled}\n";
    let mesh = (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": selectors}}));
    let unseen = [wasm_plugin("n", json!({})), app(), namespace("n", json!({})), mesh];
    assert_eq!(under(&["1.14.0", "1.16.0"], &unseen), [true, false]);
}

#[test]
fn the_older_label_of_gateways_counted_from_1_21_to_1_23() {
    let pod = pod("n", "w", json!({"istio.io/gateway-name": "web"}), "router");
    let plugin = wasm_plugin("n", json!({"targetRef": target(GATEWAY_GROUP, "Gateway", "web")}));
    assert_eq!(under(&["1.20.8", "1.21.6", "1.22.3", "1.24.6"], &[plugin, pod]), [false, true, true, false]);
}
