//! What istiod would send against what the proxies have, on a mesh: all five types with a plugin in place, and a recording of the same.

use serde_json::Value;

use super::world::{Applied, is_lab, json, mesh, meshscope, until, until_nothing_is_wrong};

const TYPES: [&str; 5] = ["LDS", "ECDS", "CDS", "RDS", "EDS"];

/// What of the one proxy of an answer is not compared with istiod, or differs.
fn wrong(answer: &Value) -> Option<String> {
    let types = answer["proxies"][0]["types"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_so = |found: &Value, name: &str| found["type"] == name && found["basis"] == "istiod" && found["same"] == true;
    let all = types.len() == TYPES.len() && types.iter().zip(TYPES).all(|(found, name)| is_so(found, name));
    (!all).then(|| answer.to_string())
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn item_5_a_recording_answers_diff_as_the_mesh_does() {
    let _mesh = mesh();
    until_nothing_is_wrong("all five types are the same", &["diff", "deploy/httpbin"], wrong);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("recording");
    let target = target.to_str().unwrap();
    assert!(meshscope(&["record", target]).status.success());
    let recorded = json(&["diff", "deploy/httpbin", "--from", target]);
    assert_eq!(wrong(&recorded), None);
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l5_a_request_authentication_is_no_difference() {
    let _mesh = mesh();
    let object = Applied::new(include_str!("live/diff-jwt.yaml"));
    let has_jwt = |answer: &Value| answer.to_string().contains("envoy.filters.http.jwt_authn");
    until("the filter of the RequestAuthentication", &["chains", "deploy/httpbin", "--port", "15006"], has_jwt);
    until_nothing_is_wrong("both have the same", &["diff", "deploy/httpbin"], wrong);
    drop(object);
    until("the filter is gone", &["chains", "deploy/httpbin", "--port", "15006"], |answer| !has_jwt(answer));
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB=1"]
fn live_l4_an_extension_of_an_envoy_filter_is_no_difference() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let object = Applied::new(include_str!("live/envoyfilter-extension-config.yaml"));
    let chains = ["chains", "deploy/sleep", "--port", "15006"];
    until("the filter of the EnvoyFilter", &chains, |answer| answer.to_string().contains("my-wasm"));
    until_nothing_is_wrong("both have the same", &["diff", "deploy/sleep"], wrong);
    drop(object);
    until("the filter is gone", &chains, |answer| !answer.to_string().contains("my-wasm"));
}
