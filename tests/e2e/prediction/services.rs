//! Services and ServiceEntries of every kind, and Sidecars that narrow what is known of them.

use serde_json::{Value, json};

use super::super::world::{is_lab, mesh};
use super::{HELLOWORLD, State, object, service, service_entry, wasm_plugin};

fn on_httpbin(ports: Value) -> Value {
    json!({"selector": {"app": "httpbin"}, "ports": ports})
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn ports_of_each_protocol_and_services_without_an_address() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let ports = json!([
        {"name": "http-a", "port": 7000, "targetPort": 7001}, {"name": "tcp-b", "port": 7010, "targetPort": 7011},
        {"name": "unnamed", "port": 7020, "targetPort": 7021}, {"name": "udp-c", "port": 7030, "targetPort": 7031, "protocol": "UDP"},
        {"name": "grpc-d", "port": 7040, "targetPort": 7041}, {"name": "https-e", "port": 7050, "targetPort": 7051},
        {"name": "mongo", "port": 7060, "targetPort": 7061}, {"name": "db", "port": 3306, "targetPort": 3307},
        {"name": "x", "port": 7070, "targetPort": 7071, "appProtocol": "kubernetes.io/h2c"}, {"name": "s", "port": 7080, "protocol": "SCTP"}
    ]);
    let headless = |app: &str| json!({"clusterIP": "None", "selector": {"app": app}, "ports": [{"name": "tcp-h", "port": 7100}, {"name": "auto", "port": 7101}, {"name": "http-h", "port": 7102}]});
    State {
        what: "ports of each protocol",
        manifests: vec![
            service("default/e2e-ports", on_httpbin(ports)),
            service("default/e2e-headless", headless("httpbin")),
            service("default/e2e-headless-sleep", headless("sleep")),
            service("default/e2e-external", json!({"type": "ExternalName", "externalName": "example.com", "ports": [{"name": "http", "port": 7200}, {"name": "tcp", "port": 7201}]})),
        ],
        // HTTP on 80, 7001, 7041, 7071, 7102; detected on 7021, 7080, 7101; the passthrough.
        numbers: &[
            ("httpbin", "virtualInbound", HELLOWORLD, 2 * 5 + 2 * 3 + 2),
            ("httpbin", "virtualInbound", "", 1 + 5 + 2 * 5 + 5 * 3 + 3 * 6),
            ("httpbin", "0.0.0.0_7000", HELLOWORLD, 1),
            ("httpbin", "0.0.0.0_7102", HELLOWORLD, 1),
            ("sleep", "0.0.0.0_7040", "", 2),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn services_that_share_a_port_of_the_workload_or_of_the_mesh() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let port = |name: &str, port: u16, target: u16| on_httpbin(json!([{"name": name, "port": port, "targetPort": target}]));
    State {
        what: "two services on one target port, of which the older decides, and TCP on a port of HTTP",
        manifests: vec![
            service("default/e2e-second", port("tcp-x", 7300, 80)),
            service("default/e2e-a", port("tcp", 7301, 7310)),
            service("default/e2e-b", port("http", 7302, 7310)),
            service("default/e2e-mixed", json!({"selector": {"app": "sleep"}, "ports": [{"name": "tcp-q", "port": 8000}]})),
            service(
                "default/e2e-own",
                on_httpbin(json!([{"name": "http-a", "port": 15021}, {"name": "tcp-b", "port": 15090}, {"name": "http-c", "port": 15001}])),
            ),
            service("default/e2e-named", on_httpbin(json!([{"name": "http-a", "port": 7303, "targetPort": "nosuch"}]))),
        ],
        // e2e-a and e2e-b are of one second, or of two in this order: 7310 speaks TCP. 80 stays HTTP.
        numbers: &[("httpbin", "virtualInbound", HELLOWORLD, 4), ("httpbin", "virtualInbound", "", 8 + 3)],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn entries_with_addresses_ranges_and_none() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let port = |number: u16, protocol: &str| json!({"number": number, "name": format!("p-{number}"), "protocol": protocol});
    let entry = |name: &str, hosts: Value, resolution: &str, ports: Vec<Value>, more: Value| {
        let mut spec = json!({"hosts": hosts, "resolution": resolution, "location": "MESH_EXTERNAL", "ports": ports});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service_entry(&format!("default/{name}"), spec)
    };
    let none = json!({});
    State {
        what: "entries by name, by address, by range, of one host twice, with endpoints and workloads",
        manifests: vec![
            entry(
                "e2e-names",
                json!(["a.example.com", "b.example.com"]),
                "DNS",
                vec![port(443, "TLS"), port(8443, "HTTPS"), port(9090, "HTTP"), port(9191, "TCP")],
                none.clone(),
            ),
            entry("e2e-again", json!(["a.example.com"]), "DNS", vec![port(9192, "TCP"), port(9193, "wonder")], none.clone()),
            entry(
                "e2e-ranges",
                json!(["c.example.com"]),
                "NONE",
                vec![port(9194, "TCP"), port(9195, "TLS")],
                json!({"addresses": ["10.1.2.3/8", "10.9.9.9/8", "10.2.0.0/16", "192.0.2.7/32", "198.51.100.7"]}),
            ),
            entry(
                "e2e-all",
                json!(["d.example.com"]),
                "NONE",
                vec![port(9196, "TCP"), port(9197, "TLS")],
                json!({"addresses": ["0.0.0.0/0"]}),
            ),
            entry("e2e-detected", json!(["e.example.com"]), "NONE", vec![port(9198, "x")], json!({"addresses": ["10.1.0.0/16"]})),
            entry("e2e-detected-2", json!(["f.example.com"]), "NONE", vec![port(9198, "x")], json!({"addresses": ["10.2.0.0/16"]})),
            entry(
                "e2e-any",
                json!(["g.example.com"]),
                "NONE",
                vec![port(9199, "TCP"), port(15021, "TCP"), port(15090, "HTTP")],
                none.clone(),
            ),
            entry("e2e-wild", json!(["*.wild.example.com"]), "NONE", vec![port(9200, "TLS")], none.clone()),
            entry("e2e-dynamic", json!(["*.dynamic.example.com"]), "DYNAMIC_DNS", vec![port(9201, "TLS"), port(9202, "HTTP")], none),
            entry(
                "e2e-endpoints",
                json!(["h.example.com"]),
                "STATIC",
                vec![port(9203, "TCP")],
                json!({"endpoints": [{"address": "1.2.3.4"}]}),
            ),
            entry(
                "e2e-workloads",
                json!(["i.example.com"]),
                "NONE",
                vec![port(9204, "TCP")],
                json!({"workloadSelector": {"labels": {"app": "sleep"}}}),
            ),
            entry(
                "e2e-inbound",
                json!(["j.example.com"]),
                "STATIC",
                vec![json!({"number": 9205, "name": "http", "protocol": "HTTP", "targetPort": 9206})],
                json!({"addresses": ["203.0.113.5"], "workloadSelector": {"labels": {"app": "httpbin"}}}),
            ),
        ],
        numbers: &[
            ("httpbin", "virtualInbound", HELLOWORLD, 4 + 2),
            ("httpbin", "0.0.0.0_9090", HELLOWORLD, 1),
            ("httpbin", "0.0.0.0_9193", HELLOWORLD, 1),
            ("sleep", "0.0.0.0_443", "", 3),
            ("sleep", "0.0.0.0_9194", "", 3),
            ("sleep", "0.0.0.0_9196", "", 2),
            ("sleep", "0.0.0.0_9198", "", 3),
            ("sleep", "198.51.100.7_9194", "", 1),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn what_is_exported_imported_and_routed() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let exported = |name: &str, port: u16, to: &str| {
        let ports = json!([{"name": "http", "port": port}, {"name": "tcp", "port": port + 1}]);
        let mut service = service(name, json!({"selector": {"app": "istiod"}, "ports": ports}));
        service["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": to});
        service
    };
    let sidecar = |hosts: Value| {
        object(
            "networking.istio.io/v1",
            "Sidecar",
            "default/e2e",
            json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "egress": [{"hosts": hosts}]}),
        )
    };
    let services = || {
        vec![
            exported("istio-system/e2e-private", 7400, "."),
            exported("istio-system/e2e-to", 7410, "default,kube-system"),
            exported("default/e2e-hidden", 7420, "~"),
        ]
    };
    State {
        what: "services that are exported to us, to others and to nobody",
        manifests: services(),
        numbers: &[("httpbin", "0.0.0.0_7410", HELLOWORLD, 1)],
        ..State::default()
    }
    .holds();
    State {
        what: "a Sidecar that imports its own namespace and excludes one host of another",
        manifests: [services(), vec![sidecar(json!(["./*", "istio-system/*", "~istio-system/e2e-to.istio-system.svc.cluster.local"]))]]
            .concat(),
        numbers: &[("httpbin", "0.0.0.0_15010", HELLOWORLD, 1), ("sleep", "0.0.0.0_7410", "", 2)],
        ..State::default()
    }
    .holds();
    let host = "httpbin.default.svc.cluster.local";
    let second = json!({"hosts": [host], "resolution": "DNS", "ports": [{"number": 9301, "name": "tcp", "protocol": "TCP"}]});
    State {
        what: "a Sidecar that names its host exactly, which then is one service, a Kubernetes one before others",
        manifests: vec![service_entry("default/e2e-second", second), sidecar(json!([format!("default/{host}")]))],
        numbers: &[("httpbin", "0.0.0.0_8000", HELLOWORLD, 1), ("sleep", "0.0.0.0_9301", "", 1)],
        ..State::default()
    }
    .holds();
    let routes = json!({"hosts": ["*.example.com"], "tcp": [{"match": [{"destinationSubnets": ["192.0.2.0/25"]}], "route": [{"destination": {"host": "sleep.default.svc.cluster.local"}}]}]});
    State {
        what: "tcp routes, by which the chains without HTTP of their hosts cannot be told",
        manifests: vec![
            service_entry("default/e2e-routed", json!({"hosts": ["r.example.com"], "addresses": ["192.0.2.0/24"], "resolution": "NONE", "ports": [{"number": 9310, "name": "tcp", "protocol": "TCP"}]})),
            object("networking.istio.io/v1", "VirtualService", "default/e2e", routes),
            wasm_plugin("default/e2e-clients", json!({"match": [{"mode": "CLIENT"}]})),
        ],
        numbers: &[("httpbin", "0.0.0.0_8000", "default/e2e-clients", 1), ("httpbin", "virtualInbound", "default/e2e-clients", 0)],
        untold: &[("httpbin", "0.0.0.0_9310", "VirtualService default/e2e has tcp"), ("sleep", "0.0.0.0_9310", "VirtualService default/e2e has tcp")],
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_sidecar_with_ingress_in_the_place_of_services() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let listen = |number: u16, protocol: &str| json!({"port": {"number": number, "protocol": protocol, "name": format!("p-{number}")}, "defaultEndpoint": format!("127.0.0.1:{number}")});
    let mut own = listen(9555, "HTTP");
    own["captureMode"] = json!("NONE");
    let sidecar = |spec: Value| object("networking.istio.io/v1", "Sidecar", "default/e2e", spec);
    let of_httpbin = json!({"labels": {"app": "httpbin"}});
    let ports = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"80": {"mode": "PERMISSIVE"}, "9443": {"mode": "DISABLE"}}});
    State {
        what: "a Sidecar whose ingress opens ports, one of them by itself, under modes of single ports",
        manifests: vec![
            sidecar(json!({"workloadSelector": of_httpbin, "ingress": [listen(9080, "HTTP"), listen(9443, "TCP"), listen(9444, "wonder"), own], "egress": [{"hosts": ["./*"]}]})),
            object("security.istio.io/v1", "PeerAuthentication", "default/e2e", ports),
        ],
        // 9080 and 9444 under STRICT, 80 (no more declared) with a set of its own, the passthrough.
        numbers: &[
            ("httpbin", "virtualInbound", HELLOWORLD, 1 + 1 + 2 + 1),
            ("httpbin", "virtualInbound", "", 1 + 1 + 1 + 2 + 5 + 2),
            ("httpbin", "0.0.0.0_80", HELLOWORLD, 1),
        ],
        ..State::default()
    }
    .holds();
    let egress = json!({"workloadSelector": of_httpbin, "egress": [{"port": {"number": 8000, "protocol": "HTTP", "name": "http"}, "hosts": ["./*"]}, {"hosts": ["*/*"]}]});
    State {
        what: "a Sidecar with an egress listener of its own, which leaves the outbound side untold",
        manifests: vec![sidecar(egress)],
        numbers: &[("httpbin", "virtualInbound", HELLOWORLD, 4), ("httpbin", "0.0.0.0_8000", HELLOWORLD, 1)],
        untold: &[("httpbin", "*", "Sidecar default/e2e declares egress listeners of its own")],
    }
    .holds();
}
