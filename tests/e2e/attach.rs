//! The ways in which a plugin comes to a workload, and the kinds of pods that a proxy runs in.

use serde_json::{Value, json};

use super::world::{Applied, idle_deployment, is_lab, json as ask, kubectl, mesh, on_15006, until, wasm_plugin, why};

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_plugin_of_the_root_namespace_reaches_the_others() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _plugin = Applied::new(wasm_plugin("istio-system", "e2e-root", "httpbin", "latest", "FAIL_CLOSE"));
    let entry = why("istio-system/e2e-root", "deploy/httpbin", "the plugin of the root namespace", |entry| {
        on_15006(entry) == Some(4) && entry["state"] == "running"
    });
    assert_eq!(entry["attached"], true);
    // Those that reach the chosen namespace are shown with its own.
    let plugins = ask(&["plugins"]);
    let names: Vec<&str> = plugins["plugins"].as_array().unwrap().iter().map(|plugin| plugin["plugin"].as_str().unwrap()).collect();
    assert!(names.contains(&"istio-system/e2e-root") && names.contains(&"default/helloworld"), "{names:?}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_gateway_is_reached_in_each_of_its_listeners() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let gateway = Applied::with_pods(include_str!("gateway.yaml"), "gateway.networking.k8s.io/gateway-name=e2e-web");
    let ports = |answer: &Value| -> Vec<(u64, u64)> {
        let listeners = answer["workloads"][0]["listeners"].as_array().into_iter().flatten();
        let active = listeners.filter(|listener| listener["state"] == "active");
        active.filter_map(|listener| Some((listener["port"].as_u64()?, listener["counted"].as_u64()?))).collect()
    };
    let answer = until("the plugin in both listeners", &["why", "default/e2e-web-header"], |answer| {
        ports(answer) == [(80, 1), (8081, 1)] && answer["workloads"][0]["state"] == "running"
    });
    let entry = &answer["workloads"][0];
    assert_eq!((&entry["workload"], &entry["workloadKind"]), (&Value::from("default/e2e-web"), &Value::from("Gateway")));
    assert_eq!(entry["reason"], "targetRef Gateway e2e-web");
    let named = ask(&["why", "default/e2e-web-header", "gateway/e2e-web"]);
    assert_eq!(named["workloads"][0]["proxy"], entry["proxy"]);
    // A plugin with a selector is not for gateways that are made from the Gateway API, nor one with targetRefs for sidecars.
    let other = ask(&["why", "default/e2e-web-header", "deploy/httpbin"]);
    assert_eq!(other["workloads"][0]["attached"], false);
    drop(gateway);
}

/// A Deployment of one pod that does nothing, with annotations, and the plugin on it.
fn idle(name: &str, annotations: Value) -> Applied {
    let deployment = idle_deployment(name, &annotations);
    let plugin: Value = serde_json::from_str(&wasm_plugin("default", name, name, "latest", "FAIL_CLOSE")).unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [deployment, plugin]});
    Applied::with_pods(list.to_string(), &format!("app={name}"))
}

/// Both passthrough chains have the filter: no service leads to the pod.
fn is_found(name: &str) -> Value {
    why(&format!("default/{name}"), &format!("deploy/{name}"), &format!("the filter in {name}"), |entry| {
        on_15006(entry) == Some(2) && entry["state"] == "running"
    })
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_native_sidecar_is_found() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _idle = idle("e2e-native", json!({"sidecar.istio.io/nativeSidecar": "true"}));
    let entry = is_found("e2e-native");
    let names =
        kubectl(&["get", "pods", "-n", "default", "-l", "app=e2e-native", "-o", "jsonpath={.items[0].spec.initContainers[*].name}"]);
    assert!(names.contains("istio-proxy"), "it is a native one: {names}");
    assert!(entry["dumpNote"].as_str().unwrap().contains("port-forward"), "{entry}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn an_admin_port_of_the_pods_own_is_found() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _idle = idle("e2e-admin", json!({"proxy.istio.io/config": "{\"proxyAdminPort\": 15555}"}));
    let entry = is_found("e2e-admin");
    assert!(entry["dumpNote"].as_str().unwrap().contains("port-forward"), "not by way of istiod: {entry}");
}
