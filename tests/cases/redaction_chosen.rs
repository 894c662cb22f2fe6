//! What is hidden must not decide: answers over a recording are those over what was recorded. The rows H3 and H22.

use std::collections::BTreeMap;
use std::path::Path;

use meshscope::ingest::redact;
use serde_json::{Value, json};

use super::support::{self, meshscope};

/// What each command says, with its exit status.
fn answers(from: &Path) -> BTreeMap<&'static str, (Option<i32>, String)> {
    let from = from.to_str().unwrap();
    let answer = |command| {
        let output = meshscope(&[command, "--from", from, "-A", "-o", "json"]);
        (command, (output.status.code(), String::from_utf8(output.stdout).unwrap().replace(from, "FROM")))
    };
    ["check", "mtls", "chains", "plugins", "policy", "health"].map(answer).into()
}

fn assert_same_answers(original: &Path, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let recorded = meshscope(&["record", copy.to_str().unwrap(), "--from", original.to_str().unwrap()]);
    assert_eq!(recorded.status.code(), Some(0), "{recorded:?}");
    let (before, after) = (answers(original), answers(&copy));
    for (command, answer) in before {
        assert_eq!(answer, after[command], "{name}: {command}");
    }
}

/// Labels that are called as secrets are, in the objects and in what the proxies say of themselves.
fn with_labels(name: &str, httpbin: &str, sleep: &str, selected: &str) -> tempfile::TempDir {
    let mut changed = Vec::new();
    for (path, bytes) in support::files("strict") {
        let is_dump = path.ends_with("config_dump.json");
        if !is_dump
            && !["k8s/pods.json", "k8s/deployments.json", "k8s/replicasets.json", "k8s/wasmplugins.extensions.istio.io.json"]
                .contains(&&*path)
        {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        label(&mut value, name, &[("httpbin", httpbin), ("sleep", sleep)]);
        for item in value["items"].as_array_mut().into_iter().flatten().filter(|item| item["spec"]["url"].is_string()) {
            item["spec"]["selector"] = json!({"matchLabels": {name: selected}});
        }
        changed.push((path, value.to_string()));
    }
    let changed: Vec<(&str, String)> = changed.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    support::folder("strict", &changed)
}

fn label(value: &mut Value, name: &str, by_app: &[(&str, &str)]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| label(item, name, by_app)),
        Value::Object(fields) => {
            let app = fields.get("app").and_then(Value::as_str);
            if let Some((_, value)) = by_app.iter().find(|(app_name, _)| app == Some(app_name)) {
                fields.insert(name.to_owned(), json!(value));
            }
            fields.values_mut().for_each(|value| label(value, name, by_app));
        }
        _ => {}
    }
}

#[test]
fn hostile_h3_labels_that_are_called_as_secrets_are_select_as_before() {
    for name in ["token", "auth.example.com/password", "cookie"] {
        let original = with_labels(name, "v1", "v2", "v1");
        assert_same_answers(original.path(), name);
    }
}

#[test]
fn hostile_h3_each_recording_answers_as_what_was_recorded() {
    for name in ["permissive", "strict", "gateway", "fetch-failed-closed"] {
        assert_same_answers(support::folder(name, &[]).path(), name);
    }
}

#[test]
fn hostile_h22_labels_selectors_and_ports_stay() {
    let labels = json!({"token": "v1", "password": "none", "secret": "a1B2c3D4", "auth": "dXNlcjpwYXNzd29yZA", "app.io/api-key": "yes", "cookie": "x"});
    let expressions = json!([{"key": "token", "operator": "In", "values": ["v1", "v2-a1B2c3D4"]}, {"key": "cookie", "operator": "Exists"}]);
    let selector = json!({"matchLabels": labels, "matchExpressions": expressions});
    for document in [
        json!({"kind": "Pod", "metadata": {"name": "token", "labels": labels}, "spec": {"nodeSelector": labels}}),
        json!({"kind": "Service", "spec": {"selector": labels}}),
        json!({"kind": "Deployment", "spec": {"selector": selector, "template": {"metadata": {"labels": labels}}}}),
        json!({"kind": "WasmPlugin", "spec": {"selector": selector, "url": "oci://registry.example/jwt-token:v1.2.3-a1b2c3"}}),
        json!({"kind": "EnvoyFilter", "spec": {"workloadSelector": {"labels": labels}}}),
        json!({"kind": "DestinationRule", "spec": {"subsets": [{"name": "token", "labels": labels}]}}),
        json!({"kind": "VirtualService", "spec": {"http": [{"match": [{"sourceLabels": labels}]}]}}),
        json!({"kind": "ServiceEntry", "spec": {"endpoints": [{"labels": labels, "ports": {"token": 8080, "secret": 9090}}]}}),
        json!({"data": {"mesh": format!("discoverySelectors:\n- matchLabels:\n    token: v1\n- matchExpressions: {expressions}\n")}}),
        json!({"node": {"metadata": {"LABELS": labels}}}),
        json!({"metadata": {"name": "xapp-frontend-7d9f8b6c5-x2x4z"}, "host": "glrt-runner-service.default.svc.cluster.local"}),
        json!({"domains": ["auth-token", "auth-token:8080", "reset-password:80"]}),
    ] {
        let mut redacted = document.clone();
        redact::value(&mut redacted);
        assert_eq!(redacted, document);
        assert_eq!(redact::json(&document.to_string()), document.to_string());
    }
    // In a plugin's configuration the word means nothing, and what is no label is none.
    for document in [json!({"pluginConfig": {"labels": {"token": "LEAKED"}}}), json!({"labels": {"token": "LEAKED LEAKED"}})] {
        assert!(!redact::json(&document.to_string()).contains("LEAKED"), "{document}");
    }
}
