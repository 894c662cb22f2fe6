//! What several integration tests share.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod driver;
pub mod logs;
pub mod screen;
pub mod views;
pub mod world;

use std::path::PathBuf;
use std::process::{Command, Output};

/// Every recording of a lab mesh.
pub const MESHES: [&str; 6] = ["permissive", "strict", "disable", "fetch-failed-closed", "fetch-failed-open", "gateway"];

/// A file of `tests/fixtures/recordings`.
pub fn recording(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(format!("{name}.tar.zst"))
}

/// The names of the recordings of what old istiods sent, `eras/1.12.0/permissive-v4`.
pub fn eras() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings/eras");
    let mut found = Vec::new();
    for version in std::fs::read_dir(root).unwrap() {
        let version = version.unwrap();
        for file in std::fs::read_dir(version.path()).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            found.push(format!("eras/{}/{}", version.file_name().to_str().unwrap(), file.trim_end_matches(".tar.zst")));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "there are recordings of old versions");
    found
}

/// The files of a recording, by their path within it.
pub fn files(name: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
    let packed = std::fs::read(recording(name)).unwrap();
    let mut archive = tar::Archive::new(std::io::Cursor::new(zstd::decode_all(&packed[..]).unwrap()));
    let mut found = std::collections::BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        found.insert(path, bytes);
    }
    found
}

/// A recording as a folder, with some files otherwise.
pub fn folder(recording: &str, changed: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    files(recording).iter().for_each(|(name, bytes)| write(name, bytes));
    changed.iter().for_each(|(name, text)| write(name, text.as_bytes()));
    folder
}

/// The recording `permissive` as a folder, with so many more pods of httpbin, `httpbin-000` and so on, each with a dump made of
/// httpbin's.
pub fn crowd(count: usize, dump: impl Fn(usize, &str) -> String) -> tempfile::TempDir {
    const HTTPBIN: &str = "httpbin-664956bb75-9d64m";
    let files = files("permissive");
    let own = String::from_utf8(files[&format!("proxies/{HTTPBIN}.default/config_dump.json")].clone()).unwrap();
    let mut pods: serde_json::Value = serde_json::from_slice(&files["k8s/pods.json"]).unwrap();
    let items = pods["items"].as_array_mut().unwrap();
    let pod = items.iter().find(|pod| pod["metadata"]["name"] == HTTPBIN).unwrap().clone();
    let names: Vec<String> = (0..count).map(|place| format!("httpbin-{place:03}")).collect();
    for (place, name) in names.iter().enumerate() {
        let mut pod = pod.clone();
        pod["metadata"]["name"] = name.as_str().into();
        pod["status"]["podIP"] = format!("10.9.{}.{}", place / 250, place % 250 + 1).into();
        items.push(pod);
    }
    let folder = folder("permissive", &[("k8s/pods.json", pods.to_string())]);
    for (place, name) in names.iter().enumerate() {
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(&format!("proxies/{HTTPBIN}."))) {
            let path = folder.path().join(path.replace(HTTPBIN, name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let changed = path.ends_with("config_dump.json").then(|| dump(place, &own));
            std::fs::write(path, changed.as_ref().map_or(bytes.as_slice(), String::as_bytes)).unwrap();
        }
    }
    folder
}

/// Runs the binary, without a kubeconfig unless one is given.
pub fn meshscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshscope"))
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env("HOME", "/nonexistent")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

/// The exit status of a run, what it writes to standard error, and its answer where that is JSON.
pub fn ask(arguments: &[&str]) -> (i32, String, serde_json::Value) {
    let output = meshscope(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said, serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null))
}

/// The JSON answer of a run that must succeed.
pub fn json(arguments: &[&str]) -> serde_json::Value {
    let output = meshscope(&[arguments, &["-o", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
