//! `logs`: the promised keys, the order, each filter, and how it ends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::fails;
use super::support::meshscope;

/// The objects of a run that must succeed.
fn objects(arguments: &[&str]) -> Vec<Value> {
    let output = meshscope(&[&["logs", "-o", "json"], arguments].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts<'o>(objects: &'o [Value], key: &str) -> Vec<&'o str> {
    objects.iter().map(|object| object[key].as_str().unwrap_or("null")).collect()
}

#[test]
fn an_object_has_the_promised_keys() {
    let all = objects(&["--demo"]);
    assert!(all.len() > 500);
    let plugin = all.iter().find(|object| object["event"] == "pluginLog").unwrap();
    let expected = [
        ("source", "proxy"),
        ("workload", "default/httpbin"),
        ("pod", "httpbin-664956bb75-9d64m.default"),
        ("container", "istio-proxy"),
        ("kind", "plugin"),
        ("event", "pluginLog"),
        ("level", "warning"),
        ("scope", "wasm"),
        ("plugin", "default/helloworld"),
        ("pluginKind", "WasmPlugin"),
        ("message", "returning context for add_header"),
    ];
    for (key, value) in expected {
        assert_eq!(plugin[key], value, "{key}");
    }
    let time = plugin["time"].as_str().unwrap();
    assert!(plugin["raw"].as_str().unwrap().starts_with(&format!("{time}\twarning\tenvoy wasm ")), "{plugin}");
    let keys: Vec<&str> = expected.iter().map(|(key, _)| *key).chain(["time", "raw", "pluginNote", "details"]).collect();
    for object in &all {
        let mut found: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        let mut keys = keys.clone();
        found.sort_unstable();
        keys.sort_unstable();
        assert_eq!(found, keys);
    }
    // A record of several lines keeps their ends.
    assert!(all.iter().any(|object| object["raw"].as_str().unwrap().contains('\n')));
}

#[test]
fn the_lines_of_all_are_in_the_order_of_their_times() {
    let all = objects(&["--demo", "--since", "3h"]);
    // What one container wrote stays in its order, whatever its goroutines took for the time.
    let mut last = BTreeMap::new();
    let times = all.iter().map(|object| {
        let last = last.entry(object["pod"].as_str().unwrap()).or_insert("");
        *last = object["time"].as_str().unwrap().max(*last);
        *last
    });
    assert!(times.is_sorted());
    let sources = texts(&all, "workload");
    assert!(["istio-system/istiod", "default/httpbin", "default/sleep"].iter().all(|name| sources.contains(name)));
    let changes = sources.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes > 20, "they are among each other: {changes}");
}

#[test]
fn each_filter_leaves_what_it_says() {
    let plugin = objects(&["--demo", "--plugin", "default/helloworld"]);
    assert_eq!(texts(&plugin, "event"), ["debounce", "push", "fetch", "fetch", "pluginLog"]);
    assert!(texts(&plugin, "plugin").iter().all(|name| *name == "default/helloworld"));
    let httpbin = objects(&["deploy/httpbin", "--demo", "--tail", "30"]);
    assert!(texts(&httpbin, "workload").iter().all(|name| ["default/httpbin", "istio-system/istiod"].contains(name)));
    let istiod = objects(&["deploy/istio-system/istiod", "--demo"]);
    assert!(texts(&istiod, "source").iter().all(|source| *source == "istiod"));
    let grave = objects(&["--demo", "--level", "warning"]);
    assert!(!grave.is_empty() && texts(&grave, "level").iter().all(|level| ["warn", "warning", "error"].contains(level)));
    let scope = objects(&["--demo", "--scope", "wasm,delta"]);
    assert!(texts(&scope, "scope").contains(&"wasm") && texts(&scope, "scope").iter().all(|scope| ["wasm", "delta"].contains(scope)));
    let text = objects(&["--demo", "--include", "(?i)ECDS", "--exclude", "sleep"]);
    assert!(!text.is_empty() && texts(&text, "raw").iter().all(|raw| raw.to_lowercase().contains("ecds") && !raw.contains("sleep")));
    let young = objects(&["--demo", "--since", "3s"]);
    assert!(!young.is_empty() && young.len() < 20);
    assert_eq!(objects(&["--demo", "-f", "--tail", "1"]).len(), 3, "what cannot grow is followed to its end");
}

#[test]
fn text_is_for_eyes_and_for_no_terminal_to_obey() {
    let output = meshscope(&["logs", "--demo", "--plugin", "helloworld"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "2026-11-23 UTC");
    assert_eq!(lines[1], "19:37:50.519 istiod  push         WasmPlugin default/helloworld, debounced 100 ms");
    assert_eq!(lines[5], "19:39:16.580 httpbin plugin       warning  add_header: returning context for add_header");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evil.log");
    std::fs::write(&path, "2026-11-23T19:37:41Z \x1b]0;title\x07 \u{202e}\u{e0041}\n").unwrap();
    let from = path.to_str().unwrap();
    for form in ["text", "json"] {
        let output = meshscope(&["logs", "--from", from, "-o", form, "--color", "always"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let obeyed = |c: char| c.is_control() && c != '\n' && !(form == "text" && c == '\x1b') || matches!(c, '\u{202e}' | '\u{e0041}');
        assert!(!text.contains(obeyed) && !text.contains("\x1b]"), "{text:?}");
    }
    let object = &objects(&["--from", from])[0];
    assert_eq!(object["message"], "\u{1b}]0;title\u{7} \u{202e}\u{e0041}", "JSON means the same");
}

#[test]
fn a_log_alone_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("httpbin.default.istio-proxy.log");
    let files = super::support::files("permissive");
    let (_, log) = files.iter().find(|(name, _)| name.starts_with("logs/httpbin")).unwrap();
    std::fs::write(&path, log).unwrap();
    let from = path.to_str().unwrap();
    let found = objects(&["--from", from, "--plugin", "default/helloworld"]);
    // Without objects nothing says which plugin a module belongs to.
    assert_eq!(texts(&found, "event"), ["pluginLog"]);
    assert_eq!((&found[0]["pod"], &found[0]["pluginNote"]), (&Value::from("httpbin.default"), &Value::Null));
    let istiod = folder.path().join("istiod.log");
    std::fs::write(&istiod, &files["logs/istiod.log"]).unwrap();
    let pushes = objects(&["--from", istiod.to_str().unwrap(), "--plugin", "helloworld"]);
    assert_eq!(texts(&pushes, "event"), ["debounce"], "nothing is concluded where nothing is known");
    for command in [&["plugins"][..], &["chains"], &["why", "default/helloworld"]] {
        fails(&meshscope(&[command, &["--from", from]].concat()), 2, &["is a log, which only `logs` reads"]);
    }
}

#[test]
fn a_private_key_stays_hidden_wherever_the_reading_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("istiod.log");
    let body = "MIIEpAIBAAKCAQEA7bq0CgP2Hkl1yXhNQ3Wgzx0FGPEO9bRcX34EOyecZAunH76X";
    let line = |second: u8, text: &str| format!("2026-11-23T19:37:{second:02}Z {text}\n");
    let own = "2026-11-23T19:37:01.000000Z\tinfo\tkey\n-----BEGIN RSA PRIVATE KEY-----";
    let mut log: String = own.lines().map(|text| line(1, text)).collect();
    (2..8).for_each(|second| log.push_str(&line(second, body)));
    log.push_str(&line(8, "-----END RSA PRIVATE KEY-----"));
    log.push_str(&line(9, "a line without a form"));
    std::fs::write(&path, log).unwrap();
    let from = path.to_str().unwrap();
    for arguments in [&[][..], &["--tail", "4"], &["--since", "5s"], &["--include", "form"], &["--include", "MIIE"]] {
        let all = objects(&[arguments, &["--from", from]].concat());
        assert!(all.iter().all(|object| !object.to_string().contains(&body[..16])), "{arguments:?}: {all:?}");
        let seen = arguments.contains(&"MIIE") || texts(&all, "message").iter().any(|text| text.contains("a line without a form"));
        assert!(seen, "{arguments:?}: {all:?}");
    }
}

#[test]
fn wrong_usage_is_one_line() {
    fails(&meshscope(&["logs", "--demo", "-o", "yaml"]), 2, &["text or json"]);
    fails(&meshscope(&["logs", "--demo", "--level", "loud"]), 2, &["trace, debug, info, warning, error, critical"]);
    fails(&meshscope(&["logs", "--demo", "--include", "("]), 2, &["( is not a regular expression"]);
    fails(&meshscope(&["logs", "--demo", "deploy/nope"]), 2, &["no Deployment nope", "deploy/httpbin"]);
    fails(&meshscope(&["logs", "--demo", "--plugin", "default/nope"]), 2, &["there is default/helloworld"]);
    fails(&meshscope(&["logs", "--demo", "--previous", "-f"]), 2, &["--previous", "--follow"]);
    fails(&meshscope(&["logs", "--demo", "--since", "yesterday"]), 2, &["'yesterday'", "1h"]);
    let folder = tempfile::tempdir().unwrap();
    let dump = super::lone_dump(&folder);
    fails(&meshscope(&["logs", "--from", dump.to_str().unwrap()]), 2, &["httpbin.json holds no logs"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("istiod.log");
    let line = "2026-11-23T19:37:41.428Z 2026-11-23T19:37:41.428949Z\tinfo\tads\tXDS: Pushing Services:5\n";
    std::fs::write(&path, line.repeat(200_000)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshscope"))
        .args(["logs", "-o", "json", "--from", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"time\":"));
    drop(lines);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}
