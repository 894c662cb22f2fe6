//! Which clients a route sends to a subset.

use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::mesh::{Object, entry, pod, policy, rule, service};

/// Whether a route sends the clients of namespace `c` to the subset that sends plain text.
fn routed(more: &[Object]) -> Option<bool> {
    let subsets = json!([{"name": "v1", "labels": {"app": "w"}, "trafficPolicy": {"tls": {"mode": "DISABLE"}}}]);
    let rule = rule("n/r", 1, json!({"host": "w.n.svc.cluster.local", "subsets": subsets}));
    let mesh = [pod("n", "w"), pod("c", "client"), service(80, 8080, "http"), policy("n/n", 1, "", "STRICT", Value::Null), rule];
    let clients = entry(&[&mesh, more].concat()).services[0].clients.clone();
    let of_subset = |from: &[String]| from.is_empty() || from.iter().any(|from| from == "namespace c");
    clients.iter().find(|client| client.subset.is_some() && of_subset(&client.from)).unwrap().routed
}

fn route(name: &str, spec: Value) -> Object {
    let (namespace, name) = name.split_once('/').unwrap();
    let mut whole = json!({"http": [{"route": [{"destination": {"host": "w.n.svc.cluster.local", "subset": "v1"}}]}]});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    (Kind::VirtualService, json!({"metadata": {"namespace": namespace, "name": name}, "spec": whole}))
}

fn mesh_config(text: &str) -> Object {
    (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": text}}))
}

#[test]
fn the_meshs_default_decides_where_a_route_has_no_export_to() {
    let plain = |namespace: &str| route(&format!("{namespace}/v"), json!({"hosts": ["w.n.svc.cluster.local"]}));
    let default = |to: &str| mesh_config(&format!("defaultVirtualServiceExportTo: [{to}]"));
    for (objects, expected) in [
        (vec![plain("n")], true),
        (vec![plain("n"), default("'*'")], true),
        (vec![plain("n"), default(".")], false),
        (vec![plain("c"), default(".")], true),
        (vec![route("n/v", json!({"hosts": ["w"], "exportTo": ["c"]})), default(".")], true),
        (vec![route("n/v", json!({"hosts": ["w"], "exportTo": ["~"]}))], false),
    ] {
        assert_eq!(routed(&objects), Some(expected), "{objects:?}");
    }
}

#[test]
fn a_route_without_hosts_counts_where_another_delegates_to_it() {
    let delegate = || route("n/v", json!({}));
    assert_eq!(routed(&[delegate()]), Some(false));
    let root = json!({"hosts": ["w"], "http": [{"delegate": {"name": "v"}}]});
    let root = (Kind::VirtualService, json!({"metadata": {"namespace": "n", "name": "root"}, "spec": root}));
    assert_eq!(routed(&[delegate(), root]), Some(true));
}

#[test]
fn a_route_counts_for_clients_whose_sidecar_imports_it() {
    let sidecar = |hosts: &[&str]| {
        let spec = json!({"egress": [{"hosts": hosts}]});
        (Kind::Sidecar, json!({"metadata": {"namespace": "c", "name": "s"}, "spec": spec}))
    };
    let of_root = || route("other/v", json!({"hosts": ["w.n.svc.cluster.local"]}));
    assert_eq!(routed(&[of_root(), sidecar(&["n/*"])]), Some(false), "the route is of another namespace");
    assert_eq!(routed(&[of_root(), sidecar(&["n/*", "other/*"])]), Some(true));
}
