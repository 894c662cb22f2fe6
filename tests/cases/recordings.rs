//! What a recording gives away, carries over and leaves behind: the rows H3, H4, H10 and H13, and what is said under the table.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::inputs::Case;
use super::support::{self, meshscope};

fn record(from: &Path, to: &Path, more: &[&str]) -> Output {
    meshscope(&[&["record", to.to_str().unwrap(), "--from", from.to_str().unwrap()], more].concat())
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The modes of a folder and all in it, with their names.
fn modes(folder: &Path, all: &mut Vec<(String, u32)>) {
    let about = fs::symlink_metadata(folder).unwrap();
    all.push((folder.display().to_string(), about.permissions().mode() & 0o777));
    if about.is_dir() {
        fs::read_dir(folder).unwrap().for_each(|entry| modes(&entry.unwrap().path(), all));
    }
}

#[test]
fn hostile_h3_answers_over_the_copy_are_those_over_the_original() {
    let case = Case::open("hostile");
    let original = support::folder(
        "strict",
        &[("k8s/configmap-istio.json", fs::read_to_string(case.path("mesh-redaction/k8s/configmap-istio.json")).unwrap())],
    );
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    assert_eq!(record(original.path(), &copy, &[]).status.code(), Some(0));
    assert!(!fs::read_to_string(copy.join("k8s/configmap-istio.json")).unwrap().contains("LEAKED"));
    for command in ["mtls", "chains", "plugins", "check"] {
        let answer = |from: &Path| meshscope(&[command, "--from", from.to_str().unwrap(), "-A", "-o", "json"]);
        let (before, after) = (answer(original.path()), answer(&copy));
        assert_eq!((before.status, before.stdout), (after.status, after.stdout), "{command}");
    }
}

#[test]
fn hostile_h4_a_recording_of_a_recording_says_what_is_lacking() {
    let case = Case::open("hostile");
    let dir = tempfile::tempdir().unwrap();
    let original = case.path("unread-lost");
    fs::write(original.join("unfinished.txt"), "interrupted").unwrap();
    let (copy, again) = (dir.path().join("copy"), dir.path().join("again"));
    for (from, to) in [(&original, &copy), (&copy, &again)] {
        let output = record(from, to, &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = errors(&output);
        assert!(said.contains("no right to list") && said.contains("its writing was interrupted"), "{said}");
        assert_eq!(json(&to.join("k8s/unread.json")), json(&original.join("k8s/unread.json")));
        assert!(to.join("unfinished.txt").exists());
        let answer = meshscope(&["mtls", "--from", to.to_str().unwrap(), "-o", "json"]);
        assert!(String::from_utf8_lossy(&answer.stdout).contains("no right to list"), "{answer:?}");
    }
}

#[test]
fn hostile_h10_strict_leaves_out_every_string_of_plugins() {
    let config = r#""pluginConfig": {"note": "PLAINWORD", "deep": [{"a": "PLAINWORD", "max": 5}], "on": true}, "pluginName""#;
    let plugins = String::from_utf8(support::files("strict")["k8s/wasmplugins.extensions.istio.io.json"].clone()).unwrap();
    let original = support::folder("strict", &[("k8s/wasmplugins.extensions.istio.io.json", plugins.replace("\"pluginName\"", config))]);
    let dir = tempfile::tempdir().unwrap();
    let (plain, strict) = (dir.path().join("plain"), dir.path().join("strict"));
    assert_eq!(record(original.path(), &plain, &[]).status.code(), Some(0));
    assert_eq!(record(original.path(), &strict, &["--strict"]).status.code(), Some(0));
    let read = |folder: &Path| json(&folder.join("k8s/wasmplugins.extensions.istio.io.json"))["items"][0]["spec"]["pluginConfig"].take();
    assert_eq!(read(&plain)["note"], "PLAINWORD");
    let expected = serde_json::json!({"note": "[redacted]", "deep": [{"a": "[redacted]", "max": 5}], "on": true});
    assert_eq!(read(&strict), expected);
    let mut all = Vec::new();
    modes(&strict, &mut all);
    for (file, _) in all.iter().filter(|(file, _)| Path::new(file).is_file()) {
        assert!(!fs::read_to_string(file).unwrap().contains("PLAINWORD"), "{file}");
    }
    for command in [&["plugins"][..], &["why", "default/helloworld"], &["check"]] {
        // Only how large the dump is differs.
        let answer = |from: &Path| {
            let output = meshscope(&[command, &["--from", from.to_str().unwrap(), "-o", "json"]].concat());
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().filter(|line| !line.contains("\"dumpNote\"")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(answer(&plain), answer(&strict), "{command:?}");
    }
}

#[test]
fn hostile_h13_what_is_written_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    for umask in ["000", "022", "0277"] {
        let folder = dir.path().join(format!("below-{umask}/recording"));
        let program = env!("CARGO_BIN_EXE_meshscope");
        let line = format!("umask {umask}; exec '{program}' record '{}' --demo", folder.display());
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let mut all = Vec::new();
        modes(folder.parent().unwrap(), &mut all);
        assert!(all.len() > 10);
        for (path, mode) in all {
            assert_eq!(mode, if Path::new(&path).is_dir() { 0o700 } else { 0o600 }, "{path}, umask {umask}");
        }
    }
}

#[test]
fn hostile_failed_a_failed_record_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = dir.path().join("nothing");
    fs::create_dir_all(nothing.join("k8s")).unwrap();
    let mine = dir.path().join("mine");
    fs::create_dir(&mine).unwrap();
    for folder in [dir.path().join("new/recording"), mine.clone()] {
        let output = record(&nothing, &folder, &[]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(errors(&output).contains("nothing could be recorded"), "{output:?}");
        assert!(!dir.path().join("new").exists() && fs::read_dir(&mine).unwrap().next().is_none());
        assert_eq!(record(&support::recording("strict"), &folder, &[]).status.code(), Some(0), "a second try");
        fs::remove_dir_all(&folder).unwrap();
        if folder == mine { break } else { fs::remove_dir(folder.parent().unwrap()).unwrap() }
    }
}

#[test]
fn hostile_links_that_lead_out_of_a_recording_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("mine.json"), r#"{"apiVersion":"v1","kind":"List","items":[{"kind":"Pod","metadata":{"name":"MINE"}}]}"#)
        .unwrap();
    fs::write(outside.path().join("mine.log"), "2026-11-23T19:40:10.000000Z MINE\n").unwrap();
    let recording = support::folder("strict", &[]);
    let put = |to: &Path, name: &str| {
        let path = recording.path().join(name);
        let _ = fs::remove_file(&path);
        symlink(to, path).unwrap();
    };
    put(&outside.path().join("mine.json"), "k8s/pods.json");
    put(&outside.path().join("mine.log"), "logs/httpbin-664956bb75-9d64m.default.istio-proxy.log");
    // Within the recording a link is as good as a file.
    fs::rename(recording.path().join("k8s/services.json"), recording.path().join("k8s/services-1.json")).unwrap();
    put(Path::new("services-1.json"), "k8s/services.json");
    let from = recording.path().to_str().unwrap();
    for command in ["plugins", "check", "logs"] {
        let output = meshscope(&[command, "--from", from]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), errors(&output));
        assert!(
            !said.contains("MINE") && said.contains("a link that leads out of the recording") && !said.contains("services.json"),
            "{said}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let output = record(recording.path(), &copy, &[]);
    assert!(output.status.success() && errors(&output).contains("pods.json is a link"), "{output:?}");
    assert!(!copy.join("k8s/pods.json").exists() && copy.join("k8s/services.json").exists());

    // A folder that is a link, and the recording itself as one.
    fs::rename(recording.path().join("logs"), outside.path().join("logs")).unwrap();
    put(&outside.path().join("logs"), "logs");
    let output = meshscope(&["logs", "--from", from]);
    assert!(output.status.code() == Some(3) && errors(&output).contains("logs is a link"), "{output:?}");
    let whole = support::folder("strict", &[]);
    let link = dir.path().join("link");
    symlink(whole.path(), &link).unwrap();
    assert_eq!(meshscope(&["plugins", "--from", link.to_str().unwrap()]).status.code(), Some(0));
}
