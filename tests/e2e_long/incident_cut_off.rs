//! Proxies that cannot reach istiod: the reason by their logs, and the changes that they miss.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::terminal::Running;
use super::world::{Applied, is_lab, json as ask, kubectl, mesh, meshscope, wasm_plugin};

const ISTIO: [&str; 2] = ["-n", "istio-system"];

/// istiod's Service with another port behind 15012, at which nothing listens, for as long as the value lives.
struct Misled;

impl Misled {
    fn new() -> Self {
        lead(15999);
        Self
    }
}

impl Drop for Misled {
    fn drop(&mut self) {
        lead(15012);
        // Envoy waits for up to 30 s between two attempts.
        let began = Instant::now();
        let is_connected = |proxy: &Value| proxy["connected"] == true;
        while !ask(&["sync"])["proxies"].as_array().is_some_and(|all| all.len() >= 2 && all.iter().all(is_connected)) {
            assert!(began.elapsed() < Duration::from_secs(120), "the proxies are connected again");
            std::thread::sleep(Duration::from_secs(2));
        }
    }
}

fn lead(port: u16) {
    let path = "/spec/ports/1";
    let patch = serde_json::json!([{"op": "test", "path": format!("{path}/port"), "value": 15012},
        {"op": "replace", "path": format!("{path}/targetPort"), "value": port}]);
    kubectl(&[&ISTIO[..], &["patch", "service", "istiod", "--type=json", "-p", &patch.to_string()]].concat());
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB"]
fn incident_d11_proxies_that_cannot_reach_istiod() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "● live"]);
    let misled = Misled::new();
    // Connections that are there stay: a new istiod has none.
    kubectl(&[&ISTIO[..], &["delete", "pod", "-l", "app=istiod", "--wait=true", "--timeout=90s"]].concat());
    kubectl(&[&ISTIO[..], &["rollout", "status", "deploy/istiod", "--timeout=90s"]].concat());
    let missed = Applied::new(wasm_plugin("default", "e2e-missed", "httpbin", "latest", "FAIL_OPEN"));
    // Envoy logs the reason when 30 s are over. That the plugin is missing is an error, with status 1.
    let began = Instant::now();
    let finding = loop {
        let output = meshscope(&["check", "-o", "json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let all = answer["findings"].as_array().cloned().unwrap_or_default();
        let alone: Vec<Value> = all.into_iter().filter(|finding| finding["code"] == "proxy-not-connected").collect();
        match &alone[..] {
            [finding] if finding["what"].as_str().unwrap().contains(":15012: connect: connection refused, since ") => {
                break finding.clone();
            }
            _ => assert!(began.elapsed() < Duration::from_secs(120), "the reason did not come: {alone:?}"),
        }
        std::thread::sleep(Duration::from_secs(2));
    };
    assert!(finding["what"].as_str().unwrap().starts_with("2 proxies of 2 workloads are connected to no istiod: dial tcp "), "{finding}");
    assert_eq!((&finding["severity"], finding["object"]["name"].as_str()), (&Value::from("error"), Some("istiod")), "{finding}");
    let misses =
        finding["evidence"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("WasmPlugin default/e2e-missed of "));
    assert!(misses, "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains("istiod's Service"), "{finding}");
    running.press("s");
    running.shows(&["2 proxies cut off"]);
    // What did not arrive runs nowhere.
    let health = String::from_utf8(meshscope(&["health", "default/e2e-missed"]).stdout).unwrap();
    assert!(!health.contains('✓'), "{health}");
    drop((missed, misled));
    let began = Instant::now();
    while running.text().contains("cut off") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", running.text());
        std::thread::sleep(Duration::from_millis(500));
    }
    running.press("q");
    running.ends();
}
