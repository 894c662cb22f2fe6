//! How often the filter stands in the inbound listener follows the mutual TLS mode, and the policy in force is named.

use serde_json::Value;

use super::world::{Applied, mesh, on_15006, why};

/// PeerAuthentication `default/<name>` with a mode.
pub fn peer_authentication(name: &str, mode: &str) -> String {
    serde_json::json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"namespace": "default", "name": name}, "spec": {"mtls": {"mode": mode}}})
    .to_string()
}

fn comes_to(count: u64, mode: &str, winner: Option<&str>) -> Value {
    let what = format!("{count} filters under {mode}");
    let entry = why("default/helloworld", "deploy/httpbin", &what, |entry| on_15006(entry) == Some(count) && entry["mtls"]["mode"] == mode);
    assert_eq!(entry["mtls"]["winner"].as_str(), winner, "{entry}");
    let active = |listener: &&Value| listener["port"] == 15006 && listener["state"] == "active";
    let listener = entry["listeners"].as_array().unwrap().iter().find(active).unwrap();
    let sum: u64 = listener["terms"].as_array().unwrap().iter().map(|term| term["count"].as_u64().unwrap()).sum();
    assert_eq!(sum, count, "N is the sum of its terms: {listener}");
    entry
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_count_follows_the_mode_there_and_back() {
    let _mesh = mesh();
    comes_to(4, "PERMISSIVE", None);
    let policy = Applied::new(peer_authentication("e2e", "STRICT"));
    comes_to(2, "STRICT", Some("PeerAuthentication default/e2e"));
    let changed = Applied::new(peer_authentication("e2e", "DISABLE"));
    comes_to(2, "DISABLE", Some("PeerAuthentication default/e2e"));
    drop((policy, changed));
    comes_to(4, "PERMISSIVE", None);
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_workloads_own_policy_wins_over_the_namespaces() {
    let _mesh = mesh();
    let _namespace = Applied::new(peer_authentication("e2e-namespace", "STRICT"));
    let mut own: Value = serde_json::from_str(&peer_authentication("e2e-own", "PERMISSIVE")).unwrap();
    own["spec"]["selector"] = serde_json::json!({"matchLabels": {"app": "httpbin"}});
    comes_to(2, "STRICT", Some("PeerAuthentication default/e2e-namespace"));
    let _own = Applied::new(own.to_string());
    comes_to(4, "PERMISSIVE", Some("PeerAuthentication default/e2e-own"));
}
