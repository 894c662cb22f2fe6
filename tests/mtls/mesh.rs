//! Objects as the API server writes them, and the answer over them.

use meshscope::analysis::answers::{self, EffectiveMtlsAnswer, MtlsEntry};
use meshscope::ingest::collect::Collector;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::Snapshot;
use meshscope::model::update::Update;
use serde_json::{Value, json};

pub type Object = (Kind, Value);

/// A mesh of these objects, under an istiod of this version.
pub fn snapshot_of(version: &str, objects: &[Object]) -> Snapshot {
    let mut collector = Collector::default();
    for kind in Kind::ALL {
        collector.apply(Update::Absent(kind));
    }
    for (kind, object) in objects {
        collector.apply(Update::Applied { kind: *kind, object: object.clone() });
    }
    collector.apply(Update::Istiods(vec![Istiod { pod: String::new(), version: version.to_owned() }]));
    collector.snapshot(Default::default())
}

pub fn snapshot(objects: &[Object]) -> Snapshot {
    snapshot_of("1.31.0", objects)
}

/// The answer for the pod `n/w`.
pub fn answer(objects: &[Object]) -> EffectiveMtlsAnswer {
    answers::mtls(&snapshot(objects), &[ProxyId::new("w", "n")])
}

pub fn entry(objects: &[Object]) -> MtlsEntry {
    answer(objects).workloads.into_iter().next().unwrap()
}

/// The objects of the warnings that the answer adds.
pub fn warned(objects: &[Object]) -> Vec<String> {
    answer(objects).warnings.into_iter().map(|warning| format!("{}: {}", warning.object, warning.what)).collect()
}

/// A PeerAuthentication created on a day of January; the selector's `app`, empty for none.
pub fn policy(name: &str, day: u8, app: &str, mode: &str, ports: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let mut spec = json!({"portLevelMtls": ports});
    if !mode.is_empty() {
        spec["mtls"] = json!({"mode": mode});
    }
    if !app.is_empty() {
        spec["selector"] = json!({"matchLabels": {"app": app}});
    }
    let created = format!("2026-01-{day:02}T00:00:00Z");
    (Kind::PeerAuthentication, json!({"metadata": {"namespace": namespace, "name": name, "creationTimestamp": created}, "spec": spec}))
}

/// A pod that injection has seen, with `app` of its own name.
pub fn pod(namespace: &str, name: &str) -> Object {
    let labels = json!({"app": name, "security.istio.io/tlsMode": "istio"});
    bare_pod(namespace, name, labels, &["sidecar"])
}

/// A pod with these labels and, where a role is given, a proxy.
pub fn bare_pod(namespace: &str, name: &str, labels: Value, role: &[&str]) -> Object {
    let app = json!({"name": "app", "ports": [{"name": "web", "containerPort": 8080}]});
    let proxies = role.iter().map(|role| json!({"name": "istio-proxy", "args": ["proxy", role]}));
    let containers: Vec<Value> = std::iter::once(app).chain(proxies).collect();
    (
        Kind::Pod,
        json!({
            "metadata": {"namespace": namespace, "name": name, "labels": labels},
            "spec": {"containers": containers},
            "status": {"phase": "Running"},
        }),
    )
}

/// A Service `n/w` with one port, named so that it speaks what its name says.
pub fn service(port: u16, target: u16, name: &str) -> Object {
    named_service("w", "10.0.0.1", json!([{"port": port, "targetPort": target, "name": name, "protocol": "TCP"}]))
}

/// A Service in namespace `n` that selects the pod `w`.
pub fn named_service(name: &str, ip: &str, ports: Value) -> Object {
    let spec = json!({"selector": {"app": "w"}, "clusterIP": ip, "clusterIPs": [ip], "ports": ports});
    (Kind::Service, json!({"metadata": {"namespace": "n", "name": name}, "spec": spec}))
}

/// A DestinationRule, `namespace/name`, created on a day of January.
pub fn rule(name: &str, day: u8, spec: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let created = format!("2026-01-{day:02}T00:00:00Z");
    (Kind::DestinationRule, json!({"metadata": {"namespace": namespace, "name": name, "creationTimestamp": created}, "spec": spec}))
}

/// The spec of a DestinationRule for the Service `n/w` with a TLS mode.
pub fn tls(mode: &str) -> Value {
    json!({"host": "w.n.svc.cluster.local", "trafficPolicy": {"tls": {"mode": mode}}})
}
