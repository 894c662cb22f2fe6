//! A module that cannot be fetched shows as the stub that the agent puts in its place.

use serde_json::Value;

use super::world::{Applied, is_lab, json, mesh, wasm_plugin, why};

fn becomes(fail_strategy: &str, state: &str) {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-missing", "sleep", "no-such-tag", fail_strategy));
    let entry = why("default/e2e-missing", "deploy/sleep", state, |entry| entry["state"] == state);
    assert_eq!(entry["attached"], true);
    let plugins = json(&["plugins"]);
    let plugin = plugins["plugins"].as_array().unwrap().iter().find(|plugin| plugin["plugin"] == "default/e2e-missing").unwrap();
    assert_eq!(plugin["rollup"], Value::from("failed"));
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_cannot_be_fetched_denies_where_it_fails_closed() {
    becomes("FAIL_CLOSE", "stubDeny");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_cannot_be_fetched_allows_where_it_fails_open() {
    becomes("FAIL_OPEN", "stubAllow");
}
