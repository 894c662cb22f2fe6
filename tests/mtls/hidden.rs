//! Services that clients' proxies do not know, and where traffic to them goes.

use meshscope::analysis::answers::{self, ClientAnswer};
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::mesh::{Object, bare_pod, entry, pod, policy, service, snapshot};

fn sidecar(name: &str, hosts: &[&str], more: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let mut spec = json!({"egress": [{"hosts": hosts}]});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (Kind::Sidecar, json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec}))
}

fn only() -> Value {
    json!({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})
}

fn mesh_config(mode: &str) -> Object {
    let text = format!("outboundTrafficPolicy: {{mode: {mode}}}");
    (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": text}}))
}

/// The server `n/w`, a client beside it and one in another namespace.
fn mesh(more: &[Object]) -> Vec<Object> {
    [&[pod("n", "w"), pod("n", "client"), pod("c", "client"), service(80, 8080, "http")], more].concat()
}

/// What comes of the clients with a proxy of a namespace.
fn client(objects: &[Object], namespace: &str) -> ClientAnswer {
    let of = |client: &&ClientAnswer| {
        client.proxy && (client.from.is_empty() || client.from.iter().any(|from| from.ends_with(&format!(" {namespace}"))))
    };
    entry(objects).services[0].clients.iter().find(of).unwrap().clone()
}

/// The findings about what is hidden, and all errors.
fn found(objects: &[Object]) -> Vec<Finding> {
    let all = answers::findings(&snapshot(objects), None, &[]).findings;
    all.into_iter().filter(|finding| matches!(finding.code, "not-imported" | "mtls-mismatch")).collect()
}

fn codes(objects: &[Object]) -> Vec<(&'static str, Severity)> {
    found(objects).iter().map(|finding| (finding.code, finding.severity)).collect()
}

const ERROR: (&str, Severity) = ("not-imported", Severity::Error);
const HIDDEN: (&str, Severity) = ("mtls-mismatch", Severity::Information);

#[test]
fn incident_d13_a_sidecar_that_imports_nothing_blackholes_its_clients() {
    let objects = mesh(&[mesh_config("ALLOW_ANY"), sidecar("n/default", &["istio-system/*"], only())]);
    let own = client(&objects, "n");
    assert_eq!((own.word(), serde_json::to_value(own.sends).unwrap()), ("fails", json!("nothing")));
    assert_eq!(own.reason, "Sidecar n/default does not import w.n, and REGISTRY_ONLY sends what is unknown to BlackHoleCluster");
    assert_eq!(own.sentence(), format!("namespace n sends nothing; {}", own.reason));
    assert_eq!(client(&objects, "c").word(), "fits", "another namespace's clients have another Sidecar");
    let [finding] = &found(&objects)[..] else { panic!("{:?}", found(&objects)) };
    assert_eq!(
        (finding.code, finding.severity, finding.object.to_string().as_str()),
        ("not-imported", Severity::Error, "Sidecar n/default")
    );
    assert!(
        finding.what.starts_with("Sidecar n/default does not import w.n, and REGISTRY_ONLY sends what is unknown to BlackHoleCluster"),
        "{finding:?}"
    );
    assert_eq!(finding.evidence[0], "egress.hosts is istio-system/*; outboundTrafficPolicy REGISTRY_ONLY is the Sidecar's own");
    assert!(finding.fix.starts_with("add ./* to egress.hosts of Sidecar n/default"), "{finding:?}");
    for (what, sidecar, config) in [
        (
            "of some workloads",
            sidecar("n/s", &["istio-system/*"], json!({"workloadSelector": {"labels": {"app": "client"}}})),
            "REGISTRY_ONLY",
        ),
        ("of the root namespace", sidecar("istio-system/default", &["istio-system/*"], json!({})), "REGISTRY_ONLY"),
        ("of a policy without a mode", sidecar("n/s", &["istio-system/*"], json!({"outboundTrafficPolicy": {}})), "ALLOW_ANY"),
    ] {
        assert_eq!(
            codes(&mesh(&[mesh_config(config), sidecar])),
            if what.contains("root") { vec![ERROR, HIDDEN] } else { vec![ERROR] },
            "{what}"
        );
    }
}

#[test]
fn incident_d13_a_host_that_no_service_has_is_a_mistake() {
    for host in ["./w", "*/w", "n/w.n", "./w.n.svc", "c/w.n.svc.cluster.local"] {
        let objects = mesh(&[mesh_config("REGISTRY_ONLY"), sidecar("n/default", &[host, "istio-system/*"], json!({}))]);
        let [finding] = &found(&objects)[..] else { panic!("{host}: {:?}", found(&objects)) };
        assert_eq!((finding.code, finding.severity), ERROR, "{host}");
        assert!(finding.fix.starts_with(&format!("write n/w.n.svc.cluster.local in place of {host} in")), "{finding:?}");
    }
    let imported = |host: &str| codes(&mesh(&[mesh_config("REGISTRY_ONLY"), sidecar("n/default", &[host], json!({}))]));
    for host in ["./w.n.svc.cluster.local", "*/w.n.svc.cluster.local", "n/*.n.svc.cluster.local", "./*", "*/*"] {
        assert_eq!(imported(host), [], "{host}");
    }
}

#[test]
fn incident_d13_what_may_be_hidden_on_purpose_is_no_error() {
    let only = |hosts: &[&str]| codes(&mesh(&[mesh_config("REGISTRY_ONLY"), sidecar("n/default", hosts, json!({}))]));
    assert_eq!(only(&["~/*"]), [HIDDEN], "the workloads call nothing");
    assert_eq!(only(&["backend/*", "istio-system/*"]), [HIDDEN], "they call others");
    assert_eq!(only(&["./other.n.svc.cluster.local", "istio-system/*"]), [HIDDEN], "each is listed");
    assert_eq!(only(&["*/w.example.com", "n/w.other.svc.cluster.local"]), [HIDDEN], "these name others");
    let elsewhere = mesh(&[mesh_config("REGISTRY_ONLY"), sidecar("c/default", &["istio-system/*"], json!({}))]);
    assert_eq!(codes(&elsewhere), [HIDDEN], "the service is in another namespace");
    // A workload hardly calls itself.
    let alone: Vec<Object> = mesh(&[mesh_config("REGISTRY_ONLY"), sidecar("n/default", &["istio-system/*"], json!({}))]);
    let alone: Vec<Object> = alone.into_iter().filter(|(_, object)| object["metadata"]["name"] != "client").collect();
    assert_eq!(codes(&alone), []);
    assert_eq!(codes(&mesh(&[mesh_config("REGISTRY_ONLY")])), [], "without a Sidecar all is known");
    assert_eq!(
        codes(&mesh(&[mesh_config("ALLOW_ANY"), sidecar("n/default", &["istio-system/*"], json!({}))])),
        [],
        "it is passed on, and taken"
    );
}

#[test]
fn incident_d13_what_is_passed_on_is_plain_text() {
    let narrow = || sidecar("n/default", &["istio-system/*"], json!({}));
    let open = client(&mesh(&[mesh_config("ALLOW_ANY"), narrow()]), "n");
    assert_eq!(
        (open.word(), open.because.as_str()),
        ("fits", "Sidecar n/default does not import w.n, and ALLOW_ANY passes on what is unknown as it comes")
    );
    let strict = || policy("n/n", 1, "", "STRICT", Value::Null);
    assert_eq!(client(&mesh(&[mesh_config("ALLOW_ANY"), narrow(), strict()]), "n").word(), "fails");
    // Where nothing says what becomes of it, that is the answer.
    let unknown = client(&mesh(&[narrow()]), "n");
    assert!(unknown.word() == "depends" && unknown.reason.contains("outboundTrafficPolicy"), "{}", unknown.sentence());
    assert_eq!(client(&mesh(&[narrow(), strict()]), "n").word(), "fails", "neither way arrives");
}

#[test]
fn incident_d13_virtual_services_and_service_entries_bring_a_service() {
    let route = |host: &str, export: &str| {
        let spec =
            json!({"hosts": [host], "exportTo": [export], "http": [{"route": [{"destination": {"host": "w.n.svc.cluster.local"}}]}]});
        (Kind::VirtualService, json!({"metadata": {"namespace": "c", "name": "v"}, "spec": spec}))
    };
    let narrow = |hosts: &[&str]| sidecar("c/default", hosts, only());
    let word = |more: &[Object]| client(&mesh(&[&[mesh_config("ALLOW_ANY")], more].concat()), "c").word();
    assert_eq!(word(&[narrow(&["./*"])]), "fails");
    assert_eq!(word(&[narrow(&["./*"]), route("api.example", "*")]), "fits");
    let mut delegate = route("api.example", "*");
    delegate.1["spec"]["hosts"] = json!([]);
    assert_eq!(word(&[narrow(&["./*"]), delegate.clone()]), "fails", "no VirtualService delegates to it");
    let root = json!({"hosts": ["api.example"], "http": [{"delegate": {"name": "v"}}]});
    let root = (Kind::VirtualService, json!({"metadata": {"namespace": "c", "name": "root"}, "spec": root}));
    assert_eq!(word(&[narrow(&["./*"]), delegate, root]), "fits");
    assert_eq!(word(&[narrow(&["./*"]), route("api.example", "n")]), "fails", "it is not exported to the client");
    assert_eq!(word(&[narrow(&["./other.example"]), route("api.example", "*")]), "fails", "it is not imported");
    assert_eq!(word(&[narrow(&["./api.example"]), route("*.example", "*")]), "fits", "it is for more than what is imported");
    assert_eq!(word(&[narrow(&["./*", "~./api.example"]), route("api.example", "*")]), "fails", "it is left out");
    let own = json!({"hosts": ["w.n.svc.cluster.local"], "location": "MESH_INTERNAL", "resolution": "DNS", "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]});
    let own = (Kind::ServiceEntry, json!({"metadata": {"namespace": "c", "name": "e"}, "spec": own}));
    assert_eq!(word(&[narrow(&["./*"]), own]), "fits", "the client's namespace has the host itself");
}

#[test]
fn incident_d13_a_service_that_is_not_exported() {
    let mut private = service(80, 8080, "http");
    private.1["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": "."});
    let world = |mode: &str| [&mesh(&[mesh_config(mode)])[..3], &[private.clone()], &mesh(&[mesh_config(mode)])[4..]].concat();
    let dropped = client(&world("REGISTRY_ONLY"), "c");
    assert_eq!(
        dropped.reason,
        "w.n is not exported to its namespace (exportTo), and REGISTRY_ONLY sends what is unknown to BlackHoleCluster"
    );
    assert_eq!(codes(&world("REGISTRY_ONLY")), [HIDDEN]);
    assert_eq!((client(&world("ALLOW_ANY"), "c").word(), codes(&world("ALLOW_ANY"))), ("fits", vec![]));
    let gateway = bare_pod("g", "gateway", json!({"istio": "ingressgateway"}), &["router"]);
    let by_gateway = client(&[world("ALLOW_ANY"), vec![gateway]].concat(), "g");
    assert_eq!((by_gateway.word(), serde_json::to_value(by_gateway.sends).unwrap()), ("unused", json!("nothing")));
}

#[test]
fn incident_d13_many_sidecars_are_one_entry() {
    let others = (0..50).flat_map(|number| {
        let namespace = format!("c{number:02}");
        [pod(&namespace, "client"), sidecar(&format!("{namespace}/default"), &["./*"], only())]
    });
    let objects = [mesh(&[mesh_config("ALLOW_ANY")]), others.collect()].concat();
    let clients = entry(&objects).services[0].clients.clone();
    let hidden: Vec<&ClientAnswer> = clients.iter().filter(|client| client.word() == "fails").collect();
    assert_eq!((hidden.len(), hidden[0].from.len(), hidden[0].sidecars.len()), (1, 50, 50));
    assert!(
        hidden[0].reason.starts_with("Sidecars c00/default, c01/default, c02/default and 47 more do not import w.n, and "),
        "{}",
        hidden[0].reason
    );
}
