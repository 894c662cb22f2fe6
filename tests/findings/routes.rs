//! The VirtualServices by which failed requests went: delegates, and those that a client does not see.

use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::mesh::MeshConfig;
use serde_json::{Value, json};

use super::one;
use super::recorded::SLEEP;
use super::requests::{failing, fails, istio, sent};

fn no_cluster(objects: impl IntoIterator<Item = Value>, export_to: &[&str]) -> Vec<Finding> {
    let mut snapshot = failing(objects, &[(SLEEP, vec![sent(503, "NC", "cluster_not_found", "-"); 3])]);
    let virtual_service_export_to = export_to.iter().map(|to| (*to).to_owned()).collect();
    Arc::make_mut(&mut snapshot.objects).mesh = Some(MeshConfig { virtual_service_export_to, ..MeshConfig::default() }.into());
    fails(&snapshot)
}

fn to_v2() -> Value {
    json!([{"route": [{"destination": {"host": "httpbin.default.svc.cluster.local", "subset": "v2"}}]}])
}

#[test]
fn the_routes_of_a_delegate_count_for_the_hosts_of_its_root() {
    let root = |delegate: Value| istio("VirtualService", "default/root", json!({"hosts": ["httpbin"], "http": [{"delegate": delegate}]}));
    let delegate = |name: &str| istio("VirtualService", name, json!({"http": to_v2()}));
    for (name, delegated) in [("default/dele", json!({"name": "dele"})), ("sample/dele", json!({"name": "dele", "namespace": "sample"}))] {
        let finding = one(no_cluster([root(delegated), delegate(name)], &[]), Severity::Error, &format!("VirtualService {name}"));
        let words = format!("VirtualService {name} (delegate of default/root) routes to subset v2, which no DestinationRule defines.");
        assert!(finding.what.ends_with(&words), "{finding:?}");
    }
    // Nothing delegates to it.
    let alone = no_cluster([delegate("default/dele")], &[]);
    one(alone, Severity::Information, "Deployment default/sleep");
}

#[test]
fn a_virtual_service_without_export_to_is_where_the_mesh_exports_it() {
    let hosts = json!(["httpbin.default.svc.cluster.local"]);
    let of = |namespace: &str| istio("VirtualService", &format!("{namespace}/w"), json!({"hosts": hosts, "http": to_v2()}));
    one(no_cluster([of("legacy")], &[]), Severity::Error, "VirtualService legacy/w");
    one(no_cluster([of("legacy")], &["."]), Severity::Information, "Deployment default/sleep");
    one(no_cluster([of("default")], &["."]), Severity::Error, "VirtualService default/w");
}
