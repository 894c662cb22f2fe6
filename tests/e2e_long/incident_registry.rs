//! A registry that never answers, and a new pod that needs a module of it: what becomes of it is seen without a key.

use std::time::{Duration, Instant};

use super::terminal::Running;
use super::world::{Applied, idle_deployment, is_lab, mesh, meshscope, wasm_plugin};

/// How long the screen may take to show what the proxy has.
const SOON: Duration = Duration::from_secs(8);

/// The state of the plugin by the command.
fn state(plugin: &str) -> String {
    let output = meshscope(&["health", plugin, "-o", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    answer["plugins"][0]["proxies"][0]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d15_the_stub_is_seen_without_a_key() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let name = "e2e-silent";
    // An address of TEST-NET-1, where nobody answers (RFC 5737).
    let plugin = wasm_plugin("default", name, name, "latest", "FAIL_CLOSE").replace("registry.lab:5000", "192.0.2.1:5000");
    let _plugin = Applied::new(plugin);
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/e2e-silent", "matches nothing"]);
    let _pods = Applied::with_pods(idle_deployment(name, &serde_json::json!({})).to_string(), &format!("app={name}"));
    running.shows(&["… 1 pending"]);
    let began = Instant::now();
    while state("default/e2e-silent") != "stubDeny" {
        assert!(began.elapsed() < Duration::from_secs(240), "the agent does not give up: {}", state("default/e2e-silent"));
        std::thread::sleep(Duration::from_millis(500));
    }
    let since = Instant::now();
    running.shows(&["✗ 1 stub, denies all"]);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    running.press("q");
    running.ends();
}
