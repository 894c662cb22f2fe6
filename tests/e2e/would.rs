//! What is said of a state before it is there, held against the state: what would be under another mode or with an object, and which
//! connections are taken.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::mtls::peer_authentication;
use super::world::{Applied, is_lab, json as ask, mesh, on_15006, until, wasm_plugin, why};

/// `(occurrences, chains)` that the inbound listener would have.
fn said(answer: &Value) -> (u64, usize) {
    let mut listeners = answer["workloads"][0]["listeners"].as_array().unwrap().iter();
    let inbound = listeners.find(|listener| listener["port"] == 15006).unwrap();
    (inbound["after"].as_u64().unwrap(), usize::try_from(inbound["chainsAfter"].as_u64().unwrap()).unwrap())
}

/// How many chains the proxy's active inbound listener has.
fn chains() -> usize {
    let answer = ask(&["chains", "deploy/httpbin", "--port", "15006"]);
    let mut listeners = answer["proxies"][0]["listeners"].as_array().unwrap().iter();
    listeners.find(|listener| listener["state"] == "active").unwrap()["filterChains"].as_array().unwrap().len()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn what_would_be_under_another_mode_comes_true() {
    let _mesh = mesh();
    for mode in ["STRICT", "DISABLE"] {
        let (count, of) = said(&ask(&["why", "default/helloworld", "deploy/httpbin", "--mode", mode]));
        let _policy = Applied::new(peer_authentication("e2e-would", mode));
        why("default/helloworld", "deploy/httpbin", &format!("{count} filters under {mode}"), |entry| {
            on_15006(entry) == Some(count) && entry["mtls"]["mode"] == mode
        });
        assert_eq!(chains(), of, "{mode}");
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn what_would_be_with_a_manifest_comes_true() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut plugin: Value = serde_json::from_str(&wasm_plugin("default", "e2e-second", "httpbin", "latest", "FAIL_CLOSE")).unwrap();
    plugin["spec"]["match"] = json!([{"mode": "SERVER", "ports": [{"number": 80}]}]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("second.json");
    std::fs::write(&file, plugin.to_string()).unwrap();
    let answer = ask(&["why", "default/e2e-second", "--with", file.to_str().unwrap()]);
    assert_eq!(answer["touchedBefore"], json!([]), "{answer}");
    assert_eq!(answer["touchedAfter"], json!(["default/deploy/httpbin"]), "{answer}");
    let (count, of) = said(&answer);
    assert_eq!(count, 2, "the chains of port 80 alone: {answer}");
    let _applied = Applied::new(plugin.to_string());
    why("default/e2e-second", "deploy/httpbin", "the second plugin", |entry| on_15006(entry) == Some(count) && entry["attached"] == true);
    assert_eq!(chains(), of);
}

/// What a pod without a proxy is answered when it asks httpbin in plain text: the status, 000 for none.
fn asked_without_proxy() -> String {
    let curl = ["curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", "http://httpbin.default:8000/get"];
    let arguments = [&["exec", "-n", "default", "e2e-outside", "--"][..], &curl[..]].concat();
    let output = Command::new("kubectl").args(arguments).stdin(Stdio::null()).output().expect("kubectl is on the PATH");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_connection_fares_as_it_is_said_to() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let outside = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "default", "name": "e2e-outside", "labels": {"app": "e2e-outside", "sidecar.istio.io/inject": "false"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "curl", "image": "lab.local/curl:1", "imagePullPolicy": "Never", "command": ["sleep", "infinity"]}]}});
    let _outside = Applied::with_pods(outside.to_string(), "app=e2e-outside");
    super::world::kubectl(&["wait", "-n", "default", "--for=condition=Ready", "pod/e2e-outside", "--timeout=120s"]);
    let arguments = ["chains", "deploy/httpbin", "--connection", "port=80,tls=none"];
    let outcome = |answer: &Value| answer["proxies"][0]["outcome"].as_str().unwrap_or_default().to_owned();
    let taken = ask(&arguments);
    assert_eq!((outcome(&taken).as_str(), asked_without_proxy().as_str()), ("chain", "200"), "{taken}");
    assert_eq!(taken["proxies"][0]["plugins"], json!(["default/helloworld"]), "{taken}");
    let _policy = Applied::new(peer_authentication("e2e-would", "STRICT"));
    let closed = until("plain text closed", &arguments, |answer| outcome(answer) != "chain");
    assert_eq!((outcome(&closed).as_str(), asked_without_proxy().as_str()), ("closed", "000"), "{closed}");
}
