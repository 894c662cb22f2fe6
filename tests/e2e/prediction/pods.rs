//! Sidecars with settings of their own: HBONE, DNS capture, no interception, named ports, and pods that are not ready.

use serde_json::{Value, json};

use super::super::world::{Applied, is_lab, mesh};
use super::{State, object, on, service, service_entry, settled, wasm_plugin};

/// A Deployment of one pod that does nothing.
fn idle(name: &str, annotations: Value, container: Value) -> Value {
    let mut idle = json!({"name": "idle", "image": "lab.local/curl:1", "imagePullPolicy": "Never", "args": ["infinity"]});
    idle.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let template = json!({"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [idle]}});
    object("apps/v1", "Deployment", &format!("default/{name}"), json!({"replicas": 1, "selector": on(name), "template": template}))
}

fn with_pods(objects: &[Value], app: &str) -> Applied {
    Applied::with_pods(json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string(), &format!("app={app}"))
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_sidecar_that_takes_hbone() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let hbone = json!({"proxy.istio.io/config": "{\"proxyMetadata\": {\"ISTIO_META_ENABLE_HBONE\": \"true\"}}"});
    let ports = json!([{"name": "http", "port": 7000}, {"name": "detected", "port": 7001}, {"name": "tcp", "port": 7002}]);
    let _pods = with_pods(
        &[
            idle("e2e-hbone", hbone, json!({})),
            service("default/e2e-hbone", json!({"selector": {"app": "e2e-hbone"}, "ports": ports})),
            wasm_plugin("default/e2e-http", json!({"selector": on("e2e-hbone")})),
            wasm_plugin("default/e2e-net", json!({"selector": on("e2e-hbone"), "type": "NETWORK", "match": [{"mode": "SERVER"}]})),
        ],
        "e2e-hbone",
    );
    let of = |inbound: usize, chains: usize| {
        [
            ("e2e-hbone", "virtualInbound", "default/e2e-http", inbound),
            ("e2e-hbone", "virtualInbound", "", chains),
            // Whatever the mode is: HTTP, the detected port, and the passthrough.
            ("e2e-hbone", "main_internal", "default/e2e-http", 3),
            ("e2e-hbone", "main_internal", "default/e2e-net", 1 + 2 + 1 + 2),
        ]
    };
    settled("a sidecar with HBONE", &of(6, 1 + 5 + 2 + 5 + 3), &[]);
    let strict = object("security.istio.io/v1", "PeerAuthentication", "default/e2e", json!({"mtls": {"mode": "STRICT"}}));
    State { what: "the same under STRICT", manifests: vec![strict], numbers: &of(3, 1 + 2 + 1 + 2 + 1), ..State::default() }.holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_sidecar_that_captures_dns_and_speaks_http_1_0() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let captures =
        json!({"proxy.istio.io/config": "{\"proxyMetadata\": {\"ISTIO_META_DNS_CAPTURE\": \"true\", \"ISTIO_META_HTTP10\": \"1\"}}"});
    let _pods = with_pods(&[idle("e2e-dns", captures, json!({}))], "e2e-dns");
    let entry = |name: &str, host: &str, resolution: &str, ports: Value| {
        service_entry(name, json!({"hosts": [host], "resolution": resolution, "ports": ports}))
    };
    let tcp = json!([{"number": 9191, "name": "tcp", "protocol": "TCP"}]);
    let mut opted_out = entry("default/e2e-out", "c.example.com", "DNS", json!([{"number": 9192, "name": "tcp", "protocol": "TCP"}]));
    opted_out["metadata"]["labels"] = json!({"networking.istio.io/enable-autoallocate-ip": "false"});
    State {
        what: "ServiceEntries to which istiod gives an address",
        manifests: vec![
            entry(
                "default/e2e-a",
                "a.example.com",
                "DNS",
                json!([{"number": 9191, "name": "tcp", "protocol": "TCP"}, {"number": 9443, "name": "tls", "protocol": "TLS"}]),
            ),
            entry("default/e2e-b", "b.example.com", "NONE", tcp),
            entry("default/e2e-d", "*.d.example.com", "DYNAMIC_DNS", json!([{"number": 9193, "name": "tls", "protocol": "TLS"}])),
            opted_out,
        ],
        // HTTP/1.0 changes no chain. Only the one without a resolution, and the one that takes no address, are listened to for any.
        numbers: &[("e2e-dns", "0.0.0.0_9191", "", 1), ("e2e-dns", "0.0.0.0_9192", "", 1), ("sleep", "0.0.0.0_9443", "", 2)],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_sidecar_that_intercepts_nothing() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _pods = with_pods(&[idle("e2e-none", json!({"sidecar.istio.io/interceptionMode": "NONE"}), json!({}))], "e2e-none");
    let listen = |number: u16, protocol: &str, bind: &str| {
        let mut ingress =
            json!({"port": {"number": number, "protocol": protocol, "name": format!("p-{number}")}, "defaultEndpoint": "127.0.0.1:80"});
        if !bind.is_empty() {
            ingress["bind"] = json!(bind);
        }
        ingress
    };
    let ingress = json!([
        listen(8080, "HTTP", "0.0.0.0"),
        listen(8081, "TCP", "0.0.0.0"),
        listen(15021, "HTTP", ""),
        listen(15090, "HTTP", "127.0.0.1")
    ]);
    let egress = json!([{"port": {"number": 9080, "protocol": "HTTP_PROXY", "name": "proxy"}, "hosts": ["*/*"]}]);
    let sidecar = json!({"workloadSelector": {"labels": {"app": "e2e-none"}}, "ingress": ingress, "egress": egress});
    State {
        what: "a Sidecar whose ingress is all that is listened to",
        manifests: vec![
            object("networking.istio.io/v1", "Sidecar", "default/e2e", sidecar),
            service("default/e2e-none", json!({"selector": {"app": "e2e-none"}, "ports": [{"name": "http", "port": 7500}]})),
            wasm_plugin("default/e2e-http", json!({"selector": on("e2e-none")})),
        ],
        numbers: &[
            ("e2e-none", "0.0.0.0_8080", "default/e2e-http", 2),
            ("e2e-none", "0.0.0.0_8081", "", 3),
            ("e2e-none", "127.0.0.1_15090", "default/e2e-http", 2),
        ],
        untold: &[("e2e-none", "*", "Sidecar default/e2e declares egress listeners of its own")],
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn ports_that_the_pod_names_and_pods_that_are_not_ready() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let named = json!({"ports": [{"name": "web", "containerPort": 8088}, {"name": "other", "containerPort": 8089}]});
    let unready = json!({"readinessProbe": {"exec": {"command": ["/bin/false"]}}});
    let _unready = with_pods(&[idle("e2e-unready", json!({}), unready)], "e2e-unready");
    let _pods = with_pods(&[idle("e2e-named", json!({}), named)], "e2e-named");
    let headless = |app: &str, target: Value| json!({"clusterIP": "None", "selector": {"app": app}, "ports": [{"name": "tcp", "port": 7600, "targetPort": target}]});
    let entry = json!({"hosts": ["n.example.com"], "location": "MESH_INTERNAL", "resolution": "STATIC", "workloadSelector": {"labels": {"app": "e2e-named"}},
        "ports": [{"number": 9300, "name": "web", "protocol": "HTTP", "targetPort": 9301}, {"number": 9302, "name": "x", "protocol": "TCP", "targetPort": 9303}]});
    let slices = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"namespace": "default", "name": "e2e-slice", "labels": {"kubernetes.io/service-name": "e2e-by-hand"}},
        "endpoints": [{"addresses": ["10.50.0.1"]}], "ports": [{"name": "tcp", "port": 7612, "protocol": "TCP"}]});
    State {
        what: "named ports of a pod, headless services of pods that are not ready, and endpoints by hand",
        manifests: vec![
            service_entry("default/e2e-named", entry),
            service("default/e2e-named", json!({"selector": {"app": "e2e-named"}, "ports": [{"name": "http", "port": 6001, "targetPort": "other"}, {"name": "tcp", "port": 6002, "targetPort": "nosuch"}]})),
            service("default/e2e-headless", headless("e2e-unready", json!(7600))),
            service("default/e2e-headless-named", headless("e2e-named", json!("nosuch"))),
            service("default/e2e-by-hand", json!({"clusterIP": "None", "ports": [{"name": "tcp", "port": 7612}]})),
            slices,
            wasm_plugin("default/e2e-http", json!({"selector": on("e2e-named")})),
        ],
        // 8088 by the entry's port name, 9303, 8089 by the service's targetPort, and the passthrough.
        numbers: &[("e2e-named", "virtualInbound", "default/e2e-http", 2 + 2 + 2), ("e2e-named", "virtualInbound", "", 1 + 5 + 2 + 2 + 3)],
        untold: &["httpbin", "sleep", "e2e-named", "e2e-unready"].map(|proxy| (proxy, "10.50.0.1_7612", "Service default/e2e-by-hand selects no pods")),
    }
    .holds();
}
