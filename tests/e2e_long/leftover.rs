//! What a deleted plugin leaves behind goes with the listeners that drain, and is no finding meanwhile (L14).

use std::time::{Duration, Instant};

use serde_json::Value;

use super::world::{Applied, is_lab, mesh, meshscope, until, wasm_plugin};

/// Listeners drain for 45 s; then Envoy gives up what they alone asked for.
const DRAINED: Duration = Duration::from_secs(70);

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l14_a_deleted_plugin_is_no_finding_and_goes_without_a_restart() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugin = Applied::new(wasm_plugin("default", "e2e-drained", "sleep", "v1", "FAIL_CLOSE"));
    until("the plugin", &["health", "default/e2e-drained"], |answer| answer["plugins"][0]["rollup"] == "ready");
    drop(plugin);
    let began = Instant::now();
    while began.elapsed() < DRAINED {
        let answer: Value = serde_json::from_slice(&meshscope(&["check", "-o", "json"]).stdout).unwrap();
        let codes: Vec<&str> = answer["findings"].as_array().unwrap().iter().filter_map(|finding| finding["code"].as_str()).collect();
        assert!(!codes.contains(&"plugin-leftover"), "after {:?}: {answer}", began.elapsed());
        std::thread::sleep(Duration::from_secs(3));
    }
    let gone = |answer: &Value| answer["plugins"].as_array().unwrap().iter().all(|plugin| plugin["plugin"] != "default/e2e-drained");
    until("its end", &["health"], gone);
}
