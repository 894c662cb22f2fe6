//! The logs of a live mesh: the story of a plugin in order, and each line tied to its plugin.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::following::Following;
use super::world::{Applied, is_lab, json as ask, kubectl, mesh, until, wasm_plugin};

/// A web server with a proxy, at the address that it gives.
pub fn web(name: &str) -> (Applied, String) {
    let labels = json!({"app": name});
    let container = json!({"name": "web", "image": "lab.local/httpbin:1", "imagePullPolicy": "Never", "args": ["-port", "80"]});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default", "name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}});
    let applied = Applied::with_pods(deployment.to_string(), &format!("app={name}"));
    kubectl(&["rollout", "status", "-n", "default", &format!("deploy/{name}"), "--timeout=90s"]);
    let selector = format!("app={name}");
    let address = kubectl(&["get", "pods", "-n", "default", "-l", &selector, "-o", "jsonpath={.items[0].status.podIP}"]);
    (applied, address)
}

pub fn request(address: &str) {
    let url = format!("http://{address}:80/headers");
    kubectl(&["exec", "-n", "default", "deploy/sleep", "-c", "sleep", "--", "curl", "-s", "-o", "/dev/null", &url]);
}

fn events<'o>(objects: &'o [Value], plugin: &str) -> Vec<&'o str> {
    objects.iter().filter(|object| object["plugin"] == plugin).filter_map(|object| object["event"].as_str()).collect()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_story_of_a_plugin_is_told_in_order() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, address) = web("log-web");
    let follower = Following::meshscope(&["deploy/log-web", "--since", "1s"], None);
    follower.until("the first line", |objects| !objects.is_empty());
    let _plugin = Applied::new(wasm_plugin("default", "log-hello", "log-web", "latest", "FAIL_CLOSE"));
    follower.until("push and fetch", |objects| {
        let told = events(objects, "default/log-hello");
        ["debounce", "push", "fetch"].iter().all(|event| told.contains(event))
    });
    until("the running plugin", &["plugins"], |answer| {
        let plugins = answer["plugins"].as_array().unwrap();
        plugins.iter().any(|plugin| plugin["plugin"] == "default/log-hello" && plugin["rollup"] == "ready")
    });
    request(&address);
    let objects = follower.until("the plugin's first word", |objects| events(objects, "default/log-hello").contains(&"pluginLog"));
    let told = events(&objects, "default/log-hello");
    let place = |event: &str| told.iter().position(|told| *told == event).unwrap();
    assert!(place("debounce") < place("push") && place("push") < place("fetch") && place("fetch") < place("pluginLog"), "{told:?}");
    let word = objects.iter().find(|object| object["event"] == "pluginLog").unwrap();
    assert_eq!((&word["message"], &word["level"]), (&json!("returning context for add_header"), &json!("warning")));
    assert_eq!((&word["workload"], &word["pluginKind"]), (&json!("default/log-web"), &json!("WasmPlugin")));
    // With the plugin alone the same is left of the past.
    let past = super::world::meshscope(&["logs", "--plugin", "default/log-hello", "-o", "json"]);
    let past: Vec<Value> = String::from_utf8(past.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events(&past, "default/log-hello").len(), past.len());
    assert!(["debounce", "push", "fetch", "pluginLog"].iter().all(|event| events(&past, "default/log-hello").contains(event)));
    follower.stop();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn failures_are_tied_to_their_plugins() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, _) = web("log-fails");
    let follower = Following::meshscope(&["deploy/log-fails", "--since", "1s", "--level", "warning"], None);
    let missing = Applied::new(wasm_plugin("default", "log-missing", "log-fails", "no-such-tag", "FAIL_OPEN"));
    let objects = follower.until("the failed fetch", |objects| events(objects, "default/log-missing").contains(&"fetchFailed"));
    let failed = objects.iter().find(|object| object["event"] == "fetchFailed").unwrap();
    assert_eq!((&failed["workload"], &failed["kind"]), (&json!("default/log-fails"), &json!("agent")));
    drop(missing);
    let _broken = Applied::new(wasm_plugin("default", "log-broken", "log-fails", "broken", "FAIL_CLOSE"));
    let objects = follower.until("the failed VM", |objects| {
        let told: BTreeSet<&str> = events(objects, "default/log-broken").into_iter().collect();
        told.contains("vmFailed") && told.contains("nack")
    });
    let refused = objects.iter().find(|object| object["event"] == "nack").unwrap();
    assert_eq!((&refused["source"], &refused["plugin"]), (&json!("istiod"), &json!("default/log-broken")));
    follower.stop();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_recording_has_the_logs_of_the_mesh() {
    let _mesh = mesh();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("recording");
    assert!(super::world::meshscope(&["record", target.to_str().unwrap()]).status.success());
    let workloads = ask(&["workloads"]);
    assert!(workloads["workloads"].as_array().is_some_and(|all| !all.is_empty()));
    let output = super::world::meshscope(&["logs", "-o", "json", "--from", target.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let sources: BTreeSet<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|object| object["workload"].as_str().unwrap().to_owned())
        .collect();
    assert!(["default/httpbin", "default/sleep", "istio-system/istiod"].iter().all(|name| sources.contains(*name)), "{sources:?}");
}
