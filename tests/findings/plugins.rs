//! Rules about what plugins say of themselves: URL, tag, root id, phase, priority, fail strategy.

use meshscope::analysis::findings::Severity;
use serde_json::{Value, json};

use super::recorded::{created, object};
use super::{one, with};

/// A WasmPlugin on httpbin, with a field of its own or several.
fn plugin(name: &str, fields: Value) -> Value {
    let mut spec =
        json!({"selector": {"matchLabels": {"app": "httpbin"}}, "url": "oci://registry.lab:5000/other:v1", "pluginName": "other"});
    for (field, value) in fields.as_object().unwrap() {
        spec[field] = value.clone();
    }
    object("extensions.istio.io/v1alpha1", "WasmPlugin", name, spec)
}

fn p(fields: Value) -> Value {
    plugin("default/p", fields)
}

#[test]
fn a_url_without_its_scheme_is_dropped_or_cannot_be_fetched() {
    let dropped = one(with([p(json!({"url": "10.0.0.1:5000/x:v1"}))], "unusable-url"), Severity::Error, "WasmPlugin default/p");
    assert!(dropped.what.contains("istiod discards") && dropped.evidence[1].contains("colon"), "{dropped:?}");
    let foreign = one(with([p(json!({"url": "registry.lab:5000/x:v1"}))], "unusable-url"), Severity::Error, "WasmPlugin default/p");
    assert!(foreign.what.contains("no proxy can fetch") && foreign.evidence[1].contains("scheme registry.lab"), "{foreign:?}");
    for url in ["oci://10.0.0.1:5000/x:v1", "registry.lab/x:v1", "https://example.com/x.wasm", "file:///opt/x.wasm"] {
        assert_eq!(with([p(json!({"url": url}))], "unusable-url"), [], "{url}");
    }
}

#[test]
fn the_tag_latest_is_not_pulled_again_under_if_not_present() {
    for (url, policy) in
        [("oci://h/x:latest", "IfNotPresent"), ("h/x:latest", "IfNotPresent"), ("oci://h:5000/x", "IfNotPresent"), ("oci://h:5000/x", "")]
    {
        let fields = json!({"url": url, "imagePullPolicy": if policy.is_empty() { "UNSPECIFIED_POLICY" } else { policy }});
        one(with([p(fields)], "latest-not-pulled"), Severity::Warning, "WasmPlugin default/p");
    }
    let digest = format!("oci://h/x@sha256:{}", "a".repeat(64));
    for (url, policy) in [
        // Unset means Always for what ends in `:latest`.
        ("oci://h/x:latest", "UNSPECIFIED_POLICY"),
        ("oci://h/x:latest", "Always"),
        ("oci://h:5000/x", "Always"),
        ("oci://h/x:v1", "IfNotPresent"),
        (digest.as_str(), "IfNotPresent"),
        // What is not fetched at all is told by other rules.
        ("", ""),
        ("10.0.0.1:5000/x", ""),
        ("localhost:5000/x", "IfNotPresent"),
        ("https://h/latest", "IfNotPresent"),
    ] {
        assert_eq!(with([p(json!({"url": url, "imagePullPolicy": policy}))], "latest-not-pulled"), [], "{url} {policy}");
    }
}

#[test]
fn a_guard_that_fails_open() {
    let fields = |phase: &str, strategy: &str| json!({"phase": phase, "failStrategy": strategy});
    for phase in ["AUTHN", "AUTHZ"] {
        one(with([p(fields(phase, "FAIL_OPEN"))], "fail-open-guard"), Severity::Warning, "WasmPlugin default/p");
    }
    for (phase, strategy) in [("AUTHN", "FAIL_CLOSE"), ("STATS", "FAIL_OPEN"), ("UNSPECIFIED_PHASE", "FAIL_OPEN")] {
        assert_eq!(with([p(fields(phase, strategy))], "fail-open-guard"), [], "{phase} {strategy}");
    }
}

#[test]
fn a_plugin_without_a_root_id_is_worth_to_know() {
    one(with([p(json!({"pluginName": ""}))], "empty-plugin-name"), Severity::Information, "WasmPlugin default/p");
    assert_eq!(with([p(json!({}))], "empty-plugin-name"), []);
}

#[test]
fn one_module_with_one_root_id_twice_in_a_proxy() {
    let twice = |fields: Value| with([p(json!({})), plugin("default/q", fields)], "same-root-id");
    let same = one(twice(json!({})), Severity::Warning, "WasmPlugin default/q");
    assert_eq!(same.proxies.len(), 1, "{same:?}");
    for other in [
        json!({"pluginName": "another"}),
        json!({"url": "registry.lab:5000/other:v1"}),
        json!({"url": "oci://registry.lab:5000/other:v2"}),
        json!({"selector": {"matchLabels": {"app": "sleep"}}}),
    ] {
        assert_eq!(twice(other.clone()), [], "{other}");
    }
}

#[test]
fn one_module_is_written_in_many_ways() {
    let twice = |url: &str, other: &str| with([p(json!({"url": url})), plugin("default/q", json!({"url": other}))], "same-root-id");
    for (url, other) in
        [("oci://r.lab/o", "oci://r.lab/o:latest"), ("r.lab/o", "oci://r.lab/o"), ("docker.io/o:v1", "oci://index.docker.io/o:v1")]
    {
        let same = one(twice(url, other), Severity::Warning, "WasmPlugin default/q");
        assert!(same.evidence[0].contains(&format!("url {other} is the module of {url}")) && same.why.contains("not verified"), "{same:?}");
    }
    assert_eq!(twice("oci://r.lab/o", "oci://r.lab/o:v1"), []);
}

#[test]
fn plugins_without_a_priority_are_ordered_by_chance() {
    let tie = one(with([p(json!({}))], "priority-tie"), Severity::Warning, "WasmPlugin default/helloworld");
    assert!(tie.what.contains("default/p and default/helloworld") && tie.evidence[0].contains("younger"), "{tie:?}");
    // helloworld has neither phase nor priority.
    for apart in [
        json!({"priority": 0}),
        json!({"phase": "AUTHN"}),
        json!({"type": "NETWORK"}),
        json!({"selector": {"matchLabels": {"app": "sleep"}}}),
    ] {
        assert_eq!(with([p(apart.clone())], "priority-tie"), [], "{apart}");
    }
}

#[test]
fn plugins_that_meet_in_no_chain_need_no_order() {
    let on = |name: &str, port: u16| plugin(name, json!({"match": [{"mode": "SERVER", "ports": [{"number": port}]}]}));
    // helloworld stands in every chain, in-90 in none: httpbin has no such port.
    let tie =
        one(with([on("default/in-80", 80), on("default/in-90", 90)], "priority-tie"), Severity::Warning, "WasmPlugin default/helloworld");
    assert!(tie.what.contains("default/in-80 and default/helloworld"), "{tie:?}");
    // What stands between them in no chain of theirs hides no tie.
    let between = created(on("default/between", 90), "2026-11-02T00:00:00Z");
    let ties = with([on("default/in-80", 80), between, created(p(json!({})), "2026-11-03T00:00:00Z")], "priority-tie");
    let group = one(ties, Severity::Warning, "WasmPlugin default/helloworld");
    assert!(group.what.ends_with("orders default/in-80, default/p and default/helloworld."), "{group:?}");
    let pairs: Vec<&str> = group.evidence.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(pairs, ["default/p comes after default/in-80", "default/helloworld comes after default/p"]);
}
