//! What log lines mean: which format an access log has, which proxy rejected, which plugin spoke.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command;

use serde_json::{Value, json};

use super::inputs::Case;
use super::logs::{Saved, objects, said, values};
use super::support::folder;

#[test]
fn field_10_envoys_lines_in_json_are_envoys() {
    let found = objects(&Case::open("10-mixed-json-and-text").path("istio-proxy.log"));
    assert_eq!(
        values(&found, &["kind", "level", "scope"]),
        json!([
            ["agent", "info", null],
            ["agent", "info", null],
            ["envoy", "warning", "config"],
            ["envoy", "warning", "config"],
            ["agent", "info", "sds"],
            ["envoy", "warning", "filter"],
        ])
    );
    let line = |level: &str, scope: &str, message: &str| {
        json!({"level": level, "time": "2020-11-24T08:22:36.755059Z", "scope": scope, "msg": message}).to_string() + "\n"
    };
    let text = line("info", "upstream", "cds: add 1 cluster")
        + &line("info", "wasm", "wasm log shop.quota root: hi")
        + &line("info", "wasm", "fetching image a/b from registry c with tag v1");
    assert_eq!(values(&objects(Saved::new("a.log", text).path()), &["kind"]), json!([["envoy"], ["plugin"], ["agent"]]));
}

#[test]
fn field_11_a_nack_names_the_pod() {
    let found = objects(&Case::open("11-nack-lines").path("istiod.log"));
    let nacks: Vec<&Value> = found.iter().filter(|object| object["event"] == "nack").map(|object| &object["details"]).collect();
    let nodes: Vec<(&str, &str)> = nacks.iter().map(|nack| (nack["xds"].as_str().unwrap(), nack["node"].as_str().unwrap())).collect();
    assert_eq!(
        nodes,
        [
            ("LDS", "reviews-v3-56997446d9-bp6m5.bookinfo"),
            ("LDS", "productpage-v1-6c6c87ffff-tk7r5.default"),
            ("LDS", "usergateway-7844d4c765-8nplq.dev-ns"),
            ("ECDS", "httpbin-6d84d49667-gqdrd.default"),
            ("LDS", "httpbin-6d84d49667-gqdrd.default"),
        ],
        "{found:#?}"
    );
    assert!(nacks.iter().all(|nack| nack["code"] == "Internal"));
    assert!(nacks[1]["message"].as_str().unwrap().starts_with("Error adding/updating listener(s) [fe80::1]_9080"));
    let opened: Vec<&Value> =
        found.iter().filter(|object| object["event"] == "connection").map(|object| &object["details"]["node"]).collect();
    assert_eq!(opened, ["reviews-v3-56997446d9-bp6m5.bookinfo", "istio-ingressgateway-75fddcf865-cbmnx.istio-system"]);
}

#[test]
fn field_12_a_record_of_several_lines_is_of_the_plugin_that_it_names() {
    let found = objects(&Case::open("12-higress-rejected").path("gateway.log"));
    assert_eq!(
        values(&found, &["event", "plugin"]),
        json!([["pluginLog", null], ["pluginLog", null], ["vmFailed", null], ["vmFailed", "higress-system/mcp-server-1.0.0"]])
    );
    assert!(found[..3].iter().all(|object| object["pluginNote"].is_string()), "{found:#?}");
    assert_eq!(found[3]["raw"].as_str().unwrap().lines().count(), 3);
}

#[test]
fn field_17_the_columns_are_those_of_the_format() {
    let found = objects(&Case::open("17-access-formats").path("old-formats.log"));
    let keys = [
        "time",
        "details/code",
        "details/transportFailure",
        "details/bytesSent",
        "details/requestId",
        "details/authority",
        "details/upstreamHost",
        "details/cluster",
        "details/downstreamRemote",
        "details/route",
    ];
    let egress = "outbound|80|example|istio-egressgateway.istio-system.svc.cluster.local";
    assert_eq!(
        values(&found, &keys),
        json!([
            [
                "2020-05-13T22:03:44.187000Z",
                200,
                "",
                770,
                "f097c809-302a-48fd-984f-445fe529d68a",
                "httpbin.example.org",
                "10.0.4.13:80",
                egress,
                "10.0.0.93:39848",
                ""
            ],
            ["2020-05-19T19:53:38.151000Z", 0, "", 3059, "", "", "1.2.3.4:443", "PassthroughCluster", "10.0.0.93:39849", ""],
            [
                "2020-10-29T03:22:16.126000Z",
                200,
                "",
                547,
                "24e58e43-e576-9048-829b-02e3f3da16f0",
                "httpbin:8000",
                "127.0.0.1:80",
                "inbound|8000||",
                "172.17.0.6:59022",
                "default"
            ],
            [
                "2018-09-20T16:28:43.348000Z",
                200,
                "",
                539,
                "dd33e3aa-0a60-9d87-8c6e-795898629907",
                "istio-consul.example.com",
                "172.30.246.176:8000",
                "",
                "",
                ""
            ],
        ]),
        "{found:#?}"
    );
}

#[test]
fn field_17_of_another_format_only_what_is_sure_is_said() {
    let (found, _) = said(&Case::open("17-access-formats").path("access.log"), &[]);
    let of = |path: &str| found.iter().find(|object| object["raw"].as_str().unwrap().contains(path)).unwrap();
    for (path, code) in [("/z", 200), ("/nginx-like", 200)] {
        let object = of(path);
        assert_eq!(
            (&object["kind"], &object["details"]["method"], &object["details"]["path"], &object["details"]["code"]),
            (&json!("access"), &json!("GET"), &json!(path), &json!(code))
        );
        assert_eq!((&object["details"]["cluster"], &object["details"]["bytesSent"]), (&json!(""), &Value::Null));
        assert!(object["details"]["note"].is_string(), "{object}");
    }
    assert_eq!(of("/nginx-like")["time"], "2024-01-05T10:00:09.000000Z");
    assert_eq!((&of("/y\"")["details"]["code"], &of("/y\"")["details"]["note"]), (&json!(500), &Value::Null));
    assert_eq!(of("a b/")["details"]["path"], "/a b/é");
    assert_eq!(of("wasm_fail_stream")["details"]["details"], "wasm_fail_stream");
}

/// A recording with another `accessLogFormat`, and these lines in httpbin's log.
pub fn with_format(config: &str, line: &str) -> Vec<Value> {
    let files = super::support::files("permissive");
    let mut map: Value = serde_json::from_slice(&files["k8s/configmap-istio.json"]).unwrap();
    let object = if map["items"].is_array() { &mut map["items"][0] } else { &mut map };
    let mesh =
        object["data"]["mesh"].as_str().unwrap().lines().filter(|line| !line.starts_with("accessLog")).collect::<Vec<_>>().join("\n");
    object["data"]["mesh"] = json!(format!("{mesh}\n{config}\n"));
    let log = files.keys().find(|name| name.starts_with("logs/httpbin")).unwrap();
    let before = "2026-11-23T19:40:00.000000001Z 2026-11-23T19:40:00.000000Z\tinfo\tads\tbefore\n";
    let changed =
        [("k8s/configmap-istio.json", map.to_string()), (log.as_str(), format!("{before}2026-11-23T19:40:00.000000002Z {line}\n"))];
    let recording = folder("permissive", &changed);
    said(recording.path(), &["httpbin"]).0.into_iter().filter(|object| object["kind"] == "access" && object["source"] == "proxy").collect()
}

#[test]
fn field_17_the_mesh_says_its_own_format() {
    let keys = ["kind", "event", "details/method", "details/path", "details/code", "details/cluster", "details/durationMs"];
    let right = json!([["access", "request", "GET", "/x", 503, "outbound|80||a", 7]]);
    let text = "accessLogFormat: \"%RESPONSE_CODE%;%REQ(:METHOD)%;%REQ(:PATH)%;%UPSTREAM_CLUSTER%;%DURATION%;%HOSTNAME%\\n\"";
    assert_eq!(values(&with_format(text, "503;GET;/x;outbound|80||a;7;web-1"), &keys), right);
    let object = r#"{"c":503,"m":"GET","p":"/x","u":"outbound|80||a","d":7}"#;
    let keyed = "accessLogEncoding: JSON\naccessLogFormat: '{\"c\":\"%RESPONSE_CODE%\",\"m\":\"%REQ(:METHOD)%\",\"p\":\"%REQ(:PATH)%\",\"u\":\"%UPSTREAM_CLUSTER%\",\"d\":\"%DURATION%\"}'";
    assert_eq!(values(&with_format(keyed, object), &keys), right);
    // Without it nothing is guessed.
    assert_eq!(with_format("", "503;GET;/x;outbound|80||a;7;web-1"), Vec::<Value>::new());
}

#[test]
fn field_23_the_name_in_the_line_is_the_plugin() {
    let path = Case::open("23-plugin-name-in-lone-log");
    let found = objects(&path.path("istio-proxy.log"));
    assert_eq!(values(&found, &["plugin"]), json!([["shop/auth"], ["shop/quota"], ["shop/quota"], [null], [null], ["shop/quota"]]));
    for object in &found {
        assert!(object["plugin"].is_string() || object["pluginNote"].is_string(), "{object}");
    }
    let (quota, stderr) = said(&path.path("istio-proxy.log"), &["--plugin", "shop/quota"]);
    assert_eq!((quota.len(), stderr.as_str()), (3, ""));
    let text = String::from_utf8(super::logs::logs(&path.path("istio-proxy.log"), &[]).stdout).unwrap();
    assert!(text.contains("shop.quota quota_root: over the limit again"), "{text}");
    // Where nothing in a line is an object's name, that is said.
    let line = |prefix: &str| format!("2025-06-01T10:00:00.000001Z\twarning\tenvoy wasm a.cc:1\twasm log{prefix}: text\tthread=21\n");
    let other = [" my_root", "", " Not.AName root", " envoy.wasm.stats stats"].map(line).concat();
    let other = objects(Saved::new("b.log", other).path());
    assert!(other.iter().all(|object| object["plugin"].is_null() && object["pluginNote"].is_string()), "{other:#?}");
}

#[test]
fn field_24_a_ztunnels_access_lines_are_requests() {
    let found = objects(&Case::open("data").path("kiali-ztunnel.log"));
    let access: Vec<Value> = found.iter().filter(|object| object["scope"] == "access").cloned().collect();
    assert!(!access.is_empty() && access.iter().all(|object| object["kind"] == "access" && object["event"] == "request"), "{found:#?}");
    assert_eq!(
        values(
            &access[..1],
            &[
                "time",
                "details/downstreamRemote",
                "details/upstreamHost",
                "details/authority",
                "details/inbound",
                "details/bytesSent",
                "details/durationMs"
            ]
        ),
        json!([[
            "2024-04-12T10:17:44.080629Z",
            "10.244.0.16:52008",
            "10.244.0.14:15008",
            "reviews.bookinfo.svc.cluster.local",
            false,
            200,
            2
        ]])
    );
    let json = r#"{"level":"error","time":"2024-04-12T10:17:44.080629Z","scope":"access","message":"connection failed","src.addr":"1.1.1.1:1","dst.addr":"2.2.2.2:2","direction":"inbound","error":"policy rejection"}"#;
    let (failed, _) = said(Saved::new("ztunnel.log", json).path(), &["--level", "error"]);
    assert_eq!(values(&failed, &["kind", "details/inbound", "details/transportFailure"]), json!([["access", true, "policy rejection"]]));
    assert!(objects(&Case::open("data").path("kiali-waypoint.log")).iter().all(|object| object["kind"] == "access"));
}

#[test]
fn hostile_h12_a_folder_without_right_to_read_is_said() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let recording = folder("permissive", &[]);
    let program = recording.path().join("meshscope");
    std::fs::copy(env!("CARGO_BIN_EXE_meshscope"), &program).unwrap();
    let run = || {
        let mut command = Command::new(&program);
        command.args(["logs", "--from", recording.path().to_str().unwrap()]).env("HOME", "/nonexistent").stdin(std::process::Stdio::null());
        if recording.path().metadata().unwrap().uid() == 0 {
            // Nothing is forbidden to root.
            command.uid(65534);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    std::fs::set_permissions(recording.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(recording.path().join("logs"), PermissionsExt::from_mode(0o300)).unwrap();
    let (status, stderr) = run();
    assert!(stderr.contains("logs: permission denied") && !stderr.contains("holds no logs"), "{stderr}");
    assert_eq!((status, stderr.lines().count()), (Some(3), 1), "{stderr}");
    std::fs::set_permissions(recording.path().join("logs"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(run().0, Some(0));
}

#[test]
fn hostile_h18_what_is_copied_is_escaped() {
    let own =
        "2026-11-23T19:50:00.000000Z\twarning\tenvoy wasm a.cc:1\twasm log default.helloworld: \u{1b}[201~rm -rf \u{202e}\r\tthread=1";
    let files = super::support::files("permissive");
    let log = files.keys().find(|name| name.starts_with("logs/httpbin")).unwrap().clone();
    let recording = folder("permissive", &[(log.as_str(), format!("2026-11-23T19:50:00.000000001Z {own}\n"))]);
    let source = std::sync::Arc::new(meshscope::source::files::Files::open(recording.path()).unwrap());
    let mut driver = super::support::driver::Driver::over(source, false);
    driver.screen((120, 30));
    driver.keys("lp");
    driver.text((120, 30));
    driver.keys("y<enter>y");
    assert_eq!(driver.copied.len(), 2, "{:?}", driver.copied);
    for copied in &driver.copied {
        assert!(copied.contains("\\x1b[201~rm -rf \\u{202e}\\r"), "{copied:?}");
        assert!(!copied.contains(|char: char| char.is_control() && char != '\n'), "{copied:?}");
    }
}
