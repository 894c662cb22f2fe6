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

fn both_run(what: &str, digests: usize) -> Value {
    until(what, &["health", "default/e2e-digest"], |answer| {
        let plugin = &answer["plugins"][0];
        plugin["states"] == json!({"running": 2}) && plugin["module"]["digests"].as_array().is_some_and(|all| all.len() == digests)
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
    both_run("one module on both", 1);
    assert_eq!(found("digest-skew").1, Vec::<Value>::new());
    // Another module under the same tag, and one pod that is replaced.
    tag(NAME, live_vm::TAG);
    let before = pods();
    kubectl(&["delete", "pod", "-n", "default", &before[0], "--wait=true"]);
    both_run("two modules", 2);
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
    // Both run what they have, and that is no proof that the tag has it.
    kubectl(&["delete", "pod", "-n", "default", &before[1], "--wait=true"]);
    both_run("the new module on both", 1);
    comes("the finding's end", || found("digest-skew").1.is_empty());
}
