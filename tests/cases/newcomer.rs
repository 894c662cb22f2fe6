//! What a newcomer met on a mesh of his own: whose failure a line is, what becomes of a chain, and where an answer was a dead end.

use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, object};
use super::support;

const LOG: &str = "logs/httpbin-664956bb75-9d64m.default.istio-proxy.log";
const HELLO: &str = "default.helloworld~istio-translated-wasmplugin";

#[test]
fn live_l1_a_chain_that_a_mode_gives_another_meaning_is_shown_as_changed() {
    let answer = support::json(&["why", "helloworld", "--mode", "STRICT", "--demo"]);
    let chains = answer["workloads"][0]["listeners"][0]["chains"].as_array().unwrap().clone();
    let changed: Vec<&Value> = chains.iter().filter(|chain| chain["change"] == "changes").collect();
    assert_eq!(
        changed,
        [&json!({"change": "changes", "meaning": "passthrough, foreign TLS", "becomes": "passthrough, mTLS TCP",
            "recognisedBy": "tls", "how": ""})]
    );
    let said = support::meshscope(&["why", "helloworld", "--mode", "STRICT", "--demo"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("!   passthrough, foreign TLS (tls) becomes passthrough, mTLS TCP\n"), "{said}");
    // Under DISABLE the chain goes, and nothing changes its meaning.
    let answer = support::json(&["why", "helloworld", "--mode", "DISABLE", "--demo"]);
    let chains = answer["workloads"][0]["listeners"][0]["chains"].as_array().unwrap().clone();
    assert!(chains.iter().all(|chain| chain["change"] == "goes"), "{chains:?}");
}

fn envoy(time: &str, level: &str, component: &str, message: &str, thread: u32) -> String {
    format!("2026-11-24T{time}Z\t{level}\tenvoy {component} a/b.cc:1\t{message}\tthread={thread}\n")
}

/// The log of a plugin without `pluginName` that is gone by now.
fn of_another() -> String {
    [
        envoy("10:00:00.000000", "error", "wasm", "Wasm VM failed Function: proxy_on_vm_start failed", 15),
        envoy("10:00:00.000300", "critical", "wasm", "Plugin default.nc-nomatch~istio-translated-wasmplugin failed to load", 15),
        envoy("10:00:00.000400", "critical", "wasm", "Plugin configured to fail closed failed to load", 15),
        envoy("10:00:00.000900", "critical", "wasm", "Plugin configured to fail closed failed to load", 30),
    ]
    .concat()
}

/// The plugin of each line of a failure, and its note.
fn attributed(log: &str) -> Vec<(String, Value, String)> {
    let folder = support::folder("permissive", &[(LOG, log.to_owned())]);
    let path = folder.path().to_str().unwrap();
    let output = support::meshscope(&["logs", "deploy/httpbin", "--from", path, "-o", "json", "--include", "wasm"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line["event"] == "vmFailed");
    let of = |line: Value| {
        let note = line["pluginNote"].as_str().unwrap_or_default().to_owned();
        (line["time"].as_str().unwrap()[11..23].to_owned(), line["plugin"].clone(), note)
    };
    lines.map(of).collect()
}

#[test]
fn live_l3_a_failure_is_not_laid_on_another_plugin() {
    let later = envoy("10:05:00.000000", "error", "wasm", "Wasm VM failed Function: proxy_on_context_create failed", 15);
    let found = attributed(&(of_another() + &later));
    let gone = json!("default/nc-nomatch");
    let plugins: Vec<&Value> = found.iter().map(|(_, plugin, _)| plugin).collect();
    assert_eq!(plugins, [&gone, &gone, &gone, &Value::Null, &json!("default/helloworld")], "{found:?}");
    assert!(found[3].2.contains("default/nc-nomatch, which is not there now"), "{found:?}");
    assert!(found[4].2.contains("the only Wasm plugin"), "{found:?}");
    // Only what names it passes the filter by a plugin.
    let folder = support::folder("permissive", &[(LOG, of_another())]);
    let path = folder.path().to_str().unwrap();
    let asked = |plugin: &str| {
        let output = support::meshscope(&["logs", "deploy/httpbin", "--from", path, "--plugin", plugin, "-o", "json"]);
        String::from_utf8(output.stdout).unwrap().lines().filter(|line| line.contains("vmFailed")).count()
    };
    assert_eq!(asked("default/helloworld"), 0);
    let timeline = support::meshscope(&["timeline", "helloworld", "--from", path, "-o", "json"]);
    let timeline = String::from_utf8(timeline.stdout).unwrap();
    assert!(!timeline.contains("proxy_on_vm_start") && !timeline.contains("fail closed"), "{timeline}");
}

#[test]
fn live_l3_two_names_on_one_thread_decide_nothing_and_threads_are_apart() {
    let failed = "Wasm VM failed Function: proxy_on_configure failed";
    let lines = [
        envoy("10:00:00.000000", "critical", "wasm", "Plugin default.a~istio-translated-wasmplugin failed to load", 15),
        envoy("10:00:00.000100", "error", "wasm", failed, 15),
        envoy("10:00:00.000200", "critical", "wasm", &format!("Plugin {HELLO} failed to load"), 15),
        envoy("10:00:00.000300", "error", "wasm", failed, 16),
        envoy("10:00:00.900000", "error", "wasm", failed, 15),
    ];
    let found = attributed(&lines.concat());
    let plugins: Vec<&Value> = found.iter().map(|(_, plugin, _)| plugin).collect();
    assert_eq!(plugins, [&json!("default/a"), &Value::Null, &json!("default/helloworld"), &Value::Null, &Value::Null], "{found:?}");
    assert!(found[1].2.contains("the lines of this failure name"), "{found:?}");
}

#[test]
fn live_l3_a_line_that_is_older_than_the_plugin_is_not_its() {
    let line = envoy("10:00:00.000000", "error", "wasm", "Wasm VM failed Function: proxy_on_vm_start failed", 15);
    let found = attributed(&line.replace("2026-11-24", "2026-11-01"));
    assert_eq!(found[0].1, Value::Null);
    assert!(found[0].2.contains("was created after it"), "{found:?}");
}

#[test]
fn live_l3_a_failure_of_an_envoy_filter_is_not_laid_on_a_plugin() {
    let lines = [
        envoy("10:00:00.000000", "error", "wasm", "Wasm VM failed Function: proxy_on_vm_start failed", 15),
        envoy("10:00:00.000200", "critical", "wasm", "Plugin wasm-shim failed to load", 15),
        envoy("10:00:00.000300", "critical", "wasm", "Plugin configured to fail closed failed to load", 15),
    ];
    let found = attributed(&lines.concat());
    assert!(found.len() == 3 && found.iter().all(|(_, plugin, note)| plugin.is_null() && note.contains("wasm-shim")), "{found:?}");
}

/// The one finding of a code.
fn finding(path: &str, code: &str) -> Value {
    let output = support::meshscope(&["check", "--from", path, "-o", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = answer["findings"].as_array().unwrap().clone();
    findings.into_iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn live_l3_a_rejected_plugin_says_the_cause_first_and_whether_requests_fail() {
    let words = "wasm log: abort: Missing root context factory for root id:  at a.ts(1:1)";
    let log = [
        envoy("10:00:00.000000", "critical", "wasm", words, 15),
        envoy("10:00:00.000100", "error", "wasm", "Wasm VM failed Function: proxy_on_context_create failed", 15),
        envoy("10:00:00.000200", "critical", "wasm", &format!("Plugin {HELLO} failed to load"), 15),
        envoy("10:00:00.000300", "warning", "config", &format!("gRPC config for x rejected: Unable to create Wasm plugin {HELLO}"), 15),
    ]
    .concat();
    let stats = |plugin: &str| {
        format!(
            "envoy_wasm_envoy_wasm_runtime_v8_active{{}} 3\nenvoy_wasm_{plugin}_vm_reload_success{{}} 0\nenvoy_wasm_{plugin}_vm_reload{{}} 0\n"
        )
    };
    let file = "proxies/httpbin-664956bb75-9d64m.default/stats.prom";
    for (plugin, code, expected) in [
        (
            "default_other_istio_translated_wasmplugin",
            "vm-failed",
            "Envoy never accepted a configuration of it, so every request fails: 500 NFCF",
        ),
        ("default_helloworld_istio_translated_wasmplugin", "refused-push", "requests pass the module before"),
    ] {
        let folder = support::folder("permissive", &[(LOG, log.clone()), (file, stats(plugin))]);
        let path = folder.path().to_str().unwrap();
        let found = finding(path, code);
        assert!(found["what"].as_str().unwrap().contains(expected), "{found}");
        assert_eq!(found.to_string().matches("Missing root context factory for root id").count(), 1, "said once: {found}");
        assert_eq!(found["fix"], "set pluginName to a root id that the module registers");
        let health = support::meshscope(&["health", "helloworld", "--from", path]);
        let said = String::from_utf8(health.stdout).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn live_l17_a_namespace_that_is_not_there_is_wrong_usage() {
    for arguments in [
        &["plugins"][..],
        &["workloads"],
        &["chains"],
        &["why", "helloworld"],
        &["why", "helloworld", "--mode", "STRICT"],
        &["health"],
        &["order", "httpbin"],
        &["mtls"],
        &["timeline", "helloworld"],
        &["sync"],
        &["diff", "httpbin"],
        &["check"],
        &["logs"],
    ] {
        let output = support::meshscope(&[arguments, &["-n", "nons", "--demo"]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {said}");
        assert!(said.contains("there is no namespace nons; name another with -n"), "{arguments:?}: {said}");
    }
    for namespace in ["default", "istio-system"] {
        assert_eq!(support::meshscope(&["plugins", "-n", namespace, "--demo"]).status.code(), Some(0), "{namespace}");
    }
}

/// A WasmPlugin with a selector.
fn plugin(name: &str, labels: Value) -> Value {
    let spec = json!({"url": "oci://r.io/a:v1", "selector": {"matchLabels": labels}});
    object("extensions.istio.io/v1alpha1", "WasmPlugin", name, spec)
}

#[test]
fn live_l14_why_of_a_plugin_that_is_nowhere_says_how_to_go_on() {
    let mesh =
        Mesh::permissive().with([plugin("nc-other/far", json!({"app": "httpbin"})), plugin("default/slip", json!({"app": "httpbn"}))]);
    let answer = mesh.ask(&["why", "nc-other/far"]);
    assert_eq!(answer["nearest"]["workload"], "default/httpbin", "{answer}");
    assert_eq!(answer["nearest"]["nearMiss"]["rule"], "namespace", "{answer}");
    assert_eq!(
        (&answer["nearest"]["nearMiss"]["wanted"], &answer["nearest"]["nearMiss"]["found"]),
        (&json!("default"), &json!("nc-other")),
        "the plugin would have to be where the workload is"
    );
    let found = mesh.ask_whatever(&["check"]);
    let is_far = |finding: &&Value| finding["what"].as_str().unwrap().contains("nc-other/far applies to no proxy");
    let far = found["findings"].as_array().unwrap().iter().find(is_far);
    let evidence = far.unwrap()["evidence"][0].as_str().unwrap();
    assert!(evidence.ends_with("namespace: the plugin is in nc-other, the workload in default"), "{evidence}");
    let entry = &mesh.ask(&["why", "default/slip", HTTPBIN])["workloads"][0];
    assert!(entry["nearMiss"]["change"].as_str().unwrap().contains("did you mean app=httpbin"), "{entry}");
}

#[test]
fn live_l17_a_connection_says_what_is_possible() {
    for (text, expected) in [
        ("foo=1", "there is no foo=: the keys are port, address, tls, http, alpn, sni, source, direction"),
        ("port=foo", "port=foo is not possible: write port=PORT, the destination port"),
    ] {
        let output = support::meshscope(&["chains", "httpbin", "--demo", "--connection", text]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{said}");
    }
}
