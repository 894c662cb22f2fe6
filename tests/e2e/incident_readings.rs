//! Readings of the running terminal program age honestly: what is gone leaves no error, and what comes is seen without a key.

use std::time::{Duration, Instant};

use super::mtls::peer_authentication;
use super::screen::Running;
use super::world::{Applied, idle_deployment, is_lab, kubectl, mesh, wasm_plugin};

/// How long a screen may show what is over: a reading, the time until the next one, and a push.
const SOON: Duration = Duration::from_secs(12);

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_readings_what_is_gone_leaves_no_error() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let name = "e2e-gone";
    let _plugin = Applied::new(wasm_plugin("default", name, name, "latest", "FAIL_CLOSE"));
    let _pods = Applied::with_pods(idle_deployment(name, &serde_json::json!({})).to_string(), &format!("app={name}"));
    kubectl(&["rollout", "status", "-n", "default", &format!("deploy/{name}"), "--timeout=100s"]);
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/e2e-gone", "✓ 1 running", "● 3 proxies"]);
    // The proxies are followed for half a minute after a change; meanwhile one goes away.
    let policy = Applied::new(peer_authentication("e2e", "STRICT"));
    running.shows(&["PeerAuthentication default/e2e created"]);
    kubectl(&["scale", "-n", "default", &format!("deploy/{name}"), "--replicas=0"]);
    kubectl(&["wait", "-n", "default", "--for=delete", "pod", "-l", &format!("app={name}"), "--timeout=60s"]);
    drop(policy);
    let began = Instant::now();
    while began.elapsed() < SOON {
        let text = running.text();
        let footer = text.lines().rev().nth(1).unwrap_or_default();
        assert!(!footer.contains("cannot") && !footer.contains('✗'), "{text}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let text = running.text();
    let line = text.lines().find(|line| line.contains("default/e2e-gone")).unwrap_or_default();
    assert!(!line.contains("running"), "{text}");
    running.press("q");
    running.ends();
}
