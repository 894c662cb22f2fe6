//! Selectors of a wrong type: what they select is unknown, and no finding follows from that.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};

use super::support::{files, folder, meshscope};

const PLUGINS: &str = "k8s/wasmplugins.extensions.istio.io.json";
const POLICIES: &str = "k8s/peerauthentications.security.istio.io.json";

/// The answer of a command about a recording.
fn answer(recording: &tempfile::TempDir, arguments: &[&str]) -> Value {
    let output = meshscope(&[arguments, &["--from", recording.path().to_str().unwrap(), "-o", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}

fn codes(recording: &tempfile::TempDir) -> Vec<String> {
    let check = answer(recording, &["check", "-A"]);
    check["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Selectors of which nothing is known.
fn unread() -> [Value; 5] {
    [
        json!({"matchLabels": "app=httpbin"}),
        json!({"matchLabels": 7}),
        json!({"matchLabels": ["app"]}),
        json!({"matchLabels": {"app": 7}}),
        json!("app=httpbin"),
    ]
}

#[test]
fn field_33_a_selector_of_a_wrong_type_is_no_empty_one() {
    let before = codes(&folder("permissive", &[]));
    for selector in unread() {
        let mut list: Value = serde_json::from_slice(&files("permissive")[PLUGINS]).unwrap();
        list["items"][0]["spec"]["selector"] = selector.clone();
        let recording = folder("permissive", &[(PLUGINS, list.to_string())]);
        let mut expected = [before.clone(), vec!["object-not-used".to_owned()]].concat();
        let mut found = codes(&recording);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{selector}");
        let plugins = answer(&recording, &["plugins", "-A"]);
        assert_eq!(plugins["plugins"][0]["rollup"], "unknown", "{selector}: {plugins}");
    }
}

#[test]
fn field_33_a_policy_of_which_the_selector_is_unread_decides_nothing() {
    for selector in unread() {
        let policy = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"namespace": "default", "name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"selector": selector, "mtls": {"mode": "STRICT"}}});
        let recording = folder("permissive", &[(POLICIES, json!({"kind": "List", "apiVersion": "v1", "items": [policy]}).to_string())]);
        let found = codes(&recording);
        assert!(!found.iter().any(|code| code == "empty-selector" || code == "object-not-used"), "{selector}: {found:?}");
        let mtls = answer(&recording, &["mtls", "deploy/httpbin"]);
        let entry = &mtls["workloads"][0];
        assert_eq!((&entry["mode"], &entry["policies"][0]["fate"]), (&Value::Null, &json!("unknown")), "{selector}: {mtls}");
    }
}
