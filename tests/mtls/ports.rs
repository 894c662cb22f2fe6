//! The mode of each port.

use serde_json::{Value, json};

use super::mesh::{self, Object, bare_pod, entry, named_service, pod, policy, service};
use meshscope::model::kind::Kind;

/// `8080 STRICT n/w HTTP service`, port by port.
fn ports(objects: &[Object]) -> Vec<String> {
    let row = |port: &meshscope::analysis::answers::PortAnswer| {
        let by = port.by.as_deref().map_or("default", |by| by.trim_start_matches("PeerAuthentication "));
        let level = if port.port_level { "!" } else { "" };
        format!("{} {}{level} {by} {} {}", port.name(), port.mode, port.protocol, port.behind)
    };
    entry(objects).ports.iter().map(row).collect()
}

#[test]
fn ports_have_the_modes_that_istiod_gives_them() {
    let http = service(80, 8080, "http");
    for (what, objects, expected) in [
        ("nothing at all", vec![], vec!["all others PERMISSIVE default AUTO rest"]),
        (
            "the workload's mode",
            vec![http.clone(), policy("n/w", 1, "w", "STRICT", Value::Null)],
            vec!["8080 STRICT n/w HTTP service", "all others STRICT n/w AUTO rest"],
        ),
        (
            "a port that no service declares has chains of its own",
            vec![http.clone(), policy("n/w", 1, "w", "STRICT", json!({"9000": {"mode": "DISABLE"}}))],
            vec!["8080 STRICT n/w HTTP service", "9000 DISABLE! n/w AUTO policyAlone", "all others STRICT n/w AUTO rest"],
        ),
        (
            "as seen live: one declared port, one that is not",
            vec![http.clone(), policy("n/w", 1, "w", "PERMISSIVE", json!({"8080": {"mode": "DISABLE"}, "9000": {"mode": "STRICT"}}))],
            vec!["8080 DISABLE! n/w HTTP service", "9000 STRICT! n/w AUTO policyAlone", "all others PERMISSIVE n/w AUTO rest"],
        ),
        (
            "an UNSET port has the workload's mode, wherever that comes from",
            vec![http.clone(), policy("n/n", 1, "", "STRICT", Value::Null), policy("n/w", 2, "w", "", json!({"8080": {"mode": "UNSET"}}))],
            vec!["8080 STRICT! n/w HTTP service", "all others STRICT n/n AUTO rest"],
        ),
        (
            "the ports of a policy that lost are not merged in",
            vec![
                http.clone(),
                policy("n/a", 2, "w", "STRICT", json!({"8080": {"mode": "DISABLE"}})),
                policy("n/b", 1, "w", "UNSET", Value::Null),
            ],
            vec!["8080 PERMISSIVE default HTTP service", "all others PERMISSIVE default AUTO rest"],
        ),
        (
            "without a selector ports are ignored",
            vec![http.clone(), policy("n/n", 1, "", "STRICT", json!({"8080": {"mode": "DISABLE"}}))],
            vec!["8080 STRICT n/n HTTP service", "all others STRICT n/n AUTO rest"],
        ),
        (
            "the service port's number is another port",
            vec![http, policy("n/w", 1, "w", "STRICT", json!({"80": {"mode": "DISABLE"}}))],
            vec!["80 DISABLE! n/w AUTO policyAlone", "8080 STRICT n/w HTTP service", "all others STRICT n/w AUTO rest"],
        ),
        (
            "a named target port",
            vec![
                named_service("w", "10.0.0.1", json!([{"port": 80, "targetPort": "web", "name": "tcp"}])),
                policy("n/w", 1, "w", "STRICT", json!({"8080": {"mode": "DISABLE"}})),
            ],
            vec!["8080 DISABLE! n/w TCP service", "all others STRICT n/w AUTO rest"],
        ),
    ] {
        assert_eq!(ports(&[objects, vec![pod("n", "w")]].concat()), expected, "{what}");
    }
}

#[test]
fn several_services_behind_a_port_are_all_named() {
    let one = json!([{"port": 80, "targetPort": 8080, "name": "http"}]);
    let two = json!([{"port": 81, "targetPort": 8080, "name": "tcp"}, {"port": 90, "targetPort": 9090}]);
    let entry = entry(&[pod("n", "w"), named_service("a", "10.0.0.1", one), named_service("b", "10.0.0.2", two)]);
    assert_eq!(entry.ports[0].services, ["n/a 80 (http)", "n/b 81 (tcp)"]);
    assert_eq!((entry.ports[0].protocol, entry.ports[1].protocol), ("HTTP", "AUTO"), "the first service decides");
    assert_eq!(entry.ports[1].what, "n/b 90 (unnamed)");
}

#[test]
fn a_sidecars_ingress_takes_the_place_of_service_ports() {
    let ingress = json!([{"port": {"number": 9000, "protocol": "TCP", "name": "tcp"}}]);
    let sidecar = (Kind::Sidecar, json!({"metadata": {"namespace": "n", "name": "s"}, "spec": {"ingress": ingress}}));
    let policies = policy("n/w", 1, "w", "STRICT", json!({"8080": {"mode": "DISABLE"}, "9000": {"mode": "PERMISSIVE"}}));
    assert_eq!(
        ports(&[pod("n", "w"), service(80, 8080, "http"), sidecar, policies]),
        ["8080 DISABLE! n/w AUTO policyAlone", "9000 PERMISSIVE! n/w TCP sidecarIngress", "all others STRICT n/w AUTO rest"]
    );
}

#[test]
fn a_service_port_in_place_of_the_container_port_is_said_of_the_policy() {
    let warned = |port: &str, service: Object| {
        let named = policy("n/w", 1, "w", "STRICT", json!({port: {"mode": "DISABLE"}}));
        mesh::warned(&[pod("n", "w"), service, named])
    };
    assert_eq!(
        warned("80", service(80, 8080, "http")),
        ["PeerAuthentication n/w: portLevelMtls names 80, which is a port of Service n/w and leads to container port 8080"]
    );
    assert_eq!(warned("8080", service(80, 8080, "http")), [""; 0]);
    assert_eq!(warned("80", service(80, 80, "http")), [""; 0], "both are one number");
    assert_eq!(warned("9000", service(80, 8080, "http")), [""; 0], "a port that no service knows is no mistake");
}

#[test]
fn what_is_no_sidecar_has_no_ports_and_says_what_its_mode_means() {
    let strict = policy("n/n", 1, "", "STRICT", Value::Null);
    let note = |labels: Value, role: &[&str]| {
        let entry = entry(&[bare_pod("n", "w", labels, role), service(80, 8080, "http"), strict.clone()]);
        assert!(entry.ports.is_empty());
        (entry.note.unwrap(), entry.services.len())
    };
    let gateway = |class: &str| json!({"app": "w", "gateway.networking.k8s.io/gateway-name": "g", "gateway.networking.k8s.io/gateway-class-name": class});
    assert_eq!(
        note(gateway("istio"), &["router"]).0,
        "A gateway takes what the servers or listeners of its Gateways say: its chains do not depend on PeerAuthentication."
    );
    assert!(note(gateway("istio-waypoint"), &["waypoint"]).0.contains("HBONE, which is mutual TLS whatever the mode is"));
    assert_eq!(
        note(json!({"app": "w"}), &["ztunnel"]),
        ("ztunnel holds the modes of the pods that it serves: its own has no meaning.".to_owned(), 0)
    );
    let (bare, services) = note(json!({"app": "w"}), &[]);
    assert!(bare.contains("no proxy, so nothing holds the mode") && services == 1, "{bare}");
}

#[test]
fn ztunnel_knows_modes_in_its_own_way() {
    let mut captured = bare_pod("n", "w", json!({"app": "w"}), &[]);
    captured.1["metadata"]["annotations"] = json!({"ambient.istio.io/redirection": "enabled"});
    let under = |policies: &[Object]| {
        let entry = entry(&[&[captured.clone(), service(80, 8080, "http")], policies].concat());
        (entry.note.unwrap(), entry.services[0].clients[0].word())
    };
    let (strict, plain) = under(&[policy("n/n", 1, "", "STRICT", Value::Null)]);
    assert!(strict.contains("plain text unless the mode is STRICT") && plain == "fails", "{strict}");
    assert_eq!(under(&[policy("n/n", 1, "", "DISABLE", Value::Null)]).1, "fits");
    let exceptions = policy("n/w", 2, "w", "UNSET", json!({"8080": {"mode": "DISABLE"}}));
    let (note, _) = under(&[policy("n/n", 1, "", "STRICT", Value::Null), exceptions]);
    assert!(note.contains("and not those with DISABLE"), "{note}");
}
