//! More ways in which people save logs, and lines that only look like others.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};

use super::log_meaning::with_format;
use super::logs::{Saved, objects, said, values};

const LINES: [&str; 4] = [
    "2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching image a/b from registry r with tag v1",
    "2023-05-10T03:16:20.100000Z\twarning\tenvoy wasm a/b.cc:1\twasm log default.helloworld add_header: hi\tthread=15",
    "[2023-05-10T03:16:21.000Z] \"GET /headers HTTP/1.1\" 500 NFCF - - \"-\" 0 547 5 - \"-\" \"curl/7\" \"id\" \"httpbin:8000\" \"-\" inbound|8000|| - 172.17.0.7:80 172.17.0.6:59022 sni default",
    "2023-05-10T03:16:22.100000Z\tcritical\tenvoy wasm a/b.cc:1\tPlugin configured to fail closed failed to load\tthread=15",
];
const KEYS: [&str; 6] = ["time", "kind", "level", "scope", "plugin", "message"];

fn read(name: &str, text: &str) -> Value {
    values(&objects(Saved::new(name, text).path()), &KEYS)
}

fn right() -> Value {
    let right = read("plain.log", &LINES.join("\n"));
    assert_eq!(right.as_array().unwrap().iter().map(|row| &row[1]).collect::<Vec<_>>(), ["agent", "plugin", "access", "envoy"]);
    right
}

#[test]
fn field_18_every_line_end_ends_a_line() {
    let right = right();
    let mark = "\u{feff}";
    for text in [
        LINES.join("\r"),
        LINES.join("\r\r\n"),
        format!("{}\r\n{}\n{}\r{}", LINES[0], LINES[1], LINES[2], LINES[3]),
        format!("{mark}{}", LINES.map(|line| format!("{mark}{line}\n")).concat()),
    ] {
        assert_eq!(read("ends.log", &text), right, "{text:?}");
        let (critical, _) = said(Saved::new("ends.log", &text).path(), &["--level", "critical"]);
        assert_eq!(critical.len(), 1, "{text:?}");
    }
    // What a client sends is within quotes, and makes no record.
    let forged = LINES[2].replace("curl/7", &format!("a\r{}", LINES[3]));
    assert_eq!(values(&objects(Saved::new("forged.log", forged + "\n").path()), &["kind"]), json!([["access"]]));
}

#[test]
fn field_18_what_is_in_front_of_a_line_is_left_out() {
    let right = right();
    for front in [
        "> ",
        " ",
        "12:",
        "     1\t",
        "logs/web.log:",
        "web.log:12:",
        "May 10 03:16:18 node1 istio-proxy[123]: ",
        "2023-05-10T03:16:18+0000 node1 envoy[123]: ",
        "<134>1 2023-05-10T03:16:18.2Z node1 istio-proxy 123 - - ",
        "web-1 › istio-proxy | ",
        "istio-proxy-1  | ",
        "x | ",
        "[web-1/istio-proxy] ",
        "all.log:[pod/web-1/istio-proxy] ",
        "web-1 istio-proxy 05-10 03:16:18 ",
        "[2023-05-10T03:16:25.123Z] ",
        "[2023-05-10 03:16:25] ",
        "[03:16:25]  ",
        "2023-05-10T03:16:25.123456Z 01O ",
        "2023-05-10T03:16:25.1234567Z ",
        "2023-05-10 03:16:25,123 +0000 ",
        "May 10 03:16:25 ",
        "May  1 03:16:25 ",
        "03:16:25 ",
    ] {
        let text = LINES.map(|line| format!("{front}{line}\n")).concat();
        assert_eq!(read("front.log", &text), right, "{front:?}");
    }
    // Without a record behind it, it is the line's own.
    for line in ["> quoted", "12:34", "a.log:text", "x | y", "May 10 03:16:18 node1 app[1]: text", "[a/b] text"] {
        let text = format!("{}\n{line}\n", LINES[0]);
        assert_eq!(objects(Saved::new("own.log", &text).path())[0]["raw"], text.trim_end(), "{line}");
    }
    let panic = ["panic: boom", "", "main.main()"];
    let text: String = panic.iter().flat_map(|line| ["web-1", "web-2"].map(|pod| format!("{pod} | {line}\n"))).collect();
    let found = objects(Saved::new("two.log", text).path());
    assert_eq!(values(&found, &["pod", "message"]), json!([["web-1", panic.join("\n")], ["web-2", panic.join("\n")]]));
}

#[test]
fn field_18_a_time_alone_makes_no_request_and_no_line_of_the_agent() {
    let lines = [
        "[2023-05-10T03:16:25.123Z] + kubectl logs web-1",
        "[2023-05-10T03:16:25.123Z] HTTP/1.1 200 OK",
        "[2023-05-10T03:16:25.123Z] \"quoted\" 200",
        "2023-05-10T03:16:25.123Z\tweb-1\tistio-proxy\tits own words",
        "2023-05-10T03:16:25.123Z\tloud\twasm\tits own words",
    ];
    let (found, _) = said(Saved::new("build.log", lines.join("\n")).path(), &[]);
    assert_eq!(values(&found, &["kind", "level", "raw"]), json!(lines.map(|line| json!(["unknown", null, line]))));
    let (found, stderr) = said(Saved::new("build.log", lines.join("\n")).path(), &["--level", "error"]);
    assert!(found.is_empty() && stderr.contains("not understood"), "{stderr}");
    for line in [
        "[2023-05-10T03:16:25.123Z] 200 GET /a",
        "[2023-05-10T03:16:25.123Z] \"- - HTTP/1.1\" 400 DPE",
        "[2023-05-10T03:16:25.123Z] \"- - -\" 0",
    ] {
        assert_eq!(values(&objects(Saved::new("a.log", line).path()), &["kind"]), json!([["access"]]), "{line}");
    }
}

#[test]
fn field_18_columns_of_pod_and_container_are_read() {
    let right = right();
    for (columns, pod) in [("web-1\tistio-proxy", "web-1"), ("shop\tweb-1\tistio-proxy", "web-1.shop")] {
        let text = LINES.map(|line| format!("2023-05-10T03:16:25.2Z\t{columns}\t{line}\n")).concat();
        let found = objects(Saved::new("columns.tsv", &text).path());
        assert_eq!(values(&found, &KEYS), right, "{columns}");
        assert!(found.iter().all(|line| line["pod"] == pod && line["container"] == "istio-proxy"), "{found:?}");
    }
}

#[test]
fn field_17_columns_that_can_end_in_two_places_are_null() {
    let config = r#"accessLogFormat: '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %DURATION% %REQ(X-FORWARDED-FOR)% %UPSTREAM_HOST%'"#;
    let columns = ["details/path", "details/code", "details/durationMs", "details/forwardedFor", "details/upstreamHost"];
    for (line, expected) in [
        ("\"GET /a HTTP/1.1\" 200 5 1.2.3.4 10.0.0.1:80", json!([["/a", 200, 5, "1.2.3.4", "10.0.0.1:80"]])),
        ("\"GET /a HTTP/1.1\" 200 5 1.2.3.4, 5.6.7.8 10.0.0.1:80", json!([["/a", 200, 5, "", ""]])),
    ] {
        let found = with_format(config, &format!("[2026-11-23T19:41:00.000Z] {line}"));
        assert_eq!(values(&found, &columns), expected, "{line} {found:?}");
    }
}

#[test]
fn field_18_more_exports_are_read() {
    let right = right();
    let each = |write: &dyn Fn(&str) -> String| LINES.map(|line| write(line) + "\n").concat();
    let quoted = |line: &str| line.replace('"', "\"\"");
    for (name, text) in [
        (
            "splunk.json",
            each(&|line| json!({"preview": false, "result": {"_raw": line, "_time": "2023-05-10 03:16:18.200 UTC"}}).to_string()),
        ),
        ("splunk.csv", format!("\"_raw\",\"_time\"\n{}", each(&|line| format!("\"{}\",x", quoted(line))))),
        ("insights.csv", format!("@timestamp,@message\n{}", each(&|line| format!("x,\"{}\"", quoted(line))))),
        ("azure.csv", format!("TimeGenerated [UTC],LogMessage\n{}", each(&|line| format!("\"5/10/2023, 3 AM\",\"{}\"", quoted(line))))),
        ("kibana.csv", format!("\"@timestamp\";message\n{}", each(&|line| format!("\"May 10, 2023\";\"{}\"", quoted(line))))),
        (
            "google.json",
            each(&|line| json!({"insertId": "a", "jsonPayload": {"message": line}, "timestamp": "2023-05-10T03:16:18.2Z"}).to_string()),
        ),
    ] {
        assert_eq!(read(name, &text), right, "{name}");
    }
    let payload = json!({"level": "info", "time": "2023-05-10T03:16:18.1Z", "scope": "wasm", "msg": "a"});
    let line = json!({"jsonPayload": payload, "resource": {"labels": {"pod_name": "web-1", "container_name": "istio-proxy"}}}).to_string();
    assert_eq!(values(&objects(Saved::new("g.json", line).path()), &["pod", "scope", "message"]), json!([["web-1", "wasm", "a"]]));
}

#[test]
fn field_19_whatever_the_tabs_became() {
    let right = right();
    for mark in ["\u{a0}\u{a0}", "\\t", "#011"] {
        let text = LINES.map(|line| line.replace('\t', mark)).join("\n");
        assert_eq!(read("tabs.log", &text), right, "{mark:?}");
        assert_eq!(said(Saved::new("tabs.log", &text).path(), &["--level", "error"]).0.len(), 2, "{mark:?}");
    }
}

#[test]
fn field_19_a_filter_that_may_have_missed_lines_says_so() {
    let odd = LINES.map(|line| line.replace('\t', "<TAB>")).join("\n");
    let (found, stderr) = said(Saved::new("odd.log", &odd).path(), &["--level", "error"]);
    assert_eq!(found.len(), 1);
    assert!(stderr.contains("3 of 4 records of ") && stderr.contains(" were not understood: they have no level"), "{stderr}");
    let (_, stderr) = said(Saved::new("one.log", "not understood\n").path(), &["--level", "error"]);
    assert!(stderr.contains("the only record of ") && stderr.contains(" was not understood: it has no level"), "{stderr}");
}

#[test]
fn field_20_envoys_lines_of_old_agents_are_envoys() {
    let text = format!("{}\n[Envoy (Epoch 0)] [2023-05-10 03:16:20.100][21][critical][wasm] [x.cc:1] Plugin failed to load\n", LINES[0]);
    let found = objects(Saved::new("old.log", text).path());
    assert_eq!(values(&found, &["kind", "level", "scope"]), json!([["agent", "info", "wasm"], ["envoy", "critical", "wasm"]]));
}

#[test]
fn field_17_a_format_of_the_meshs_own_takes_no_other_lines() {
    for format in [
        "%REQ(:METHOD)% %REQ(:PATH)%\\n",
        "%START_TIME%\\t%REQ(:METHOD)%\\t%REQ(:PATH)%\\n",
        "%START_TIME% %REQ(USER-AGENT)% %REQ(:PATH)%\\n",
        "%REQ(X-REQUEST-ID)%: %REQ(:PATH)%\\n",
        "[%START_TIME%]%REQ(:METHOD)% %REQ(:PATH)%\\n",
    ] {
        let config = format!("accessLogFormat: \"{format}\"");
        for line in [LINES[0], LINES[1], LINES[3], "[2023-05-10 03:16:20.101][21][critical][wasm] [x.cc:1] Plugin failed to load"] {
            assert_eq!(with_format(&config, line), Vec::<Value>::new(), "{format} {line}");
        }
    }
    let found = with_format("accessLogFormat: \"%REQ(:METHOD)% %REQ(:PATH)%\\n\"", "GET /a");
    assert_eq!(values(&found, &["details/method", "details/path"]), json!([["GET", "/a"]]));
}

#[test]
fn field_17_a_path_with_a_quote_does_not_choose_the_code() {
    let line = LINES[2].replace("/headers", "/a\" 200");
    let found = objects(Saved::new("quote.log", line).path());
    assert_eq!(values(&found, &["details/path", "details/code"]), json!([["/a\" 200", 500]]));
}
