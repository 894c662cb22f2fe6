//! Policies, groups of plugins and machines outside the cluster on a real mesh: what is said of them is what requests get.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::world::{Applied, is_lab, json as ask, mesh, meshscope, until, wasm_plugin};

/// How long istiod and the proxies may take to follow a change.
const PATIENCE: Duration = Duration::from_secs(60);

/// The status that sleep is answered; 000 where there is none.
pub fn asked(url: &str) -> String {
    let curl = ["curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", url];
    let arguments = [&["exec", "-n", "default", "deploy/sleep", "-c", "sleep", "--"][..], &curl[..]].concat();
    let output = Command::new("kubectl").args(arguments).stdin(Stdio::null()).output().expect("kubectl is on the PATH");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks until it is so.
pub fn comes(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The findings of a code, with the exit status.
pub fn found(code: &str) -> (i32, Vec<Value>) {
    let output = meshscope(&["check", "-o", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).cloned();
    (output.status.code().unwrap(), findings.collect())
}

/// What becomes of clients with a proxy that a subset of httpbin is for.
fn of_subset(answer: &Value) -> Option<Value> {
    let mut services = answer["workloads"][0]["services"].as_array()?.iter();
    services.find_map(|service| service["clients"].as_array()?.iter().find(|client| client["subset"] == "v1").cloned())
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l6_a_subset_that_no_route_names_breaks_nothing() {
    let _mesh = mesh();
    let _rule = Applied::new(include_str!("live/subset-unused.yaml"));
    let answer = until("the subset", &["mtls", "deploy/httpbin"], |answer| of_subset(answer).is_some());
    assert_eq!(of_subset(&answer).unwrap()["verdict"], "unused", "{answer}");
    for _ in 0..5 {
        assert_eq!(asked("http://httpbin.default:8000/status/200"), "200");
    }
    assert_eq!(found("destination-rule-refused").1, Vec::<Value>::new());
    // The same subset with a route that names it fails, and is said to.
    let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"namespace": "default", "name": "e2e-subset"},
        "spec": {"hosts": ["httpbin"], "http": [{"route": [{"destination": {"host": "httpbin", "subset": "v1"}}]}]}});
    let _route = Applied::new(route.to_string());
    until("the route", &["mtls", "deploy/httpbin"], |answer| of_subset(answer).is_some_and(|client| client["verdict"] == "fails"));
    comes("a request that fails", || asked("http://httpbin.default:8000/status/200") == "503");
    let (status, refused) = found("destination-rule-refused");
    assert_eq!((status, refused.len()), (1, 1), "{refused:?}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l13_between_namespaces_the_namespace_decides() {
    let _mesh = mesh();
    let lua = |namespace: &str, name: &str| {
        let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "phase": "STATS", "lua": {"inlineCode": "function envoy_on_request(h) end"}});
        json!({"apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension", "metadata": {"namespace": namespace, "name": name}, "spec": spec}).to_string()
    };
    /// The two as a chain of the proxy has them.
    fn filters(answer: &Value) -> Vec<String> {
        let found = answer["workloads"][0]["lists"][0]["found"].as_array().into_iter().flatten();
        let filters = found.flat_map(|found| found["filters"].as_array().into_iter().flatten());
        let names: Vec<String> = filters.filter_map(|filter| filter["plugin"].as_str().map(str::to_owned)).collect();
        names.into_iter().filter(|name| name.contains("e2e-tie")).take(2).collect()
    }
    let wanted = ["default/e2e-tie-own".to_owned(), "istio-system/e2e-tie-root".to_owned()];
    let order = ["order", "deploy/httpbin"];
    let own = Applied::new(lua("default", "e2e-tie-own"));
    let _root = Applied::new(lua("istio-system", "e2e-tie-root"));
    until("both plugins", &order, |answer| filters(answer) == wanted);
    // Created again it is the younger one, and runs first all the same.
    drop(own);
    until("one plugin", &order, |answer| filters(answer) == wanted[1..]);
    std::thread::sleep(Duration::from_secs(1));
    let _own = Applied::new(lua("default", "e2e-tie-own"));
    until("both plugins again", &order, |answer| filters(answer) == wanted);
    let (_, ties) = found("priority-tie");
    let tie = ties.iter().find(|tie| tie.to_string().contains("e2e-tie-root")).unwrap_or_else(|| panic!("{ties:?}"));
    assert_eq!(tie["severity"], "information", "{tie}");
    assert!(tie["why"].as_str().unwrap().contains("namespace decides") && !tie.to_string().contains("applied again"), "{tie}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l16_a_port_that_disable_breaks_for_a_headless_service() {
    let _mesh = mesh();
    let items = json!([
        {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "default", "name": "e2e-head"},
            "spec": {"clusterIP": "None", "selector": {"app": "httpbin"}, "ports": [{"name": "http-w", "port": 80}]}},
        {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"namespace": "default", "name": "e2e-head"},
            "spec": {"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"80": {"mode": "DISABLE"}}}},
    ]);
    let _objects = Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    comes("a request that fails", || asked("http://e2e-head.default/status/200") == "503");
    assert_eq!(asked("http://httpbin.default:8000/status/200"), "200", "of a Service with an address each pod is looked at");
    comes("the finding", || !found("mtls-mismatch").1.is_empty());
    let (status, broken) = found("mtls-mismatch");
    assert_eq!((status, broken.len()), (1, 1), "{broken:?}");
    assert_eq!(broken[0]["object"], json!({"kind": "Service", "namespace": "default", "name": "e2e-head"}));
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l17_a_group_of_plugins_is_one_finding() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugins: Vec<Value> = (0..4)
        .map(|place| serde_json::from_str(&wasm_plugin("default", &format!("e2e-same-{place}"), "httpbin", "v1", "FAIL_OPEN")).unwrap())
        .collect();
    let _plugins = Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": plugins}).to_string());
    until("the plugins", &["order", "deploy/httpbin"], |answer| {
        (0..4).all(|place| answer.to_string().contains(&format!("e2e-same-{place}")))
    });
    for code in ["same-root-id", "priority-tie"] {
        let (_, groups) = found(code);
        assert_eq!(groups.len(), 1, "{groups:?}");
        assert!(groups[0]["plugins"].as_array().unwrap().len() >= 4, "{groups:?}");
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l18_a_workload_entry_is_no_pod() {
    let _mesh = mesh();
    let _entry = Applied::new(include_str!("live/headless-workloadentry.yaml"));
    comes("the entry", || ask(&["workloads"]).to_string().contains("vm1"));
    let output = meshscope(&["check", "-o", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("vm1"), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let about: Vec<&Value> = answer["findings"].as_array().unwrap().iter().filter(|finding| finding.to_string().contains("vm1")).collect();
    assert!(about.len() == 1 && about[0]["code"] == "proxy-not-connected" && about[0]["object"]["kind"] == "WorkloadEntry", "{about:?}");
    assert!(!answer["notChecked"].to_string().contains("vm1"), "it is said once: {}", answer["notChecked"]);
    let alone = meshscope(&["chains", "workloadentry/vm1"]);
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.code() == Some(3) && said.contains("is no pod") && !said.contains("successor"), "{said}");
}
