//! A registry that never answers, and a pod that starts meanwhile: one cause is one finding.

use serde_json::{Value, json};

use super::broken::Broken;
use super::world::{Applied, idle_deployment, is_lab, kubectl, mesh, meshscope, until_nothing_is_wrong, wasm_plugin};

const NAME: &str = "e2e-unanswered";

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB"]
fn incident_d15_a_registry_that_never_answers() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    // An address of TEST-NET-1, where nobody answers (RFC 5737).
    let plugin = wasm_plugin("default", NAME, NAME, "v1", "FAIL_CLOSE").replace("registry.lab:5000", "192.0.2.1:5000");
    let _plugin = Applied::new(plugin);
    let _pod = Applied::with_pods(idle_deployment(NAME, &json!({})).to_string(), &format!("app={NAME}"));
    let about = |answer: &Value| -> Vec<Value> {
        let is_grave = |finding: &&Value| finding["severity"] != "information";
        answer["findings"].as_array().unwrap().iter().filter(is_grave).cloned().collect()
    };
    // Its proxy runs within a few seconds, and the agent gives up after 30 s.
    let answer = until_nothing_is_wrong("what it waits for", &["check"], |answer| {
        let found = about(answer);
        (found.len() != 1 || found[0]["code"] != "pending-listener").then(|| answer.to_string())
    });
    let finding = &about(&answer)[0];
    let what = finding["what"].as_str().unwrap();
    assert!(what.starts_with("On 1 proxy default/e2e-unanswered has not come: the agent waits for 192.0.2.1:5000 since 20"), "{finding}");
    assert!(what.ends_with(" listeners take no connections."), "{finding}");
    assert_eq!(finding["object"], json!({"kind": "WasmPlugin", "namespace": "default", "name": NAME}));
    let evidence = finding["evidence"].to_string();
    assert!(evidence.contains("a filter in the place of the plugin, which denies every request"), "{finding}");
    let health = String::from_utf8(meshscope(&["health", &format!("default/{NAME}")]).stdout).unwrap();
    assert!(health.contains("pending"), "{health}");
    let plugin = &format!("default/{NAME}");
    Broken { plugin, workload: &format!("deploy/{NAME}"), names: &[plugin] }.is_nowhere_sound();
    // Nothing that was asked meanwhile has left an error in the agent's log.
    let log = kubectl(&["logs", "-n", "default", "-l", &format!("app={NAME}"), "-c", "istio-proxy", "--tail=-1"]);
    assert!(!log.contains("failed scraping envoy metrics"), "{log}");
}
