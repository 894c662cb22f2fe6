//! A VM that two plugins share: where one of them traps, both have failed (L2); it runs again once the other is gone (L3).

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::{Applied, PATIENCE, idle_deployment, is_lab, json as ask, kubectl, mesh, meshscope, until, wasm_plugin};

const APP: &str = "e2e-vm";

/// Sends a request to the pod, from sleep; whatever comes of it.
fn request() {
    let address = kubectl(&["get", "pod", "-n", "default", "-l", &format!("app={APP}"), "-o", "jsonpath={.items[0].status.podIP}"]);
    let url = format!("http://{address}:8080/");
    let curl = ["exec", "-n", "default", "deploy/sleep", "-c", "sleep", "--", "curl", "-s", "-o", "/dev/null", "-m", "5", &url];
    let _ = Command::new("kubectl").args(curl).stdin(Stdio::null()).output();
}

/// The severities of what `check` finds of VMs that failed, by plugin.
fn failed() -> Vec<(String, String)> {
    let output = meshscope(&["check", "-o", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "vm-failed");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found.map(|finding| (text(&finding["object"]["name"]), text(&finding["severity"]))).collect()
}

/// Sends requests until this is so.
fn requesting_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come: {:?}", failed());
        request();
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn vm_failed(plugin: &str) -> Value {
    ask(&["health", plugin])["plugins"][0]["vmFailed"].clone()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l2_l3_plugins_that_share_a_vm_fail_together_and_recover() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let http = wasm_plugin("default", "e2e-vm-http", APP, "v1", "FAIL_CLOSE");
    let list = json!({"apiVersion": "v1", "kind": "List",
        "items": [serde_json::from_str::<Value>(&http).unwrap(), idle_deployment(APP, &json!({}))]});
    let _workload = Applied::with_pods(list.to_string(), &format!("app={APP}"));
    let is_ready = |answer: &Value| answer["plugins"][0]["rollup"] == "ready";
    until("the plugin", &["health", "default/e2e-vm-http"], is_ready);
    request();
    assert_eq!(failed(), [], "nothing has failed");
    // A module for HTTP, run as a network filter, traps with the first connection.
    let mut network: Value = serde_json::from_str(&wasm_plugin("default", "e2e-vm-net", APP, "v1", "FAIL_OPEN")).unwrap();
    network["spec"]["type"] = json!("NETWORK");
    let network = Applied::new(network.to_string());
    until("the network plugin", &["health", "default/e2e-vm-net"], |answer| {
        answer["plugins"][0]["proxies"].as_array().is_some_and(|all| !all.is_empty())
    });
    requesting_until("the VM's failure", || failed().iter().any(|(name, severity)| name == "e2e-vm-http" && severity == "error"));
    assert_eq!(vm_failed("default/e2e-vm-http"), 1, "health says what check says");
    assert_eq!(vm_failed("default/e2e-vm-net"), 1, "and so it does of the other one");
    drop(network);
    requesting_until("its recovery", || failed().is_empty());
    assert_eq!(vm_failed("default/e2e-vm-http"), 0);
    until("the plugin", &["health", "default/e2e-vm-http"], is_ready);
}
