//! A screen goes on with the pod that replaces the one that it showed.

use std::time::{Duration, Instant};

use super::screen::Running;
use super::world::{Applied, idle_deployment, is_lab, kubectl, mesh, wasm_plugin};

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l20_the_screens_of_a_proxy_follow_a_roll_out() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let name = "e2e-roll";
    let _pods = Applied::with_pods(idle_deployment(name, &serde_json::json!({})).to_string(), "app=e2e-roll");
    kubectl(&["-n", "default", "rollout", "status", "deploy/e2e-roll", "--timeout=120s"]);
    let _plugin = Applied::new(wasm_plugin("default", name, name, "latest", "FAIL_OPEN"));
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/e2e-roll", "✓ 1 running"]);
    running.press("/e2e-roll\rw");
    // It is counted as soon as the proxy has it.
    running.shows(&["Why does default/e2e-roll appear 2 times on e2e-roll"]);
    kubectl(&["-n", "default", "rollout", "restart", "deploy/e2e-roll"]);
    running.shows(&["replaces e2e-roll-", "e2e-roll 15006: 2 as before"]);
    running.shows(&["Why does default/e2e-roll appear 2 times on e2e-roll"]);
    // Where there is none it waits, and says for what.
    kubectl(&["-n", "default", "scale", "deploy/e2e-roll", "--replicas=0"]);
    running.shows(&["Waiting for another pod of deploy/e2e-roll"]);
    kubectl(&["-n", "default", "scale", "deploy/e2e-roll", "--replicas=1"]);
    running.shows(&["replaces e2e-roll-", "Why does default/e2e-roll appear 2 times on e2e-roll"]);
    running.press("q");
    running.ends();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l20_home_counts_the_pod_that_replaces_another_one() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let name = "e2e-roll";
    let _pods = Applied::with_pods(idle_deployment(name, &serde_json::json!({})).to_string(), "app=e2e-roll");
    let status = ["-n", "default", "rollout", "status", "deploy/e2e-roll", "--timeout=120s"];
    kubectl(&status);
    let _plugin = Applied::new(wasm_plugin("default", name, name, "latest", "FAIL_OPEN"));
    let mut running = Running::start(&["-n", "default"]);
    let is_counted = |running: &mut Running| {
        let shown = running.text();
        let line = shown.lines().find(|line| line.contains("default/e2e-roll") && line.contains(" of ")).unwrap_or_default().to_owned();
        assert!(!line.contains("1 running") || !line.contains(" 0 "), "what runs is in some chain: {shown}");
        line.contains("✓ 1 running") && line.split_whitespace().any(|word| word == "2")
    };
    let counts = |running: &mut Running, patience: Duration| {
        let began = Instant::now();
        while !is_counted(running) {
            assert!(began.elapsed() < patience, "{}", running.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    counts(&mut running, Duration::from_secs(60));
    for _ in 0..2 {
        kubectl(&["-n", "default", "rollout", "restart", "deploy/e2e-roll"]);
        kubectl(&status);
        counts(&mut running, Duration::from_secs(20));
    }
    running.press("q");
    running.ends();
}
