//! What clients send, and whether it is taken.

use meshscope::analysis::answers::ClientAnswer;
use meshscope::analysis::mtls::client::Wire;
use meshscope::analysis::mtls::verdict::{Reason, Taker, Verdict, judge};
use meshscope::analysis::protocol::ProtocolClass::{self, Auto, Http, Tcp};
use meshscope::model::kind::Kind;
use meshscope::model::peer_authentication::MtlsMode::{Disable, Permissive, Strict};
use serde_json::{Value, json};

use super::mesh::{self, Object, bare_pod, entry, named_service, pod, policy, rule, service, tls};

/// `sends verdict` of each group of clients, those without a proxy last; with who they are where not all are alike.
fn fares(objects: &[Object]) -> Vec<String> {
    let word = |client: &ClientAnswer| {
        let sends = serde_json::to_value(client.sends).unwrap();
        let who = if client.from.is_empty() { String::new() } else { format!("{}: ", client.from.join(", ")) };
        let subset = client.subset.as_ref().map(|subset| format!("[{subset}] ")).unwrap_or_default();
        format!("{who}{subset}{} {}", sends.as_str().unwrap(), client.word())
    };
    entry(objects).services[0].clients.iter().map(word).collect()
}

/// The server, its policies and rules, and one client in another namespace.
fn mesh(mode: &str, port: &str, rules: &[Object]) -> Vec<Object> {
    let policies = if mode.is_empty() { vec![] } else { vec![policy("n/n", 1, "", mode, Value::Null)] };
    [&[pod("n", "w"), pod("c", "client"), service(80, 8080, port)], &policies[..], rules].concat()
}

#[test]
fn every_combination_is_judged_by_the_chains_of_the_port() {
    use Reason::{
        NotTerminated, PermissiveForeignTls, StrictNoCertificate, StrictOwnCertificate, StrictPlain, StrictZtunnel, Taken,
        TlsToApplication, TlsToHttp, ToApplication,
    };
    let all: [ProtocolClass; 3] = [Http, Auto, Tcp];
    for (taker, wire, [http, auto, tcp]) in [
        (Taker::Sidecar(Strict), Wire::PlainText, [StrictPlain; 3]),
        (Taker::Sidecar(Strict), Wire::ApplicationTls, [StrictNoCertificate; 3]),
        (Taker::Sidecar(Strict), Wire::Tls, [StrictNoCertificate; 3]),
        (Taker::Sidecar(Strict), Wire::OwnMutualTls, [StrictOwnCertificate; 3]),
        (Taker::Sidecar(Strict), Wire::MutualTls, [Taken; 3]),
        (Taker::Sidecar(Permissive), Wire::PlainText, [Taken; 3]),
        (Taker::Sidecar(Permissive), Wire::MutualTls, [Taken; 3]),
        (Taker::Sidecar(Permissive), Wire::Tls, [PermissiveForeignTls, TlsToApplication, TlsToApplication]),
        (Taker::Sidecar(Permissive), Wire::OwnMutualTls, [PermissiveForeignTls, TlsToApplication, TlsToApplication]),
        (Taker::Sidecar(Permissive), Wire::ApplicationTls, [ToApplication; 3]),
        (Taker::Sidecar(Disable), Wire::PlainText, [Taken; 3]),
        (Taker::Sidecar(Disable), Wire::MutualTls, [NotTerminated; 3]),
        (Taker::Sidecar(Disable), Wire::Tls, [TlsToHttp, TlsToApplication, TlsToApplication]),
        (Taker::Application, Wire::PlainText, [ToApplication; 3]),
        (Taker::Application, Wire::MutualTls, [NotTerminated; 3]),
        (Taker::Application, Wire::Tls, [TlsToApplication; 3]),
        (Taker::Ztunnel(Strict), Wire::PlainText, [StrictZtunnel; 3]),
        (Taker::Ztunnel(Disable), Wire::PlainText, [Taken; 3]),
        (Taker::Ztunnel(Permissive), Wire::MutualTls, [NotTerminated; 3]),
    ] {
        assert_eq!(all.map(|class| judge(wire, taker, class)), [http, auto, tcp], "{taker:?} {wire:?}");
    }
    assert_eq!(
        [Taken, ToApplication, StrictOwnCertificate, TlsToApplication, StrictPlain, NotTerminated].map(Reason::verdict),
        [Verdict::Works, Verdict::Works, Verdict::Depends, Verdict::Depends, Verdict::Fails, Verdict::Fails]
    );
}

#[test]
fn what_breaks_is_found_and_what_looks_like_it_is_not() {
    let of = |mode: &str| rule("n/r", 1, tls(mode));
    let certified = || {
        let mut policy = tls("MUTUAL");
        let files = json!({"mode": "MUTUAL", "clientCertificate": "/c.pem", "privateKey": "/k.pem"});
        policy.pointer_mut("/trafficPolicy").unwrap()["tls"] = files;
        rule("n/r", 1, policy)
    };
    for (what, objects, expected) in [
        ("no policy, no rule", mesh("", "http", &[]), ["mutualTls fits", "plainText fits"]),
        ("STRICT and no rule", mesh("STRICT", "http", &[]), ["mutualTls fits", "plainText fails"]),
        ("STRICT and DISABLE", mesh("STRICT", "http", &[of("DISABLE")]), ["plainText fails", "plainText fails"]),
        ("STRICT and ISTIO_MUTUAL", mesh("STRICT", "http", &[of("ISTIO_MUTUAL")]), ["mutualTls fits", "plainText fails"]),
        ("STRICT and SIMPLE", mesh("STRICT", "http", &[of("SIMPLE")]), ["tls fails", "plainText fails"]),
        ("STRICT and MUTUAL", mesh("STRICT", "http", &[certified()]), ["ownMutualTls depends", "plainText fails"]),
        ("STRICT and MUTUAL without a certificate", mesh("STRICT", "http", &[of("MUTUAL")]), ["plainText fails", "plainText fails"]),
        ("PERMISSIVE and MUTUAL without a certificate", mesh("PERMISSIVE", "http", &[of("MUTUAL")]), ["plainText fits", "plainText fits"]),
        ("DISABLE and no rule", mesh("DISABLE", "http", &[]), ["plainText fits", "plainText fits"]),
        ("DISABLE and ISTIO_MUTUAL", mesh("DISABLE", "http", &[of("ISTIO_MUTUAL")]), ["mutualTls fails", "plainText fits"]),
        ("DISABLE and SIMPLE on HTTP", mesh("DISABLE", "http", &[of("SIMPLE")]), ["tls fails", "plainText fits"]),
        ("DISABLE and SIMPLE on TCP", mesh("DISABLE", "tcp", &[of("SIMPLE")]), ["tls depends", "plainText fits"]),
        ("PERMISSIVE and SIMPLE on HTTP", mesh("PERMISSIVE", "http", &[of("SIMPLE")]), ["tls fails", "plainText fits"]),
        ("PERMISSIVE and SIMPLE on a port of no protocol", mesh("PERMISSIVE", "x", &[of("SIMPLE")]), ["tls depends", "plainText fits"]),
        ("PERMISSIVE and DISABLE", mesh("PERMISSIVE", "http", &[of("DISABLE")]), ["plainText fits", "plainText fits"]),
        ("STRICT and a port of TLS", mesh("STRICT", "https", &[]), ["mutualTls fits", "applicationTls fails"]),
        ("PERMISSIVE and a port of TLS", mesh("PERMISSIVE", "https", &[of("DISABLE")]), ["applicationTls fits", "applicationTls fits"]),
    ] {
        assert_eq!(fares(&objects), expected, "{what}");
    }
}

#[test]
fn auto_mutual_tls_looks_at_the_namespace_the_label_and_the_port() {
    let strict_workload = policy("n/w", 2, "w", "STRICT", Value::Null);
    let open_port = |port: &str| policy("n/w", 2, "w", "STRICT", json!({port: {"mode": "DISABLE"}}));
    let off = (
        Kind::MeshConfigMap,
        json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "enableAutoMtls: false"}}),
    );
    let unlabelled = bare_pod("n", "w", json!({"app": "w"}), &["sidecar"]);
    let without_proxy = bare_pod("n", "w", json!({"app": "w", "security.istio.io/tlsMode": "istio"}), &[]);
    let server = |pod: Object| vec![pod, bare_pod("c", "client", json!({}), &["sidecar"]), service(80, 8080, "http")];
    for (what, objects, expected, because) in [
        (
            "namespace DISABLE and workload STRICT",
            mesh("DISABLE", "http", std::slice::from_ref(&strict_workload)),
            "plainText fails",
            "DISABLE by PeerAuthentication n/n",
        ),
        (
            "namespace UNSET and workload STRICT",
            mesh("UNSET", "http", std::slice::from_ref(&strict_workload)),
            "mutualTls fits",
            "finds the label",
        ),
        (
            "mesh DISABLE",
            [mesh("", "http", std::slice::from_ref(&strict_workload)), vec![policy("istio-system/m", 1, "", "DISABLE", Value::Null)]]
                .concat(),
            "plainText fails",
            "DISABLE by PeerAuthentication istio-system/m",
        ),
        ("port DISABLE", mesh("", "http", &[open_port("8080")]), "plainText fits", "mode of the port is DISABLE"),
        ("another port DISABLE", mesh("", "http", &[open_port("9090")]), "mutualTls fits", "finds the label"),
        (
            "STRICT and no label",
            [server(unlabelled), vec![policy("n/n", 1, "", "STRICT", Value::Null)]].concat(),
            "plainText fails",
            "no label security.istio.io/tlsMode",
        ),
        ("no proxy but the label", server(without_proxy), "mutualTls fails", "finds the label"),
        ("enableAutoMtls: false", [mesh("STRICT", "http", &[]), vec![off]].concat(), "plainText fails", "enableAutoMtls is false"),
    ] {
        assert_eq!(fares(&objects)[0], expected, "{what}");
        let first = &entry(&objects).services[0].clients[0];
        assert!(first.because.contains(because), "{what}: {}", first.because);
    }
}

#[test]
fn of_a_headless_service_all_pods_are_treated_alike() {
    let headless = || named_service("w", "None", json!([{"port": 80, "targetPort": 8080, "name": "http"}]));
    let world = |more: &[Object]| [&[pod("n", "w"), pod("c", "client"), headless()], more].concat();
    let open = policy("n/w", 1, "w", "DISABLE", Value::Null);
    let gateway = bare_pod("c", "client", json!({"istio": "ingressgateway"}), &["router"]);
    let other = |labels: Value| bare_pod("n", "w-2", labels, &["sidecar"]);
    assert_eq!(fares(&world(&[]))[0], "mutualTls fits");
    assert_eq!(fares(&world(std::slice::from_ref(&open)))[0], "mutualTls fails", "the mode of one workload is not looked at");
    assert_eq!(
        fares(&[&[pod("n", "w"), headless(), gateway.clone()], &[open.clone()][..]].concat())[..2],
        ["namespace c: plainText fits", "namespace n: mutualTls fails"],
        "by a gateway it is"
    );
    assert_eq!(fares(&world(&[other(json!({"app": "w"}))]))[0], "plainText fits", "one pod without the label turns it off");
    assert_eq!(fares(&world(&[other(json!({"app": "x"}))]))[0], "mutualTls fits", "a pod of another service does not");
    let because = &entry(&world(&[other(json!({"app": "w"}))])).services[0].clients[0].because;
    assert!(because.contains("w-2.n of the service has no label"), "{because}");
    let open_to_gateway = [gateway, rule("n/r", 1, json!({"host": "w", "trafficPolicy": {"loadBalancer": {"simple": "PASSTHROUGH"}}}))];
    assert_eq!(fares(&[&[pod("n", "w"), headless(), open], &open_to_gateway[..]].concat())[0], "mutualTls fails", "by a rule it is not");
    let chosen = rule("n/r", 1, json!({"host": "w", "trafficPolicy": {"loadBalancer": {"simple": "PASSTHROUGH"}}}));
    let ordinary = [mesh("", "http", &[chosen]), vec![other(json!({"app": "w"}))]].concat();
    assert_eq!(fares(&ordinary)[0], "plainText fits", "PASSTHROUGH makes any service such a one");
}

#[test]
fn ports_and_subsets_of_a_rule_go_before_the_whole() {
    let spec = |policy: Value, subsets: Value| json!({"host": "w.n.svc.cluster.local", "trafficPolicy": policy, "subsets": subsets});
    let port = |number: u16, tls: Value| json!([{"port": {"number": number}, "tls": tls}]);
    let istio = json!({"mode": "ISTIO_MUTUAL"});
    let fare = |policy: Value, subsets: Value| fares(&mesh("STRICT", "http", &[rule("n/r", 1, spec(policy, subsets))]));
    let off = json!({"mode": "DISABLE"});
    assert_eq!(fare(json!({"tls": off, "portLevelSettings": port(80, istio.clone())}), json!([]))[0], "mutualTls fits");
    assert_eq!(
        fare(json!({"tls": off, "portLevelSettings": port(8080, istio.clone())}), json!([]))[0],
        "plainText fails",
        "by the service's port"
    );
    let without_tls = json!([{"port": {"number": 80}, "connectionPool": {}}]);
    assert_eq!(
        fare(json!({"tls": off, "portLevelSettings": without_tls}), json!([]))[0],
        "plainText fails",
        "the pods are marked by the whole all the same"
    );
    assert_eq!(
        fare(json!({"tls": {"mode": "SIMPLE"}, "portLevelSettings": without_tls}), json!([]))[0],
        "plainText fails",
        "and not the cluster"
    );
    let subset = |app: &str, policy: Value| json!([{"name": "v1", "labels": {"app": app}, "trafficPolicy": policy}]);
    assert_eq!(
        fare(json!({}), subset("w", json!({"tls": off}))),
        ["mutualTls fits", "[v1] plainText unused", "plainText fails"],
        "no route names it"
    );
    assert_eq!(
        fare(json!({"tls": off}), subset("w", json!({"tls": istio}))),
        ["plainText fails", "[v1] mutualTls fits", "plainText fails"]
    );
    assert_eq!(fare(json!({}), subset("other", json!({"tls": off}))), ["mutualTls fits", "plainText fails"], "a subset of other pods");
    assert_eq!(
        fare(json!({"tls": off}), subset("w", json!({"connectionPool": {}}))),
        ["plainText fails", "plainText fails"],
        "inherits the tls"
    );
}

#[test]
fn clients_that_are_not_told_of_the_service_send_it_plain_text() {
    let mut private = service(80, 8080, "http");
    private.1["metadata"]["annotations"] = json!({"networking.istio.io/exportTo": "."});
    let strict = policy("n/n", 1, "", "STRICT", Value::Null);
    let narrowed = |hosts: Value, selector: Value| {
        let mut spec = json!({"egress": [{"hosts": hosts}]});
        if !selector.is_null() {
            spec["workloadSelector"] = json!({"labels": selector});
        }
        (Kind::Sidecar, json!({"metadata": {"namespace": "c", "name": "s"}, "spec": spec}))
    };
    let world = |service: Object, more: &[Object]| [&[pod("n", "w"), pod("c", "a"), pod("c", "b"), service, strict.clone()], more].concat();
    assert_eq!(fares(&world(private, &[]))[..2], ["namespace c: plainText fails", "namespace n: mutualTls fits"]);
    let open = || service(80, 8080, "http");
    assert_eq!(
        fares(&world(open(), &[narrowed(json!(["./*"]), Value::Null)]))[..2],
        ["namespace c: plainText fails", "namespace n: mutualTls fits"]
    );
    assert_eq!(fares(&world(open(), &[narrowed(json!(["./*", "n/*"]), Value::Null)]))[0], "mutualTls fits");
    let one = fares(&world(open(), &[narrowed(json!(["./*"]), json!({"app": "a"}))]));
    assert_eq!(one[..2], ["pod/b in c, namespace n: mutualTls fits", "pod/a in c: plainText fails"]);
}

#[test]
fn two_rules_for_one_host_are_said_of_the_younger() {
    let both = |second: Value| mesh::warned(&mesh("STRICT", "http", &[rule("n/a", 1, tls("ISTIO_MUTUAL")), rule("n/b", 2, second)]));
    assert_eq!(
        both(tls("DISABLE")),
        ["DestinationRule n/b: its trafficPolicy is ignored for w.n.svc.cluster.local, since DestinationRule n/a is older and has one"]
    );
    assert_eq!(both(json!({"host": "w.n.svc.cluster.local", "subsets": []})), [""; 0], "it adds subsets alone");
    assert_eq!(
        mesh::warned(&mesh("STRICT", "http", &[rule("n/a", 1, tls("LOOSE"))])),
        ["DestinationRule n/a: spec.trafficPolicy.tls.mode is LOOSE, which is not a mode; taken as if there were no tls"]
    );
}
