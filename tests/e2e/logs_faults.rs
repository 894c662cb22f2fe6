//! Followed logs while pods are replaced, containers restart, the API server goes away and istiod is restarted: no line is
//! lost, none doubled, and what happened is marked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::cut::Cut;
use super::following::{Following, marks, messages};
use super::world::{Applied, is_lab, kubectl, mesh, until};

/// A Deployment of a pod whose container, which is named like a proxy's, prints numbered lines on both outputs, each with the
/// time at which this run of it began. Where `lines` is not 0, the container ends after so many.
fn counter(name: &str, lines: u32) -> Applied {
    let script = format!(
        "run=$(date +%s%N); i=0; while [ {lines} = 0 ] || [ $i -lt {lines} ]; do echo \"out $run $i\"; echo \"err $run $i\" >&2; i=$((i+1)); sleep 0.02; done"
    );
    let labels = json!({"app": name});
    let container =
        json!({"name": "istio-proxy", "image": "lab.local/curl:1", "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script]});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default", "name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": {"app": name, "sidecar.istio.io/inject": "false"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}});
    let applied = Applied::with_pods(deployment.to_string(), &format!("app={name}"));
    kubectl(&["rollout", "status", "-n", "default", &format!("deploy/{name}"), "--timeout=90s"]);
    applied
}

fn pod_of(name: &str) -> String {
    let selector = format!("app={name}");
    kubectl(&["get", "pods", "-n", "default", "-l", &selector, "-o", "jsonpath={.items[-1:].metadata.name}"])
}

/// The numbers of each output of each run, which have to be all from 0 on, in their order.
fn whole_runs(objects: &[Value], name: &str) -> BTreeMap<String, usize> {
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for line in messages(objects, name).iter().flat_map(|raw| raw.lines()) {
        let (run, number) = line.rsplit_once(' ').unwrap();
        let next = runs.entry(run.to_owned()).or_default();
        assert_eq!(number.parse::<usize>().unwrap(), *next, "{run}: lost or doubled");
        *next += 1;
    }
    runs
}

fn lines_of(objects: &[Value], name: &str) -> usize {
    messages(objects, name).iter().map(|raw| raw.lines().count()).sum()
}

fn parsed(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_pod_that_is_replaced_is_followed_from_its_first_line_to_its_last() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _counter = counter("log-counter", 0);
    let old = pod_of("log-counter");
    let witness = Following::kubectl(&["-n", "default", &old]);
    let follower = Following::meshscope(&["deploy/log-counter"], None);
    follower.until("lines", |objects| lines_of(objects, "log-counter") > 100);
    kubectl(&["delete", "pod", "-n", "default", &old, "--wait=true"]);
    let new = format!("the pod {} is new", pod_of("log-counter"));
    follower.until("the new pod's lines", |objects| lines_of(objects, "log-counter") - lines_of(objects, &old) > 100);
    let objects = parsed(&follower.stop());
    let runs = whole_runs(&objects, "log-counter");
    assert_eq!(runs.len(), 4, "two outputs of two runs: {runs:?}");
    assert_eq!(messages(&objects, &old).join("\n").lines().count(), witness.ended().len());
    assert!(marks(&objects, "restarted").contains(&new.as_str()), "{:?}", marks(&objects, "restarted"));
    assert!(!marks(&objects, "ended").is_empty());
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_container_that_restarts_is_followed_from_run_to_run() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _counter = counter("log-restarts", 200);
    let follower = Following::meshscope(&["deploy/log-restarts"], None);
    let objects = follower.until("three runs", |objects| {
        let runs = whole_runs(objects, "log-restarts");
        runs.len() >= 6 && runs.values().filter(|count| **count == 200).count() >= 4
    });
    let runs = whole_runs(&objects, "log-restarts");
    let whole: Vec<usize> = runs.values().copied().filter(|count| *count == 200).collect();
    assert!(whole.len() >= runs.len() - 2, "only the last run is not whole: {runs:?}");
    assert!(marks(&objects, "restarted").iter().any(|text| text.contains("(restart 1)")));
    assert!(marks(&objects, "waiting").iter().any(|text| text.contains("waits for its restart")));
    follower.stop();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn an_api_server_that_is_away_costs_no_line() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _counter = counter("log-cut", 0);
    let way = Cut::open();
    let follower = Following::meshscope(&["deploy/log-cut"], Some(&way.kubeconfig()));
    follower.until("lines", |objects| lines_of(objects, "log-cut") > 100);
    for seconds in [1, 20] {
        let before = lines_of(&follower.objects(), "log-cut");
        way.cut();
        std::thread::sleep(Duration::from_secs(seconds));
        way.mend();
        follower.until("lines after the cut", |objects| lines_of(objects, "log-cut") > before + 200);
    }
    // A pod that is replaced while nobody can see it.
    way.cut();
    let old = pod_of("log-cut");
    kubectl(&["delete", "pod", "-n", "default", &old, "--wait=true"]);
    way.mend();
    follower.until("the new pod's lines", |objects| lines_of(objects, "log-cut") - lines_of(objects, &old) > 100);
    let objects = parsed(&follower.stop());
    let runs = whole_runs(&objects, "log-cut");
    assert_eq!(runs.len(), 4, "{runs:?}");
    assert!(marks(&objects, "waiting").len() >= 2 && marks(&objects, "resumed").len() >= 2, "{objects:?}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn an_istiod_that_is_restarted_is_followed() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let istiod = || kubectl(&["get", "pods", "-n", "istio-system", "-l", "app=istiod", "-o", "jsonpath={.items[0].metadata.name}"]);
    let old = istiod();
    let witness = Following::kubectl(&["-n", "istio-system", &old]);
    let follower = Following::meshscope(&["deploy/istio-system/istiod"], None);
    follower.until("istiod's past", |objects| lines_of(objects, &old) > 100);
    kubectl(&["delete", "pod", "-n", "istio-system", &old, "--wait=true"]);
    kubectl(&["rollout", "status", "-n", "istio-system", "deploy/istiod", "--timeout=120s"]);
    let new = istiod();
    follower.until("the new istiod's pushes", |objects| {
        objects.iter().any(|object| object["pod"].as_str().is_some_and(|pod| pod.starts_with(&new)) && object["event"] == "push")
    });
    // The proxies are back when all of them were sent their listeners again.
    until("the mesh as it was", &["plugins"], |answer| {
        let plugins = answer["plugins"].as_array().unwrap();
        plugins.iter().any(|plugin| plugin["plugin"] == "default/helloworld" && plugin["rollup"] == "ready")
    });
    std::thread::sleep(Duration::from_secs(2));
    let objects = parsed(&follower.stop());
    assert_eq!(messages(&objects, &old).join("\n").lines().collect::<Vec<_>>(), witness.ended());
    let logged = kubectl(&["logs", "-n", "istio-system", &new]);
    let seen = messages(&objects, &new).join("\n");
    assert!(seen.lines().count() > 100 && logged.starts_with(&seen), "what was seen is what was logged from the start");
}
