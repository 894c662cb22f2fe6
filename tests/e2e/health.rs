//! Whether a plugin runs, on a mesh in which it does not: each state as it comes about, with what shows it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::{Applied, PATIENCE, idle_deployment, is_lab, kubectl, mesh, until, wasm_plugin};

/// Where the lab keeps modules, as its pods reach it.
const MANIFESTS: &str = "http://registry.lab:5000/v2/linsun/helloworld/manifests";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Asks until the plugin's only proxy is in the state, with evidence of a source that says so, and returns the proxy.
fn becomes(plugin: &str, state: &str, source: &str, says: &str) -> Value {
    let answer = until(state, &["health", plugin], |answer| {
        let proxies = answer["plugins"][0]["proxies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let evidence = |proxy: &Value| proxy["evidence"].as_array().cloned().unwrap_or_default();
        let is_said = |said: &Value| said["source"] == source && said["what"].as_str().is_some_and(|what| what.contains(says));
        matches!(proxies, [proxy] if proxy["state"] == state && evidence(proxy).iter().any(is_said))
    });
    answer["plugins"][0]["proxies"][0].clone()
}

fn a_failed_fetch_is_a_stub(fail_strategy: &str, state: &str) {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-health", "sleep", "no-such-tag", fail_strategy));
    let proxy = becomes("default/e2e-health", state, "log", "manifests/no-such-tag");
    let said = proxy["evidence"].as_array().unwrap();
    assert!(
        said.iter().any(|said| said["source"] == "agentStats" && said["field"].as_str().unwrap().contains("manifest_failure")),
        "{said:?}"
    );
    // All of which istioctl takes for accepted, as soon as no push is under way.
    let began = Instant::now();
    loop {
        let output =
            Command::new("istioctl").args(["proxy-status", "-v", "1"]).stdin(Stdio::null()).output().expect("istioctl is on the PATH");
        let text = String::from_utf8(output.stdout).unwrap();
        let row = text.lines().find(|line| line.starts_with("sleep-")).unwrap_or_default();
        if row.contains("SYNCED") && !["STALE", "ERROR", "NOT SENT"].iter().any(|word| row.contains(word)) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "sleep is synced, says istioctl: {text}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_failed_fetch_denies_where_it_fails_closed_and_istioctl_sees_nothing() {
    a_failed_fetch_is_a_stub("FAIL_CLOSE", "stubDeny");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_failed_fetch_allows_where_it_fails_open_and_istioctl_sees_nothing() {
    a_failed_fetch_is_a_stub("FAIL_OPEN", "stubAllow");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_whose_vm_fails_is_rejected_with_envoys_reason() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-broken", "httpbin", "broken", "FAIL_CLOSE"));
    let proxy = becomes("default/e2e-broken", "rejected", "log", "Unable to create Wasm plugin default.e2e-broken");
    let said: Vec<&str> = proxy["evidence"].as_array().unwrap().iter().filter_map(|said| said["source"].as_str()).collect();
    assert!(said.contains(&"configDump") && said.contains(&"stats"), "the dump lists it, and the counters say otherwise: {said:?}");
    // The first screen says so too, by the statistics alone.
    let of_broken =
        |answer: &Value| answer["plugins"].as_array().unwrap().iter().find(|found| found["plugin"] == "default/e2e-broken").cloned();
    until("plugins", &["plugins"], |answer| of_broken(answer).is_some_and(|found| found["states"] == json!({"rejected": 1})));
    let is_rejected = |answer: &Value| answer["workloads"][0]["proxies"][0]["state"] == "rejected";
    until("workloads", &["workloads", "default/e2e-broken"], is_rejected);
    until("why", &["why", "default/e2e-broken", "deploy/httpbin"], |answer| answer["workloads"][0]["state"] == "rejected");
    // The plugin beside it runs on.
    becomes("default/helloworld", "running", "stats", "a counter for it");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn what_a_removed_plugin_leaves_behind_is_marked_as_such() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugin = Applied::new(wasm_plugin("default", "e2e-removed", "sleep", "v1", "FAIL_CLOSE"));
    becomes("default/e2e-removed", "running", "configDump", "ECDS holds the module");
    drop(plugin);
    let proxy = becomes("default/e2e-removed", "leftover", "objects", "there is no WasmPlugin default/e2e-removed");
    assert_eq!(proxy["attached"], false);
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_pod_that_starts_while_the_registry_does_not_answer_says_what_it_waits_for() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut plugin: Value = serde_json::from_str(&wasm_plugin("default", "e2e-slow", "e2e-slow", "v1", "FAIL_CLOSE")).unwrap();
    plugin["spec"]["url"] = json!("oci://10.200.0.9:5000/none:v1");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [plugin, idle_deployment("e2e-slow", &json!({}))]});
    let _slow = Applied::with_pods(list.to_string(), "app=e2e-slow");
    let proxy = becomes("default/e2e-slow", "pending", "initDump", "default.e2e-slow");
    let said: Vec<&str> = proxy["evidence"].as_array().unwrap().iter().filter_map(|said| said["what"].as_str()).collect();
    assert!(said.iter().any(|what| what.contains("virtualInbound")), "{said:?}");
}

/// Lets a tag of the registry name what another one does.
pub fn tag(tag: &str, like: &str) {
    fn exec<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
        [&["exec", "-i", "-n", "default", "deploy/sleep", "-c", "sleep", "--", "curl", "-sSf"], arguments].concat()
    }
    let manifest = kubectl(&exec(&["-H", &format!("Accept: {MANIFEST}"), &format!("{MANIFESTS}/{like}")]));
    let header = format!("Content-Type: {MANIFEST}");
    let url = format!("{MANIFESTS}/{tag}");
    let put = exec(&["-X", "PUT", "-H", &header, "--data-binary", "@-", &url]);
    let mut child = Command::new("kubectl").args(put).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{tag} is {like} now");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn replicas_that_pulled_a_tag_at_different_times_are_shown_as_skew() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    tag("e2e-skew", "v1");
    let plugin: Value = serde_json::from_str(&wasm_plugin("default", "e2e-skew", "e2e-skew", "e2e-skew", "FAIL_CLOSE")).unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [plugin, idle_deployment("e2e-skew", &json!({}))]});
    let _skewed = Applied::with_pods(list.to_string(), "app=e2e-skew");
    becomes("default/e2e-skew", "running", "configDump", "ECDS holds the module");
    tag("e2e-skew", "latest");
    kubectl(&["scale", "-n", "default", "deploy/e2e-skew", "--replicas=2"]);
    // The older one is what the tag had before the other's agent was started.
    let answer = until("two digests", &["health", "default/e2e-skew"], |answer| {
        let found = &answer["plugins"][0];
        found["states"] == json!({"running": 1, "unverified": 1}) && found["module"]["digests"].as_array().is_some_and(|all| all.len() == 2)
    });
    let found = &answer["plugins"][0];
    assert_ne!(found["rollup"], "ready", "one of them runs what the tag had before: {found}");
    assert!(found["module"]["skew"][0].as_str().unwrap().contains("the proxies run 2 different images"));
    assert!(found["module"]["nextPull"].as_str().unwrap().contains("in a new pod"));
}
