//! Which certificate a client accepts, and which the server has.

use meshscope::analysis::answers;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::mesh::{Object, answer, entry, pod, policy, rule, service, snapshot};

const RIGHT: &str = "spiffe://cluster.local/ns/n/sa/web";
const OLD: &str = "spiffe://cluster.local/ns/n/sa/web-old";

/// A pod with a service account; with another name it is one of the same workload.
fn server(name: &str, account: &str) -> Object {
    let (kind, mut pod) = pod("n", name);
    pod["metadata"]["labels"]["app"] = json!("w");
    pod["metadata"]["ownerReferences"] = json!([{"kind": "StatefulSet", "name": "w", "controller": true}]);
    pod["spec"]["serviceAccountName"] = json!(account);
    (kind, pod)
}

fn mesh_config(text: &str) -> Object {
    (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": text}}))
}

fn mesh(more: &[Object]) -> Vec<Object> {
    let own = [server("w", "web"), pod("c", "client"), service(80, 8080, "http"), policy("n/n", 1, "", "STRICT", Value::Null)];
    [&own, more].concat()
}

fn demanding(names: &[&str]) -> Object {
    rule("n/r", 1, json!({"host": "w", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL", "subjectAltNames": names}}}))
}

/// What comes of the clients with a proxy, and why.
fn fare(objects: &[Object]) -> (&'static str, String) {
    let client = &entry(objects).services[0].clients[0];
    (client.word(), client.reason.clone())
}

#[test]
fn incident_d18_a_name_that_the_certificate_has_not_fails() {
    let config = || mesh_config("trustDomain: cluster.local");
    let (word, reason) = fare(&mesh(&[config(), demanding(&[OLD])]));
    assert_eq!(
        (word, reason.as_str()),
        (
            "fails",
            "DestinationRule n/r wants SAN spiffe://cluster.local/ns/n/sa/web-old; the server's certificate has spiffe://cluster.local/ns/n/sa/web"
        )
    );
    let sentence = entry(&mesh(&[config(), demanding(&[OLD])])).services[0].clients[0].sentence();
    assert!(sentence.starts_with("every client with a proxy sends mutual TLS; DestinationRule n/r wants SAN "), "{sentence}");
    for (what, names, word) in [
        ("the right name", &[RIGHT][..], "fits"),
        ("one of several", &[OLD, RIGHT], "fits"),
        ("no names", &[], "fits"),
        ("another namespace", &["spiffe://cluster.local/ns/other/sa/web"], "fails"),
        ("a pattern, which istiod writes as it is", &["spiffe://cluster.local/ns/n/sa/*"], "fails"),
        ("a pattern in front", &["*/ns/n/sa/web"], "fails"),
        ("the name of a host", &["w.n.svc.cluster.local"], "fails"),
        ("another trust domain", &["spiffe://td.example/ns/n/sa/web"], "fails"),
    ] {
        assert_eq!(fare(&mesh(&[config(), demanding(names)])).0, word, "{what}");
    }
    let permissive = [&mesh(&[config(), demanding(&[OLD])])[..3], &[demanding(&[OLD])]].concat();
    assert_eq!(fare(&permissive).0, "fails", "PERMISSIVE terminates it as well");
}

#[test]
fn incident_d18_the_trust_domain_is_the_meshs() {
    let of = |config: &str, name: &str| fare(&mesh(&[mesh_config(config), demanding(&[name])]));
    assert_eq!(of("trustDomain: td.example", "spiffe://td.example/ns/n/sa/web").0, "fits");
    assert_eq!(of("trustDomain: td.example", RIGHT).0, "fails");
    let (word, reason) = of("trustDomain: td.example\ntrustDomainAliases: [cluster.local]", RIGHT);
    assert!(word == "depends" && reason.contains("only certificates from before cluster.local became an alias"), "{word} {reason}");
    // Without the mesh configuration the trust domain is unknown, and the account is not.
    let unread = |name: &str| fare(&mesh(&[demanding(&[name])])).0;
    assert_eq!([unread("spiffe://td.example/ns/n/sa/web"), unread(OLD), unread(RIGHT)], ["depends", "fails", "fits"]);
}

#[test]
fn incident_d18_ports_and_subsets_have_names_of_their_own() {
    let tls = |name: &str| json!({"mode": "ISTIO_MUTUAL", "subjectAltNames": [name]});
    let of = |policy: Value, subsets: Value| rule("n/r", 1, json!({"host": "w", "trafficPolicy": policy, "subsets": subsets}));
    let port = |number: u16, name: &str| json!([{"port": {"number": number}, "tls": tls(name)}]);
    let word = |policy: Value| fare(&mesh(&[mesh_config("{}"), of(policy, json!([]))])).0;
    assert_eq!(word(json!({"tls": tls(RIGHT), "portLevelSettings": port(80, OLD)})), "fails");
    assert_eq!(word(json!({"tls": tls(OLD), "portLevelSettings": port(80, RIGHT)})), "fits");
    assert_eq!(word(json!({"tls": tls(RIGHT), "portLevelSettings": port(9090, OLD)})), "fits", "another port");
    let subset = json!([{"name": "v1", "labels": {"app": "w"}, "trafficPolicy": {"tls": tls(OLD)}}]);
    let route = json!({"metadata": {"namespace": "n", "name": "v"},
        "spec": {"hosts": ["w"], "http": [{"route": [{"destination": {"host": "w", "subset": "v1"}}]}]}});
    let objects = mesh(&[mesh_config("{}"), of(json!({}), subset), (Kind::VirtualService, route)]);
    let clients = &entry(&objects).services[0].clients;
    let words: Vec<(Option<&str>, &str)> = clients.iter().map(|client| (client.subset.as_deref(), client.word())).collect();
    assert_eq!(words, [(None, "fits"), (Some("v1"), "fails"), (None, "fails")]);
}

#[test]
fn incident_d18_a_client_checks_what_it_has_a_ca_for() {
    let of = |tls: Value| fare(&mesh(&[mesh_config("{}"), rule("n/r", 1, json!({"host": "w", "trafficPolicy": {"tls": tls}}))])).0;
    let own = |more: Value| {
        let mut tls = json!({"mode": "MUTUAL", "clientCertificate": "/c.pem", "privateKey": "/k.pem", "subjectAltNames": [OLD]});
        tls.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tls
    };
    assert_eq!(of(own(json!({"caCertificates": "/ca.pem"}))), "fails");
    assert_eq!(of(own(json!({}))), "depends", "as without names");
    assert_eq!(of(own(json!({"caCertificates": "/ca.pem", "insecureSkipVerify": true}))), "depends");
    let skipping = json!({"mode": "ISTIO_MUTUAL", "insecureSkipVerify": true, "subjectAltNames": [OLD]});
    assert_eq!(of(skipping), "fails", "ISTIO_MUTUAL checks all the same");
}

#[test]
fn incident_d18_pods_with_several_service_accounts_fail_in_part() {
    let two = |second: Object| mesh(&[mesh_config("{}"), demanding(&[RIGHT]), second]);
    let fare = |objects: &[Object]| {
        let pods = ["w", "w-2"].map(|name| ProxyId::new(name, "n"));
        let answer = answers::mtls(&snapshot(objects), &pods);
        let client = &answer.workloads[0].services[0].clients[0];
        (client.word(), client.reason.clone())
    };
    assert_eq!(fare(&two(server("w-2", "web"))).0, "fits");
    let (word, reason) = fare(&two(server("w-2", "web-new")));
    assert_eq!(
        (word, reason.as_str()),
        (
            "fails",
            "DestinationRule n/r wants SAN spiffe://cluster.local/ns/n/sa/web; the server's certificate has \
            spiffe://cluster.local/ns/n/sa/web-new; 1 of 2 pods of the service has one that is wanted, so a part of the connections fails"
        )
    );
    let mut unknown = server("w-2", "");
    unknown.1["spec"]["serviceAccountName"] = Value::Null;
    let (word, reason) = fare(&two(unknown));
    assert!(word == "depends" && reason.contains("the service account of w-2.n is unknown"), "{word} {reason}");
    // One that is over is no server any more.
    let mut over = server("w-2", "web-new");
    over.1["status"]["phase"] = json!("Succeeded");
    assert_eq!(fare(&two(over)).0, "fits");
}

#[test]
fn incident_d18_a_service_entry_adds_names_to_those_of_its_endpoints() {
    let entry_of = |spec: Value| {
        let mut whole = json!({"hosts": ["web.example"], "location": "MESH_INTERNAL", "resolution": "STATIC", "addresses": ["10.1.1.1"],
            "ports": [{"number": 80, "targetPort": 8080, "name": "http", "protocol": "HTTP"}]});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        (Kind::ServiceEntry, json!({"metadata": {"namespace": "n", "name": "e"}, "spec": whole}))
    };
    let of = |spec: Value| {
        let mut server = server("w", "web");
        server.1["status"]["podIPs"] = json!([{"ip": "10.0.0.9"}]);
        fare(&[server, pod("c", "client"), entry_of(spec), mesh_config("{}")])
    };
    let endpoints = |account: Value| json!([{"address": "10.0.0.9", "serviceAccount": account}]);
    let (word, reason) = of(json!({"subjectAltNames": [OLD], "endpoints": endpoints(json!("other"))}));
    assert!(
        word == "fails" && reason.starts_with("ServiceEntry n/e wants SAN spiffe://cluster.local/ns/n/sa/web-old or "),
        "{word} {reason}"
    );
    assert_eq!(of(json!({"subjectAltNames": [OLD], "endpoints": endpoints(json!("web"))})).0, "fits", "an endpoint's own");
    assert_eq!(of(json!({"subjectAltNames": [RIGHT], "endpoints": endpoints(Value::Null)})).0, "fits");
    assert_eq!(of(json!({"endpoints": endpoints(json!("other"))})).0, "fails", "an endpoint's account is a name too");
    assert_eq!(of(json!({"endpoints": endpoints(Value::Null)})).0, "fits", "without any name every certificate of the mesh will do");
    let selected = json!({"subjectAltNames": [OLD], "workloadSelector": {"labels": {"app": "w"}}});
    assert_eq!(of(selected).0, "fits", "a pod that is selected has an identity that istiod adds");
}

#[test]
fn incident_d18_the_answer_has_no_warning_for_it() {
    let quiet = answer(&mesh(&[mesh_config("{}"), demanding(&[OLD])])).warnings;
    assert_eq!(quiet, []);
}
