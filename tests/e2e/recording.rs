//! A recording of the mesh gives the answers that the mesh gives, and holds no secret.

use std::path::Path;

use serde_json::Value;

use super::world::{json, kubectl, mesh, meshscope};

const QUESTIONS: [&[&str]; 4] =
    [&["plugins"], &["workloads"], &["why", "default/helloworld", "deploy/httpbin"], &["chains", "deploy/httpbin", "--port", "15006"]];

/// An answer without what differs by where it was read: how, and when. What drains is gone a moment later.
fn answer(arguments: &[&str]) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, _| key != "dumpNote" && key != "warnings");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => {
                items.retain(|item| item["state"] != "draining");
                items.iter_mut().for_each(strip);
            }
            _ => {}
        }
    }
    let mut answer = json(arguments);
    strip(&mut answer);
    answer
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_recording_answers_what_the_mesh_answers() {
    let _mesh = mesh();
    // What drains may end in between, so that the two differ: then once more.
    let mut differs = String::new();
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("recording");
        let output = meshscope(&["record", target.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let from = ["--from", target.to_str().unwrap()];
        let different = QUESTIONS.iter().find(|question| answer(question) != answer(&[question, &from[..]].concat()));
        let Some(question) = different else { return };
        differs = format!("{question:?}\n{}\n{}", answer(question), answer(&[question, &from[..]].concat()));
    }
    panic!("the recording answers otherwise: {differs}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_recording_holds_no_secret() {
    let _mesh = mesh();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("recording");
    assert!(meshscope(&["record", target.to_str().unwrap()]).status.success());
    let token = kubectl(&["create", "token", "httpbin", "-n", "default", "--duration=10m"]);
    // What every token of this cluster begins with: the header names its key.
    let header = token.split('.').next().unwrap();
    let all = files(&target);
    assert!(all.len() > 10, "{all:?}");
    for path in all {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!text.contains("PRIVATE KEY-----") && !text.contains(header), "{path:?}");
    }
}
