//! Proxies that no Pod and no WorkloadEntry is of: machines outside the cluster, recordings without pods.

use serde_json::Value;

use crate::support::{self, meshscope};

const NOTE: &str = "no Pod or WorkloadEntry of it was read";

/// A recording of a machine whose WorkloadEntry was not recorded.
fn machine() -> tempfile::TempDir {
    let recording = support::folder("eras/1.26.2/permissive-v4", &[]);
    std::fs::remove_file(recording.path().join("k8s/workloadentries.networking.istio.io.json")).unwrap();
    recording
}

fn ask(recording: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, Value) {
    support::ask(&[arguments, &["-o", "json", "--from", recording.path().to_str().unwrap()]].concat())
}

#[test]
fn item_4_every_command_takes_the_name_of_a_proxy_without_an_object() {
    let recording = machine();
    for name in ["httpbin-0.default", "pod/httpbin-0", "deploy/httpbin"] {
        for command in [&["chains"][..], &["order"], &["mtls"], &["sync"], &["diff"], &["why", "default/helloworld"]] {
            let (status, said, answer) = ask(&recording, &[command, &[name]].concat());
            assert_eq!(status, 0, "{command:?} {name}: {said}");
            assert!(said.contains(NOTE) && answer.to_string().contains("httpbin"), "{command:?} {name}: {said}");
        }
    }
    for command in [&["health"][..], &["check"], &["plugins"], &["workloads"]] {
        let (status, said, answer) = ask(&recording, command);
        assert!(status == 0 && said.contains(NOTE) && answer.to_string().contains(NOTE), "{command:?}: {said}");
    }
    let logs = meshscope(&["logs", "httpbin-0.default", "--from", recording.path().to_str().unwrap()]);
    assert!(logs.status.success(), "{}", String::from_utf8_lossy(&logs.stderr));
}

#[test]
fn item_4_attachment_and_prediction_go_by_the_node() {
    let with_object = support::folder("eras/1.26.2/permissive-v4", &[]);
    let (_, _, known) = ask(&with_object, &["why", "default/helloworld"]);
    let (status, _, answer) = ask(&machine(), &["why", "default/helloworld"]);
    assert_eq!(status, 0);
    let (known, found) = (&known["workloads"][0], &answer["workloads"][0]);
    assert_eq!(found["attached"], true);
    assert_eq!(found["proxy"], "httpbin-0.default");
    for key in ["counted", "predicted", "predictedByMode", "terms"] {
        assert_eq!(found["listeners"][0][key], known["listeners"][0][key], "{key}");
    }
    assert_eq!((found["listeners"][0]["counted"].as_u64(), found["listeners"][0]["predicted"].as_u64()), (Some(4), Some(4)));
}

#[test]
fn item_4_other_labels_of_the_node_are_another_answer() {
    let recording = machine();
    let path = recording.path().join("proxies/httpbin-0.default/config_dump.json");
    let text = std::fs::read_to_string(&path).unwrap().replace(r#""app": "httpbin""#, r#""app": "other""#);
    std::fs::write(&path, text).unwrap();
    let (status, _, answer) = ask(&recording, &["why", "default/helloworld", "httpbin-0.default"]);
    assert_eq!((status, &answer["workloads"][0]["attached"]), (0, &Value::Bool(false)), "{answer}");
}

#[test]
fn item_4_a_recording_without_pods_is_answered_by_its_nodes() {
    let recording = support::folder("permissive", &[]);
    for file in ["pods", "replicasets", "deployments"] {
        std::fs::remove_file(recording.path().join(format!("k8s/{file}.json"))).unwrap();
    }
    let (status, said, answer) = ask(&recording, &["why", "default/helloworld"]);
    let found = &answer["workloads"][0];
    assert_eq!(status, 0, "{said}");
    assert_eq!((found["workload"].as_str(), found["workloadKind"].as_str()), (Some("default/httpbin"), Some("Deployment")));
    assert_eq!((found["listeners"][0]["counted"].as_u64(), found["listeners"][0]["predicted"].as_u64()), (Some(4), Some(4)), "{found}");
}

#[test]
fn item_4_a_proxy_that_istiod_alone_knows_has_a_name() {
    let recording = machine();
    std::fs::remove_dir_all(recording.path().join("proxies")).unwrap();
    let _ = std::fs::remove_file(recording.path().join("istiod/config_dump.httpbin-0.default.json"));
    let (status, said, answer) = ask(&recording, &["sync", "httpbin-0.default"]);
    assert_eq!((status, answer["proxies"][0]["proxy"].as_str()), (0, Some("httpbin-0.default")), "{said}");
    let (status, said, _) = ask(&recording, &["mtls", "httpbin-0.default"]);
    assert!(status == 0 && said.contains("only its name is known"), "{said}");
    let (status, said, _) = ask(&recording, &["chains", "httpbin-0.default"]);
    assert!(status == 3 && said.contains("is not in the recording"), "{said}");
    assert_eq!(ask(&recording, &["chains", "nobody.default"]).0, 2);
}
