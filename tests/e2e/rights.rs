//! With few rights: what can be answered is, what cannot is named with the right that is lacking.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::world::{Applied, kubectl, mesh};

/// The service account that the tests give few rights.
const USER: &str = "e2e-reader";

/// A Role of this name in a namespace, bound to the test's service account.
pub(super) fn role(namespace: &str, name: &str, rules: Value) -> Vec<Value> {
    let meta = json!({"namespace": namespace, "name": name});
    let group = "rbac.authorization.k8s.io";
    vec![
        json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": meta, "rules": rules}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": USER}]}),
    ]
}

/// The objects of the namespace `default` may be read, and what `more` says.
pub(super) fn reader(more: Vec<Value>) -> Applied {
    let read = ["get", "list", "watch"];
    let istio = ["extensions.istio.io", "security.istio.io", "networking.istio.io", "gateway.networking.k8s.io"];
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods", "services"], "verbs": read},
        {"apiGroups": ["apps"], "resources": ["deployments", "replicasets", "statefulsets", "daemonsets"], "verbs": read},
        {"apiGroups": istio, "resources": ["*"], "verbs": read},
    ]);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": "default", "name": USER}});
    let items = [vec![account], role("default", USER, rules), more].concat();
    Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

/// The right to a subresource of pods; the API server asks for another verb for each way to open it.
pub(super) fn pods(sub: &str) -> Value {
    json!([{"apiGroups": [""], "resources": [format!("pods/{sub}")], "verbs": ["get", "create"]}])
}

/// Asks as the service account.
fn ask() -> Output {
    ask_for(&["why", "default/helloworld", "deploy/httpbin", "-n", "default", "-o", "json"])
}

/// Runs a command as the service account.
pub(super) fn ask_for(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut config: Value = serde_json::from_str(&kubectl(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"])).unwrap();
    let token = kubectl(&["create", "token", USER, "-n", "default", "--duration=10m"]);
    config["users"][0]["user"] = json!({"token": token.trim()});
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_meshscope")).args(arguments).env("KUBECONFIG", &path).stdin(Stdio::null()).output().unwrap()
}

/// The answer and what was said on standard error, which names the user and what it may not read.
fn answer() -> (Value, String) {
    let output = ask();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let user = format!("system:serviceaccount:default:{USER}");
    for lacking in ["list on namespaces is forbidden", "list on wasmplugins.extensions.istio.io in all namespaces is forbidden"] {
        assert!(said.contains(&format!("{lacking} to user {user}")), "{said}");
        assert!(answer["warnings"].to_string().contains(lacking));
    }
    let entry = answer["workloads"][0].clone();
    assert_eq!(entry["attached"], true, "{entry}");
    (entry, said)
}

/// The inbound listener that is in force.
fn inbound(entry: &Value) -> Value {
    let listeners = entry["listeners"].as_array().unwrap().iter();
    listeners
        .clone()
        .find(|listener| listener["port"] == 15006 && listener["state"] == "active")
        .cloned()
        .unwrap_or_else(|| panic!("{entry}"))
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn rights_in_one_namespace_answer_for_it() {
    let _mesh = mesh();
    let _rights = reader(role("default", "e2e-forward", pods("portforward")));
    let (entry, said) = answer();
    assert_eq!(inbound(&entry)["counted"], 4);
    assert!(entry["dumpNote"].as_str().unwrap().contains("port-forward"), "{entry}");
    assert!(!said.contains("pods/exec"), "{said}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn without_port_forward_it_is_exec() {
    let _mesh = mesh();
    let _rights = reader(role("default", "e2e-exec", pods("exec")));
    let (entry, said) = answer();
    assert_eq!(inbound(&entry)["counted"], 4);
    assert!(entry["dumpNote"].as_str().unwrap().contains("exec"), "{entry}");
    assert!(said.contains("pods/portforward"), "the fall-back is said: {said}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn without_both_it_is_what_istiod_would_send() {
    let _mesh = mesh();
    let see = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]);
    let more = [role("istio-system", "e2e-see", see), role("istio-system", "e2e-forward", pods("portforward"))].concat();
    let _rights = reader(more);
    let (entry, said) = answer();
    let listener = inbound(&entry);
    assert!(listener["counted"].is_null(), "what the proxy has is not known: {listener}");
    assert!(listener["countedNote"].as_str().unwrap().contains("istiod would send 4"), "{listener}");
    assert!(said.contains("pods/portforward") && said.contains("pods/exec"), "{said}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn without_any_way_to_a_dump_it_is_one_line() {
    let _mesh = mesh();
    let _rights = reader(Vec::new());
    let output = ask();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| !line.starts_with("meshscope: warning: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(errors[0].contains("pods/portforward") && errors[0].contains("pods/exec"), "{said}");
}
