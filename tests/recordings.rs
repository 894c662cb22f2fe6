//! The counts over every proxy of every recording, held against an independent count over the same dump.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;

/// Counts by text alone: how often an `http_filters` or `filters` element of a listener's state has a name that holds the plugin's.
/// Nothing of the program is used, so a mistake in its parsing shows.
fn independent(dump: &Value, plugin: &str) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for section in dump["configs"].as_array().unwrap() {
        for entry in section.get("dynamic_listeners").and_then(Value::as_array).into_iter().flatten() {
            for (key, state, listener) in [
                ("active_state", "active", "listener"),
                ("warming_state", "warming", "listener"),
                ("draining_state", "draining", "listener"),
                ("error_state", "error", "failed_configuration"),
            ] {
                let count = names(&entry[key][listener]).iter().filter(|name| is(name, plugin)).count();
                if count > 0 {
                    *found.entry((entry["name"].as_str().unwrap().to_owned(), state.to_owned())).or_insert(0) += count;
                }
            }
        }
    }
    found
}

/// All values of `name` beside a `config_discovery` or in an element of a filter list, anywhere below.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("config_discovery").and_then(|_| fields.get("name")).and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(names)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

fn is(name: &str, plugin: &str) -> bool {
    let rest = name.rsplit('/').next().unwrap();
    rest == plugin || rest == format!("{plugin}~istio-translated-wasmplugin")
}

fn counted(recording: &str, plugin: &str, proxy: &str) -> BTreeMap<(String, String), usize> {
    let path = support::recording(recording);
    let answer = support::json(&["why", plugin, proxy, "--from", path.to_str().unwrap()]);
    let entries = answer["workloads"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{recording} {proxy}");
    let mut found = BTreeMap::new();
    for listener in entries[0]["listeners"].as_array().unwrap() {
        let count = listener["counted"].as_u64().unwrap();
        let terms: u64 = listener["terms"].as_array().unwrap().iter().map(|term| term["count"].as_u64().unwrap()).sum();
        assert_eq!(count, terms, "N is the sum of its terms: {recording} {proxy} {listener}");
        let key = (listener["listener"].as_str().unwrap().to_owned(), listener["state"].as_str().unwrap().to_owned());
        *found.entry(key).or_insert(0) += usize::try_from(count).unwrap();
    }
    found
}

fn hold(recording: &str) {
    let files = support::files(recording);
    let plugins: Value = serde_json::from_slice(&files["k8s/wasmplugins.extensions.istio.io.json"]).unwrap();
    let dumps: Vec<(&String, &Vec<u8>)> =
        files.iter().filter(|(path, _)| path.ends_with("/config_dump.json") && path.starts_with("proxies/")).collect();
    assert!(!dumps.is_empty(), "{recording} has proxies");
    for (path, bytes) in dumps {
        let dump: Value = serde_json::from_slice(bytes).unwrap();
        let proxy = path.split('/').nth(1).unwrap();
        for plugin in plugins["items"].as_array().unwrap() {
            let (namespace, name) = (plugin["metadata"]["namespace"].as_str().unwrap(), plugin["metadata"]["name"].as_str().unwrap());
            assert_eq!(
                counted(recording, &format!("{namespace}/{name}"), proxy),
                independent(&dump, &format!("{namespace}.{name}")),
                "{recording}: {namespace}/{name} in {proxy}"
            );
        }
    }
}

#[test]
fn the_counts_of_every_mesh_equal_an_independent_count() {
    support::MESHES.into_iter().for_each(hold);
}

#[test]
fn the_counts_of_every_era_equal_an_independent_count() {
    support::eras().iter().for_each(|era| hold(era));
}

/// Occurrences in the active `virtualInbound`, and the number of its chains.
fn on_15006(recording: &str, proxy: &str) -> (u64, usize) {
    let path = support::recording(recording);
    let from = path.to_str().unwrap();
    let why = support::json(&["why", "default/helloworld", proxy, "--from", from]);
    let active = |listener: &&Value| listener["port"] == 15006 && listener["state"] == "active";
    let count = why["workloads"][0]["listeners"].as_array().unwrap().iter().find(active).unwrap()["counted"].as_u64().unwrap();
    let chains = support::json(&["chains", proxy, "--port", "15006", "--from", from]);
    let listeners = chains["proxies"][0]["listeners"].as_array().unwrap();
    (count, listeners.iter().find(active).unwrap()["filterChains"].as_array().unwrap().len())
}

#[test]
fn each_era_counts_as_its_istiod_sent_it() {
    // The tour saw 6 and 3: Istio 1.12 with a link-local IPv6 address beside the IPv4 one.
    for (version, addresses, permissive, strict, disable) in [
        ("1.12.0", "v4", (4, 8), (2, 4), (2, 4)),
        ("1.12.0", "v4-linklocal6", (6, 13), (3, 6), (3, 6)),
        ("1.12.0", "dual", (6, 13), (3, 6), (3, 6)),
        ("1.26.2", "v4", (4, 8), (2, 4), (2, 4)),
        ("1.26.2", "v4-linklocal6", (4, 8), (2, 4), (2, 4)),
        ("1.26.2", "dual", (4, 8), (2, 4), (2, 4)),
    ] {
        for (mode, expected) in [("permissive", permissive), ("strict", strict), ("disable", disable)] {
            let name = format!("eras/{version}/{mode}-{addresses}");
            assert_eq!(on_15006(&name, "httpbin-0.default"), expected, "{name}");
        }
    }
}

#[test]
fn the_demo_replays_the_tour() {
    for (demo, expected, mode) in [("--demo", 4, "PERMISSIVE"), ("--demo=strict", 2, "STRICT"), ("--demo=disable", 2, "DISABLE")] {
        let answer = support::json(&["why", "default/helloworld", "deploy/httpbin", demo]);
        let entry = &answer["workloads"][0];
        let listeners = entry["listeners"].as_array().unwrap();
        let active = listeners.iter().find(|listener| listener["port"] == 15006 && listener["state"] == "active").unwrap();
        assert_eq!(active["counted"], expected, "{demo}");
        assert_eq!(entry["mtls"]["mode"], mode);
        assert_eq!(entry["state"], "running");
        assert_eq!(entry["attached"], true);
        assert_eq!(entry["reason"], "selector app=httpbin matches the pod's labels");
    }
}

#[test]
fn a_module_that_could_not_be_fetched_shows_as_its_stub() {
    for (recording, plugin, state) in
        [("fetch-failed-closed", "default/missing", "stubDeny"), ("fetch-failed-open", "default/missing-open", "stubAllow")]
    {
        let path = support::recording(recording);
        let answer = support::json(&["why", plugin, "deploy/httpbin", "--from", path.to_str().unwrap()]);
        assert_eq!(answer["workloads"][0]["state"], state, "{recording}");
        let plugins = support::json(&["plugins", "--from", path.to_str().unwrap()]);
        let summary = plugins["plugins"].as_array().unwrap().iter().find(|summary| summary["plugin"] == plugin).unwrap();
        assert_eq!(summary["rollup"], "failed");
        assert_eq!(summary["matched"], 1);
    }
}

#[test]
fn a_gateway_is_reached_by_target_refs_only() {
    let path = support::recording("gateway");
    let from = path.to_str().unwrap();
    let answer = support::json(&["why", "default/web-header", "--from", from]);
    let entries = answer["workloads"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["workload"], "default/web");
    assert_eq!(entries[0]["workloadKind"], "Gateway");
    assert_eq!(entries[0]["reason"], "targetRef Gateway web");
    let counts: Vec<(u64, u64)> = entries[0]["listeners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|listener| (listener["port"].as_u64().unwrap(), listener["counted"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [(80, 1), (8081, 1)]);
    let other = support::json(&["why", "default/web-header", "deploy/httpbin", "--from", from]);
    assert_eq!(other["workloads"][0]["attached"], false);
    assert_eq!(other["workloads"][0]["state"], "notApplicable");
}
