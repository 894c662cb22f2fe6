//! From lines to records: what belongs together, what wrote it, and what it tells. On the logs of all recordings, and on lines
//! as Istio's and Envoy's sources write them where no recording has them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use meshscope::ingest::logs::{Assembler, details, message};
use meshscope::ingest::redact;
use meshscope::model::log_details::LogDetails;
use meshscope::model::logs::{LogEvent, LogKind, LogRecord};
use proptest::prelude::*;
use serde::Serialize;
use support::logs::{istiod, line, of_recording, proxy, record, records};

const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";

/// The records of all recordings.
fn all() -> Vec<(String, Vec<LogRecord>)> {
    let names = support::MESHES.map(str::to_owned).into_iter().chain(support::eras());
    names.map(|name| (name.clone(), of_recording(&name).iter().flat_map(|(origin, text)| records(text, origin)).collect())).collect()
}

/// Lines as a program wrote them, put together again.
fn joined(records: &[LogRecord]) -> String {
    records.iter().map(|record| record.raw.as_str()).collect::<Vec<_>>().join("\n")
}

/// One value of JSON a line.
fn lines_of<T: Serialize>(values: &[T]) -> String {
    values.iter().map(|value| serde_json::to_string(value).unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_line_of_every_recording_belongs_to_a_record_of_a_known_kind() {
    /// Lines that no parser knows.
    const UNKNOWN: [&str; 0] = [];
    let (mut unknown, mut count) = (Vec::new(), 0);
    for (name, records) in all() {
        count += records.len();
        unknown.extend(records.iter().filter(|record| record.kind == LogKind::Unknown).map(|record| format!("{name}: {}", record.raw)));
        assert!(records.iter().all(|record| record.time.is_some()), "every record has a time");
    }
    assert_eq!(unknown, UNKNOWN);
    assert!(count > 6_000, "{count} records");
}

#[test]
fn no_line_of_a_recording_is_lost_or_doubled() {
    for name in support::MESHES.map(str::to_owned).into_iter().chain(support::eras()) {
        for (origin, text) in of_recording(&name) {
            let written: Vec<String> = text.lines().map(|text| line(text, &origin).text).collect();
            assert_eq!(joined(&records(&text, &origin)), written.join("\n"), "{name}");
        }
    }
}

#[test]
fn the_events_of_a_recording_are_found() {
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for (_, records) in all().iter().filter(|(name, _)| name == "fetch-failed-closed") {
        for event in records.iter().filter_map(|record| record.event) {
            *events.entry(format!("{event:?}")).or_default() += 1;
        }
    }
    insta::assert_snapshot!(lines_of(&events.into_iter().collect::<Vec<_>>()));
}

#[test]
fn printed_configuration_is_one_record() {
    let blocks = [("permissive", "Effective config: "), ("permissive", "mesh configuration: "), ("eras/1.12.0/strict-v4", "flags: ")];
    for (name, begins) in blocks {
        let records: Vec<LogRecord> = of_recording(name).iter().flat_map(|(origin, text)| records(text, origin)).collect();
        let block = records.iter().find(|record| record.message.starts_with(begins)).unwrap();
        assert!(block.message.lines().count() > 10, "{name} {begins}");
        assert_eq!(block.level, "info");
    }
}

#[test]
fn the_parts_of_istiods_lines() {
    let read = |rest: &str| {
        let record = record(&format!("2026-11-23T19:54:00.687298Z\t{rest}"), &istiod());
        let details = details(&record).unwrap_or_else(|| panic!("{rest}"));
        assert_eq!(record.event, Some(details.event()), "{rest}");
        serde_json::to_value(details).unwrap()
    };
    let lines = [
        "info\tads\tPush debounce stable[1] 4 for config WasmPlugin/default/helloworld and 2 more configs: 100.431993ms since last change, 1m0.5s since last push, full=true",
        "info\tads\tPush debounce stable[9] 1 for config TrafficExtension/default/helloworld~istio-translated-wasmplugin: 101ms since last change, 101ms since last push, forced=false",
        "info\tads\tPush debounce stable[2] 1 for config Address//Kubernetes//Pod/default/httpbin-1: 1s since last change, 1s since last push, forced=false",
        "info\tads\tPush debounce stable[3] 2 for reason tag:1 and unknown:1: 100ms since last change, 139.10968ms since last push, forced=true",
        "info\tads\tPush debounce stable[1] 4: 100ms since last change, 100ms since last push, full=true",
        "info\tdelta\tECDS: PUSH request for node:web-1.default resources:1 removed:0 size:412B filtered:0",
        "info\tads\tEDS: PUSH INC for node:httpbin-0.default resources:3 size:1.2kB empty:0 cached:0/3",
        "info\tads\tADS: new connection for node:httpbin-0.default-12",
        "info\tdelta\tADS: new delta connection for node:httpbin-0.default-3",
        "info\tads\tADS: \"127.0.0.1:45208\" httpbin-0.default-1 terminated rpc error: code = Canceled desc = context canceled",
        "info\tdelta\tADS: \"10.244.0.7:34002\" httpbin-0.default-3 terminated",
        "warn\tdelta\tADS:ECDS: ACK ERROR httpbin-1.default-5 Internal:Unable to create Wasm plugin default.broken~istio-translated-wasmplugin",
        "warn\tdelta\tADS:LDS: ACK ERROR web-1.default-2 Internal:Error adding/updating listener(s) connect_terminate: no implementation\nmain_internal: no implementation\n",
        "warn\tmodel\ttrafficextension default/a~istio-translated-wasmplugin discarded: wasm.url is required",
        "warn\tmodel\twasmplugin default/b discarded due to failure to parse URL: parse \"::\": missing protocol scheme",
        "info\tversion: 1.31-alpha.eed52ebb66ad-unknown-Clean",
    ];
    insta::assert_snapshot!(lines_of(&lines.map(read)));
}

#[test]
fn the_parts_of_a_proxys_lines() {
    let read = |rest: &str| {
        let record = record(rest, &proxy(HTTPBIN));
        let details = details(&record).unwrap_or_else(|| panic!("{rest}"));
        assert_eq!(record.event, Some(details.event()), "{rest}");
        (record.kind, serde_json::to_value(details).unwrap())
    };
    let agent = |rest: &str| read(&format!("2026-11-23T19:41:35.069002Z\t{rest}"));
    let envoy = |level: &str, rest: &str| read(&format!("2026-11-23T19:41:35.069002Z\t{level}\tenvoy {rest}\tthread=23"));
    let read = [
        agent("info\tVersion 1.31-alpha.eed52ebb66ad-unknown-Clean"),
        agent("info\tEnvoy command: [-c etc/istio/proxy/envoy-rev.json]"),
        agent("info\twasm\tfetching image linsun/helloworld from registry registry.lab:5000 with tag no-such-tag"),
        agent("info\twasm\tfetching image with plain text from registry.lab:5000/linsun/helloworld:latest"),
        agent(
            "error\twasm\terror in converting the wasm config to local: cannot fetch Wasm module oci://registry.lab:5000/linsun/helloworld:no-such-tag: could not fetch Wasm OCI image: could not fetch manifest: GET http://registry.lab:5000/v2/: MANIFEST_UNKNOWN: manifest unknown; map[Tag:no-such-tag]. applying deny RBAC filter",
        ),
        agent("error\twasm\tconvert the wasm config: cannot fetch Wasm module default.helloworld: missing image pulling secret"),
        envoy(
            "warning",
            "wasm source/extensions/common/wasm/context.cc:1154\twasm log default.helloworld~istio-translated-wasmplugin add_header: a: b",
        ),
        envoy("info", "wasm context.cc:1\twasm log default.helloworld~istio-translated-wasmplugin: without a root id"),
        envoy("error", "wasm context.cc:1\twasm log add_header: in a root context"),
        envoy("error", "wasm context.cc:1\twasm log: of a root context without a root id"),
        envoy("info", "lua source/extensions/filters/http/lua/lua_filter.cc:994\tscript log: said in Lua"),
        envoy(
            "error",
            "wasm source/extensions/common/wasm/wasm_vm.cc:38\tFunction: proxy_on_configure failed: Uncaught RuntimeError: memory access out of bounds",
        ),
        envoy("error", "wasm source/extensions/common/wasm/wasm.cc:1\tPlugin default.broken~istio-translated-wasmplugin failed to load"),
        envoy(
            "warning",
            "config source/x.cc:1\tgRPC config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm plugin default.broken~istio-translated-wasmplugin\n",
        ),
    ];
    insta::assert_snapshot!(lines_of(&read));
}

#[test]
fn a_message_with_line_ends_is_one_record() {
    let text = "2026-11-24T22:00:16.367893362Z 2026-11-24T22:00:16.366532Z\twarning\tenvoy config source/a.cc:282\tdelta config rejected: 0.0.0.0_15001\n\
        2026-11-24T22:00:16.367927793Z \tthread=13\n\
        2026-11-24T22:00:17Z a line that belongs to nothing\n\
        2026-11-24T22:00:18Z 2026-11-24T22:00:18.366532Z\terror\tmodel\tfailed\n\
        2026-11-24T22:00:18Z main.go:12\n\
        2026-11-24T22:00:18Z \tmain.main()";
    let records = records(text, &proxy(HTTPBIN));
    let read: Vec<(LogKind, &str, &str)> = records.iter().map(|record| (record.kind, &*record.message, &*record.raw)).collect();
    assert_eq!(
        read,
        [
            (
                LogKind::Envoy,
                "delta config rejected: 0.0.0.0_15001",
                "2026-11-24T22:00:16.366532Z\twarning\tenvoy config source/a.cc:282\tdelta config rejected: 0.0.0.0_15001\n\tthread=13"
            ),
            (LogKind::Unknown, "a line that belongs to nothing", "a line that belongs to nothing"),
            (
                LogKind::Agent,
                "failed\nmain.go:12\n\tmain.main()",
                "2026-11-24T22:00:18.366532Z\terror\tmodel\tfailed\nmain.go:12\n\tmain.main()"
            ),
        ]
    );
}

#[test]
fn a_record_is_bounded_and_goes_on_as_what_it_was() {
    let mut text = "2026-11-24T22:00:18.366532Z\tinfo\tads\tPush Status: {".to_owned();
    let more = format!("\n    {}", "x".repeat(1_000));
    text.push_str(&more.repeat(600));
    let records = records(&text, &istiod());
    assert_eq!(joined(&records), text);
    assert!(records.len() == 3 && records.iter().all(|record| record.raw.len() <= 256 << 10), "{}", records.len());
    assert!(records.iter().all(|record| (record.kind, &*record.scope, &*record.level) == (LogKind::Istiod, "ads", "info")));
    let said = format!("2026-11-24T22:00:18.366532Z\tinfo\tenvoy wasm a.cc:1\twasm log a.b: {}\n\tthread=1\nnot of it", more.repeat(300));
    let records = support::logs::records(&said, &proxy(HTTPBIN));
    let read: Vec<(LogKind, Option<LogEvent>)> = records.iter().map(|record| (record.kind, record.event)).collect();
    assert_eq!(read, [(LogKind::Plugin, Some(LogEvent::PluginLog)), (LogKind::Plugin, None), (LogKind::Unknown, None)]);
}

/// Kind, level, scope, message, time.
fn shape(record: &LogRecord) -> (LogKind, &str, &str, Cow<'_, str>, Option<i64>) {
    (record.kind, &record.level, &record.scope, message(record), record.time)
}

#[test]
fn json_says_the_same_as_text() {
    let origin = proxy(HTTPBIN);
    let time = "2026-11-23T19:54:00.687298Z";
    for (text, json) in [
        (
            format!("{time}\tinfo\tads\tADS: new connection for node:1"),
            format!(r#"{{"level":"info","time":"{time}","scope":"ads","msg":"ADS: new connection for node:1"}}"#),
        ),
        (
            format!("{time}\tinfo\tmesh configuration: a: 1\nb: 2\n\n"),
            format!(r#"{{"level":"info","time":"{time}","msg":"mesh configuration: a: 1\nb: 2\n"}}"#),
        ),
        (
            format!("{time}\twarn\tsync complete\tname=Mesh attempt=1"),
            format!(r#"{{"level":"warn","time":"{time}","msg":"sync complete","name":"Mesh","attempt":1}}"#),
        ),
        (
            format!("{time}\terror\tmodel\tmodel/a.go:12\tit \"failed\"\nmain.main\n\tmain.go:1"),
            format!(
                r#"{{"level":"error","time":"{time}","scope":"model","caller":"model/a.go:12","msg":"it \"failed\"","stack":"main.main\n\tmain.go:1"}}"#
            ),
        ),
        (
            format!("{time}\twarning\tenvoy wasm source/context.cc:1154\twasm log default.helloworld add_header: returning\tthread=22"),
            format!(
                r#"{{"time":"{time}","level":"warning","scope":"envoy wasm","msg":"wasm log default.helloworld add_header: returning","caller":"source/context.cc:1154","thread":"22"}}"#
            ),
        ),
        (
            format!("{time}\tcritical\tenvoy backtrace\tCaught\nAbort"),
            format!(r#"{{"level":"critical","time":"{time}","scope":"envoy backtrace","msg":"Caught\nAbort"}}"#),
        ),
    ] {
        let (text, json) = (record(&text, &origin), record(&json, &origin));
        assert_eq!(shape(&text), shape(&json));
        assert_eq!((text.event, details(&text)), (json.event, details(&json)), "{}", text.raw);
    }
}

#[test]
fn a_root_id_is_read_back_from_json() {
    let text =
        r#"{"time":"2026-11-23T19:54:00Z","level":"info","scope":"envoy wasm","msg":"wasm log a.b say \"hi\": there","thread":"22"}"#;
    let record = record(text, &proxy(HTTPBIN));
    let Some(LogDetails::PluginLog { plugin, root_id, .. }) = details(&record) else { panic!("{record:?}") };
    assert_eq!((plugin.as_deref(), &*root_id, &*record.message), (Some("a.b"), "say \"hi\"", "there"));
}

const ACCESS: &str = r#"[2026-11-23T19:42:30.054Z] "GET /a b?c="d" HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{connection_failure, reset reason} - "delayed connect error: 111" 12 95 3 - "10.1.0.1, 10.1.0.2" "curl/7.88.1 (x)" "29e2eb84-012a" "httpbin:8000" "10.244.0.4:80" outbound|8000||httpbin.default.svc.cluster.local 10.244.0.6:41234 10.244.0.6:80 10.244.0.7:37002 outbound_.8000_._.httpbin default"#;

#[test]
fn a_request_is_read_column_by_column() {
    let record = record(ACCESS, &proxy(HTTPBIN));
    assert_eq!((record.kind, record.event, &*record.level), (LogKind::Access, Some(LogEvent::Request), ""));
    insta::assert_snapshot!(serde_json::to_string_pretty(&details(&record).unwrap()).unwrap());
}

#[test]
fn an_access_log_in_json_says_the_same() {
    let json = serde_json::json!({
        "start_time": "2026-11-23T19:42:30.054Z", "route_name": "default", "method": "GET", "path": "/a b?c=\"d\"", "protocol": "HTTP/1.1",
        "response_code": 503, "response_flags": "UF,URX",
        "response_code_details": "upstream_reset_before_response_started{connection_failure, reset reason}",
        "connection_termination_details": null, "bytes_received": 12, "bytes_sent": 95, "duration": 3, "upstream_service_time": null,
        "x_forwarded_for": "10.1.0.1, 10.1.0.2", "user_agent": "curl/7.88.1 (x)", "request_id": "29e2eb84-012a", "authority": "httpbin:8000",
        "upstream_host": "10.244.0.4:80", "upstream_cluster": "outbound|8000||httpbin.default.svc.cluster.local",
        "upstream_local_address": "10.244.0.6:41234", "downstream_local_address": "10.244.0.6:80", "downstream_remote_address": "10.244.0.7:37002",
        "requested_server_name": "outbound_.8000_._.httpbin", "upstream_transport_failure_reason": "delayed connect error: 111",
    });
    let origin = proxy(HTTPBIN);
    let (json, text) = (record(&json.to_string(), &origin), record(ACCESS, &origin));
    assert_eq!(shape(&json), shape(&text));
    assert_eq!(details(&json), details(&text));
    // What in the text would be taken for the ends of columns is within its own in JSON.
    let odd = r#"{"start_time":"2026-11-23T19:42:30.054Z","user_agent":"a\" \"b\" - c","path":"/\u00e4\" 200 -","response_code":503,"route_name":"default"}"#;
    let odd = record(odd, &origin);
    let Some(LogDetails::Request(request)) = details(&odd) else { panic!("{odd:?}") };
    assert_eq!((&*request.path, request.code, &*request.route, &*request.cluster), ("/ä\" 200 -", 503, "default", ""));
}

#[test]
fn other_columns_of_an_access_log_do_not_confuse() {
    let origin = proxy(HTTPBIN);
    let tcp = r#"[2026-11-23T19:42:30.054Z] "- - -" 0 - - - "-" 12 95 3 - "-" "-" "-" "-" "10.244.0.4:80" inbound|80|| 127.0.0.6:1 10.244.0.4:80 10.244.0.5:2 - -"#;
    for (line, inbound) in
        [(tcp, Some(true)), ("[2026-11-23T19:42:30.054Z] 200 GET /their-own", None), ("[2026-11-23T19:42:30.054Z] \"GET", None)]
    {
        let record = record(line, &origin);
        let Some(LogDetails::Request(request)) = details(&record) else { panic!("{line}") };
        assert_eq!((record.kind, request.inbound), (LogKind::Access, inbound), "{line}");
    }
}

#[test]
fn what_programs_write_before_and_after_all_else_is_known() {
    let origin = proxy(HTTPBIN);
    for (text, kind, level, scope, message) in [
        ("2026/11/23 19:37:48 INFO memory is not limited package=a", LogKind::Agent, "INFO", "", "memory is not limited package=a"),
        ("I1123 19:37:48.123456       1 leader.go:12] attempting", LogKind::Agent, "info", "klog", "attempting"),
        ("[2026-11-23 19:37:48.123][15][critical][main] [source/server/server.cc:1] no", LogKind::Envoy, "critical", "main", "no"),
        (
            "panic: runtime error\n\ngoroutine 1 [running]:\nmain.main()",
            LogKind::Agent,
            "fatal",
            "",
            "panic: runtime error\n\ngoroutine 1 [running]:\nmain.main()",
        ),
    ] {
        let record = record(text, &origin);
        assert_eq!((record.kind, &*record.level, &*record.scope, &*record.message), (kind, level, scope, message));
    }
}

#[test]
fn control_sequences_stay_what_they_are_data() {
    let text = "2026-11-23T19:54:00Z\twarning\tenvoy wasm a.cc:1\twasm log a.b: \u{1b}[2J\u{1b}]0;title\u{7} red\u{9b}31m\tthread=1";
    let record = record(text, &proxy(HTTPBIN));
    assert_eq!((record.kind, &*record.message, &*record.raw), (LogKind::Plugin, "\u{1b}[2J\u{1b}]0;title\u{7} red\u{9b}31m", text));
}

#[test]
fn no_secret_is_kept() {
    let origin = proxy(HTTPBIN);
    let time = "2026-11-23T19:54:00Z";
    let secret = "pl4nted-S3cr3t";
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{secret}\n{secret}\n-----END RSA PRIVATE KEY-----");
    let envoy = format!("{time}\twarning\tenvoy wasm a.cc:1\twasm log a.b:");
    for text in [
        format!("{envoy} authorization: Bearer {secret}-0123456789\tthread=1"),
        format!("{envoy} done\tthread=1\n{key}\nafter"),
        format!("{envoy} {key}\tthread=1\n{time}\tinfo\tnext"),
        format!("{time}\tinfo\tkey:\n{key}"),
        format!(r#"{{"time":"{time}","level":"info","msg":"password=\"{secret}\"","token":"{secret}"}}"#),
        format!(r#"[{time}] "GET /?access_token={secret} HTTP/1.1" 200"#),
    ] {
        let records = records(&text, &origin);
        let kept = format!("{records:?}");
        assert!(!kept.contains(secret) && kept.contains("[redacted]"), "{kept}");
        assert!(!kept.contains("after") || records.len() == 3, "what follows a key is shown: {kept}");
    }
    // The stream can pause within a key.
    let mut assembler = Assembler::default();
    let mut kept = Vec::new();
    for text in key.lines().chain(["after"]) {
        kept.extend(assembler.push(line(text, &origin)));
        kept.extend(assembler.flush());
    }
    assert!(!format!("{kept:?}").contains(secret), "{kept:?}");
    assert_eq!(kept.last().map(|record| &*record.raw), Some("after"));
}

/// Lines as they can come: real ones, parts of real ones, anything.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let real = of_recording("fetch-failed-closed").into_iter().chain(of_recording("eras/1.12.0/strict-v4"));
    let real: Vec<String> = real.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let json = [
        r#"{"level":"info","time":"2026-11-23T19:54:00Z","scope":"ads","msg":"a","stack":"b"}"#,
        r#"{"start_time":"2026-11-23T19:54:00Z","path":"/"}"#,
    ];
    let real: Vec<String> = real.into_iter().chain(json.map(str::to_owned)).collect();
    let whole = prop::sample::select(real.clone());
    let part = (prop::sample::select(real), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(line, at, head)| {
        let at = line.char_indices().map(|(at, _)| at).nth(at.index(line.chars().count().max(1))).unwrap_or(0);
        if head { line[..at].to_owned() } else { line[at..].to_owned() }
    });
    let anything = any::<Vec<u8>>().prop_map(|bytes| String::from_utf8_lossy(&bytes).replace(['\n', '\r'], ""));
    let pieces = prop::collection::vec(
        prop::sample::select(vec![
            "\t",
            " ",
            "{\"",
            "\"",
            "}",
            "[",
            "]",
            ":",
            "wasm log",
            "2026-11-23T19:54:00Z",
            "2026/11/23 19:37:48 ",
            "thread=1",
            "envoy ",
            "ADS:",
            "é",
            "\\",
        ]),
        0..12,
    )
    .prop_map(|pieces| pieces.concat());
    prop::collection::vec(prop_oneof![whole, part, anything, pieces], 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_no_line_is_lost_or_doubled(lines in lines(), of_proxy in any::<bool>()) {
        let origin = if of_proxy { proxy(HTTPBIN) } else { istiod() };
        let written: Vec<String> = lines.iter().map(|text| line(text, &origin).text).collect();
        let mut assembler = Assembler::default();
        let mut records: Vec<LogRecord> = lines.iter().filter_map(|text| assembler.push(line(text, &origin))).collect();
        records.extend(assembler.flush());
        for record in &records {
            let _ = details(record);
        }
        // What a log begins with can be the rest of a private key, and then stays hidden.
        let hidden = written.first().is_some_and(|first| redact::is_of_key(first));
        let written = written.join("\n");
        if !hidden && redact::text(&redact::json(&written)) == written {
            prop_assert_eq!(joined(&records), written);
        }
    }
}
