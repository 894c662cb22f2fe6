//! Clients whose connections do not pass their own proxy, by the settings of their pods.

use meshscope::analysis::answers::{self, ClientAnswer};
use meshscope::analysis::findings::Severity;
use serde_json::{Value, json};

use super::mesh::{Object, entry, named_service, pod, policy, service, snapshot};

/// Clients in namespace `c` with these annotations, and the server under this mode.
fn mesh(mode: &str, server: Object, annotations: Value) -> Vec<Object> {
    let mut client = pod("c", "client");
    client.1["metadata"]["annotations"] = annotations;
    let mut pod = pod("n", "w");
    pod.1["status"]["podIPs"] = json!([{"ip": "10.244.0.4"}]);
    vec![pod, client, server, policy("n/n", 1, "", mode, Value::Null)]
}

/// What comes of the client in namespace `c`.
fn client(objects: &[Object]) -> ClientAnswer {
    let clients = entry(objects).services[0].clients.clone();
    clients.into_iter().find(|client| client.proxy && (client.from.is_empty() || client.from[0].ends_with(" c"))).unwrap()
}

fn word(objects: &[Object]) -> String {
    let client = client(objects);
    format!("{} {}", serde_json::to_value(client.sends).unwrap().as_str().unwrap(), client.word())
}

fn annotated(settings: &[(&str, &str)]) -> Value {
    settings.iter().map(|(name, value)| (format!("traffic.sidecar.istio.io/{name}"), json!(value))).collect()
}

#[test]
fn settings_count_in_the_order_of_the_traffic_rules() {
    for (settings, expected) in [
        (&[][..], "mutualTls fits"),
        (&[("excludeOutboundPorts", "9000, 80")], "plainText fails"),
        (&[("excludeOutboundPorts", "8080")], "mutualTls fits"),
        (&[("excludeOutboundIPRanges", "10.0.0.0/8")], "plainText fails"),
        (&[("excludeOutboundIPRanges", "10.244.0.0/16")], "mutualTls fits"),
        (&[("excludeOutboundIPRanges", "")], "mutualTls fits"),
        (&[("includeOutboundIPRanges", "10.0.0.0/8")], "mutualTls fits"),
        (&[("includeOutboundIPRanges", "*")], "mutualTls fits"),
        (&[("includeOutboundIPRanges", "172.16.0.0/12")], "plainText fails"),
        (&[("includeOutboundIPRanges", "")], "plainText fails"),
        (&[("includeOutboundIPRanges", ""), ("includeOutboundPorts", "80")], "mutualTls fits"),
        (&[("includeOutboundIPRanges", ""), ("includeOutboundPorts", "81")], "plainText fails"),
        (&[("includeOutboundPorts", "81")], "mutualTls fits"),
        (&[("includeOutboundPorts", "80"), ("excludeOutboundIPRanges", "10.0.0.0/8")], "plainText fails"),
        (&[("includeOutboundPorts", "80"), ("excludeOutboundPorts", "80")], "plainText fails"),
    ] {
        let objects = mesh("STRICT", service(80, 8080, "http"), annotated(settings));
        assert_eq!(word(&objects), expected, "{settings:?}");
        let permissive = mesh("PERMISSIVE", service(80, 8080, "http"), annotated(settings));
        assert_eq!(word(&permissive), expected.replace("fails", "fits"), "{settings:?}");
    }
    let objects = mesh("STRICT", service(80, 8080, "http"), annotated(&[("excludeOutboundIPRanges", "10.0.0.0/8")]));
    let said = "annotation excludeOutboundIPRanges (\"10.0.0.0/8\") keeps 10.0.0.1 from the client's proxy";
    assert_eq!(client(&objects).because, said);
}

#[test]
fn the_defaults_of_a_mesh_are_in_the_arguments_of_the_init_container() {
    let of = |name: &str, arguments: Value, annotations: Value| {
        let mut objects = mesh("STRICT", service(80, 8080, "http"), annotations);
        objects[1].1["spec"]["initContainers"] = json!([{"name": name, "args": arguments}]);
        objects
    };
    let arguments = || json!(["istio-iptables", "-p", "15001", "-i", "*", "-x", "", "-b", "*", "-d", "15090,15021", "-o", "80"]);
    let by_default = of("istio-init", arguments(), json!({}));
    assert_eq!(word(&by_default), "plainText fails");
    assert_eq!(client(&by_default).because, "excludeOutboundPorts (\"80\") of its init container keeps port 80 from the client's proxy");
    assert_eq!(word(&of("istio-validation", arguments(), json!({}))), "plainText fails", "under CNI");
    assert_eq!(
        word(&of("istio-init", arguments(), annotated(&[("excludeOutboundPorts", "")]))),
        "mutualTls fits",
        "the pod says otherwise"
    );
    assert_eq!(word(&of("mine", arguments(), json!({}))), "mutualTls fits");
}

#[test]
fn where_addresses_do_not_say_it_is_unknown() {
    let headless = || named_service("w", "None", json!([{"port": 80, "targetPort": 8080, "name": "http"}]));
    let range = annotated(&[("excludeOutboundIPRanges", "10.244.0.0/16")]);
    assert_eq!(word(&mesh("STRICT", headless(), range.clone())), "plainText fails", "clients call the pods");
    let mut unknown = mesh("STRICT", headless(), range);
    unknown[0].1["status"]["podIPs"] = json!([]);
    assert_eq!(word(&unknown), "plainText depends");
    let both = |range: &str| {
        let mut both = service(80, 8080, "http");
        both.1["spec"]["clusterIPs"] = json!(["10.0.0.1", "fd00::1"]);
        word(&mesh("STRICT", both, annotated(&[("includeOutboundIPRanges", range)])))
    };
    assert_eq!(
        ["10.0.0.0/8", "10.0.0.0/8,fd00::/8", "11.0.0.0/8"].map(both),
        ["plainText depends", "mutualTls fits", "plainText fails"],
        "of a Service with two addresses"
    );
    let none = mesh("STRICT", service(80, 8080, "http"), json!({"sidecar.istio.io/interceptionMode": "NONE"}));
    assert_eq!(word(&none), "plainText depends");
}

#[test]
fn one_workload_of_a_namespace_is_told_from_the_others() {
    let mut objects = mesh("STRICT", service(80, 8080, "http"), annotated(&[("excludeOutboundPorts", "80")]));
    objects.push(pod("c", "sound"));
    let clients = entry(&objects).services[0].clients.clone();
    let fares: Vec<(Vec<String>, &str)> = clients.iter().filter(|it| it.proxy).map(|it| (it.from.clone(), it.word())).collect();
    let from = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(fares, [(from(&["pod/sound in c", "namespace n"]), "fits"), (from(&["pod/client in c"]), "fails")]);
    let found = answers::findings(&snapshot(&objects), None, &[]).findings;
    let found: Vec<_> = found.iter().filter(|finding| finding.code == "mtls-mismatch").collect();
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (finding.severity, finding.object.to_string()),
        (Severity::Information, "Service n/w".to_owned()),
        "nothing shows that it calls"
    );
    assert_eq!(finding.fix, "take port 80 out of excludeOutboundPorts of the clients' pods, so that their proxies send mutual TLS");
}
