//! Slips in a plugin's own object on a real mesh: a label, a namespace, a priority. What is reported of each, until it is put back.

use serde_json::{Value, json};

use super::broken::Broken;
use super::live_policy::{asked, comes, found};
use super::world::{Applied, is_lab, json as ask, kubectl, mesh, on_15006, until, wasm_plugin, why};

const URL: &str = "http://httpbin.default:8000/status/200";

/// The header that helloworld adds to an answer of httpbin; empty where there is none.
fn hello() -> String {
    let curl = ["curl", "-s", "-m", "5", "-D", "-", "-o", "/dev/null", URL];
    let answer = kubectl(&[&["exec", "-n", "default", "deploy/sleep", "-c", "sleep", "--"][..], &curl[..]].concat());
    answer.lines().filter_map(|line| line.strip_prefix("hello: ")).map(str::trim).collect()
}

/// Waits for the one finding of a code about a plugin, and returns it.
fn one(code: &str, plugin: &str) -> Value {
    let (namespace, name) = plugin.split_once('/').unwrap();
    let object = json!({"kind": "WasmPlugin", "namespace": namespace, "name": name});
    let mut last = Vec::new();
    comes(code, || {
        last = found(code).1.into_iter().filter(|finding| finding["object"] == object).collect();
        last.len() == 1
    });
    last[0].clone()
}

/// Gives an object of `default` other fields, as a merge patch.
fn patch(plugin: &str, spec: Value) {
    let patch = json!({"spec": spec}).to_string();
    kubectl(&["patch", "-n", "default", "wasmplugin", plugin, "--type=merge", "-p", &patch]);
}

/// helloworld with another label in its selector, for as long as the value lives.
struct Selecting;

impl Selecting {
    fn new(app: &str) -> Self {
        patch("helloworld", json!({"selector": {"matchLabels": {"app": app}}}));
        Self
    }
}

impl Drop for Selecting {
    fn drop(&mut self) {
        patch("helloworld", json!({"selector": {"matchLabels": {"app": "httpbin"}}}));
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d3_a_typo_in_the_label_of_a_selector() {
    let _mesh = mesh();
    assert_eq!(hello(), "world!");
    let broken = Selecting::new("httpbim");
    comes("an answer without the header", || asked(URL) == "200" && hello().is_empty());
    let finding = one("near-miss", "default/helloworld");
    assert_eq!(finding["severity"], "warning", "{finding}");
    assert!(finding["what"].as_str().unwrap().ends_with("one label keeps it from deploy/httpbin."), "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains("app=httpbin"), "{finding}");
    assert_eq!(found("matches-nothing").1, Vec::<Value>::new(), "one cause is one finding");
    let entry = why("default/helloworld", "deploy/httpbin", "no chain with it", |entry| on_15006(entry).is_none_or(|count| count == 0));
    assert_eq!((&entry["attached"], entry["state"] == "running"), (&json!(false), false), "{entry}");
    for command in [&["plugins"][..], &["health", "default/helloworld"]] {
        let answer = ask(command);
        let plugin = answer["plugins"].as_array().unwrap().iter().find(|plugin| plugin["plugin"] == "default/helloworld").unwrap().clone();
        assert_ne!(plugin["rollup"], "ready", "{command:?}: {plugin}");
        assert_eq!(plugin["states"]["running"], Value::Null, "{command:?}: {plugin}");
    }
    let near = ask(&["workloads", "default/helloworld", "--near-misses"]);
    let nearest = near["workloads"].as_array().unwrap().iter().find(|workload| workload["workload"] == "default/httpbin").unwrap();
    assert_eq!(nearest["nearMiss"]["rule"], "labels", "{near}");
    Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names: &["default/helloworld"] }.is_nowhere_sound();
    drop(broken);
    comes("the header again", || hello() == "world!");
    comes("the finding's end", || found("near-miss").1.is_empty());
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d4_the_namespace_of_the_workload_reports_the_near_miss_too() {
    let _mesh = mesh();
    let broken = Applied::new(wasm_plugin("kube-public", "e2e-near", "httpbin", "latest", "FAIL_OPEN"));
    // In the namespace of the workload, where somebody looks who misses the plugin.
    let finding = one("matches-nothing", "kube-public/e2e-near");
    assert!(finding["evidence"][0].as_str().unwrap().starts_with("nearest is Deployment default/httpbin: "), "{finding}");
    let near = until("the near miss", &["workloads", "kube-public/e2e-near", "--near-misses"], |answer| {
        answer["workloads"].as_array().is_some_and(|all| all.iter().any(|workload| workload["workload"] == "default/httpbin"))
    });
    let nearest = near["workloads"].as_array().unwrap().iter().find(|workload| workload["workload"] == "default/httpbin").unwrap();
    assert_eq!(nearest["nearMiss"]["rule"], "namespace", "{near}");
    assert_eq!(ask(&["plugins"])["plugins"].to_string().matches("\"running\":1").count(), 1, "helloworld alone runs");
    let plugin = "kube-public/e2e-near";
    Broken { plugin, workload: "deploy/httpbin", names: &[plugin] }.is_nowhere_sound();
    drop(broken);
    comes("the finding's end", || found("matches-nothing").1.is_empty());
}

/// The plugins of httpbin in the order that istiod would send, and in that which the proxy has.
fn orders(answer: &Value) -> [Vec<String>; 2] {
    let list = &answer["workloads"][0]["lists"][0];
    let names = |of: &Value| -> Vec<String> {
        let all = of.as_array().map(Vec::as_slice).unwrap_or_default().iter();
        all.filter_map(|entry| entry["plugin"].as_str()).filter(|name| name.contains("e2e-order")).map(str::to_owned).collect()
    };
    [names(&list["plugins"]), names(&list["found"][0]["filters"])]
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d8_an_edited_priority_changes_the_order() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugin = |name: &str, priority: u32| {
        let mut plugin: Value = serde_json::from_str(&wasm_plugin("default", name, "httpbin", "v1", "FAIL_OPEN")).unwrap();
        plugin["spec"]["phase"] = json!("AUTHN");
        plugin["spec"]["priority"] = json!(priority);
        plugin
    };
    let items = json!([plugin("e2e-order-auth", 10), plugin("e2e-order-limit", 5)]);
    let _plugins = Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let (auth, limit) = ("default/e2e-order-auth".to_owned(), "default/e2e-order-limit".to_owned());
    let order = ["order", "deploy/httpbin"];
    until("the higher priority first", &order, |answer| orders(answer) == [[auth.clone(), limit.clone()], [auth.clone(), limit.clone()]]);
    patch("e2e-order-limit", json!({"priority": 20}));
    let answer = until("the edit", &order, |answer| orders(answer) == [[limit.clone(), auth.clone()], [limit.clone(), auth.clone()]]);
    let plugins = answer["workloads"][0]["lists"][0]["plugins"].as_array().unwrap();
    let after = plugins.iter().find(|plugin| plugin["plugin"] == *auth).unwrap();
    assert!(after["reason"].to_string().contains("riority"), "the reason is the priority: {after}");
    assert_eq!(found("priority-tie").1, Vec::<Value>::new(), "two priorities are no tie");
    let timeline = until("the edit in the timeline", &["timeline", &limit], |answer| answer["changes"][0]["step"] == "changed");
    assert!(timeline["start"].is_string(), "{timeline}");
}
