//! A tag that was pushed again between two starts of pods: which replica has which module, and since when.

use serde_json::{Value, json};

use super::health::tag;
use super::live_policy::{comes, found};
use super::live_vm;
use super::world::{Applied, idle_deployment, is_lab, kubectl, mesh, until, wasm_plugin};

const NAME: &str = "e2e-digest";

/// The names of the workload's pods that are not on their way out.
fn pods() -> Vec<String> {
    let answer: Value = serde_json::from_str(&kubectl(&["get", "pods", "-n", "default", "-l", "app=e2e-digest", "-o", "json"])).unwrap();
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    answer["items"].as_array().unwrap().iter().filter(stays).map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn in_states(what: &str, states: &Value, digests: usize) -> Value {
    until(what, &["health", "default/e2e-digest"], |answer| {
        let plugin = &answer["plugins"][0];
        plugin["states"] == *states && plugin["module"]["digests"].as_array().is_some_and(|all| all.len() == digests)
    })
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d10_one_replica_has_what_the_tag_had_before() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    live_vm::push_module(live_vm::TAG, b"x-trap");
    tag(NAME, "v1");
    let mut deployment = idle_deployment(NAME, &json!({}));
    deployment["spec"]["replicas"] = json!(2);
    let plugin: Value = serde_json::from_str(&wasm_plugin("default", NAME, NAME, NAME, "FAIL_CLOSE")).unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [plugin, deployment]});
    let _skewed = Applied::with_pods(list.to_string(), &format!("app={NAME}"));
    in_states("one module on both", &json!({"running": 2}), 1);
    assert_eq!(found("digest-skew").1, Vec::<Value>::new());
    // Another module under the same tag, and one pod that is replaced.
    tag(NAME, live_vm::TAG);
    let before = pods();
    kubectl(&["delete", "pod", "-n", "default", &before[0], "--wait=true"]);
    let answer = in_states("two modules", &json!({"running": 1, "unverified": 1}), 2);
    let mut skew = Value::Null;
    comes("the finding", || {
        skew = found("digest-skew").1.first().cloned().unwrap_or_default();
        skew.is_object()
    });
    assert_eq!((&skew["severity"], &skew["object"]["name"]), (&json!("warning"), &json!(NAME)), "{skew}");
    let young = pods().into_iter().find(|pod| !before.contains(pod)).unwrap();
    let evidence: Vec<&str> = skew["evidence"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let of = |pod: &str| {
        let line = evidence
            .iter()
            .find(|line| line.contains(&format!(" in {pod}.default, since 20")))
            .unwrap_or_else(|| panic!("{pod}: {evidence:?}"));
        line.split_once("sha256:").unwrap().1.split(' ').next().unwrap().to_owned()
    };
    let (old, new) = (of(&before[1]), of(&young));
    assert_ne!(old, new, "{evidence:?}");
    assert!(evidence.iter().any(|line| line.starts_with("given last: ") && line.contains(&new)), "{evidence:?}");
    // The one that was there before is known to have what the tag had before.
    let proxies = answer["plugins"][0]["proxies"].as_array().unwrap();
    let held = proxies.iter().find(|proxy| proxy["proxy"] == format!("{}.default", before[1])).unwrap();
    let said = held["evidence"].to_string();
    assert!(held["state"] == "unverified" && said.contains(&format!("{young}.default, started at 20")) && said.contains(&new), "{held}");
    kubectl(&["delete", "pod", "-n", "default", &before[1], "--wait=true"]);
    in_states("the new module on both", &json!({"running": 2}), 1);
    comes("the finding's end", || found("digest-skew").1.is_empty());
}
