//! Logs as people save them: wrapped, prefixed, converted, pasted; and what is said of those that are not understood.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use super::inputs::Case;
use super::support::meshscope;

/// A folder with one file.
pub struct Saved {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Saved {
    pub fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        Self { path, _folder: folder }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

pub fn logs(path: &Path, more: &[&str]) -> Output {
    meshscope(&[&["logs", "--from", path.to_str().unwrap()], more].concat())
}

/// The objects, and what was said on standard error.
pub fn said(path: &Path, more: &[&str]) -> (Vec<Value>, String) {
    let output = logs(path, &[&["-o", "json"], more].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    (String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect(), stderr)
}

/// The objects of a file of which all is understood.
pub fn objects(path: &Path) -> Vec<Value> {
    let (objects, stderr) = said(path, &[]);
    assert_eq!(stderr, "");
    objects
}

/// Some keys of each object.
pub fn values(objects: &[Value], keys: &[&str]) -> Value {
    objects
        .iter()
        .map(|object| keys.iter().map(|key| object.pointer(&format!("/{key}")).cloned().unwrap_or_default()).collect::<Vec<_>>())
        .collect()
}

const KEYS: [&str; 6] = ["time", "kind", "level", "scope", "plugin", "message"];

fn case(file: &str) -> Vec<Value> {
    objects(&Case::open("18-prefixed-and-wrapped").path(file))
}

/// What is right of every file of case 18: that of its bom.log, without the mark.
fn plain() -> Vec<Value> {
    let whole = Case::open("18-prefixed-and-wrapped");
    let text = std::fs::read_to_string(whole.path("bom.log")).unwrap();
    let saved = Saved::new("httpbin-6d84d49667-gqdrd.log", text.trim_start_matches('\u{feff}'));
    objects(saved.path())
}

#[test]
fn field_18_the_same_is_read_whatever_is_around_the_lines() {
    let plain = plain();
    assert_eq!(values(&plain, &["kind"]), json!([["agent"], ["plugin"], ["access"], ["envoy"]]));
    for file in ["crlf.log", "bom.log", "ansi.log", "kubectl-prefix.log", "kubectl-prefix-timestamps.log", "stern.log", "loki-export.log"] {
        let found = case(file);
        assert_eq!(values(&found, &KEYS), values(&plain, &KEYS), "{file}");
        assert_eq!(values(&found, &["raw"]), values(&plain, &["raw"]), "{file}");
    }
    for file in ["kubectl-prefix.log", "kubectl-prefix-timestamps.log", "stern.log"] {
        let whose = json!(["httpbin-6d84d49667-gqdrd", "istio-proxy", "proxy"]);
        assert_eq!(values(&case(file), &["pod", "container", "source"]), json!([whose, whose, whose, whose]), "{file}");
    }
}

/// The lines of case 18.
fn lines() -> Vec<String> {
    plain().iter().map(|object| object["raw"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn field_18_other_tools_are_read_alike() {
    let (plain, lines) = (plain(), lines());
    let each = |write: &dyn Fn(&str) -> String| lines.iter().map(|line| write(line) + "\n").collect::<String>();
    let crlf = each(&|line| format!("{line}\r"));
    let little: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = crlf.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let time = "2023-05-10T03:16:24.5Z";
    let loki = lines.iter().map(|line| json!({"line": line, "timestamp": "1683688584500000000", "fields": {}})).collect::<Vec<_>>();
    let csv = |line: &str| format!("1683688584500,\"{}\"", line.replace('"', "\"\""));
    for (name, bytes) in [
        ("utf16le.log", [&[0xff, 0xfe][..], &little].concat()),
        ("utf16be.log", [&[0xfe, 0xff][..], &big].concat()),
        ("without-mark.log", little),
        ("node.log", each(&|line| format!("{time} stdout F {line}")).into_bytes()),
        ("parts.log", each(&|line| format!("{time} stderr P {}\n{time} stderr F {}", &line[..30], &line[30..])).into_bytes()),
        ("docker-json.log", each(&|line| json!({"log": format!("{line}\n"), "stream": "stdout", "time": time}).to_string()).into_bytes()),
        ("victoria.jsonl", each(&|line| json!({"_msg": line, "_time": time}).to_string()).into_bytes()),
        ("elastic.ndjson", each(&|line| json!({"_index": "a", "_source": {"message": line, "@timestamp": time}}).to_string()).into_bytes()),
        ("grafana.json", serde_json::to_vec(&loki).unwrap()),
        ("grafana-pretty.json", serde_json::to_vec_pretty(&loki).unwrap()),
        ("grafana.csv", format!("\"Time\",\"Line\"\n{}", each(&csv)).into_bytes()),
        ("grafana.txt", each(&|line| format!("1683688584500\t2023-05-10T03:16:24.500Z\t{line}")).into_bytes()),
        ("logcli.txt", each(&|line| format!("2023-05-10T05:16:24+02:00 {{app=\"a\"}} {line}")).into_bytes()),
        ("grep.txt", each(&|line| line.replace("wasm", "\u{1b}[01;31m\u{1b}[Kwasm\u{1b}[m\u{1b}[K")).into_bytes()),
    ] {
        let saved = Saved::new(name, bytes);
        let found = objects(saved.path());
        assert_eq!(values(&found, &KEYS), values(&plain, &KEYS), "{name}");
        assert_eq!(values(&found, &["raw"]), values(&plain, &["raw"]), "{name}");
        // A filter finds the same.
        for filter in [&["--plugin", "default/helloworld"][..], &["--include", "add_header: hi"]] {
            assert_eq!(values(&said(saved.path(), filter).0, &["message"]), json!([["hi"]]), "{name} {filter:?}");
        }
    }
}

#[test]
fn field_18_interleaved_pods_are_kept_apart() {
    let panic = ["panic: boom", "", "goroutine 1 [running]:", "main.main()"];
    let mut file = String::new();
    for second in 0..3 {
        for pod in ["web-1", "web-2"] {
            file += &format!(
                "[pod/{pod}/istio-proxy] 2023-05-10T03:16:{:02}.000000Z\tinfo\twasm\tline {second}\n",
                10 * second + if pod == "web-1" { 0 } else { 5 }
            );
        }
    }
    for line in panic {
        file += &format!("[pod/web-1/istio-proxy] {line}\n[pod/web-2/istio-proxy] {line}\n");
    }
    let saved = Saved::new("all.log", &file);
    let found = objects(saved.path());
    let of = |pod: &str| {
        found.iter().filter(|object| object["pod"] == pod).map(|object| object["message"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("web-1"), ["line 0", "line 1", "line 2", &panic.join("\n")]);
    assert_eq!(of("web-1"), of("web-2"));
    let times: Vec<&str> = found.iter().filter_map(|object| object["time"].as_str()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let (one, _) = said(saved.path(), &["web-2", "--tail", "2"]);
    assert_eq!(values(&one, &["pod", "event"]).as_array().unwrap().iter().filter(|pair| pair[0] == "web-2").count(), one.len());
    // One after the other, as `kubectl logs -l` writes them, they come in the order of their times all the same.
    let mut sorted: Vec<&str> = file.lines().collect();
    sorted.sort_by_key(|line| &line[..24]);
    let sequence = objects(Saved::new("l.log", sorted.join("\n")).path());
    let times: Vec<&str> = sequence.iter().filter_map(|object| object["time"].as_str()).collect();
    assert!(times.len() == 6 && times.is_sorted(), "{times:?}");
}

#[test]
fn field_18_a_nodes_files_say_whose_they_are() {
    let id = "0123456789abcdef".repeat(4);
    let line = format!("2023-05-10T03:16:24.5Z stdout F {}\n", lines()[0]);
    for name in ["shop_web-1_8f3c/istio-proxy/0.log".to_owned(), format!("web-1_shop_istio-proxy-{id}.log")] {
        let found = objects(Saved::new(&name, &line).path());
        assert_eq!(values(&found, &["pod", "container"]), json!([["web-1.shop", "istio-proxy"]]), "{name}");
    }
}

#[test]
fn field_19_blanks_for_tabs_make_no_difference() {
    let whole = Case::open("19-tabs-became-blanks");
    let proxy = objects(&whole.path("pasted-proxy.log"));
    assert_eq!(
        values(&proxy, &["time", "kind", "event", "level", "scope"]),
        json!([
            ["2023-05-10T03:16:17.382429Z", "agent", null, "info", null],
            ["2023-05-10T03:16:18.100000Z", "agent", "fetch", "info", "wasm"],
            ["2023-05-10T03:16:19.100000Z", "agent", "fetchFailed", "error", "wasm"],
            ["2023-05-10T03:16:20.100000Z", "plugin", "pluginLog", "warning", "wasm"],
            ["2023-05-10T03:16:21.100000Z", "envoy", "vmFailed", "critical", "wasm"],
            ["2023-05-10T03:16:33.955961Z", "agent", null, "warn", null],
        ])
    );
    assert_eq!((&proxy[3]["message"], &proxy[3]["plugin"]), (&json!("hi"), &json!("default/helloworld")));
    let text = std::fs::read_to_string(whole.path("pasted-proxy.log")).unwrap();
    assert_eq!(proxy.iter().map(|object| object["raw"].as_str().unwrap()).collect::<Vec<_>>(), text.lines().collect::<Vec<_>>());
    assert_eq!(said(&whole.path("pasted-proxy.log"), &["--level", "error"]).0.len(), 2);
    assert_eq!(said(&whole.path("pasted-proxy.log"), &["--scope", "wasm"]).0.len(), 4);
    let istiod = objects(&whole.path("pasted-istiod.log"));
    assert_eq!(
        values(&istiod, &["event", "level", "scope"]),
        json!([["debounce", "info", "ads"], ["push", "info", "ads"], ["nack", "warn", "ads"]])
    );
}

#[test]
fn field_19_single_blanks_and_a_format_of_ones_own() {
    let whole = Case::open("19-tabs-became-blanks");
    let found = objects(&whole.path("single-blanks.log"));
    assert_eq!(
        values(&found, &["kind", "level", "scope"]),
        json!([["agent", "info", "ads"], ["agent", "info", "ingress"], ["agent", "error", "wasm"]])
    );
    assert_eq!(found[2]["event"], "fetchFailed");
    let own = objects(&whole.path("custom-access.log"));
    assert_eq!(
        values(&own, &["time", "kind", "details/method", "details/path", "details/code", "details/cluster"]),
        json!([
            ["2024-01-05T10:00:08.000000Z", "access", "GET", "/z", 200, ""],
            ["2024-01-05T10:00:09.000000Z", "access", "GET", "/y", 503, ""],
            ["2024-01-05T10:00:10.000000Z", "access", "GET", "/x", 200, ""],
        ])
    );
    assert!(own[0]["raw"].as_str().unwrap().starts_with("2024-01-05T10:00:08.000Z GET /z 200 "));
    assert_eq!(said(&whole.path("custom-access.log"), &["--level", "error"]).0.len(), 1);
}

#[test]
fn field_19_what_is_not_understood_is_said_once() {
    let text = "2024-01-05T10:00:08.000Z something else\n".repeat(11) + "and more of it\n";
    let saved = Saved::new("app.log", text);
    for (more, count) in [(&[][..], 12), (&["--level", "error"], 0), (&["--plugin", "shop/quota"], 0), (&["--include", "absent"], 0)] {
        let (found, stderr) = said(saved.path(), more);
        assert_eq!((found.len() >= count, stderr.lines().count()), (true, 1), "{stderr}");
        assert!(stderr.contains("12 of 12 records of ") && stderr.contains("kubectl logs POD"), "{stderr}");
        assert!(count > 0 || found.is_empty());
    }
    // One odd line among many is no news, and neither is a filter that leaves nothing of what is understood.
    let text = "2024-01-05T10:00:08.000000Z\tinfo\tads\ta\n".repeat(5) + "2024-01-05T10:00:08.000Z odd\n";
    assert_eq!(said(Saved::new("b.log", text).path(), &[]).1, "");
    let saved = Saved::new("c.log", "2024-01-05T10:00:08.000000Z\tinfo\tads\ta\n");
    assert_eq!(said(saved.path(), &["--level", "error"]), (Vec::new(), String::new()));
}

#[test]
fn field_21_klog_has_the_year_of_the_lines_around_it() {
    let found = objects(&Case::open("21-istiod-foreign-lines").path("istiod.log"));
    let klog: Vec<&Value> = found.iter().filter(|object| object["scope"] == "klog").collect();
    let times: Vec<&Value> = klog.iter().map(|object| &object["time"]).collect();
    assert_eq!(times, ["2023-05-10T03:16:18.064365Z", "2023-05-10T03:16:18.164365Z"]);
    assert_eq!(klog.iter().map(|object| &object["level"]).collect::<Vec<_>>(), ["warning", "error"]);
    let year = "2023-12-31T23:59:59.000000Z\tinfo\tads\ta\nI0101 00:00:01.000000       1 a.go:1] b\n";
    assert_eq!(objects(Saved::new("istiod.log", year).path())[1]["time"], "2024-01-01T00:00:01.000000Z");
    // Without a year near it, the time is not known.
    assert_eq!(objects(Saved::new("istiod.log", "I0101 00:00:01.000000       1 a.go:1] b\n").path())[0]["time"], Value::Null);
}

#[test]
fn field_22_errors_of_several_lines_stay_whole() {
    let found = objects(&Case::open("22-agent-multiline-errors").path("istio-proxy.log"));
    assert_eq!(values(&found, &["event"]), json!([["fetchFailed"], ["fetchFailed"], ["fetchFailed"], [null]]));
    assert_eq!(found[0]["details"]["url"], "oci://harbor.example.com/cpaas/wasm/envoy-plugin:v0.0.4");
}
