//! What a what-if may not predict, and what comes true of what it does (rows L1, L8 and L15).

use serde_json::{Value, json};

use super::world::{Applied, json as ask, kubectl, mesh, until};

const CHAIN: &str = "tests/e2e/live/with-envoyfilter.yaml";
const SIDECAR: &str = "tests/e2e/live/whatif-untold.yaml";
const PATCHED: &str = "EnvoyFilter default/chain may change its chains, so there is no prediction";
const EGRESS: &str = "Sidecar default/e declares egress listeners of its own, which are not predicted";
const WHY: [&str; 3] = ["why", "default/helloworld", "deploy/httpbin"];

fn manifest(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What a question says of a listener.
fn listener(answer: &Value, name: &str) -> Value {
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    listeners.iter().find(|listener| listener["listener"] == name).cloned().unwrap_or_default()
}

fn with(path: &str) -> Value {
    ask(&[&WHY[..], &["--with", path]].concat())
}

fn under_strict() -> Value {
    ask(&[&WHY[..], &["--mode", "STRICT"]].concat())
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l1_an_envoy_filter_takes_what_would_be_away() {
    let _mesh = mesh();
    let inbound = listener(&with(CHAIN), "virtualInbound");
    assert_eq!((&inbound["before"], &inbound["after"], &inbound["note"]), (&json!(4), &Value::Null, &json!(PATCHED)), "{inbound}");
    let _applied = Applied::new(manifest(CHAIN));
    let answer = until("the chain is gone", &WHY, |answer| {
        let listeners = answer["workloads"][0]["listeners"].as_array().into_iter().flatten();
        listeners.into_iter().any(|one| one["listener"] == "virtualInbound" && one["state"] == "active" && one["counted"] == 3)
    });
    let inbound = listener(&answer, "virtualInbound");
    assert_eq!((&inbound["chainCount"], &inbound["predicted"], &inbound["predictionNote"]), (&json!(7), &Value::Null, &json!(PATCHED)));
    let inbound = listener(&under_strict(), "virtualInbound");
    assert_eq!((&inbound["before"], &inbound["after"], &inbound["note"]), (&Value::Null, &Value::Null, &json!(PATCHED)), "{inbound}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l1_egress_listeners_of_a_sidecar_are_not_predicted() {
    let _mesh = mesh();
    let outbound = listener(&with(SIDECAR), "0.0.0.0_8000");
    assert_eq!((&outbound["before"], &outbound["after"], &outbound["note"]), (&json!(1), &Value::Null, &json!(EGRESS)), "{outbound}");
    let _applied = Applied::new(manifest(SIDECAR));
    until("the outbound side is not predicted", &WHY, |answer| listener(answer, "0.0.0.0_8000")["predictionNote"] == EGRESS);
    let answer = under_strict();
    let outbound = listener(&answer, "0.0.0.0_8000");
    assert_eq!((&outbound["before"], &outbound["after"], &outbound["note"]), (&Value::Null, &Value::Null, &json!(EGRESS)), "{answer}");
    let inbound = listener(&answer, "virtualInbound");
    assert_eq!((&inbound["before"], &inbound["after"]), (&json!(4), &json!(2)), "{answer}");
}

/// How many chains the active listener has.
fn found(answer: &Value, name: &str) -> Option<u64> {
    let mut listeners = answer["proxies"][0]["listeners"].as_array()?.iter();
    let listener = listeners.find(|one| one["name"] == name && one["state"] == "active")?;
    Some(listener["filterChains"].as_array()?.len() as u64)
}

/// How many chains httpbin has in the listener on an address and port, where it is as predicted.
fn chains(name: &str) -> u64 {
    let answer = until(name, &["chains", "deploy/httpbin"], |answer| {
        let listeners = answer["proxies"][0]["listeners"].as_array().into_iter().flatten();
        listeners.into_iter().any(|one| one["name"] == name && one["state"] == "active" && one["prediction"]["agrees"] == true)
    });
    found(&answer, name).unwrap()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l8_a_service_without_cluster_ip_comes_as_it_was_said() {
    let _mesh = mesh();
    let path = "tests/e2e/live/with-service-without-clusterip.yaml";
    let answer = with(path);
    let predicted = |port: u16| listener(&answer, &format!("(an address still to be given to lb.tr.svc.cluster.local)_{port}"));
    assert_eq!(predicted(7440)["after"], 1, "{answer}");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: tr}\n---\n";
    let _applied = Applied::new(format!("{namespace}{}", manifest(path)));
    let address = kubectl(&["get", "service", "-n", "tr", "lb", "-o", "jsonpath={.spec.clusterIP}"]);
    for port in [7440, 7441] {
        assert_eq!(predicted(port)["chainsAfter"], chains(&format!("{address}_{port}")), "{port}: {answer}");
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l15_endpoint_slices_bring_listeners() {
    let _mesh = mesh();
    let path = "tests/e2e/live/with-endpointslice.yaml";
    let answer = with(path);
    let names = ["192.0.2.33_7410", "192.0.2.33_7411"];
    let predicted = names.map(|name| listener(&answer, name)["chainsAfter"].as_u64().unwrap_or_else(|| panic!("{name}: {answer}")));
    let _applied = Applied::new(manifest(path));
    let came =
        until("listeners of the endpoint", &["chains", "deploy/httpbin"], |answer| names.iter().all(|name| found(answer, name).is_some()));
    assert_eq!(names.map(|name| found(&came, name).unwrap()), predicted);
}
