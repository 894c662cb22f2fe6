//! The command line as scripts meet it: exit statuses, one-line errors, the forms of an answer and its promised keys.

mod support;

#[path = "cli/answers.rs"]
mod answers;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/connection.rs"]
mod connection;
#[path = "cli/logs.rs"]
mod logs;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/usage.rs"]
mod usage;

use std::path::PathBuf;
use std::process::Output;

/// The dump of httpbin's proxy, taken out of a recording, as the file that a person would have saved.
fn lone_dump(folder: &tempfile::TempDir) -> PathBuf {
    let files = support::files("permissive");
    let (_, bytes) =
        files.iter().find(|(path, _)| path.starts_with("proxies/httpbin") && path.ends_with("/config_dump.json")).expect("a dump");
    let path = folder.path().join("httpbin.json");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Asserts that a run failed with this status and one line on standard error that holds all of `words`.
fn fails(output: &Output, status: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    assert!(said.starts_with("meshscope: "), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}
