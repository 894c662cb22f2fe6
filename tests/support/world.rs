//! Meshes built of single objects, for rules that no recording shows.

use meshscope::analysis::attachment::{self, Attachment};
use meshscope::analysis::near_miss::{NearMiss, near_miss};
use meshscope::ingest::collect::Collector;
use meshscope::ingest::workloads::owner_of;
use meshscope::model::kind::Kind;
use meshscope::model::mesh::Istiod;
use meshscope::model::plugin::Plugin;
use meshscope::model::snapshot::Snapshot;
use meshscope::model::update::Update;
use meshscope::model::workload::Pod;
use serde_json::{Value, json};

pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

pub type Object = (Kind, Value);

/// A mesh of these objects alone, whose istiod is of this version; empty where none said its own.
pub fn world(istiod: &str, objects: &[Object]) -> Snapshot {
    let mut collector = Collector::default();
    for kind in Kind::ALL {
        collector.apply(Update::Absent(kind));
    }
    for (kind, object) in objects {
        collector.apply(Update::Applied { kind: *kind, object: object.clone() });
    }
    if !istiod.is_empty() {
        collector.apply(Update::Istiods(vec![Istiod { pod: String::new(), version: istiod.to_owned() }]));
    }
    collector.snapshot(Default::default())
}

pub fn named(kind: Kind, namespace: &str, name: &str, labels: Value, spec: Value) -> Object {
    (kind, json!({"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": spec}))
}

/// A WasmPlugin with a good url, unless the spec has its own.
pub fn wasm_plugin(namespace: &str, mut spec: Value) -> Object {
    if spec.get("url").is_none() {
        spec["url"] = json!("oci://registry/x:v1");
    }
    named(Kind::WasmPlugin, namespace, "p", json!({}), spec)
}

pub fn extension(namespace: &str, spec: Value) -> Object {
    named(Kind::TrafficExtension, namespace, "p", json!({}), spec)
}

pub fn selecting(labels: Value) -> Value {
    json!({"selector": {"matchLabels": labels}})
}

pub fn target(group: &str, kind: &str, name: &str) -> Value {
    json!({"group": group, "kind": kind, "name": name})
}

pub fn targeting(references: &[Value]) -> Value {
    json!({"targetRefs": references})
}

/// A pod of a Deployment of its own name, with a proxy of this role; without a proxy where the role is empty.
pub fn pod(namespace: &str, name: &str, labels: Value, role: &str) -> Object {
    let proxy = json!({"name": "istio-proxy", "args": ["proxy", role]});
    let app = json!({"name": "app", "ports": [{"name": "web", "containerPort": 8080}]});
    let containers = if role.is_empty() { json!([app]) } else { json!([app, proxy]) };
    let owner = json!([{"kind": "ReplicaSet", "name": format!("{name}-1")}]);
    let mut labels = labels;
    labels["pod-template-hash"] = json!("1");
    (
        Kind::Pod,
        json!({"metadata": {"namespace": namespace, "name": name, "labels": labels, "ownerReferences": owner},
            "spec": {"containers": containers}, "status": {"phase": "Running"}}),
    )
}

pub fn sidecar(namespace: &str, labels: Value) -> Object {
    pod(namespace, "w", labels, "sidecar")
}

pub fn gateway(namespace: &str, name: &str) -> Object {
    pod(namespace, "w", json!({GATEWAY_NAME: name}), "router")
}

pub fn waypoint(namespace: &str, name: &str) -> Object {
    pod(namespace, "w", json!({GATEWAY_NAME: name}), "waypoint")
}

pub fn namespace(name: &str, labels: Value) -> Object {
    (Kind::Namespace, json!({"metadata": {"name": name, "labels": labels}}))
}

pub fn service(namespace: &str, name: &str, labels: Value) -> Object {
    let spec = json!({"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "web", "name": "http"}]});
    named(Kind::Service, namespace, name, labels, spec)
}

/// An object with a field of it set anew.
pub fn with((kind, mut object): Object, pointer: &str, value: Value) -> Object {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[field.replace("~1", "/")] = value;
    (kind, object)
}

pub fn the_plugin(world: &Snapshot) -> &Plugin {
    world.objects.plugins.values().next().unwrap()
}

/// The pod in question: `w`.
pub fn the_pod(world: &Snapshot) -> &Pod {
    world.objects.pods.values().find(|pod| pod.id.pod == "w").unwrap()
}

/// Whether the plugin applies to pod `w`, and why.
pub fn decide(world: &Snapshot) -> Attachment {
    attachment::attach(the_plugin(world), the_pod(world), &world.objects)
}

/// What keeps the plugin from pod `w`.
pub fn missed(world: &Snapshot) -> NearMiss {
    let (pod, decision) = (the_pod(world), decide(world));
    assert!(!decision.attached, "{}", decision.reason);
    near_miss(the_plugin(world), pod, &owner_of(&world.objects, pod), &decision.reason, &world.objects)
}
