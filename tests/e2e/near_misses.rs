//! What keeps a plugin from a workload, each reason put on in the mesh, and held against what the proxy has: no filter of it.

use serde_json::{Value, json};

use super::world::{Applied, is_lab, json as ask, kubectl, mesh, on_15006, until, why};

/// A plugin with the lab's module, as a whole object.
fn plugin(namespace: &str, name: &str, spec: Value) -> Value {
    let mut spec = spec;
    let url = json!("oci://registry.lab:5000/linsun/helloworld:latest");
    spec.as_object_mut().unwrap().entry("url").or_insert(url);
    json!({"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn labels(key: &str, value: &str) -> Value {
    json!({"matchLabels": {key: value}})
}

/// What keeps a plugin from a workload of `default`, once the plugin is known.
fn near_miss(plugin: &str, workload: &str) -> Value {
    let of = |answer: &Value| -> Option<Value> {
        let all = answer["workloads"].as_array()?;
        Some(all.iter().find(|candidate| candidate["workload"] == workload)?["nearMiss"].clone())
    };
    let what = format!("what keeps {plugin} from {workload}");
    let answer = until(&what, &["workloads", plugin, "--near-misses"], |answer| of(answer).is_some_and(|miss| !miss.is_null()));
    of(&answer).unwrap()
}

/// The proxy has no filter of the plugin, and istiod would send none.
fn stands_nowhere(plugin: &str, workload: &str) {
    let entry = why(plugin, workload, &format!("{plugin} nowhere in {workload}"), |entry| entry["proxy"].is_string());
    for listener in entry["listeners"].as_array().unwrap() {
        assert_eq!(listener["counted"], 0, "{listener}");
        assert!(matches!(listener["predicted"].as_u64(), Some(0) | None), "{listener}");
    }
}

/// A label of the Deployment itself, for as long as the value lives.
struct Labelled;

impl Labelled {
    fn new() -> Self {
        kubectl(&["label", "-n", "default", "deploy/httpbin", "e2e-owner=yes"]);
        Self
    }
}

impl Drop for Labelled {
    fn drop(&mut self) {
        kubectl(&["label", "-n", "default", "deploy/httpbin", "e2e-owner-"]);
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn each_reason_is_told_from_the_others() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let httpbin = labels("app", "httpbin");
    let mut revision = plugin("default", "e2e-revision", json!({"selector": httpbin}));
    revision["metadata"]["labels"] = json!({"istio.io/rev": "canary"});
    let items = json!([
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e2e-other"}},
        plugin("default", "e2e-label", json!({"selector": labels("app", "httpbinx")})),
        plugin("default", "e2e-owner", json!({"selector": labels("e2e-owner", "yes")})),
        plugin("e2e-other", "e2e-elsewhere", json!({"selector": httpbin})),
        plugin("default", "e2e-target", json!({"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "httpbin"}]})),
        plugin("default", "e2e-port", json!({"selector": httpbin, "match": [{"mode": "SERVER", "ports": [{"number": 8000}]}]})),
        plugin("default", "e2e-mode", json!({"selector": httpbin, "match": [{"mode": "CLIENT", "ports": [{"number": 80}, {"number": 1}]}]})),
        plugin("default", "e2e-dropped", json!({"selector": httpbin, "url": "127.0.0.1:5000/linsun/helloworld:latest"})),
        revision,
    ]);
    let _label = Labelled::new();
    let _objects = Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    for (plugin, rule, change) in [
        ("default/e2e-label", "labels", "did you mean app=httpbin"),
        ("default/e2e-owner", "labels", "into the pod template of the Deployment"),
        ("e2e-other/e2e-elsewhere", "namespace", "create the plugin in namespace default"),
        ("default/e2e-target", "attachment", ""),
        ("default/e2e-port", "match", "write port 80 in the place of 8000"),
        ("default/e2e-dropped", "object", "write the url with its scheme"),
        ("default/e2e-revision", "revision", "set label istio.io/rev=default"),
    ] {
        let miss = near_miss(plugin, "default/httpbin");
        assert_eq!(miss["rule"], rule, "{plugin}: {miss}");
        assert!(miss["change"].as_str().unwrap_or_default().contains(change), "{plugin}: {miss}");
        stands_nowhere(plugin, "deploy/httpbin");
    }
    let owner = near_miss("default/e2e-owner", "default/httpbin");
    assert_eq!((&owner["labels"][0]["onOwner"], &owner["labels"][0]["found"]), (&json!(true), &Value::Null), "{owner}");
    // Port 80 of a client is that of the outbound HTTP listener, which is there: no near-miss.
    let answer = ask(&["workloads", "default/e2e-mode", "--near-misses"]);
    let httpbin = answer["workloads"].as_array().unwrap().iter().find(|workload| workload["workload"] == "default/httpbin");
    assert!(httpbin.is_none_or(|workload| workload["nearMiss"].is_null()), "{answer}");
    // What is said would bring it there does.
    let _mended = Applied::new(plugin("default", "e2e-label", json!({"selector": labels("app", "httpbin")})).to_string());
    why("default/e2e-label", "deploy/httpbin", "the plugin with its label mended", |entry| {
        entry["attached"] == true && on_15006(entry) == Some(4)
    });
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn gateways_and_waypoints_are_missed_for_their_own_reasons() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let waypoint = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"namespace": "default", "name": "e2e-waypoint"},
        "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]}});
    let gateway = |name: &str| json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]);
    let items = json!([
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e2e-other"}},
        waypoint,
        plugin("default", "e2e-all", json!({})),
        plugin("default", "e2e-misspelt", json!({"targetRefs": gateway("e2e-waypoin")})),
        plugin("default", "e2e-service", json!({"targetRefs": [{"group": "", "kind": "Service", "name": "httpbin"}]})),
        plugin("e2e-other", "e2e-far", json!({"targetRefs": gateway("e2e-waypoint")})),
    ]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let _objects = Applied::with_pods(list.to_string(), "gateway.networking.k8s.io/gateway-name=e2e-waypoint");
    let workload = "gateway/e2e-waypoint";
    let told = |plugin: &str| near_miss(plugin, "default/e2e-waypoint");
    // A selector, or none at all, does not reach a waypoint, though it reaches the sidecars beside it.
    let all = told("default/e2e-all");
    assert!(all["change"].as_str().unwrap().contains("targetRefs"), "{all}");
    stands_nowhere("default/e2e-all", workload);
    let misspelt = told("default/e2e-misspelt");
    assert!(misspelt["change"].as_str().unwrap().contains("e2e-waypoint"), "{misspelt}");
    let service = told("default/e2e-service");
    assert!(service["change"].as_str().unwrap().contains("istio.io/use-waypoint"), "the service uses no waypoint: {service}");
    let far = told("e2e-other/e2e-far");
    assert!(far["change"].as_str().unwrap().contains("default"), "{far}");
}
