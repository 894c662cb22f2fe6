//! Files that are not what they should be.

use std::fs;
use std::path::PathBuf;

use super::fails;
use super::support::meshscope;

const COMMANDS: [&[&str]; 2] = [&["chains"], &["why", "default/helloworld"]];

/// A file with this content, and the folder that holds it until the test ends.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn dump() -> Vec<u8> {
    let files = super::support::files("permissive");
    let mut dumps = files.into_iter().filter(|(path, _)| path.starts_with("proxies/httpbin") && path.ends_with("/config_dump.json"));
    dumps.next().unwrap().1
}

/// Each command fails on the file, naming it and saying `words`, and prints no more than that nothing can be shown.
fn refused(path: &std::path::Path, words: &[&str]) {
    let name = path.file_name().unwrap().to_str().unwrap();
    for command in COMMANDS {
        let output = meshscope(&[command, &["--from", path.to_str().unwrap()]].concat());
        let text = fails(&output, words);
        assert!(text.contains(name), "{text}");
        assert!(output.stdout.len() < 100, "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_truncated_dump_shows_what_came_before_the_cut() {
    let whole = dump();
    // In the middle of the listeners.
    let at = whole.windows(16).rposition(|window| window == b"\"virtualInbound\"").unwrap();
    let (_folder, path) = file("cut.json", &whole[..at]);
    for command in COMMANDS {
        let output = meshscope(&[command, &["--from", path.to_str().unwrap()]].concat());
        fails(&output, &["cut.json", "is cut short after", "take the dump again"]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("httpbin-664956bb75-9d64m.default"), "{command:?}");
    }
    let output = meshscope(&["chains", "-o", "json", "--from", path.to_str().unwrap()]);
    fails(&output, &["is cut short"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!answer["proxies"][0]["listeners"].as_array().unwrap().is_empty());
    assert!(answer["warnings"].to_string().contains("is cut short"));
}

#[test]
fn a_dump_cut_anywhere_is_no_panic() {
    let whole = dump();
    let (_folder, path) = file("cut.json", b"");
    for part in 1..20 {
        fs::write(&path, &whole[..whole.len() * part / 20]).unwrap();
        fails(&meshscope(&["chains", "--from", path.to_str().unwrap()]), &["cut.json"]);
    }
}

#[test]
fn text_that_is_not_json() {
    let (_folder, path) = file("notes.json", b"Error from server (NotFound): pods \"x\" not found\n");
    refused(&path, &["is not JSON", "config_dump"]);
}

#[test]
fn an_empty_file() {
    let (_folder, path) = file("empty.json", b"");
    refused(&path, &["is empty", "save the dump again"]);
    let (_folder, path) = file("blank.json", b" \n\n");
    refused(&path, &["blank.json"]);
}

#[test]
fn json_of_another_kind() {
    for text in ["{\"a\": 1}", "[]", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}", "null", "\"text\"", "12"] {
        let (_folder, path) = file("other.json", text.as_bytes());
        refused(&path, &["config dump"]);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let (_folder, path) = file("noise.json", &[0xff, 0xfe, 0x00, 0x9b, 0x1b, b'['].repeat(1000));
    refused(&path, &["is not JSON"]);
}

#[test]
fn a_gibibyte_of_nothing() {
    let (_folder, path) = file("sparse.json", b"");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
    refused(&path, &["sparse.json"]);
}

#[test]
fn a_file_that_is_not_there() {
    refused(std::path::Path::new("/nowhere/dump.json"), &["no such file or folder", "recording folder"]);
}

#[test]
fn a_folder_that_is_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["is no recording"]);
}

#[test]
fn an_archive_that_is_cut_short() {
    let packed = fs::read(super::support::recording("permissive")).unwrap();
    let (_folder, path) = file("cut.tar.zst", &packed[..packed.len() / 2]);
    refused(&path, &["cut short"]);
}

#[test]
fn a_dump_in_a_recording_that_cannot_be_read_is_a_warning_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in super::support::files("permissive") {
        let bytes = if path.starts_with("proxies/sleep") && path.ends_with("config_dump.json") { b"oops".to_vec() } else { bytes };
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let output = meshscope(&["chains", "-o", "json", "--from", folder.path().to_str().unwrap()]);
    assert!(output.status.success());
    let text = super::said(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("meshscope: warning: sleep-") && text.contains("is not JSON"), "{text}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["warnings"].to_string().contains("is not JSON"));
    assert!(answer["proxies"].to_string().contains("httpbin-664956bb75-9d64m.default"));
}

#[test]
fn an_object_that_is_damaged_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in super::support::files("permissive") {
        let bytes = if path == "k8s/services.json" { b"{\"items\": [".to_vec() } else { bytes };
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let output = meshscope(&["why", "default/helloworld", "-o", "json", "--from", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", super::said(&output));
    assert!(super::said(&output).contains("services"));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["workloads"][0]["listeners"][0]["counted"], 4);
}
