//! What istiod would send against what the proxies have, on a mesh: nothing where it is clean, and a stub where a module is not to be had.

use serde_json::Value;

use super::world::{Applied, is_lab, mesh, until_nothing_is_wrong, wasm_plugin};

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
            // istiod cannot dump the whole of httpbin, which has a plugin without pluginConfig: its listeners are asked for alone. A proxy
            // that has just lost its istiod comes back to one.
            let of_istiod = |found: &Value| found["type"] != "LDS" || found["basis"] == "istiod";
            let other = types(answer).find(|(_, found)| !of_istiod(found)).map(|(proxy, found)| format!("{proxy}: {found}"));
            differing(answer).or(other)
        });
    }
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
