//! What istiod would send against what the proxies have, on a mesh: nothing where it is clean, and a stub where a module is not to be had.

use serde_json::{Value, json};

use super::screen::Running;
use super::world::{Applied, is_lab, mesh, until_nothing_is_wrong, wasm_plugin};

/// The types that istiod tells of every proxy, ECDS over xDS where its debug interface cannot dump it.
const TOLD: [&str; 5] = ["LDS", "ECDS", "CDS", "RDS", "EDS"];

/// The types of every proxy of an answer, each with its proxy.
fn types(answer: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let proxies = answer["proxies"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    proxies.flat_map(|entry| {
        entry["types"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(move |found| (&entry["proxy"], found))
    })
}

/// The first type that differs, or is held against nothing.
fn differing(answer: &Value) -> Option<String> {
    if types(answer).count() == 0 {
        return Some(format!("nothing was compared: {answer}"));
    }
    types(answer).find(|(_, found)| found["same"] != true || found["basis"] == "none").map(|(proxy, found)| format!("{proxy}: {found}"))
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_clean_mesh_has_no_difference() {
    let _mesh = mesh();
    for workload in ["deploy/httpbin", "deploy/sleep"] {
        until_nothing_is_wrong("both have the same", &["diff", workload], |answer| {
            // A proxy that has just lost its istiod comes back to one.
            let of_istiod = |found: &Value| !TOLD.contains(&found["type"].as_str().unwrap_or_default()) || found["basis"] == "istiod";
            let other = types(answer).find(|(_, found)| !of_istiod(found)).map(|(proxy, found)| format!("{proxy}: {found}"));
            differing(answer).or(other)
        });
    }
}

/// Asks until these types of the proxies of a workload are as istiod would send them.
fn are_the_same(workload: &str, wanted: &[&str]) {
    until_nothing_is_wrong("both have the same", &["diff", workload], |answer| {
        let wanted_of = |name: &str| types(answer).filter(|(_, found)| found["type"] == name).collect::<Vec<_>>();
        let same = |found: &Value| found["same"] == true && found["basis"] == "istiod";
        let is_so = |name: &&str| !wanted_of(name).is_empty() && wanted_of(name).iter().all(|(_, found)| same(found));
        wanted.iter().find(|name| !is_so(name)).map(|name| format!("{name}: {:?} in {answer}", wanted_of(name)))
    });
}

#[test]
#[ignore = "needs a mesh with the Gateway API: KUBECONFIG, MESHSCOPE_LAB=1"]
fn gateways_and_waypoints_have_what_istiod_would_send() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _gateway = Applied::with_pods(include_str!("gateway.yaml"), "gateway.networking.k8s.io/gateway-name=e2e-web");
    are_the_same("gateway/e2e-web", &TOLD);
    let listener = json!({"name": "mesh", "port": 15008, "protocol": "HBONE"});
    let waypoint = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"namespace": "default",
        "name": "e2e-diff-waypoint"}, "spec": {"gatewayClassName": "istio-waypoint", "listeners": [listener]}});
    let _waypoint = Applied::with_pods(waypoint.to_string(), "gateway.networking.k8s.io/gateway-name=e2e-diff-waypoint");
    // The lab's Envoy refuses a listener of waypoints, for want of an extension of Istio's.
    are_the_same("gateway/e2e-diff-waypoint", &["CDS", "RDS", "EDS"]);
}

/// Asks until nothing differs of what an istiod whose debug interface is closed says: all but endpoints, and of httpbin even its plugin
/// without pluginConfig.
pub fn is_the_same_over_xds() {
    for workload in ["deploy/sleep", "deploy/httpbin"] {
        until_nothing_is_wrong("the difference over xDS", &["diff", workload], |answer| {
            let entry = &answer["proxies"][0];
            let told = |found: &Value| found["basis"] == "istiod" && found["same"] == true;
            let none = |found: &Value| found["type"] == "EDS" && found["basis"] == "none";
            let types = entry["types"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is_so = entry["way"] == "xDS" && types.len() == 5 && types.iter().all(|found| told(found) || none(found));
            (!is_so).then(|| entry.to_string())
        });
    }
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB=1"]
fn the_screen_shows_a_difference_that_comes_and_goes() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "1 of 2"]);
    running.press("\r");
    running.shows(&["Workloads of default/helloworld", "▸ deploy/httpbin"]);
    running.shows_after("d", &["What would istiod send the proxy", "✓ LDS", "✓ ECDS", "✓ CDS", "✓ RDS", "✓ EDS"]);
    let plugin = Applied::new(wasm_plugin("default", "e2e-diff-screen", "httpbin", "no-such-tag", "FAIL_CLOSE"));
    running.shows_after("r", &["✗ ECDS", "RBAC filter that denies all requests", "default.e2e-diff-screen"]);
    drop(plugin);
    running.shows_after("r", &["✓ LDS", "✓ ECDS", "✓ CDS"]);
    running.press("q");
    running.ends();
}

/// Asks until ECDS of sleep differs in this way, for a plugin of this tag.
fn differs_in_ecds(name: &str, tag: &str, what: &str) {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", name, "sleep", tag, "FAIL_CLOSE"));
    until_nothing_is_wrong("the difference is told", &["diff", "deploy/sleep"], |answer| {
        let named = format!("default.{name}");
        let is_told = |line: &Value| line["what"] == what && line["extension"].as_str().is_some_and(|found| found.contains(&named));
        let Some((_, found)) = types(answer).find(|(_, found)| found["type"] == "ECDS") else { return Some(answer.to_string()) };
        let told = found["differences"].as_array().is_some_and(|lines| lines.iter().any(is_told));
        (!told).then(|| found.to_string())
    });
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_stub_in_the_place_of_a_module_is_a_difference_of_ecds() {
    differs_in_ecds("e2e-diff", "no-such-tag", "stub");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_envoy_refused_is_a_difference_of_ecds() {
    differs_in_ecds("e2e-diff-broken", "broken", "refused");
}
