//! The command over the recordings: what their proxies ran, and what shows it.

use serde_json::Value;

use crate::support;

fn health(recording: &str, arguments: &[&str]) -> Value {
    let path = support::recording(recording);
    support::json(&[&["health"], arguments, &["--from", path.to_str().unwrap()]].concat())
}

fn evidence(proxy: &Value) -> Vec<(&str, &str)> {
    let all = proxy["evidence"].as_array().unwrap().iter();
    all.map(|evidence| (evidence["source"].as_str().unwrap(), evidence["what"].as_str().unwrap())).collect()
}

#[test]
fn a_stub_names_the_fetch_that_failed() {
    for (recording, plugin, state) in [("fetch-failed-closed", "missing", "stubDeny"), ("fetch-failed-open", "missing-open", "stubAllow")] {
        let answer = health(recording, &[&format!("default/{plugin}")]);
        let found = &answer["plugins"][0];
        assert_eq!(
            (&found["rollup"], &found["states"][state], &found["proxies"][0]["state"]),
            (&"failed".into(), &1.into(), &state.into())
        );
        let said = evidence(&found["proxies"][0]);
        assert!(said.iter().any(|(source, what)| *source == "log" && what.contains("manifests/no-such-tag: MANIFEST_UNKNOWN")), "{said:?}");
        assert!(said.iter().any(|(source, what)| *source == "agentStats" && what.contains("1 failure")), "{said:?}");
        // The other plugin of the same proxy runs all the same, and that failure is not its own.
        let all = health(recording, &[]);
        let helloworld = all["plugins"].as_array().unwrap().iter().find(|found| found["plugin"] == "default/helloworld").unwrap();
        assert_eq!(helloworld["rollup"], "ready");
        assert!(!evidence(&helloworld["proxies"][0]).iter().any(|(source, _)| *source == "log"));
    }
}

#[test]
fn a_running_module_has_its_digest_and_its_counter() {
    let answer = health("permissive", &["default/helloworld"]);
    let found = &answer["plugins"][0];
    let digest = "77d4eb7c048d5bcb7f7067d7c4d833517111c818975ce671aa33dafcc0a2afea";
    assert_eq!((&found["module"]["digests"][0]["digest"], &found["proxies"][0]["digest"]), (&digest.into(), &digest.into()));
    assert_eq!(found["module"]["skew"], Value::Array(Vec::new()));
    assert_eq!(found["proxies"][0]["since"], "2026-11-23T19:37:50.552Z");
    let sources: Vec<&str> = evidence(&found["proxies"][0]).into_iter().map(|(source, _)| source).collect();
    assert_eq!(sources, ["configDump", "stats", "stats", "agentStats", "objects"]);
    assert_eq!(answer["warnings"], Value::Array(Vec::new()));
}

#[test]
fn a_recording_without_vitals_and_logs_is_answered_from_its_dumps() {
    for recording in support::eras() {
        let answer = health(&recording, &["default/helloworld"]);
        let proxy = &answer["plugins"][0]["proxies"][0];
        assert_eq!(evidence(proxy).len(), 1, "{recording}: {proxy}");
        assert_eq!(proxy["evidence"][0]["source"], "configDump");
        assert_eq!(answer["warnings"], Value::Array(Vec::new()), "{recording}");
    }
}

#[test]
fn a_plugin_that_envoy_did_not_take_runs_nowhere_though_its_dump_lists_it() {
    let name = "proxies/httpbin-664956bb75-9d64m.default/stats.prom";
    let stats = String::from_utf8(support::files("permissive")[name].clone()).unwrap();
    let states = |stats: String| {
        let folder = support::folder("permissive", &[(name, stats)]);
        let from = ["--from", folder.path().to_str().unwrap()];
        let ask = |arguments: &[&str]| support::json(&[arguments, &from].concat());
        let (plugins, workloads) = (ask(&["plugins"]), ask(&["workloads", "helloworld"]));
        let why = ask(&["why", "helloworld", "deploy/httpbin"]);
        [
            plugins["plugins"][0]["states"].to_string(),
            workloads["workloads"][0]["proxies"][0]["state"].to_string(),
            why["workloads"][0]["state"].to_string(),
        ]
    };
    assert_eq!(states(stats.clone()), [r#"{"running":1}"#, r#""running""#, r#""running""#]);
    let refused = stats.replace("envoy_wasm_default_helloworld_", "envoy_wasm_default_another_");
    assert_eq!(states(refused), [r#"{"rejected":1}"#, r#""rejected""#, r#""rejected""#]);
    // Statistics that show nothing of plugins leave it open.
    assert_eq!(states(String::new())[0], r#"{"unverified":1}"#);
}

#[test]
fn what_istiod_says_of_a_proxy_is_among_the_evidence() {
    let mut syncz: Value = serde_json::from_slice(&support::files("permissive")["istiod/syncz.json"]).unwrap();
    syncz.as_array_mut().unwrap().retain(|entry| entry["proxy"] != "httpbin-664956bb75-9d64m.default");
    let folder = support::folder("permissive", &[("istiod/syncz.json", syncz.to_string())]);
    let from = ["--from", folder.path().to_str().unwrap()];
    let answer = support::json(&[&["health", "helloworld"], &from[..]].concat());
    let said = evidence(&answer["plugins"][0]["proxies"][0]);
    assert!(said.iter().any(|(source, what)| *source == "istiod" && what.contains("connected to no istiod")), "{said:?}");
    let found = support::json(&[&["check"], &from[..]].concat());
    let codes: Vec<&Value> = found["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&Value::from("proxy-not-connected")), "{codes:?}");
}
