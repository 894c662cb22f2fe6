//! Istiods that are not ready, and meshes whose istiod is elsewhere.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::Severity;
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh};
use super::{found, of, one};

const CODE: &str = "no-istiod";

/// A change of the objects of istiod in a list; one that becomes null goes.
fn of_istiod(change: impl Fn(&mut Value)) -> impl Fn(&mut Value) {
    move |list| {
        let items = list["items"].as_array_mut().unwrap();
        for item in items.iter_mut() {
            if item["metadata"]["labels"]["app"] == "istiod" {
                change(item);
            }
        }
        items.retain(|item| !item.is_null());
    }
}

fn gone(object: &mut Value) {
    *object = Value::Null;
}

/// The recording with another Deployment and other pods of istiod, none of which answers.
fn mesh(deployment: impl Fn(&mut Value), pod: impl Fn(&mut Value)) -> Mesh {
    Mesh::permissive().change("k8s/deployments.json", of_istiod(deployment)).change("k8s/pods.json", of_istiod(pod))
}

fn unanswered(mesh: Mesh) -> Snapshot {
    let mut snapshot = of(mesh);
    snapshot.sync = Some(Err("istiod cannot be asked for /debug/syncz: no istiod runs".to_owned()));
    snapshot
}

fn scaled_down(deployment: &mut Value) {
    deployment["spec"]["replicas"] = json!(0);
    deployment["status"] = json!({"observedGeneration": 2});
}

fn crashing(pod: &mut Value) {
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
    pod["status"]["containerStatuses"] = json!([{"name": "discovery", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
}

#[test]
fn incident_d11b_an_istiod_without_replicas_is_an_error_though_nothing_can_be_asked() {
    let snapshot = unanswered(mesh(scaled_down, gone));
    let finding = one(found(&snapshot, CODE), Severity::Error, "Deployment istio-system/istiod");
    assert_eq!(finding.what, "Deployment istio-system/istiod has 0 replicas: no change reaches 2 proxies, no certificate is renewed.");
    assert_eq!((finding.proxies.len(), finding.id.as_str()), (2, "no-istiod:deployment/istio-system/istiod"));
    assert_eq!(finding.fix, "scale it up: kubectl -n istio-system scale deploy/istiod --replicas=1");
    // Another revision's istiod answers, and has none of these proxies: the cause is one finding.
    let mut other = of(mesh(scaled_down, gone));
    let Some(Ok(sync)) = &mut other.sync else { panic!("the recording has it") };
    Arc::make_mut(sync).istiods[0].clients.clear();
    assert_eq!(found(&other, CODE).len(), 1);
    assert_eq!(found(&other, "proxy-not-connected"), []);
    let seen = answers::findings(&snapshot, Some("istio-system"), &[]).findings;
    assert!(seen.iter().all(|finding| finding.code != CODE), "no proxy of this namespace is cut off: {seen:?}");
}

#[test]
fn incident_d11b_pods_that_are_not_ready_and_none_that_come() {
    let finding = one(found(&unanswered(mesh(|_| (), crashing)), CODE), Severity::Error, "Deployment istio-system/istiod");
    assert!(finding.what.starts_with("Deployment istio-system/istiod has no ready pod: "), "{finding:?}");
    assert!(finding.evidence[1].ends_with("is Running and not Ready (CrashLoopBackOff)"), "{finding:?}");
    assert!(finding.fix.contains("logs deploy/istiod"), "{finding:?}");
    let quota = |deployment: &mut Value| deployment["status"] = json!({"observedGeneration": 1, "unavailableReplicas": 1});
    let finding = one(found(&unanswered(mesh(quota, gone)), CODE), Severity::Error, "Deployment istio-system/istiod");
    assert!(finding.what.starts_with("Deployment istio-system/istiod has no pod: "), "{finding:?}");
    // Without the right to list Deployments, the pods name theirs.
    let mut pods_alone = unanswered(mesh(gone, crashing));
    pods_alone.unread.insert(Kind::Deployment);
    one(found(&pods_alone, CODE), Severity::Error, "Deployment istio-system/istiod");
}

#[test]
fn incident_d11b_nothing_is_concluded_where_an_istiod_may_run() {
    let none = |what: &str, snapshot: &Snapshot| assert_eq!(found(snapshot, CODE), [], "{what}");
    none("a ready pod that could not be asked", &unanswered(Mesh::permissive()));
    let elsewhere = || mesh(gone, gone).change("k8s/replicasets.json", of_istiod(gone));
    none("an external control plane", &unanswered(elsewhere()));
    let mut forbidden = unanswered(mesh(scaled_down, gone));
    forbidden.unread.insert(Kind::Pod);
    none("pods that cannot be listed", &forbidden);
    let not_checked = answers::findings(&forbidden, None, &[]).not_checked;
    assert!(not_checked.iter().any(|lacking| lacking.objects == ["pods"] && lacking.codes.contains(&CODE)), "{not_checked:?}");
    none("connections that istiod has", &of(mesh(scaled_down, gone)));
    let bare = |deployment: &mut Value| deployment["status"] = Value::Null;
    none("a recording without istiod's pods", &unanswered(mesh(bare, gone)));
    none("nor with a status that counts a ready one", &unanswered(mesh(|_| (), gone)));
    let second = |list: &mut Value| {
        let items = list["items"].as_array_mut().unwrap();
        let mut canary = items.iter().find(|item| item["metadata"]["name"] == "istiod").unwrap().clone();
        scaled_down(&mut canary);
        canary["metadata"]["name"] = json!("istiod-canary");
        canary["metadata"]["labels"]["istio.io/rev"] = json!("canary");
        items.push(canary);
    };
    none("a revision that serves nobody", &unanswered(Mesh::permissive().change("k8s/deployments.json", second)));
    let of_one = |list: &mut Value| {
        let pods = list["items"].as_array_mut().unwrap().iter_mut();
        for pod in pods.filter(|pod| HTTPBIN.starts_with(pod["metadata"]["name"].as_str().unwrap())) {
            pod["metadata"]["annotations"]["istio.io/rev"] = json!("canary");
        }
    };
    let served = unanswered(Mesh::permissive().change("k8s/deployments.json", second).change("k8s/pods.json", of_one));
    let finding = one(found(&served, CODE), Severity::Error, "Deployment istio-system/istiod-canary");
    assert_eq!(finding.proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), [HTTPBIN]);
}
