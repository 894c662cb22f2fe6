//! Gateways of every make, and a waypoint.

use serde_json::{Value, json};

use super::super::world::{Applied, is_lab, mesh};
use super::{State, list, object, on, service, settled, wasm_plugin};

/// A Secret with a certificate that openssl made just now and nobody trusts: only that there is one counts.
fn certificate(name: &str) -> Applied {
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=e2e", "-days", "1", "-keyout", "-", "-out", "-"];
    let output = std::process::Command::new("openssl").args(new).output().expect("openssl is on the PATH");
    let text = String::from_utf8(output.stdout).unwrap();
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    let (namespace, name) = name.split_once('/').unwrap();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"namespace": namespace, "name": name}, "stringData": {"tls.crt": certificate, "tls.key": key}});
    Applied::new(secret.to_string())
}

fn listener(name: &str, port: u16, protocol: &str, hostname: &str) -> Value {
    let mut listener = json!({"name": name, "port": port, "protocol": protocol});
    if !hostname.is_empty() {
        listener["hostname"] = json!(hostname);
    }
    if protocol == "HTTPS" {
        listener["tls"] = json!({"mode": "Terminate", "certificateRefs": [{"name": "e2e-certificate"}]});
    }
    listener
}

fn api_gateway(name: &str, class: &str, more: Value) -> Value {
    let mut spec = more;
    spec["gatewayClassName"] = json!(class);
    let mut gateway = object("gateway.networking.k8s.io/v1", "Gateway", name, spec);
    gateway["metadata"]["annotations"] = json!({"networking.istio.io/service-type": "ClusterIP"});
    gateway
}

/// Objects of which pods come, for as long as they live.
fn with_pods(objects: &[Value], label: &str) -> Applied {
    Applied::with_pods(json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string(), label)
}

fn target(kind: &str, name: &str) -> Value {
    json!([{"group": if kind == "Gateway" { "gateway.networking.k8s.io" } else { "" }, "kind": kind, "name": name}])
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_gateway_with_listeners_of_each_protocol() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut bad = listener("bad", 8444, "HTTPS", "c.example.com");
    bad["tls"]["certificateRefs"][0]["name"] = json!("e2e-nosuch");
    let listeners = json!([
        listener("http", 80, "HTTP", ""),
        listener("http-x", 80, "HTTP", "x.example.com"),
        listener("alt", 8081, "HTTP", ""),
        listener("zz", 8443, "HTTPS", "z.example.com"),
        listener("aa", 8443, "HTTPS", "a.example.com"),
        bad,
        // By name it comes between `aa` and `zz`, and leaves out `yy`.
        listener("secure", 8445, "HTTPS", "s.example.com"),
        listener("tt-plain", 8445, "HTTP", ""),
        listener("yy", 8445, "HTTPS", "y.example.com"),
        listener("tcp", 9000, "TCP", ""),
    ]);
    let gateway =
        api_gateway("default/e2e-web", "istio", json!({"listeners": listeners, "allowedListeners": {"namespaces": {"from": "Same"}}}));
    let plugin = |name: &str, more: Value| {
        let mut spec = more;
        spec["targetRefs"] = target("Gateway", "e2e-web");
        wasm_plugin(&format!("default/{name}"), spec)
    };
    let _certificate = certificate("default/e2e-certificate");
    let _gateway = with_pods(&[gateway], "gateway.networking.k8s.io/gateway-name=e2e-web");
    let manifests = vec![
        plugin("e2e-http", json!({})),
        plugin("e2e-net", json!({"type": "NETWORK"})),
        plugin("e2e-port", json!({"match": [{"ports": [{"number": 8443}]}]})),
        plugin("e2e-server", json!({"match": [{"mode": "SERVER"}]})),
    ];
    let tcp = "the chains of Gateway default/e2e-web on port 9000 follow TCP and TLS routes";
    State {
        what: "a Gateway with HTTP on shared ports, HTTPS, a bad certificate and TCP",
        manifests: manifests.clone(),
        numbers: &[
            ("e2e-web", "0.0.0.0_80", "default/e2e-http", 1),
            ("e2e-web", "0.0.0.0_8081", "default/e2e-http", 1),
            ("e2e-web", "0.0.0.0_8443", "default/e2e-http", 2),
            ("e2e-web", "0.0.0.0_8445", "default/e2e-http", 2),
            ("e2e-web", "0.0.0.0_8443", "default/e2e-net", 1),
            ("e2e-web", "0.0.0.0_8445", "default/e2e-net", 2),
            ("e2e-web", "0.0.0.0_80", "default/e2e-net", 1),
            ("e2e-web", "0.0.0.0_8443", "default/e2e-port", 2),
            ("e2e-web", "0.0.0.0_80", "default/e2e-port", 0),
            ("e2e-web", "0.0.0.0_80", "default/e2e-server", 0),
        ],
        ..State::default()
    }
    .holds();
    let route =
        json!({"parentRefs": [{"name": "e2e-web", "sectionName": "tcp"}], "rules": [{"backendRefs": [{"name": "httpbin", "port": 8000}]}]});
    State {
        what: "the same with a TCP route, of which the chain cannot be told",
        manifests: [manifests, vec![object("gateway.networking.k8s.io/v1", "TCPRoute", "default/e2e", route)]].concat(),
        numbers: &[("e2e-web", "0.0.0.0_9000", "default/e2e-net", 1), ("e2e-web", "0.0.0.0_8443", "default/e2e-http", 2)],
        untold: &[("e2e-web", "0.0.0.0_9000", tcp)],
    }
    .holds();
    let servers = |port: u16| json!({"selector": {"gateway.networking.k8s.io/gateway-name": "e2e-web"}, "servers": [{"port": {"number": port, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]});
    State {
        what: "Gateways of Istio's own kind beside it, of which another namespace's stays out",
        manifests: vec![
            object("networking.istio.io/v1", "Gateway", "default/e2e", servers(9100)),
            object("networking.istio.io/v1", "Gateway", "istio-system/e2e", servers(9101)),
        ],
        numbers: &[("e2e-web", "0.0.0.0_9100", "", 1)],
        ..State::default()
    }
    .holds();
    let set = json!({"parentRef": {"name": "e2e-web"}, "listeners": [{"name": "more", "port": 9200, "protocol": "HTTP"}]});
    let untold = ["0.0.0.0_80", "0.0.0.0_8081", "0.0.0.0_8443", "0.0.0.0_8445", "0.0.0.0_9200"];
    State {
        what: "a ListenerSet, which is not read",
        manifests: vec![object("gateway.networking.k8s.io/v1", "ListenerSet", "default/e2e", set)],
        numbers: &[("e2e-web", "0.0.0.0_9200", "", 1)],
        untold: &untold.map(|name| ("e2e-web", name, "ListenerSets add listeners to Gateway default/e2e-web")),
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_gateway_that_was_deployed_by_hand() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let labels = json!({"app": "e2e-classic", "istio": "e2e-classic", "sidecar.istio.io/inject": "true"});
    let template = json!({"metadata": {"labels": labels, "annotations": {"inject.istio.io/templates": "gateway"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "istio-proxy", "image": "auto", "imagePullPolicy": "Never"}]}});
    let deployment = json!({"replicas": 1, "selector": on("e2e-classic"), "template": template});
    let port = |name: &str, port: u16, target: u16| json!({"name": name, "port": port, "targetPort": target});
    let ports = json!([port("http", 80, 8080), port("https", 443, 8443), port("gateway", 9300, 9301)]);
    let other = json!([port("gateway", 9300, 9302)]);
    let _certificate = certificate("default/e2e-certificate");
    let _pods = with_pods(
        &[
            object("apps/v1", "Deployment", "default/e2e-classic", deployment),
            service("default/e2e-classic", json!({"selector": {"app": "e2e-classic"}, "ports": ports})),
            service("default/e2e-other", json!({"selector": {"app": "e2e-classic"}, "ports": other})),
        ],
        "app=e2e-classic",
    );
    let server = |number: u16, protocol: &str, hosts: Value| {
        let mut server = json!({"port": {"number": number, "protocol": protocol, "name": format!("{protocol}-{number}-{hosts}").replace(|c: char| !c.is_alphanumeric(), "")}, "hosts": hosts});
        if protocol == "HTTPS" {
            server["tls"] = json!({"mode": "SIMPLE", "credentialName": "e2e-certificate"});
        }
        server
    };
    let mut bound = server(9500, "HTTP", json!(["*"]));
    bound["bind"] = json!("127.0.0.1");
    let mut passed_on = server(443, "TLS", json!(["t.example.com"]));
    passed_on["tls"] = json!({"mode": "PASSTHROUGH"});
    let gateway = |name: &str, servers: Value| {
        object("networking.istio.io/v1", "Gateway", name, json!({"selector": {"istio": "e2e-classic"}, "servers": servers}))
    };
    let by_hand = api_gateway(
        "default/e2e-by-hand",
        "istio",
        json!({"addresses": [{"type": "Hostname", "value": "e2e-classic"}], "listeners": [listener("http", 9300, "HTTP", "")]}),
    );
    let plugin = |name: &str, more: Value| {
        let mut spec = more;
        spec["selector"] = on("e2e-classic");
        wasm_plugin(&format!("default/{name}"), spec)
    };
    State {
        what: "two Gateways on ports that a Service leads elsewhere, and one that names the Service",
        manifests: vec![
            gateway(
                "default/e2e-a",
                json!([
                    server(80, "HTTP", json!(["*"])),
                    server(443, "HTTPS", json!(["a.example.com"])),
                    server(443, "HTTPS", json!(["default/b.example.com", "./c.example.com"])),
                    passed_on,
                    server(9443, "HTTPS", json!(["x.example.com"])),
                    server(9443, "HTTP", json!(["*"])),
                    server(9000, "TCP", json!(["*"]))
                ]),
            ),
            gateway(
                "default/e2e-b",
                json!([
                    server(8080, "HTTP2", json!(["i.example.com"])),
                    server(443, "HTTPS", json!(["*/a.example.com", "n.example.com"])),
                    server(443, "HTTPS", json!(["m.example.com"])),
                    bound,
                    server(9500, "HTTP", json!(["o.example.com"]))
                ]),
            ),
            by_hand,
            plugin("e2e-http", json!({})),
            plugin("e2e-net", json!({"type": "NETWORK"})),
        ],
        numbers: &[
            ("e2e-classic", "0.0.0.0_8080", "default/e2e-http", 1),
            ("e2e-classic", "0.0.0.0_8443", "default/e2e-http", 3),
            ("e2e-classic", "0.0.0.0_8443", "default/e2e-net", 1),
            ("e2e-classic", "0.0.0.0_9443", "default/e2e-http", 2),
            ("e2e-classic", "0.0.0.0_9443", "default/e2e-net", 2),
            ("e2e-classic", "127.0.0.1_9500", "default/e2e-http", 1),
            ("e2e-classic", "0.0.0.0_9500", "default/e2e-http", 1),
            ("e2e-classic", "0.0.0.0_9301", "default/e2e-http", 1),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_waypoint_whose_listener_the_labs_envoy_refuses() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let served = |name: &str, labels: Value, ports: Value| {
        let mut service = service(name, json!({"selector": {"app": "sleep"}, "ports": ports}));
        service["metadata"]["labels"] = labels;
        service
    };
    let used = || json!({"istio.io/use-waypoint": "e2e-waypoint"});
    let port = |name: &str, port: u16| json!({"name": name, "port": port});
    let plugin = |name: &str, targets: Value, more: Value| {
        let mut spec = more;
        spec["targetRefs"] = targets;
        wasm_plugin(name, spec)
    };
    let waypoint = api_gateway("default/e2e-waypoint", "istio-waypoint", json!({"listeners": [listener("mesh", 15008, "HBONE", "")]}));
    let _waypoint = with_pods(&[waypoint], "gateway.networking.k8s.io/gateway-name=e2e-waypoint");
    let applied = Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": [
        served("default/e2e-a", used(), json!([port("http", 7000), port("detected", 7001), port("tcp", 7002), json!({"name": "udp", "port": 7003, "protocol": "UDP"})])),
        served("default/e2e-b", used(), json!([port("http", 7010)])),
        served("default/e2e-not", json!({}), json!([port("http", 7020)])),
        plugin("default/e2e-gateway", target("Gateway", "e2e-waypoint"), json!({})),
        plugin("default/e2e-service", target("Service", "e2e-a"), json!({})),
        plugin("default/e2e-net", target("Gateway", "e2e-waypoint"), json!({"type": "NETWORK", "match": [{"ports": [{"number": 7002}]}]})),
        plugin("default/e2e-port", target("Gateway", "e2e-waypoint"), json!({"match": [{"ports": [{"number": 7000}]}]})),
        plugin("istio-system/e2e-class", json!([{"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}]), json!({})),
        wasm_plugin("default/e2e-selector", json!({})),
    ]}).to_string());
    let main = "main_internal";
    let numbers = [
        // HTTP and the detected port of e2e-a, HTTP of e2e-b, and what goes straight to a pod.
        ("e2e-waypoint", main, "default/e2e-gateway", 4),
        ("e2e-waypoint", main, "istio-system/e2e-class", 4),
        ("e2e-waypoint", main, "default/e2e-service", 2),
        ("e2e-waypoint", main, "default/e2e-net", 1),
        ("e2e-waypoint", main, "default/e2e-port", 0),
        ("e2e-waypoint", main, "default/e2e-selector", 0),
        ("e2e-waypoint", main, "", 1 + 2 + 1 + 1 + 2),
    ];
    let answer = settled("a waypoint with plugins on itself, a service and its class", &numbers, &[]);
    let waypoint = list(&answer["proxies"]).find(|proxy| proxy["proxy"].as_str().unwrap().starts_with("e2e-waypoint")).unwrap();
    let refused = list(&waypoint["listeners"]).find(|listener| listener["name"] == main).unwrap();
    assert_eq!(refused["state"], "error", "the lab's Envoy lacks Istio's own extensions: {}", refused["error"]);
    drop(applied);
}
