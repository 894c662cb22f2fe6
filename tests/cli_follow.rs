//! `logs -f` as a program, against an API server that a test commands: pods that come, a signal, a reader that stops reading.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fake_api::FakeApi;
use serde_json::{Value, json};
use tokio::task::block_in_place;

fn pod(name: &str) -> Value {
    let container = json!({"name": "istio-proxy", "args": ["proxy", "sidecar"]});
    json!({"metadata": {"namespace": "shop", "name": name, "uid": name}, "spec": {"containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "istio-proxy", "restartCount": 0, "state": {"running": {}}}]}})
}

fn add(api: &FakeApi, name: &str, text: &str) {
    let mut state = api.state();
    state.log(name, "istio-proxy", |log| log.write("2026-11-23T19:37:41.100000000Z", &[text]));
    state.put("pods", pod(name));
}

fn follow(api: &FakeApi) -> Child {
    Command::new(env!("CARGO_BIN_EXE_meshscope"))
        .args(["logs", "-f", "-o", "json"])
        .env("KUBECONFIG", api.kubeconfig())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The lines of a program, as they come.
fn lines(child: &mut Child) -> Receiver<String> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn next(lines: &Receiver<String>) -> Value {
    let line = block_in_place(|| lines.recv_timeout(Duration::from_secs(10))).expect("a line comes");
    serde_json::from_str(&line).unwrap()
}

/// Asks the program to end, which it does within some seconds.
fn terminate(child: &mut Child) -> ExitStatus {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let began = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None if began.elapsed() > Duration::from_secs(5) => {
                child.kill().unwrap();
                panic!("it does not end");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_followed_as_they_come_until_a_signal_ends_it_well() {
    let api = FakeApi::start().await;
    add(&api, "web-1", "one");
    let mut child = follow(&api);
    let lines = lines(&mut child);
    let first = next(&lines);
    assert_eq!((&first["message"], &first["pod"], &first["workload"]), (&json!("one"), &json!("web-1.shop"), &json!("shop/web-1")));
    add(&api, "web-2", "two");
    let mark = next(&lines);
    assert_eq!((&mark["source"], &mark["kind"], &mark["event"]), (&json!("meshscope"), &json!("mark"), &json!("restarted")));
    assert_eq!((&mark["message"], &mark["pod"], &mark["time"]), (&json!("the pod web-2 is new"), &json!("web-2.shop"), &Value::Null));
    assert_eq!(next(&lines)["message"], "two");
    // A line that waits for its turn when the signal comes is still written.
    api.state().log("web-1", "istio-proxy", |log| log.write("2026-11-23T19:37:42.100000000Z", &["three", "four"]));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(terminate(&mut child).success());
    assert_eq!([next(&lines)["message"].clone(), next(&lines)["message"].clone()], ["three", "four"]);
    assert_eq!(lines.recv_timeout(Duration::from_secs(5)), Err(RecvTimeoutError::Disconnected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_though_nobody_reads() {
    let api = FakeApi::start().await;
    add(&api, "web-1", "one");
    let long = "x".repeat(1000);
    api.state().log("web-1", "istio-proxy", |log| {
        (0..20_000).for_each(|_| log.write("2026-11-23T19:37:42.100000000Z", &[&long]));
    });
    let mut child = follow(&api);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(block_in_place(|| terminate(&mut child)).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_leaves_nothing_of_a_live_mesh_reads_no_log_again() {
    let api = FakeApi::start().await;
    add(&api, "web-1", "one");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    command.args(["logs", "--level", "error"]).env("KUBECONFIG", api.kubeconfig()).stdin(Stdio::null());
    let output = block_in_place(|| command.output().unwrap());
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(api.state().requests.iter().filter(|path| path.contains("/log?")).count(), 1);
}
