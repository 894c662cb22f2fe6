//! A sidecar's inbound chains: which ports have their own, and how many of each kind under which mode.

use std::collections::BTreeMap;

use meshscope::analysis::chains::Prediction;
use meshscope::model::envoy::Node;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::{Object, named, with};
use super::would::{NEWEST, aged, lines, node, of, send, service, service_entry, sidecar};

/// The chains of a listener by port, as `port chains/with HTTP`; `any` for those that name none.
fn sets(prediction: &Prediction, listener: &str) -> Vec<String> {
    let mut found: BTreeMap<Option<u16>, (usize, usize)> = BTreeMap::new();
    let chains = prediction.listeners.iter().find(|candidate| candidate.name == listener).map(|listener| listener.chains.as_slice());
    for chain in chains.unwrap_or_default() {
        let (all, http) = found.entry(chain.matches.destination_port).or_default();
        *all += 1;
        *http += usize::from(chain.http_filters.is_some());
    }
    let text = |(port, (all, http)): (Option<u16>, (usize, usize))| {
        format!("{} {all}/{http}", port.map_or_else(|| "any".to_owned(), |port| port.to_string()))
    };
    found.into_iter().map(text).collect()
}

/// The sets of `virtualInbound`, without the blackhole.
fn inbound(objects: &[Object]) -> Vec<String> {
    sets(&send(objects), "virtualInbound").into_iter().filter(|set| !set.starts_with("15006 ")).collect()
}

fn selecting(ports: Value) -> Value {
    json!({"selector": {"app": "a"}, "ports": ports})
}

fn peer_authentication(mode: &str, ports: Value) -> Object {
    let spec = json!({"selector": {"matchLabels": {"app": "a"}}, "mtls": {"mode": mode}, "portLevelMtls": ports});
    named(Kind::PeerAuthentication, "default", "p", json!({}), spec)
}

fn a_sidecar(ingress: Value) -> Object {
    named(Kind::Sidecar, "default", "s", json!({}), json!({"ingress": ingress}))
}

#[test]
fn each_kind_of_port_has_its_set_under_each_mode() {
    let ports = json!([
        {"port": 1, "name": "http", "targetPort": 81}, {"port": 2, "name": "web", "targetPort": 82},
        {"port": 3, "name": "tcp", "targetPort": 83}, {"port": 4, "name": "dns", "protocol": "UDP", "targetPort": 84}
    ]);
    let of = |mode: &str| {
        inbound(&[sidecar(), service("default/a", "10.96.0.1", selecting(ports.clone())), peer_authentication(mode, json!({}))])
    };
    assert_eq!(of("PERMISSIVE"), ["any 5/2", "81 2/2", "82 5/2", "83 3/0", "84 3/0"]);
    assert_eq!(of("STRICT"), ["any 2/1", "81 1/1", "82 2/1", "83 1/0", "84 1/0"]);
    assert_eq!(of("DISABLE"), ["any 2/1", "81 1/1", "82 2/1", "83 1/0", "84 1/0"]);
}

#[test]
fn of_two_services_on_one_port_the_older_decides() {
    let of = |name: &str, protocol: &str, second: u32| {
        aged(service(&format!("default/{name}"), "10.96.0.1", selecting(json!([{"port": 1, "name": protocol, "targetPort": 81}]))), second)
    };
    assert_eq!(inbound(&[sidecar(), of("a", "http", 2), of("b", "tcp", 1)]), ["any 5/2", "81 3/0"]);
    assert_eq!(inbound(&[sidecar(), of("a", "http", 1), of("b", "tcp", 2)]), ["any 5/2", "81 2/2"]);
    assert_eq!(inbound(&[sidecar(), of("b", "http", 1), of("a", "tcp", 1)]), ["any 5/2", "81 3/0"], "of one second the first by host");
}

#[test]
fn ports_of_the_proxy_itself_have_no_chains() {
    let ports: Vec<Value> =
        [15001, 15006, 15020, 15021, 15090].iter().map(|port| json!({"port": port, "name": format!("http-{port}")})).collect();
    assert_eq!(inbound(&[sidecar(), service("default/a", "10.96.0.1", selecting(json!(ports)))]), ["any 5/2", "15020 2/2"]);
}

#[test]
fn a_port_that_only_a_policy_names_has_a_passthrough_set() {
    let objects = |ingress: &[Object]| {
        let ports = json!([{"port": 1, "name": "http", "targetPort": 81}]);
        let modes = json!({"81": {"mode": "DISABLE"}, "90": {"mode": "STRICT"}, "91": {}, "92": {"mode": "PERMISSIVE"}});
        inbound(
            &[&[sidecar(), service("default/a", "10.96.0.1", selecting(ports)), peer_authentication("STRICT", modes)], ingress].concat(),
        )
    };
    assert_eq!(objects(&[]), ["any 2/1", "81 1/1", "90 2/1", "91 2/1", "92 5/2"]);
    // With a Sidecar its ingress counts in the services' place.
    let ingress = a_sidecar(json!([{"port": {"number": 90, "protocol": "TCP", "name": "t"}, "defaultEndpoint": "127.0.0.1:1"}]));
    assert_eq!(objects(&[ingress]), ["any 2/1", "81 2/1", "90 1/0", "91 2/1", "92 5/2"]);
}

#[test]
fn a_sidecars_ingress_stands_in_the_place_of_services() {
    let listen = |number: u16, protocol: &str, more: Value| {
        let mut ingress = json!({"port": {"number": number, "protocol": protocol, "name": "x"}, "defaultEndpoint": "127.0.0.1:1"});
        ingress.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ingress
    };
    let ingress = a_sidecar(json!([
        listen(80, "HTTP", json!({})),
        listen(81, "wonder", json!({})),
        listen(82, "TCP", json!({"captureMode": "NONE"})),
        listen(15021, "HTTP", json!({})),
        listen(15090, "TCP", json!({})),
        listen(15001, "HTTP", json!({"bind": "0.0.0.0"}))
    ]));
    let ports = json!([{"port": 1, "name": "http", "targetPort": 90}]);
    let prediction = send(&[sidecar(), service("default/a", "10.96.0.1", selecting(ports)), ingress]);
    let virtual_inbound: Vec<String> = sets(&prediction, "virtualInbound");
    assert_eq!(virtual_inbound, ["any 5/2", "80 2/2", "81 5/2", "15001 2/2", "15006 1/0", "15090 3/0"]);
    assert_eq!(sets(&prediction, "10.0.0.1_82"), ["82 3/0"], "one that is not captured is a listener of its own");
}

#[test]
fn without_interception_only_a_sidecars_ingress_is_listened_to() {
    let none = Node { interception_mode: "NONE".to_owned(), ..node() };
    let ports = json!([{"port": 1, "name": "http", "targetPort": 90}]);
    let services = [sidecar(), service("default/a", "10.96.0.1", selecting(ports))];
    let inbound = |objects: &[Object], node: &Node| {
        lines(&of(NEWEST, node, objects)).into_iter().filter(|line| !line.starts_with('0')).collect::<Vec<_>>()
    };
    assert_eq!(inbound(&services, &none), Vec::<String>::new());
    let ingress = a_sidecar(json!([{"port": {"number": 80, "protocol": "HTTP", "name": "x"}, "defaultEndpoint": "127.0.0.1:1"}]));
    let both = [&services[..], &[ingress]].concat();
    assert_eq!(inbound(&both, &none), ["10.0.0.1_80 [80 http] [80 http]"]);
    let unprivileged = Node { unprivileged: true, ..none };
    assert_eq!(inbound(&both, &unprivileged), Vec::<String>::new(), "80 cannot be bound");
}

#[test]
fn a_port_of_an_entry_is_the_one_that_the_pod_names_so() {
    let spec = json!({"hosts": ["x.example.com"], "resolution": "STATIC", "workloadSelector": {"labels": {"app": "a"}}, "ports": [
        {"number": 90, "name": "web", "protocol": "HTTP", "targetPort": 91}, {"number": 92, "name": "other", "protocol": "TCP", "targetPort": 93},
        {"number": 94, "name": "third", "protocol": "wonder"}]});
    assert_eq!(inbound(&[sidecar(), service_entry("default/x", spec)]), ["any 5/2", "93 3/0", "94 5/2", "8080 2/2"]);
}

#[test]
fn a_service_names_a_port_of_the_pod_or_none() {
    let ports = json!([{"port": 1, "name": "http", "targetPort": "web"}, {"port": 2, "name": "http-x", "targetPort": "nosuch"}]);
    assert_eq!(inbound(&[sidecar(), service("default/a", "10.96.0.1", selecting(ports))]), ["any 5/2", "8080 2/2"]);
}

#[test]
fn a_machine_outside_the_cluster_serves_by_its_own_names() {
    let machine = (
        Kind::WorkloadEntry,
        json!({"metadata": {"namespace": "default", "name": "w"},
            "spec": {"address": "10.0.0.1", "labels": {"app": "a"}, "ports": {"http": 81, "dns": 83}}}),
    );
    let ports = json!([{"port": 1, "name": "http", "targetPort": 80}, {"port": 3, "name": "dns", "protocol": "UDP"}, {"port": 4, "name": "tcp", "targetPort": 84}]);
    let headless = service("default/h", "None", selecting(json!([{"port": 5, "name": "http", "targetPort": 85}])));
    let of = inbound(&[machine, service("default/a", "10.96.0.1", selecting(ports)), headless]);
    assert_eq!(of, ["any 5/2", "81 2/2", "84 3/0"]);
}

#[test]
fn a_tunnel_leads_to_the_ports_without_mutual_tls() {
    let env = json!([{"name": "PILOT_ENABLE_AMBIENT", "value": "true"}]);
    let istiod = (
        Kind::Pod,
        json!({"metadata": {"namespace": "istio-system", "name": "istiod", "labels": {"app": "istiod"}},
            "spec": {"containers": [{"name": "discovery", "env": env}]}, "status": {"phase": "Running"}}),
    );
    let ports = json!([{"port": 1, "name": "http", "targetPort": 81}, {"port": 2, "name": "web", "targetPort": 82}, {"port": 3, "name": "tcp", "targetPort": 83}]);
    let objects = [istiod, sidecar(), service("default/a", "10.96.0.1", selecting(ports)), peer_authentication("STRICT", json!({}))];
    let hbone = Node { enable_hbone: true, instance_ips: vec!["10.0.0.1".to_owned()], ..node() };
    let new = of(NEWEST, &hbone, &objects);
    assert_eq!(sets(&new, "main_internal"), ["any 2/1", "81 1/1", "82 2/1", "83 1/0"]);
    let tunnelled = new.listeners.iter().find(|listener| listener.name == "main_internal").unwrap();
    assert!(
        tunnelled.chains.iter().all(|chain| chain.matches.prefix_ranges == ["10.0.0.1/32"] && chain.matches.transport_protocol.is_empty())
    );
    let old = of("1.22.3", &hbone, &objects);
    assert_eq!(sets(&old, "main_internal"), ["81 1/1", "82 2/1", "83 1/0"], "until 1.22 nothing is passed through");
    assert_eq!(sets(&of(NEWEST, &node(), &objects), "main_internal"), Vec::<String>::new());
}

#[test]
fn each_family_of_addresses_had_its_passthrough_set_until_1_22() {
    let ports = json!([{"port": 1, "name": "http", "targetPort": 81}]);
    let objects = [sidecar(), service("default/a", "10.96.0.1", selecting(ports))];
    let of = |version: &str, ips: &[&str]| {
        let node = Node { instance_ips: ips.iter().map(|&ip| ip.to_owned()).collect(), ..node() };
        sets(&super::would::of(version, &node, &objects), "virtualInbound")[0].clone()
    };
    for (version, ips, passthrough) in [
        ("1.12.0", vec!["10.0.0.1"], "any 5/2"),
        ("1.12.0", vec!["10.0.0.1", "fe80::1"], "any 10/4"),
        ("1.18.7", vec!["10.0.0.1", "2001:db8::1"], "any 10/4"),
        ("1.22.3", vec!["2001:db8::1"], "any 5/2"),
        ("1.22.3", vec!["10.0.0.1", "2001:db8::1"], "any 10/4"),
        ("1.23.0", vec!["10.0.0.1", "2001:db8::1"], "any 5/2"),
        (NEWEST, vec!["10.0.0.1", "2001:db8::1"], "any 5/2"),
    ] {
        assert_eq!(of(version, &ips), passthrough, "{version} {ips:?}");
    }
}

#[test]
fn what_is_labelled_for_another_revision_counts_for_nothing() {
    let labelled = |object: Object| with(object, "/metadata/labels", json!({"istio.io/rev": "canary"}));
    let mut pod = sidecar();
    pod.1["metadata"]["annotations"] = json!({"istio.io/rev": "default"});
    let spec = json!({"hosts": ["x.example.com"], "resolution": "STATIC", "workloadSelector": {"labels": {"app": "a"}},
        "ports": [{"number": 90, "name": "http", "protocol": "HTTP"}]});
    let plugin = named(Kind::WasmPlugin, "default", "p", json!({}), json!({"url": "oci://r/x:v1"}));
    let objects = [
        service_entry("default/x", spec),
        peer_authentication("STRICT", json!({})),
        plugin,
        a_sidecar(json!([{"port": {"number": 70, "protocol": "HTTP", "name": "x"}, "defaultEndpoint": "127.0.0.1:1"}])),
    ];
    let own: Vec<Object> = std::iter::once(pod.clone()).chain(objects.clone()).collect();
    let others: Vec<Object> = std::iter::once(pod).chain(objects.into_iter().map(labelled)).collect();
    assert_eq!(inbound(&own), ["any 2/1", "70 1/1"]);
    assert_eq!(inbound(&others), ["any 5/2"]);
    let has_plugin = |objects: &[Object]| lines(&send(objects)).iter().any(|line| line.contains("http p"));
    assert_eq!((has_plugin(&own), has_plugin(&others)), (true, false));
}
