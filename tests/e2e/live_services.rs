//! Services of kinds that few meshes have: each put on the mesh, and what istiod makes of it is what is predicted
//! (rows L7, L9, L10 and L11).

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::world::{Applied, is_lab, kubectl, mesh, until_nothing_is_wrong};

fn manifest(name: &str) -> String {
    std::fs::read_to_string(format!("tests/e2e/live/{name}.yaml")).unwrap()
}

/// What is wrong with a proxy in the answer of `chains`: a listener that is not as predicted, one that lacks.
fn wrong(answer: &Value) -> Option<String> {
    let proxy = &answer["proxies"][0];
    if proxy["absent"] != json!([]) || !proxy["predictionNote"].is_null() {
        return Some(format!("{} {}", proxy["absent"], proxy["predictionNote"]));
    }
    let active = proxy["listeners"].as_array()?.iter().filter(|listener| listener["state"] == "active");
    let differing: Vec<String> = active.filter(|one| one["prediction"]["agrees"] == false).map(|one| one["name"].to_string()).collect();
    (!differing.is_empty()).then(|| differing.join(", "))
}

/// Waits until a proxy has what is predicted, and which of these listeners are among it.
fn agreed(workload: &str, there: &[&str], gone: &[&str]) -> Value {
    until_nothing_is_wrong("the proxy as predicted", &["chains", workload], |answer| {
        let listeners = answer["proxies"][0]["listeners"].as_array().into_iter().flatten();
        let names: Vec<&str> = listeners.filter(|one| one["state"] == "active").filter_map(|one| one["name"].as_str()).collect();
        let missed: Vec<&&str> = there.iter().filter(|name| !names.contains(name)).collect();
        let left: Vec<&&str> = gone.iter().filter(|name| names.contains(name)).collect();
        if missed.is_empty() && left.is_empty() { wrong(answer) } else { Some(format!("{missed:?} {left:?}")) }
    })
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l9_an_http_proxy_port_has_one_chain() {
    let _mesh = mesh();
    let _applied = Applied::new(manifest("http-proxy-port"));
    let answer = agreed("deploy/httpbin", &["0.0.0.0_7012"], &[]);
    let mut listeners = answer["proxies"][0]["listeners"].as_array().unwrap().iter();
    let listener = listeners.find(|one| one["name"] == "0.0.0.0_7012").unwrap();
    assert_eq!(listener["filterChains"].as_array().unwrap().len(), 1, "{listener}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l10_a_named_port_is_found_by_protocol() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    // The pod is injected, so istiod has to answer.
    kubectl(&["rollout", "status", "-n", "istio-system", "deploy/istiod", "--timeout=90s"]);
    let _applied = Applied::with_pods(manifest("named-port-protocol"), "app=np");
    kubectl(&["wait", "-n", "default", "--for=condition=Ready", "pod/np", "--timeout=120s"]);
    let answer = agreed("pod/np", &["virtualInbound"], &[]);
    let ports: Vec<&Value> = answer["proxies"][0]["listeners"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "virtualInbound" && one["state"] == "active")
        .flat_map(|one| one["filterChains"].as_array().unwrap())
        .map(|chain| &chain["match"]["destinationPort"])
        .collect();
    assert!(ports.contains(&&json!(8080)) && !ports.contains(&&json!(8181)), "{ports:?}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l11_a_headless_service_over_a_workload_entry_has_no_listeners() {
    let _mesh = mesh();
    let _applied = Applied::new(manifest("headless-workloadentry"));
    // What comes after it has come too once it is there.
    let _marker = Applied::new(manifest("http-proxy-port"));
    agreed("deploy/httpbin", &["0.0.0.0_7012"], &["192.0.2.50_7604", "192.0.2.50_7605"]);
}

/// The mesh configuration as it was, which is put back.
struct MeshConfig(String);

impl MeshConfig {
    fn with(more: &str) -> Self {
        let text = kubectl(&["get", "configmap", "-n", "istio-system", "istio", "-o", "jsonpath={.data.mesh}"]);
        let own = Self(text.clone());
        assert!(Self::write(&format!("{}\n{more}\n", text.trim_end())), "the mesh configuration is written");
        own
    }

    fn write(text: &str) -> bool {
        let patch = json!({"data": {"mesh": text}}).to_string();
        let arguments = ["patch", "configmap", "-n", "istio-system", "istio", "--type", "merge", "-p", &patch];
        Command::new("kubectl").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for MeshConfig {
    fn drop(&mut self) {
        if !Self::write(&self.0) {
            eprintln!("the mesh configuration could not be put back");
        }
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l7_what_discovery_selectors_leave_out_is_not_predicted() {
    let _mesh = mesh();
    let _applied = Applied::new(manifest("undiscovered"));
    let address = kubectl(&["get", "service", "-n", "e2e-undiscovered", "far", "-o", "jsonpath={.spec.clusterIP}"]);
    let of_tcp = format!("{address}_7311");
    let far = ["0.0.0.0_7310", &of_tcp];
    agreed("deploy/httpbin", &far, &[]);
    let selectors =
        "discoverySelectors: [{matchLabels: {istio-injection: enabled}}, {matchLabels: {kubernetes.io/metadata.name: istio-system}}]";
    {
        let _config = MeshConfig::with(selectors);
        agreed("deploy/httpbin", &["0.0.0.0_8000"], &far);
    }
    agreed("deploy/httpbin", &far, &[]);
}
