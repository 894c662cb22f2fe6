//! The answers on the mesh as it is, and the counts held against another reader of the same proxies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{Applied, json, kubectl, mesh, meshscope, until, wasm_plugin};

/// The proxies that run, as `(pod, namespace)`, as kubectl sees them.
fn proxies() -> Vec<(String, String)> {
    let pods: Value = serde_json::from_str(&kubectl(&["get", "pods", "-A", "-o", "json"])).unwrap();
    let containers = |pod: &Value, key: &str| pod["spec"][key].as_array().cloned().unwrap_or_default();
    let has_proxy = |pod: &&Value| {
        let all = [containers(pod, "containers"), containers(pod, "initContainers")].concat();
        let fake = pod["spec"]["nodeName"].as_str().is_some_and(|node| node.starts_with("fake"));
        all.iter().any(|container| container["name"] == "istio-proxy") && pod["status"]["phase"] == "Running" && !fake
    };
    let name = |pod: &Value, key: &str| pod["metadata"][key].as_str().unwrap().to_owned();
    let alive = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    alive.filter(has_proxy).map(|pod| (name(pod, "name"), name(pod, "namespace"))).collect()
}

/// Counts in the proxy's own dump, fetched by its agent, as text: how often a listener's state names the plugin's filter.
fn independent(pod: &str, namespace: &str, plugin: &str) -> BTreeMap<(String, String), u64> {
    let dump = kubectl(&["exec", "-n", namespace, pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "config_dump"]);
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let filter = plugin.replace('/', ".");
    let ends = [format!("/{filter}\""), format!("/{filter}~istio-translated-wasmplugin\"")];
    let mut found = BTreeMap::new();
    for section in dump["configs"].as_array().unwrap() {
        for entry in section["dynamic_listeners"].as_array().into_iter().flatten() {
            for state in ["active", "warming", "draining"] {
                let text = entry[format!("{state}_state")]["listener"].to_string();
                let count: usize =
                    ends.iter().map(|end| text.matches(&format!("{end},")).count() + text.matches(&format!("{end}}}")).count()).sum();
                if count > 0 {
                    *found.entry((entry["name"].as_str().unwrap().to_owned(), state.to_owned())).or_insert(0) += count as u64;
                }
            }
        }
    }
    found
}

fn counted(answer: &Value) -> BTreeMap<(String, String), u64> {
    let mut found = BTreeMap::new();
    for listener in answer["workloads"].as_array().into_iter().flatten().flat_map(|entry| entry["listeners"].as_array().unwrap()) {
        let key = |name: &str| listener[name].as_str().unwrap().to_owned();
        *found.entry((key("listener"), key("state"))).or_insert(0) += listener["counted"].as_u64().unwrap();
    }
    found
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_counts_of_every_proxy_equal_an_independent_count() {
    let _mesh = mesh();
    let plugins = json(&["plugins", "-A"]);
    let proxies = proxies();
    assert!(proxies.len() >= 2, "{proxies:?}");
    let mut total = 0;
    for plugin in plugins["plugins"].as_array().unwrap() {
        let plugin = plugin["plugin"].as_str().unwrap();
        for (pod, namespace) in &proxies {
            let proxy = format!("{pod}.{namespace}");
            // What drains may end between the two readings: then both are read again.
            let answer = until(&format!("the same count of {plugin} in {proxy}"), &["why", plugin, &proxy], |answer| {
                counted(answer) == independent(pod, namespace, plugin)
            });
            total += counted(&answer).values().sum::<u64>();
        }
    }
    assert!(total >= 4, "something was counted");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_overview_says_what_there_is() {
    let _mesh = mesh();
    let plugins = json(&["plugins"]);
    let all = plugins["plugins"].as_array().unwrap();
    let helloworld = all.iter().find(|plugin| plugin["plugin"] == "default/helloworld").unwrap();
    assert_eq!((&helloworld["matched"], &helloworld["rollup"]), (&Value::from(1), &Value::from("ready")));
    let workloads = json(&["workloads", "default/helloworld"]);
    let matched = workloads["workloads"].as_array().unwrap();
    assert_eq!(matched.len(), 1);
    assert_eq!(matched[0]["workload"], "default/httpbin");
    let everything = json(&["workloads"]);
    let names: Vec<&str> = everything["workloads"].as_array().unwrap().iter().map(|entry| entry["workload"].as_str().unwrap()).collect();
    assert!(names.contains(&"default/httpbin") && names.contains(&"default/sleep"), "{names:?}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_chains_are_those_of_the_proxy() {
    let _mesh = mesh();
    let chains = json(&["chains", "deploy/httpbin", "--port", "15006"]);
    let listeners = chains["proxies"][0]["listeners"].as_array().unwrap();
    let inbound = listeners.iter().find(|listener| listener["state"] == "active").unwrap();
    let filters = |chain: &Value| chain["httpFilters"].as_array().unwrap().iter().any(|filter| filter["plugin"] == "default/helloworld");
    let all = inbound["filterChains"].as_array().unwrap();
    assert_eq!(all.iter().filter(|chain| filters(chain)).count(), 4);
    let sleep = json(&["chains", "deploy/sleep", "--plugin", "default/helloworld"]);
    assert!(sleep["proxies"][0]["listeners"].as_array().unwrap().is_empty(), "the filter is not on sleep");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_plugin_that_matches_nothing_is_an_answer() {
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("default", "e2e-nobody", "nobody", "latest", "FAIL_CLOSE"));
    let answer = until("the plugin", &["plugins"], |answer| answer.to_string().contains("default/e2e-nobody"));
    let all = answer["plugins"].as_array().unwrap();
    let plugin = all.iter().find(|plugin| plugin["plugin"] == "default/e2e-nobody").unwrap();
    assert_eq!((&plugin["matched"], &plugin["rollup"]), (&Value::from(0), &Value::from("unmatched")));
    let why = json(&["why", "default/e2e-nobody"]);
    assert!(why["workloads"].as_array().unwrap().is_empty());
    let why = json(&["why", "default/e2e-nobody", "deploy/httpbin"]);
    assert_eq!(why["workloads"][0]["attached"], false);
    let output = meshscope(&["why", "default/e2e-nobody"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("applies to no workload"));
}
