//! Two plugins on one proxy of two workers, of which one traps on a header: until something shows which of them it was, neither runs.

use serde_json::Value;

use super::live_vm::{PLAIN, TAG, TRAP, push_module, requested};
use super::world::{Applied, is_lab, json as ask, mesh, meshscope, until, wasm_plugin};

/// A module like the other, of other bytes, so that both have a VM of their own. It logs nothing either.
const SILENT: &str = "e2e-silent";
const PLUGINS: [&str; 2] = ["e2e-trap-a", "e2e-trap-b"];

/// The workload with two workers, and the plugins of two modules on it, which run.
fn world(tags: [&str; 2]) -> (Applied, Vec<Applied>) {
    push_module(TAG, b"x-trap");
    push_module(SILENT, b"x-none");
    let two = include_str!("live/vm-shared-health.yaml").replace("concurrency: 1", "concurrency: 2");
    let workload = Applied::with_pods(two, "app=e2e-trap");
    let plugins =
        PLUGINS.into_iter().zip(tags).map(|(name, tag)| Applied::new(wasm_plugin("default", name, "e2e-trap", tag, "FAIL_CLOSE")));
    let plugins = plugins.collect();
    for name in PLUGINS {
        until("the plugin runs", &["health", &format!("default/{name}")], |answer| answer["plugins"][0]["rollup"] == "ready");
    }
    (workload, plugins)
}

/// Requests until one worker has failed and the other answers, and returns how many were ended of those that followed.
fn trap() -> usize {
    assert_eq!(requested(TRAP), "503");
    let answers: Vec<String> = (0..24).map(|_| requested(PLAIN)).collect();
    let ended = answers.iter().filter(|code| *code == "503").count();
    assert!((1..24).contains(&ended), "one worker fails and one answers: {answers:?}");
    ended
}

/// The error about a failed VM.
fn error() -> Value {
    let is_it = |finding: &Value| finding["code"] == "vm-failed" && finding["severity"] == "error";
    let found = || -> Option<Value> {
        let answer: Value = serde_json::from_slice(&meshscope(&["check", "-o", "json"]).stdout).unwrap();
        answer["findings"].as_array().unwrap().iter().find(|finding| is_it(finding)).cloned()
    };
    // Envoy writes its access log every few seconds.
    (0..30)
        .find_map(|_| {
            found().or_else(|| {
                std::thread::sleep(std::time::Duration::from_secs(1));
                None
            })
        })
        .expect("check has an error")
}

/// Every state that the commands have of a plugin on the workload.
fn states(name: &str) -> Vec<(&'static str, Value)> {
    let plugin = format!("default/{name}");
    let of_filters = |answer: &Value| {
        let filters =
            answer.pointer("/proxies/0/listeners/0/filterChains/0/httpFilters").and_then(Value::as_array).cloned().unwrap_or_default();
        filters.into_iter().find(|filter| filter["plugin"] == plugin.as_str()).unwrap_or_default()["state"].take()
    };
    let health = ask(&["health", &plugin])["plugins"][0].take();
    let listed =
        ask(&["plugins"])["plugins"].as_array().unwrap().iter().find(|listed| listed["plugin"] == plugin.as_str()).unwrap().clone();
    vec![
        ("health", health["proxies"][0]["state"].clone()),
        ("plugins", listed["rollup"].clone()),
        ("why", ask(&["why", &plugin, "deploy/e2e-trap"])["workloads"][0]["state"].clone()),
        ("chains", of_filters(&ask(&["chains", "deploy/e2e-trap", "--plugin", &plugin]))),
        (
            "order",
            ask(&["order", "deploy/e2e-trap"])["workloads"][0]["lists"][0]["plugins"]
                .as_array()
                .unwrap()
                .iter()
                .find(|listed| listed["plugin"] == plugin.as_str())
                .unwrap()["state"]
                .clone(),
        ),
        ("workloads", ask(&["workloads", &plugin])["workloads"][0]["state"].clone()),
    ]
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_one_of_two_silent_plugins_traps() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _world = world([TAG, SILENT]);
    trap();
    let finding = error();
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains("default/e2e-trap-a and default/e2e-trap-b"), "{finding}");
    assert!(finding["evidence"].to_string().contains("wasm_fail_stream"), "{finding}");
    for name in PLUGINS {
        for (command, state) in states(name) {
            assert!(state != "running" && state != "ready", "{command} of {name}: {state}");
        }
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_a_plugin_that_traps_beside_one_that_logs() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _world = world([TAG, "v1"]);
    trap();
    // What the other logs on the worker that failed shows that it runs there.
    until("the VM that failed", &["health", "default/e2e-trap-a"], |answer| answer["plugins"][0]["proxies"][0]["state"] == "vmFailed");
    let finding = error();
    assert_eq!(finding["object"]["name"], "e2e-trap-a", "{finding}");
    for (command, state) in states("e2e-trap-a") {
        assert!(state != "running" && state != "ready", "{command}: {state}");
    }
}
