//! Each fault by its name, through the binary: one line on standard error, the right exit status, never a panic.

mod support;

#[path = "support/fake_api/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what other tests use of it")]
mod fake_api;

#[path = "faults/cluster.rs"]
mod cluster;
#[path = "faults/files.rs"]
mod files;
#[path = "faults/proxies.rs"]
mod proxies;

use std::process::{Command, Output, Stdio};

/// Runs the binary against the kubeconfig of a fake server, in another thread, since the server answers in this one's runtime.
async fn against(api: &fake_api::FakeApi, arguments: &[&str]) -> Output {
    spawn(api, arguments).await.unwrap()
}

/// The same without waiting for its end.
fn spawn(api: &fake_api::FakeApi, arguments: &[&str]) -> tokio::task::JoinHandle<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    command.args(arguments).env("KUBECONFIG", api.kubeconfig()).env("HOME", "/nonexistent").stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap())
}

/// What was said on standard error, which has no sign of a panic.
fn said(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!text.contains("panicked"), "{text}");
    assert!(text.lines().all(|line| line.starts_with("meshscope: ")), "{text}");
    text
}

/// Asserts that the run ended with 3 and, warnings aside, one line that holds all of `words`.
fn fails(output: &Output, words: &[&str]) -> String {
    let text = said(output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    let errors: Vec<&str> = text.lines().filter(|line| !line.starts_with("meshscope: warning: ")).collect();
    assert_eq!(errors.len(), 1, "one line: {text}");
    for word in words {
        assert!(errors[0].contains(word), "{word:?} is not in: {text}");
    }
    text
}
