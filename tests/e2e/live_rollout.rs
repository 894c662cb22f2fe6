//! A screen goes on with the pod that replaces the one that it showed.

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
    running.shows(&["default/e2e-roll"]);
    running.press("/e2e-roll\rw");
    // It is counted as soon as the proxy has it.
    running.shows(&["Why does default/e2e-roll appear 2 times on e2e-roll"]);
    kubectl(&["-n", "default", "rollout", "restart", "deploy/e2e-roll"]);
    running.shows(&["replaces e2e-roll-", "e2e-roll 15006: 2 → "]);
    running.shows(&["Why does default/e2e-roll appear 2 times on e2e-roll"]);
    // Where there is none it waits, and says for what.
    kubectl(&["-n", "default", "scale", "deploy/e2e-roll", "--replicas=0"]);
    running.shows(&["Waiting for another pod of deploy/e2e-roll"]);
    kubectl(&["-n", "default", "scale", "deploy/e2e-roll", "--replicas=1"]);
    running.shows(&["replaces e2e-roll-", "Why does default/e2e-roll appear 2 times on e2e-roll"]);
    running.press("q");
    running.ends();
}
