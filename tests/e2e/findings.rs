//! The findings on a real mesh: none to act on where it is well, and what the agent and Envoy make of modules that are not.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::world::{Applied, is_lab, mesh, meshscope, wasm_plugin};

/// How long a finding may take to come: a module is fetched and refused in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer and the exit status.
fn check() -> (i32, Value) {
    let output = meshscope(&["check", "-o", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().unwrap(), answer)
}

/// The findings to act on, as `code object`.
fn grave(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "information");
    let name = |finding: &Value| format!("{} {}", finding["code"].as_str().unwrap(), finding["object"]["name"].as_str().unwrap());
    findings.map(name).collect()
}

/// Checks until there is a finding of this kind, and returns it with the exit status.
fn until_found(wanted: &str) -> (i32, Value) {
    let began = Instant::now();
    loop {
        let (status, answer) = check();
        let code =
            |finding: &&Value| format!("{} {}", finding["code"].as_str().unwrap(), finding["object"]["name"].as_str().unwrap()) == wanted;
        if let Some(finding) = answer["findings"].as_array().unwrap().iter().find(code) {
            return (status, finding.clone());
        }
        assert!(began.elapsed() < PATIENCE, "{wanted} was not found: {answer}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_mesh_that_is_well_has_nothing_to_act_on() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    // What a test before took away goes in a moment.
    let began = Instant::now();
    loop {
        let (status, answer) = check();
        if (status, grave(&answer)) == (0, Vec::new()) && answer["notChecked"] == Value::Array(Vec::new()) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{status}: {answer}");
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_cannot_be_fetched_is_a_stub() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-missing", "httpbin", "no-such-tag", "FAIL_CLOSE"));
    let (status, stub) = until_found("stub-in-place e2e-missing");
    assert_eq!((status, &stub["severity"]), (1, &Value::from("error")), "{stub}");
    assert!(stub["what"].as_str().unwrap().ends_with(" denies every request: tag no-such-tag does not exist in the registry."), "{stub}");
    assert!(stub["evidence"].to_string().contains("wasm-default-deny"), "{stub}");
    assert!(stub["evidence"].to_string().contains("manifest unknown"), "the agent's own words: {stub}");
    assert_eq!(stub["place"]["listener"], "virtualInbound");
    // Beside helloworld nothing says which runs first.
    assert!(grave(&check().1).iter().any(|found| found.starts_with("priority-tie")));
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_envoy_refuses_is_a_refused_push() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-broken", "httpbin", "broken", "FAIL_CLOSE"));
    let (status, refused) = until_found("refused-push e2e-broken");
    assert_eq!((status, &refused["severity"]), (1, &Value::from("error")), "{refused}");
    assert!(refused["evidence"].to_string().contains("Unable to create Wasm plugin default.e2e-broken"), "Envoy's reason: {refused}");
}
