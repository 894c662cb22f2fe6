//! `logs --plugin` over a log file, against `lnav -n` with the same filter, and against `jq` over the same log as JSON, as whole
//! programs; and all lines of 20 logs, merged. `MESHSCOPE_BENCH_MB` says how large the file is: 1000 is a log of 8 million lines.

mod support;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

/// How large the file is where nothing else is said, and how many lines are a megabyte.
const MEGABYTES: u64 = 100;
const LINES: u64 = 8_000;
/// One line of so many is the plugin's.
const RARE: u64 = 1000;
/// How many logs are merged, with a quarter of the lines between them.
const LOGS: u64 = 20;

/// A proxy's log, as Envoy writes it and as JSON.
fn write(lines: u64, log: &Path, as_json: &Path) {
    let (mut log, mut as_json) = (BufWriter::new(File::create(log).unwrap()), BufWriter::new(File::create(as_json).unwrap()));
    for line in 0..lines {
        let (hour, minute, second, micros) = (line / 3_600_000 % 24, line / 60_000 % 60, line / 1000 % 60, line % 1000 * 1000);
        let time = format!("2026-11-23T{hour:02}:{minute:02}:{second:02}.{micros:06}Z");
        let (level, scope, message) = if line % RARE == RARE / 2 {
            ("warning", "wasm", format!("wasm log default.helloworld~istio-translated-wasmplugin add_header: request {line}"))
        } else {
            ("debug", "http", format!("[Tags: \"ConnectionId\":\"{}\"] request {line} ended", line % 977))
        };
        writeln!(log, "{time}\t{level}\tenvoy {scope} conn_manager_impl.cc:1263\t{message}\tthread={}", 20 + line % 4).unwrap();
        let object = json!({"time": time, "level": level, "scope": format!("envoy {scope}"), "msg": message, "thread": "20"});
        writeln!(as_json, "{object}").unwrap();
    }
    log.flush().and_then(|()| as_json.flush()).unwrap();
}

/// How long a command takes, and how many lines it prints; None where there is no such command.
fn run(command: &mut Command) -> Option<(f64, usize)> {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let seconds = began.elapsed().as_secs_f64();
    output.status.success().then(|| (seconds, output.stdout.iter().filter(|byte| **byte == b'\n').count()))
}

fn main() {
    // Only `cargo bench` measures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let lines = LINES * std::env::var("MESHSCOPE_BENCH_MB").ok().and_then(|size| size.parse().ok()).unwrap_or(MEGABYTES);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (log, as_json) = (folder.path().join("httpbin.default.istio-proxy.log"), folder.path().join("log.json"));
    write(lines, &log, &as_json);
    let megabytes = log.metadata().unwrap().len() as f64 / 1e6;
    println!("{lines} lines, {megabytes:.0} MB");

    let mut own = support::meshscope(&["logs", "--plugin", "default/helloworld", "-o", "json", "--from", log.to_str().unwrap()]);
    let (seconds, found) = (0..3).map(|_| run(&mut own).unwrap()).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    assert_eq!(found as u64, (lines + RARE / 2 - 1) / RARE);
    println!("meshscope logs --plugin: {seconds:.2} s, {:.0} MB/s, {found} records", megabytes / seconds);
    if let Some(cost) = support::cost(&own) {
        println!("meshscope logs --plugin: {:.0} MiB of memory", cost.mebibytes);
    }
    let mut lnav = Command::new("lnav");
    lnav.args(["-n", "-c", ":filter-in default\\.helloworld"]).arg(&log);
    let mut jq = Command::new("jq");
    jq.args(["-c", "select(.msg | contains(\"default.helloworld\"))"]).arg(&as_json);
    for (name, command) in [("lnav -n", &mut lnav), ("jq", &mut jq)] {
        match run(command) {
            Some((other, found)) => println!("{name}: {other:.2} s, {found} lines; {:.1} times as long", other / seconds),
            None => println!("{name}: not measured, since it is not installed or failed"),
        }
    }
    merged(folder.path(), lines / 4);
}

fn merged(folder: &Path, lines: u64) {
    let logs = folder.join("recording/logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::create_dir_all(folder.join("recording/k8s")).unwrap();
    for log in 0..LOGS {
        write(lines / LOGS, &logs.join(format!("web-{log}.default.istio-proxy.log")), &folder.join("log.json"));
    }
    let own = support::meshscope(&["logs", "-o", "json", "--from", folder.join("recording").to_str().unwrap()]);
    match support::cost(&own) {
        Some(cost) => println!(
            "meshscope logs, all lines of {LOGS} logs merged: {:.0} lines a second, {:.0} MiB of memory",
            (lines / LOGS * LOGS) as f64 / cost.seconds,
            cost.mebibytes
        ),
        None => println!("{LOGS} logs merged: not measured, since there is no /usr/bin/time"),
    }
}
