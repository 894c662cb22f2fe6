//! The listeners of gateways and waypoints: which servers are opened, which share a port, and where plugins stand in them.

use meshscope::analysis::chains::Prediction;
use meshscope::model::envoy::Node;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::{GATEWAY_GROUP, GATEWAY_NAME, Object, named, target, targeting, with};
use super::would::{NEWEST, aged, lines, node, of, send, service};

/// The pod `w` with a gateway that was deployed by hand.
fn classic() -> Object {
    gateway_pod(json!({"app": "a"}), "router")
}

/// The pod `w` of the Gateway `default/g`.
fn managed() -> Object {
    gateway_pod(json!({GATEWAY_NAME: "g"}), "router")
}

fn gateway_pod(labels: Value, role: &str) -> Object {
    (
        Kind::Pod,
        json!({"metadata": {"namespace": "default", "name": "w", "labels": labels},
            "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", role]}]}, "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}}),
    )
}

/// An HTTP and a network plugin on all that is in `default`.
fn plugins() -> [Object; 2] {
    let plugin = |name: &str, spec: Value| named(Kind::WasmPlugin, "default", name, json!({}), spec);
    [plugin("h", json!({"url": "oci://r/x:v1"})), plugin("n", json!({"url": "oci://r/x:v1", "type": "NETWORK"}))]
}

/// A `networking.istio.io` Gateway for the pods with label `app: a`, by default.
fn gateway(name: &str, servers: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    named(Kind::IstioGateway, namespace, name, json!({}), json!({"selector": {"app": "a"}, "servers": servers}))
}

fn server(port: u16, protocol: &str, hosts: &[&str]) -> Value {
    let mut server =
        json!({"port": {"number": port, "name": format!("{protocol}-{port}-{}", hosts.concat()), "protocol": protocol}, "hosts": hosts});
    if matches!(protocol, "HTTPS" | "TLS") {
        server["tls"] = json!({"mode": if protocol == "TLS" { "PASSTHROUGH" } else { "SIMPLE" }});
    }
    server
}

fn opened(objects: &[Object]) -> Vec<String> {
    lines(&send(&[objects, &plugins()].concat()))
}

#[test]
fn http_shares_a_chain_and_each_https_server_has_its_own() {
    let servers =
        json!([server(80, "HTTP", &["a"]), server(80, "HTTP2", &["b"]), server(443, "HTTPS", &["c", "d"]), server(443, "HTTPS", &["*"])]);
    // What the first chain takes of the network plugins, the second lacks.
    assert_eq!(opened(&[classic(), gateway("default/g", servers)]), ["0.0.0.0_443 [SNI c,d http n h] [http h]", "0.0.0.0_80 [http n h]"]);
}

#[test]
fn what_cannot_share_a_port_is_left_out() {
    let of = |servers: &[Value]| opened(&[classic(), gateway("default/g", json!(servers))]).join("; ");
    assert_eq!(of(&[server(80, "HTTP", &["a"]), server(80, "TCP", &["*"])]), "0.0.0.0_80 [http n h]");
    assert_eq!(of(&[server(80, "TCP", &["*"]), server(80, "HTTP", &["a"])]), "", "the chains of TCP follow routes");
    assert_eq!(of(&[server(80, "HTTP", &["a"]), server(80, "HTTPS", &["b"])]), "0.0.0.0_80 [http n h]");
    // Plain HTTP after HTTPS stands beside it, and with network plugins of its own.
    assert_eq!(of(&[server(80, "HTTPS", &["b"]), server(80, "HTTP", &["a"])]), "0.0.0.0_80 [SNI b http n h] [http n h]");
    assert_eq!(
        of(&[server(80, "HTTPS", &["b"]), server(80, "HTTP", &["a"]), server(80, "HTTPS", &["c"])]),
        "0.0.0.0_80 [SNI b http n h] [http n h]"
    );
    // A host of one port twice, under whatever namespace of its routes.
    let twice = [
        server(443, "HTTPS", &["b", "c"]),
        server(443, "HTTPS", &["*/c", "d"]),
        server(443, "HTTPS", &["default/c"]),
        server(443, "HTTPS", &["./c"]),
    ];
    assert_eq!(of(&twice), "0.0.0.0_443 [SNI b,c http n h] [SNI c http h]");
    // Other addresses are other listeners.
    let mut bound = server(80, "TCP", &["*"]);
    bound["bind"] = json!("127.0.0.1");
    assert_eq!(of(&[bound, server(80, "HTTP", &["a"])]), "0.0.0.0_80 [http n h]");
}

#[test]
fn the_servers_of_the_oldest_gateway_come_first() {
    let a = |second: u32| aged(gateway("default/a", json!([server(443, "HTTPS", &["a"])])), second);
    let b = |second: u32| aged(gateway("default/b", json!([server(443, "HTTPS", &["b"])])), second);
    assert_eq!(opened(&[classic(), a(1), b(2)]), ["0.0.0.0_443 [SNI a http n h] [SNI b http h]"]);
    assert_eq!(opened(&[classic(), a(2), b(1)]), ["0.0.0.0_443 [SNI b http n h] [SNI a http h]"]);
    assert_eq!(opened(&[classic(), a(1), b(1)]), ["0.0.0.0_443 [SNI a http n h] [SNI b http h]"], "of one second by name");
}

#[test]
fn a_servers_port_stands_for_the_one_that_a_service_leads_it_to() {
    let servers = json!([server(80, "HTTP", &["a"]), server(81, "HTTP", &["a"])]);
    let ports = json!({"selector": {"app": "a"}, "ports": [{"port": 80, "name": "http", "targetPort": 8080}]});
    let objects = |labels: Value| {
        [
            classic(),
            gateway("default/g", servers.clone()),
            with(service("default/s", "10.96.0.1", ports.clone()), "/metadata/labels", labels),
        ]
    };
    assert_eq!(opened(&objects(json!({}))), ["0.0.0.0_8080 [http n h]", "0.0.0.0_81 [http n h]"]);
    let untranslated = json!({"experimental.istio.io/disable-gateway-port-translation": "true"});
    assert_eq!(opened(&objects(untranslated)), ["0.0.0.0_80 [http n h]", "0.0.0.0_81 [http n h]"]);
    let unprivileged = Node { unprivileged: true, ..node() };
    let all = [&objects(json!({}))[..], &plugins()].concat();
    assert_eq!(lines(&of(NEWEST, &unprivileged, &all)), ["0.0.0.0_8080 [http n h]"], "81 cannot be bound");
}

#[test]
fn a_plugins_match_asks_for_the_bound_port_and_for_clients() {
    let servers = json!([server(80, "HTTP", &["a"])]);
    let ports = json!({"selector": {"app": "a"}, "ports": [{"port": 80, "name": "http", "targetPort": 8080}]});
    let with_match = |matches: Value| {
        let plugin = named(Kind::WasmPlugin, "default", "h", json!({}), json!({"url": "oci://r/x:v1", "match": matches}));
        lines(&send(&[classic(), gateway("default/g", servers.clone()), service("default/s", "10.96.0.1", ports.clone()), plugin]))
            .join("; ")
    };
    for (matches, line) in [
        (json!([{"ports": [{"number": 8080}]}]), "0.0.0.0_8080 [http h]"),
        (json!([{"ports": [{"number": 80}]}]), "0.0.0.0_8080 [http]"),
        (json!([{"mode": "CLIENT"}]), "0.0.0.0_8080 [http h]"),
        (json!([{"mode": "SERVER"}]), "0.0.0.0_8080 [http]"),
        (json!([{"mode": "SERVER"}, {"mode": "CLIENT_AND_SERVER", "ports": [{"number": 8080}]}]), "0.0.0.0_8080 [http h]"),
    ] {
        assert_eq!(with_match(matches.clone()), line, "{matches}");
    }
}

/// The Gateway `default/g` of the Gateway API.
fn api_gateway(listeners: Value) -> Object {
    named(Kind::Gateway, "default", "g", json!({}), json!({"gatewayClassName": "istio", "listeners": listeners}))
}

fn listener(name: &str, port: u16, protocol: &str, hostname: &str) -> Value {
    let mut listener = json!({"name": name, "port": port, "protocol": protocol});
    if !hostname.is_empty() {
        listener["hostname"] = json!(hostname);
    }
    if matches!(protocol, "HTTPS" | "TLS") {
        listener["tls"] = json!({"mode": if protocol == "TLS" { "Passthrough" } else { "Terminate" }});
    }
    listener
}

#[test]
fn the_listeners_of_the_gateway_api_stand_by_their_names() {
    let listeners = json!([
        listener("zz", 443, "HTTPS", "z"),
        listener("aa", 443, "HTTPS", "a"),
        listener("mm", 443, "HTTP", ""),
        listener("http", 80, "HTTP", "")
    ]);
    // HTTP comes after `aa` and before `zz`, which cannot stand beside it.
    assert_eq!(opened(&[managed(), api_gateway(listeners)]), ["0.0.0.0_443 [SNI a http n h] [http n h]", "0.0.0.0_80 [http n h]"]);
}

#[test]
fn a_listener_that_is_not_programmed_is_not_opened() {
    let listeners = json!([
        listener("good", 80, "HTTP", ""),
        listener("bad", 81, "HTTP", ""),
        listener("udp", 82, "UDP", ""),
        listener("x", 83, "x.io/x", "")
    ]);
    let conditions = json!([{"type": "Programmed", "status": "False", "reason": "Invalid", "message": "Bad TLS configuration"}]);
    let mut gateway = api_gateway(listeners);
    gateway.1["status"] = json!({"listeners": [{"name": "bad", "conditions": conditions}]});
    assert_eq!(opened(&[managed(), gateway]), ["0.0.0.0_80 [http n h]"]);
}

#[test]
fn gateways_of_other_namespaces_stay_out_of_a_managed_one_from_1_31_on() {
    let of =
        |name: &str, port: u16| with(gateway(name, json!([server(port, "HTTP", &["a"])])), "/spec/selector", json!({GATEWAY_NAME: "g"}));
    let objects = [managed(), api_gateway(json!([listener("http", 80, "HTTP", "")])), of("default/own", 81), of("other/theirs", 82)];
    let ports = |prediction: &Prediction| prediction.listeners.iter().filter_map(|listener| listener.port()).collect::<Vec<_>>();
    assert_eq!(ports(&send(&objects)), [80, 81]);
    assert_eq!(ports(&super::would::of("1.30.0", &node(), &objects)), [80, 81, 82]);
}

#[test]
fn a_gateway_that_names_a_service_opens_its_ports_on_the_pods_behind_it() {
    let mut by_hand = api_gateway(json!([listener("http", 93, "HTTP", ""), listener("other", 99, "HTTP", "")]));
    by_hand.1["spec"]["addresses"] = json!([{"type": "Hostname", "value": "s"}]);
    let ports = |name: &str, target: u16| {
        service(name, "10.96.0.1", json!({"selector": {"app": "a"}, "ports": [{"port": 93, "name": "http", "targetPort": target}]}))
    };
    let found = opened(&[classic(), by_hand.clone(), ports("default/s", 9301), ports("default/other", 9302)]);
    assert_eq!(found, ["0.0.0.0_9301 [http n h]"], "neither the port that it lacks nor another service");
    assert_eq!(opened(&[classic(), by_hand, ports("default/other", 9302)]), Vec::<String>::new());
}

#[test]
fn listener_sets_leave_the_whole_gateway_untold() {
    let mut gateway = api_gateway(json!([listener("http", 80, "HTTP", "")]));
    gateway.1["status"] = json!({"attachedListenerSets": 1});
    let prediction = send(&[managed(), gateway]);
    let whys: Vec<&str> = prediction.gaps_of("0.0.0.0_80", false).iter().map(|gap| gap.why.as_str()).collect();
    assert_eq!(whys, ["ListenerSets add listeners to Gateway default/g, and they are not read"]);
}

#[test]
fn tcp_and_tls_servers_are_untold_but_the_http_beside_them_is_not() {
    let servers = json!([server(443, "HTTPS", &["a"]), server(443, "TLS", &["t"]), server(90, "TCP", &["*"])]);
    let prediction = send(&[&[classic(), gateway("default/g", servers)][..], &plugins()].concat());
    assert_eq!(lines(&prediction), ["0.0.0.0_443 [SNI a http n h]"]);
    for name in ["0.0.0.0_443", "0.0.0.0_90"] {
        let gaps = prediction.gaps_of(name, false);
        assert!(
            gaps.iter().all(|gap| gap.tcp_only && gap.why.starts_with("the chains of Gateway default/g")) && !gaps.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn a_waypoint_has_chains_for_each_port_of_what_it_serves() {
    let served = |name: &str, ports: Value| {
        with(service(name, "10.96.0.1", json!({"ports": ports})), "/metadata/labels", json!({"istio.io/use-waypoint": "g"}))
    };
    let waypoint = named(
        Kind::Gateway,
        "default",
        "g",
        json!({}),
        json!({"gatewayClassName": "istio-waypoint", "listeners": [listener("mesh", 15008, "HBONE", "")]}),
    );
    let plugin = |name: &str, refs: Value, more: Value| {
        let mut spec = targeting(refs.as_array().unwrap());
        spec.as_object_mut().unwrap().extend(json!({"url": "oci://r/x:v1"}).as_object().unwrap().clone());
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        named(Kind::WasmPlugin, "default", name, json!({}), spec)
    };
    let objects = [
        gateway_pod(json!({GATEWAY_NAME: "g"}), "waypoint"),
        waypoint,
        served(
            "default/a",
            json!([{"port": 1, "name": "http"}, {"port": 2, "name": "web"}, {"port": 3, "name": "tcp"}, {"port": 4, "name": "u", "protocol": "UDP"}]),
        ),
        aged(served("default/b", json!([{"port": 1, "name": "http"}])), 1),
        plugin("of-a", json!([target("", "Service", "a")]), json!({})),
        plugin("of-all", json!([target(GATEWAY_GROUP, "Gateway", "g")]), json!({"phase": "AUTHN"})),
        plugin("net", json!([target(GATEWAY_GROUP, "Gateway", "g")]), json!({"type": "NETWORK", "match": [{"ports": [{"number": 3}]}]})),
        plugin("of-port", json!([target(GATEWAY_GROUP, "Gateway", "g")]), json!({"match": [{"ports": [{"number": 1}]}]})),
        plugin("of-clients", json!([target(GATEWAY_GROUP, "Gateway", "g")]), json!({"match": [{"mode": "CLIENT"}]})),
        named(Kind::WasmPlugin, "default", "selects", json!({}), json!({"url": "oci://r/x:v1"})),
    ];
    // a: HTTP, then TCP and HTTP of the detected port, then TCP; b; straight to a pod. No HTTP chain there has a port to be matched by.
    let expected = "main_internal [http of-all of-a] [tcp] [http of-all of-a] [tcp net] [http of-all] [tcp] [http of-all]";
    assert_eq!(lines(&send(&objects)), [expected]);
}

#[test]
fn an_east_west_gateway_is_untold() {
    let pod = gateway_pod(json!({GATEWAY_NAME: "g", "gateway.networking.k8s.io/gateway-class-name": "istio-east-west"}), "waypoint");
    let prediction = send(&[pod]);
    assert_eq!(lines(&prediction), Vec::<String>::new());
    assert_eq!(prediction.gaps_of("main_internal", false).len(), 1);
}
