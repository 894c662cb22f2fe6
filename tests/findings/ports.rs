//! Ports whose requests pass a plugin by, and workloads without the sidecar that they ask for.

use meshscope::analysis::answers;
use meshscope::analysis::findings::Severity;
use meshscope::analysis::health::{self, PluginState};
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh};
use super::support::world::{self, Object};
use super::{found, of, one};

const TCP: &str = "http-plugin-on-tcp-port";
const KEPT: &str = "port-not-captured";
const MISSING: &str = "sidecar-not-injected";
const ISTIOD: &str = "1.31.0";

fn ports(ports: Value) -> Object {
    world::named(Kind::Service, "n", "s", json!({}), json!({"selector": {"app": "a"}, "clusterIP": "10.0.0.1", "ports": ports}))
}

fn port(name: &str) -> Value {
    json!({"name": name, "port": 8000, "targetPort": 80, "protocol": "TCP"})
}

fn labels(app: &str) -> Value {
    json!({"app": app, "security.istio.io/tlsMode": "istio"})
}

fn plugin(spec: Value) -> Object {
    world::wasm_plugin("n", spec)
}

fn selecting() -> Value {
    world::selecting(json!({"app": "a"}))
}

fn of_ports(services: &[Object], spec: Value) -> Snapshot {
    world::world(ISTIOD, &[&[world::sidecar("n", labels("a")), plugin(spec)][..], services].concat())
}

#[test]
fn incident_tcp_port_an_http_plugin_handles_nothing_there() {
    let finding = one(found(&of_ports(&[ports(json!([port("tcp")]))], selecting()), TCP), Severity::Warning, "WasmPlugin n/p");
    assert_eq!(finding.what, "port 8000 of Service n/s is TCP by its name tcp, so HTTP plugin n/p handles no request to it.");
    assert!(finding.fix.contains("name port 8000 of Service n/s http"), "{finding:?}");
    assert_eq!(finding.evidence, ["deploy/w: port 8000 of Service n/s is TCP by its name tcp"]);
    let mut by_protocol = port("http");
    by_protocol["appProtocol"] = json!("tcp");
    let older = |name: &str, port: Value, created: &str| {
        let spec = json!({"selector": {"app": "a"}, "clusterIP": "10.0.0.2", "ports": [port]});
        world::with(world::named(Kind::Service, "n", name, json!({}), spec), "/metadata/creationTimestamp", json!(created))
    };
    let on_80 = json!({"selector": {"matchLabels": {"app": "a"}}, "match": [{"mode": "SERVER", "ports": [{"number": 80}]}]});
    let ingress = json!({"ingress": [{"port": {"number": 80, "protocol": "TCP", "name": "tcp"}, "defaultEndpoint": "127.0.0.1:80"}]});
    for (what, services, spec, said) in [
        ("appProtocol goes before the name", vec![ports(json!([by_protocol]))], selecting(), "TCP by its appProtocol tcp"),
        ("TLS of the application", vec![ports(json!([port("https-web")]))], selecting(), "by its name https-web"),
        (
            "of two Services the older decides",
            vec![older("old", port("tcp-web"), "2026-01-01T00:00:00Z"), older("young", port("http"), "2026-02-01T00:00:00Z")],
            selecting(),
            "port 8000 of Service n/old is TCP",
        ),
        (
            "match names the one port that is TCP",
            vec![ports(json!([port("tcp"), {"name": "http", "port": 8001, "targetPort": 81, "protocol": "TCP"}]))],
            on_80,
            "port 8000 of Service n/s is TCP",
        ),
        (
            "the ingress of a Sidecar",
            vec![ports(json!([port("http")])), world::named(Kind::Sidecar, "n", "in", json!({}), ingress)],
            selecting(),
            "ingress port 80 of Sidecar n/in is TCP by its protocol",
        ),
    ] {
        let snapshot = of_ports(&services, spec);
        let finding = one(found(&snapshot, TCP), Severity::Warning, "WasmPlugin n/p");
        assert!(finding.what.contains(said), "{what}: {finding:?}");
        assert_eq!(found(&snapshot, "match-excludes-all"), [], "{what}: one cause, one finding");
    }
    // One for the whole namespace may well reach what is no HTTP.
    one(found(&of_ports(&[ports(json!([port("tcp")]))], json!({})), TCP), Severity::Information, "WasmPlugin n/p");
}

#[test]
fn incident_tcp_port_what_is_not_found() {
    let http = json!({"name": "http", "port": 8001, "targetPort": 81, "protocol": "TCP"});
    let network = json!({"selector": {"matchLabels": {"app": "a"}}, "type": "NETWORK"});
    let client = json!({"selector": {"matchLabels": {"app": "a"}}, "match": [{"mode": "CLIENT"}]});
    for (what, services, spec) in [
        ("HTTP", vec![ports(json!([port("http")]))], selecting()),
        ("detected", vec![ports(json!([port("web")]))], selecting()),
        ("gRPC", vec![ports(json!([port("grpc-api")]))], selecting()),
        ("another port is HTTP", vec![ports(json!([port("tcp-admin"), http]))], selecting()),
        ("a NETWORK plugin", vec![ports(json!([port("tcp")]))], network),
        ("a plugin for what the workload sends", vec![ports(json!([port("tcp")]))], client),
        ("a database by its protocol", vec![ports(json!([port("redis")]))], selecting()),
        (
            "a database by its number",
            vec![ports(json!([{"name": "db", "port": 3306, "targetPort": 3306, "protocol": "TCP"}]))],
            selecting(),
        ),
        ("UDP", vec![ports(json!([{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"}]))], selecting()),
        ("no Service", vec![], selecting()),
    ] {
        assert_eq!(found(&of_ports(&services, spec), TCP), [], "{what}");
    }
}

#[test]
fn incident_tcp_port_is_no_tick_and_why_says_so() {
    let plugin = PluginId::new(PluginKind::WasmPlugin, "default", "helloworld");
    let proxy = ProxyId::parse(HTTPBIN).unwrap();
    let sound = of(Mesh::permissive());
    let named = of(Mesh::permissive().change("k8s/services.json", |list| {
        for service in list["items"].as_array_mut().unwrap().iter_mut().filter(|item| item["metadata"]["name"] == "httpbin") {
            service["spec"]["ports"][0]["name"] = json!("tcp");
        }
    }));
    let by_ports = "requests to the workload pass it by: port 8000 of Service default/httpbin is TCP by its name tcp";
    assert_ne!(health::of_proxy(&sound, &plugin, &proxy).note(), by_ports);
    let health = health::of_proxy(&named, &plugin, &proxy);
    assert_eq!((health.state, health.note()), (PluginState::Unverified, by_ports));
}

fn kept(annotation: &str, value: &str, more: &[Object]) -> Snapshot {
    let annotations = json!({format!("traffic.sidecar.istio.io/{annotation}"): value});
    let server = world::with(world::sidecar("n", labels("a")), "/metadata/annotations", annotations);
    let client = world::pod("n", "c", labels("c"), "sidecar");
    world::world(ISTIOD, &[&[server, client][..], more].concat())
}

fn disable() -> Object {
    let spec = json!({"host": "s.n.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}});
    world::named(Kind::DestinationRule, "n", "plain", json!({}), spec)
}

fn strict() -> Object {
    world::named(Kind::PeerAuthentication, "n", "strict", json!({}), json!({"mtls": {"mode": "STRICT"}}))
}

#[test]
fn incident_port_kept_from_the_sidecar_is_the_cause_everywhere() {
    let http = ports(json!([port("http")]));
    for (annotation, value) in [
        ("excludeInboundPorts", "80"),
        ("excludeInboundPorts", "15020, 80"),
        ("includeInboundPorts", "8080,9090"),
        ("includeInboundPorts", ""),
    ] {
        let snapshot = kept(annotation, value, &[http.clone(), plugin(selecting())]);
        let finding = one(found(&snapshot, KEPT), Severity::Error, "Deployment n/w");
        let what =
            format!("Annotation {annotation} of deploy/w keeps port 80 from the proxy: mutual TLS fails there, and n/p sees none of it.");
        assert_eq!(finding.what, what);
        assert_eq!(finding.clients.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Deployment n/c"]);
        for code in ["mtls-mismatch", "destination-rule-refused", "permissive-without-need", TCP] {
            assert_eq!(found(&snapshot, code), [], "{code}: one cause, one finding");
        }
        let answer = answers::mtls(&snapshot, &[ProxyId::new("w", "n")]);
        let client = &answer.workloads[0].services[0].clients[0];
        assert!(client.reason.contains("an annotation of the pod keeps the port from its proxy"), "{client:?}");
        assert!(
            answer.warnings.iter().any(|warning| warning.what.contains(annotation) && warning.what.contains("no mode holds there")),
            "{answer:?}"
        );
    }
    // Clients send plain text as they are to: the plugin still sees nothing, and STRICT does not hold.
    let plain = kept("excludeInboundPorts", "80", &[http.clone(), plugin(selecting()), disable()]);
    assert!(
        one(found(&plain, KEPT), Severity::Warning, "Deployment n/w").what.ends_with("keeps port 80 from the proxy: n/p sees none of it.")
    );
    let held = kept("excludeInboundPorts", "80", &[http, disable(), strict()]);
    let finding = one(found(&held, KEPT), Severity::Information, "Deployment n/w");
    assert!(finding.what.ends_with("STRICT of PeerAuthentication n/strict does not hold there."), "{finding:?}");
}

#[test]
fn incident_port_kept_from_the_sidecar_what_is_not_found() {
    let http = ports(json!([port("http")]));
    for (what, annotation, value, more) in [
        ("another port", "excludeInboundPorts", "8000,9090", vec![http.clone(), plugin(selecting())]),
        ("a port of no Service", "excludeInboundPorts", "9090", vec![http.clone()]),
        ("all ports", "includeInboundPorts", "*", vec![http.clone(), plugin(selecting())]),
        ("the port among others", "includeInboundPorts", "81, 80", vec![http.clone(), plugin(selecting())]),
        ("as it is meant", "excludeInboundPorts", "80", vec![http.clone(), disable()]),
    ] {
        assert_eq!(found(&kept(annotation, value, &more), KEPT), [], "{what}");
    }
    // What is excluded counts only where all others are included.
    let both = json!({"traffic.sidecar.istio.io/includeInboundPorts": "80", "traffic.sidecar.istio.io/excludeInboundPorts": "80"});
    let server = world::with(world::sidecar("n", labels("a")), "/metadata/annotations", both);
    let client = world::pod("n", "c", labels("c"), "sidecar");
    assert_eq!(found(&world::world(ISTIOD, &[server, client, http, plugin(selecting())]), KEPT), []);
}

fn without_proxy(namespace: Value, own: Value, more: &[Object]) -> Snapshot {
    let istiod = world::pod("istio-system", "istiod", json!({"app": "istiod", "istio.io/rev": "default"}), "");
    world::world(ISTIOD, &[&[istiod, world::namespace("n", namespace), world::pod("n", "w", own, "")][..], more].concat())
}

#[test]
fn incident_a_sidecar_that_no_istiod_injects() {
    let canary = json!({"istio.io/rev": "canary"});
    let snapshot = without_proxy(canary.clone(), json!({"app": "a"}), &[strict()]);
    let finding = one(found(&snapshot, MISSING), Severity::Warning, "Deployment n/w");
    assert_eq!(finding.what, "deploy/w asks for revision canary, of which no istiod runs: no proxy, so STRICT of n/strict does not hold.");
    assert!(finding.evidence[1].contains("label istio.io/rev=canary of namespace n"), "{finding:?}");
    let note = answers::mtls(&snapshot, &[ProxyId::new("w", "n")]).workloads[0].note.clone().unwrap();
    assert!(note.contains("it asks for revision canary, of which no istiod runs"), "{note}");
    let by_pod = without_proxy(json!({}), json!({"app": "a", "istio.io/rev": "canary"}), &[]);
    assert!(one(found(&by_pod, MISSING), Severity::Warning, "Deployment n/w").what.contains("revision canary"));
    let before = without_proxy(json!({"istio-injection": "enabled"}), json!({"app": "a"}), &[]);
    assert!(one(found(&before, MISSING), Severity::Warning, "Deployment n/w").fix.contains("rollout restart deploy/w"));
    for (what, namespace, own) in [
        ("nothing asks", json!({}), json!({"app": "a"})),
        ("the pod wants none", canary.clone(), json!({"app": "a", "sidecar.istio.io/inject": "false"})),
        ("injection is off", json!({"istio-injection": "disabled", "istio.io/rev": "canary"}), json!({"app": "a"})),
    ] {
        assert_eq!(found(&without_proxy(namespace, own, &[]), MISSING), [], "{what}");
    }
    // A Job that is over, and a cluster whose istiod is elsewhere.
    let over = world::with(world::pod("n", "w", json!({"app": "a"}), ""), "/status/phase", json!("Succeeded"));
    let istiod = world::pod("istio-system", "istiod", json!({"app": "istiod"}), "");
    assert_eq!(found(&world::world(ISTIOD, &[istiod, world::namespace("n", canary.clone()), over]), MISSING), []);
    let remote = world::world(ISTIOD, &[world::namespace("n", canary), world::pod("n", "w", json!({"app": "a"}), "")]);
    assert_eq!(found(&remote, MISSING), []);
}

#[test]
fn pods_without_a_proxy_are_counted_beside_those_that_have_one() {
    let owned = |name: &str, role: &str| {
        let owner = json!([{"kind": "StatefulSet", "name": "w", "controller": true}]);
        world::with(world::pod("n", name, json!({"app": "a"}), role), "/metadata/ownerReferences", owner)
    };
    let istiod = world::pod("istio-system", "istiod", json!({"app": "istiod"}), "");
    let namespace = world::namespace("n", json!({"istio-injection": "enabled"}));
    let pods = [owned("w-0", "sidecar"), owned("w-1", ""), owned("w-2", "")];
    let finding =
        one(found(&world::world(ISTIOD, &[&[istiod, namespace], &pods[..]].concat()), MISSING), Severity::Warning, "StatefulSet n/w");
    assert_eq!(
        finding.what,
        "statefulset/w asks for a sidecar, and some pods were made before that or injection failed: 2 of its 3 pods have no proxy, so no \
         plugin and no mutual TLS there."
    );
}
