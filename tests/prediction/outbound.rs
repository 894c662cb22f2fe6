//! A sidecar's outbound listeners: which there are, and what services that meet in one make of it.

use meshscope::model::envoy::Node;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::support::world::{Object, named, with};
use super::would::{NEWEST, aged, lines, node, of, outbound, pod, send, service, service_entry, sidecar};

fn port(number: u16, name: &str) -> Value {
    json!({"port": number, "name": name, "protocol": "TCP"})
}

fn ports(ports: &[Value]) -> Value {
    json!({"ports": ports})
}

/// A ServiceEntry's spec: hosts, addresses, resolution, and ports as number and protocol.
fn entry(hosts: &[&str], addresses: &[&str], resolution: &str, ports: &[(u16, &str)]) -> Value {
    let ports: Vec<Value> =
        ports.iter().map(|(number, protocol)| json!({"number": number, "name": format!("p{number}"), "protocol": protocol})).collect();
    json!({"hosts": hosts, "addresses": addresses, "resolution": resolution, "ports": ports})
}

fn egress(hosts: &[&str]) -> Object {
    named(Kind::Sidecar, "default", "s", json!({}), json!({"egress": [{"hosts": hosts}]}))
}

#[test]
fn http_shares_a_port_and_others_have_their_address() {
    let spec = ports(&[port(80, "http"), port(81, "web"), port(82, "tcp"), port(83, "https"), port(3306, "db")]);
    let found = outbound(&send(&[sidecar(), service("default/a", "10.96.0.1", spec.clone()), service("default/b", "10.96.0.2", spec)]));
    assert_eq!(
        found,
        [
            "0.0.0.0_80 [http] [else tcp]",
            "10.96.0.1_3306 [tcp]",
            "10.96.0.1_81 [http] [else tcp]",
            "10.96.0.1_82 [tcp]",
            "10.96.0.1_83 [tcp]",
            "10.96.0.2_3306 [tcp]",
            "10.96.0.2_81 [http] [else tcp]",
            "10.96.0.2_82 [tcp]",
            "10.96.0.2_83 [tcp]",
        ]
    );
}

#[test]
fn several_services_of_one_host_each_have_their_ports() {
    let a = aged(service_entry("default/a", entry(&["x.example.com"], &[], "DNS", &[(91, "TCP"), (92, "HTTP")])), 1);
    let b = aged(service_entry("default/b", entry(&["x.example.com"], &[], "DNS", &[(93, "TCP"), (94, "TLS")])), 2);
    let other = aged(service_entry("other/c", entry(&["x.example.com"], &[], "DNS", &[(95, "TCP")])), 0);
    let found = outbound(&send(&[sidecar(), a.clone(), b.clone(), other.clone()]));
    let both = ["0.0.0.0_91 [tcp]", "0.0.0.0_92 [http] [else tcp]", "0.0.0.0_93 [tcp]", "0.0.0.0_94 [SNI x.example.com tcp] [else tcp]"];
    assert_eq!(found, both, "the proxy's own namespace goes before an older one elsewhere");
    // A Sidecar that names the host exactly has the oldest alone, but for istiods before 1.31.
    let sidecar_objects = [sidecar(), a, b, egress(&["default/x.example.com"])];
    assert_eq!(outbound(&send(&sidecar_objects)), both[..2]);
    assert_eq!(outbound(&of("1.30.0", &node(), &sidecar_objects)), both);
}

#[test]
fn a_kubernetes_service_goes_before_an_entry_of_its_host_in_a_third_namespace() {
    let spec = entry(&["a.one.svc.cluster.local"], &[], "DNS", &[(91, "TCP")]);
    let objects = [sidecar(), aged(service_entry("two/e", spec), 1), aged(service("one/a", "10.96.0.1", ports(&[port(82, "tcp")])), 2)];
    assert_eq!(outbound(&send(&objects)), ["10.96.0.1_82 [tcp]"]);
    assert_eq!(outbound(&of("1.23.0", &node(), &objects)), ["0.0.0.0_91 [tcp]"], "until 1.23 the first is taken");
}

#[test]
fn ranges_are_told_apart_by_their_network() {
    let spec = entry(&["x.example.com"], &["10.1.2.3/8", "10.2.0.0/16", "10.9.9.9/8", "192.0.2.7/32"], "NONE", &[(91, "TCP"), (92, "TLS")]);
    assert_eq!(
        outbound(&send(&[sidecar(), service_entry("default/x", spec)])),
        [
            "0.0.0.0_91 [to 10.1.2.3/8 tcp] [to 10.2.0.0/16 tcp] [else tcp]",
            "0.0.0.0_92 [SNI x.example.com to 10.1.2.3/8 tcp] [SNI x.example.com to 10.2.0.0/16 tcp] [else tcp]",
            "192.0.2.7_91 [tcp]",
            "192.0.2.7_92 [tcp]",
        ]
    );
    // Every address is no range to match, and still no chain that takes what is left.
    let all = entry(&["x.example.com"], &["0.0.0.0/0"], "NONE", &[(91, "TCP")]);
    assert_eq!(outbound(&send(&[sidecar(), service_entry("default/x", all)])), ["0.0.0.0_91 [tcp] [else tcp]"]);
}

#[test]
fn a_headless_service_is_listened_to_pod_by_pod() {
    let spec = |selector: Value| json!({"selector": selector, "ports": [port(70, "tcp"), port(71, "web"), port(72, "http")]});
    let objects = [
        sidecar(),
        pod("x", json!({"app": "a"}), "10.0.0.2"),
        pod("y", json!({"app": "a"}), "10.0.0.3"),
        service("default/h", "None", spec(json!({"app": "a"}))),
    ];
    let each = |address: &str| [format!("{address}_70 [tcp]"), format!("{address}_71 [http] [else tcp]")];
    let mut expected = vec!["0.0.0.0_72 [http] [else tcp]".to_owned()];
    expected.extend(["10.0.0.2", "10.0.0.3"].iter().flat_map(|address| each(address)));
    assert_eq!(outbound(&send(&objects)), expected, "not the proxy's own pod, 10.0.0.1");
    // A port that the pods do not name has no endpoints.
    let named = |target: &str| json!({"selector": {"app": "a"}, "ports": [{"port": 70, "name": "tcp", "targetPort": target}]});
    let of_port = |target: &str| {
        outbound(&send(&[sidecar(), pod("x", json!({"app": "a"}), "10.0.0.2"), service("default/h", "None", named(target))]))
    };
    assert_eq!(of_port("web"), ["10.0.0.2_70 [tcp]"]);
    assert_eq!(of_port("nosuch"), Vec::<String>::new());
}

#[test]
fn an_entry_without_addresses_is_listened_to_by_what_its_endpoints_are() {
    let spec = |more: Value| {
        let mut spec = entry(&["x.example.com"], &[], "NONE", &[(91, "TCP")]);
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    let one =
        |more: Value| outbound(&send(&[sidecar(), pod("x", json!({"app": "x"}), "10.0.0.2"), service_entry("default/x", spec(more))]));
    assert_eq!(one(json!({})), ["0.0.0.0_91 [tcp]"], "any address");
    assert_eq!(one(json!({"endpoints": [{"address": "1.2.3.4"}]})), ["1.2.3.4_91 [tcp]"]);
    assert_eq!(one(json!({"workloadSelector": {"labels": {"app": "x"}}})), ["10.0.0.2_91 [tcp]"]);
    assert_eq!(one(json!({"workloadSelector": {"labels": {"app": "a"}}})), Vec::<String>::new(), "its own pod alone");
    assert_eq!(one(json!({"workloadSelector": {"labels": {"app": "nobody"}}})), Vec::<String>::new(), "none yet");
}

#[test]
fn the_proxys_own_ports_are_left_out_of_shared_listeners_alone() {
    let spec = ports(&[port(15021, "http"), port(15001, "http-x"), port(15020, "http-y")]);
    let any = entry(&["x.example.com"], &[], "DNS", &[(15090, "TCP"), (15006, "TCP")]);
    let found = outbound(&send(&[sidecar(), service("default/a", "10.96.0.1", spec), service_entry("default/x", any)]));
    assert_eq!(found, ["0.0.0.0_15006 [tcp]", "0.0.0.0_15020 [http] [else tcp]", "0.0.0.0_15090 [tcp]"]);
}

#[test]
fn what_meets_in_one_listener_is_merged_as_istiod_merges_it() {
    let at = |port: u16, protocols: &[&str]| {
        let entries = protocols.iter().enumerate().map(|(place, protocol)| {
            let spec = entry(&[&format!("h{place}.example.com")], &[], "DNS", &[(port, protocol)]);
            aged(service_entry(&format!("default/e{place}"), spec), u32::try_from(place).unwrap())
        });
        let objects: Vec<Object> = std::iter::once(sidecar()).chain(entries).collect();
        outbound(&send(&objects)).join("; ")
    };
    assert_eq!(at(90, &["TCP", "HTTP"]), "0.0.0.0_90 [http] [else tcp]");
    assert_eq!(at(90, &["HTTP", "TCP"]), "0.0.0.0_90 [http] [else tcp]");
    assert_eq!(at(90, &["HTTP", "HTTP"]), "0.0.0.0_90 [http] [else tcp]");
    assert_eq!(at(90, &["TLS", "HTTP", "TLS"]), "0.0.0.0_90 [SNI h0.example.com tcp] [http] [SNI h2.example.com tcp] [else tcp]");
    assert_eq!(at(90, &["TCP", "wonder"]), "0.0.0.0_90 [http] [else tcp]", "an unknown word is detected");
    // A server that speaks first stays alone.
    assert_eq!(at(90, &["MySQL", "HTTP"]), "0.0.0.0_90 [tcp]");
    assert_eq!(at(90, &["HTTP", "Mongo"]), "0.0.0.0_90 [http] [else tcp]");
}

#[test]
fn two_detecting_ranges_on_one_port_stand_together_only_from_1_32_on() {
    let range = |name: &str, host: &str, range: &str| service_entry(name, entry(&[host], &[range], "NONE", &[(90, "wonder")]));
    let objects = [sidecar(), range("default/a", "a.example.com", "10.1.0.0/16"), range("default/b", "b.example.com", "10.2.0.0/16")];
    let first = "0.0.0.0_90 [to 10.1.0.0/16 tcp] [http] [else tcp]";
    assert_eq!(outbound(&send(&objects)), [first]);
    assert_eq!(outbound(&of("1.32.0", &node(), &objects)), ["0.0.0.0_90 [to 10.1.0.0/16 tcp] [http] [to 10.2.0.0/16 tcp] [else tcp]"]);
}

#[test]
fn an_external_name_is_another_name_alone_from_1_21_on() {
    let external = named(
        Kind::Service,
        "default",
        "e",
        json!({}),
        json!({"type": "ExternalName", "externalName": "x.example.com", "ports": [port(82, "tcp"), port(80, "http")]}),
    );
    assert_eq!(outbound(&send(&[sidecar(), external.clone()])), Vec::<String>::new());
    assert_eq!(outbound(&of("1.20.3", &node(), &[sidecar(), external])), ["0.0.0.0_80 [http] [else tcp]", "0.0.0.0_82 [tcp]"]);
}

#[test]
fn what_a_service_is_exported_to_and_a_sidecar_imports_is_known() {
    let exported = |name: &str, port_number: u16, to: &str| {
        with(
            service(name, "10.96.0.1", ports(&[port(port_number, "tcp")])),
            "/metadata/annotations",
            json!({"networking.istio.io/exportTo": to}),
        )
    };
    let objects = [
        sidecar(),
        exported("default/own", 71, "."),
        exported("other/private", 72, "."),
        exported("other/to-us", 73, "default, third"),
        exported("other/to-all", 74, "*"),
        exported("default/hidden", 75, "~"),
    ];
    assert_eq!(outbound(&send(&objects)), ["10.96.0.1_71 [tcp]", "10.96.0.1_73 [tcp]", "10.96.0.1_74 [tcp]"]);
    let imports = |hosts: &[&str]| {
        let ports = outbound(&send(&[&objects[..], &[egress(hosts)]].concat()));
        ports.iter().map(|line| line[10..12].parse::<u16>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(imports(&["./*"]), [71]);
    assert_eq!(imports(&["other/*"]), [73, 74]);
    assert_eq!(imports(&["*/to-us.other.svc.cluster.local", "./*"]), [71, 73]);
    assert_eq!(imports(&["*/*", "~other/to-us.other.svc.cluster.local"]), [71, 74]);
    assert_eq!(imports(&["~/*"]), Vec::<u16>::new());
}

#[test]
fn addresses_in_the_status_count_for_proxies_that_capture_dns() {
    let entry = |resolution: &str, labels: Value| {
        let mut object = service_entry("default/x", entry(&["x.example.com"], &[], resolution, &[(91, "TCP"), (92, "HTTP")]));
        object.1["status"] =
            json!({"addresses": [{"host": "x.example.com", "value": "240.240.0.7"}, {"host": "y", "value": "240.240.0.8"}]});
        object.1["metadata"]["labels"] = labels;
        object
    };
    let captures = Node { captures_dns: true, ..node() };
    let tcp = |node: &Node, entry: Object| {
        outbound(&of(NEWEST, node, &[sidecar(), entry])).into_iter().find(|line| line.contains("_91")).unwrap()
    };
    assert_eq!(tcp(&captures, entry("DNS", json!({}))), "240.240.0.7_91 [tcp]");
    assert_eq!(tcp(&node(), entry("DNS", json!({}))), "0.0.0.0_91 [tcp]");
    assert_eq!(tcp(&captures, entry("NONE", json!({}))), "0.0.0.0_91 [tcp]");
    assert_eq!(tcp(&captures, entry("DNS", json!({"networking.istio.io/enable-autoallocate-ip": "false"}))), "0.0.0.0_91 [tcp]");
}

#[test]
fn unknown_names_are_followed_in_http_where_the_mesh_says_so() {
    let mesh = |mode: &str| {
        let text = format!("outboundTrafficPolicy: {{mode: {mode}}}");
        (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": text}}))
    };
    let plugin = named(Kind::WasmPlugin, "default", "p", json!({}), json!({"url": "oci://r/x:v1"}));
    let catch_all = |mode: &str, more: &[Object]| {
        let found = lines(&send(&[&[sidecar(), plugin.clone(), mesh(mode)], more].concat()));
        found.into_iter().find(|line| line.starts_with("virtualOutbound")).unwrap()
    };
    assert_eq!(catch_all("ALLOW_ANY_DYNAMIC_DNS", &[]), "virtualOutbound [15001 tcp] [http p] [tcp]");
    assert_eq!(catch_all("ALLOW_ANY", &[]), "virtualOutbound [15001 tcp] [tcp]");
    let own = named(Kind::Sidecar, "default", "s", json!({}), json!({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}));
    assert_eq!(catch_all("ALLOW_ANY_DYNAMIC_DNS", &[own]), "virtualOutbound [15001 tcp] [tcp]", "the Sidecar's word stands for the mesh's");
}
