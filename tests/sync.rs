//! What istiod sent and each proxy made of it, over recordings as they are and with what no recording holds put into them.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::folder;

const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";
const SLEEP: &str = "sleep-5c4597b769-9hvcz.default";
const ECDS: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
const LDS: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";

fn syncz(recording: &str) -> Value {
    serde_json::from_slice(&support::files(recording)["istiod/syncz.json"]).unwrap()
}

/// The part of an answer of `/debug/syncz` that is about a proxy.
fn part<'v>(syncz: &'v mut Value, proxy: &str) -> &'v mut Value {
    syncz.as_array_mut().unwrap().iter_mut().find(|entry| entry["proxy"] == proxy).unwrap()
}

fn asked(folder: &Path, arguments: &[&str]) -> Value {
    support::json(&[&["sync", "--from", folder.to_str().unwrap()], arguments].concat())
}

/// The entry of the answer with a proxy.
fn entry<'v>(answer: &'v Value, proxy: &str) -> &'v Value {
    answer["proxies"].as_array().unwrap().iter().find(|entry| entry["proxy"] == proxy).unwrap()
}

fn state<'v>(answer: &'v Value, proxy: &str, name: &str) -> &'v Value {
    entry(answer, proxy)["types"].as_array().unwrap().iter().find(|found| found["type"] == name).unwrap()
}

/// What istioctl says of the same answer: `CDS=SYNCED`, as `proxy-status -v 1` prints it without ages.
fn istioctls_word(state: &str) -> &'static str {
    match state {
        "synced" => "SYNCED",
        "stale" => "STALE",
        "refused" => "ERROR",
        "notSent" => "NOT SENT",
        "notWatched" => "IGNORED",
        other => panic!("istioctl has no word for {other}"),
    }
}

#[test]
fn a_recorded_mesh_is_in_step_as_istioctl_saw_it() {
    for recording in support::MESHES {
        let files = support::files(recording);
        let path = support::recording(recording);
        let answer = support::json(&["sync", "-A", "--from", path.to_str().unwrap()]);
        let listed = String::from_utf8(files["istioctl/proxy-status.txt"].clone()).unwrap();
        let rows: Vec<&str> = listed.lines().skip(1).collect();
        assert_eq!(answer["proxies"].as_array().unwrap().len(), rows.len(), "{recording}: debugging clients are no proxies");
        for row in rows {
            // NAME CLUSTER ISTIOD VERSION N (CDS,LDS,…)
            let cells: Vec<&str> = row.split_whitespace().collect();
            let entry = entry(&answer, cells[0]);
            assert_eq!((&entry["cluster"], &entry["istiod"], &entry["version"]), (&json!(cells[1]), &json!(cells[2]), &json!(cells[3])));
            let types = entry["types"].as_array().unwrap().iter();
            let watched: Vec<&str> =
                types.filter(|found| found["state"] != "notWatched").map(|found| found["type"].as_str().unwrap()).collect();
            assert_eq!(format!("({})", watched.join(",")), cells[5], "{recording}");
            assert!(
                entry["types"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|found| ["SYNCED", "IGNORED"].contains(&istioctls_word(found["state"].as_str().unwrap())))
            );
        }
    }
}

#[test]
fn what_the_proxy_acknowledged_is_no_tick_where_a_plugin_does_not_run() {
    let path = support::recording("fetch-failed-closed");
    let from = path.to_str().unwrap();
    let answer = support::json(&["sync", "--from", from]);
    let httpbin = answer["proxies"].as_array().unwrap().iter().find(|entry| entry["workload"] == "default/httpbin").unwrap();
    let states: Vec<_> = httpbin["pluginStates"].as_array().unwrap().iter().map(|plugin| (&plugin["plugin"], &plugin["state"])).collect();
    assert_eq!(states, [(&json!("default/helloworld"), &json!("running")), (&json!("default/missing"), &json!("stubDeny"))]);
    let ecds = httpbin["types"].as_array().unwrap().iter().find(|found| found["type"] == "ECDS").unwrap();
    assert_eq!((&ecds["state"], &ecds["note"]), (&json!("synced"), &json!("not compared: whether the modules run")), "as istioctl has it");
    let text = String::from_utf8(support::meshscope(&["sync", "--from", from, "--color", "always"]).stdout).unwrap();
    for expected in [
        "Of 2 proxies, 1 with a plugin that does not run as its object asks.",
        "\u{1b}[31mstub, denies all; synced\u{1b}[0m",
        "WasmPlugin default/missing does not run as its object asks: stub, denies all (",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("each acknowledged"), "{text}");
}

#[test]
fn every_era_says_what_it_can() {
    let of = |version: &str| {
        let path = support::recording(&format!("eras/{version}/strict-v4"));
        support::json(&["sync", "-A", "--from", path.to_str().unwrap()])
    };
    let old = of("1.12.0");
    let ecds = state(&old, "httpbin-0.default", "ECDS");
    assert_eq!(ecds["state"], "untold");
    assert!(ecds["note"].as_str().unwrap().contains("does not tell"));
    let lds = state(&old, "httpbin-0.default", "LDS");
    assert_eq!((&lds["state"], &lds["sent"], &lds["sentPush"]), (&json!("synced"), &Value::Null, &json!("iaaWSujQ7gU=")));
    assert_eq!(old["note"], Value::Null, "no plugin is known to be watched");
    let newer = of("1.26.2");
    let ecds = state(&newer, "httpbin-0.default", "ECDS");
    assert_eq!((&ecds["state"], &ecds["sent"]), (&json!("synced"), &json!("2026-11-23T19:55:44.922248887Z")));
    assert_eq!(entry(&newer, "httpbin-0.default")["istiodVersion"], "1.26.2");
}

#[test]
fn what_was_refused_is_told_in_the_proxys_words_and_without_its_secrets() {
    let mut answer = syncz("permissive");
    let resources = &mut part(&mut answer, HTTPBIN)["resources"];
    resources[ECDS]["lastError"] = json!("Unable to create Wasm plugin default.broken, password=hunter2hunter2");
    resources[ECDS]["acked"] = json!("");
    resources[LDS]["acked"] = json!("2026-11-23T19:37:49Z/7c0548b8b-efa3-4508-b11a-b3bc96c8d79f");
    part(&mut answer, SLEEP)["resources"][LDS] = json!({"sentTime": "0001-01-01T00:00:00Z"});
    let folder = folder("permissive", &[("istiod/syncz.json", answer.to_string())]);
    let answer = asked(folder.path(), &[]);
    let ecds = state(&answer, HTTPBIN, "ECDS");
    let error = ecds["error"].as_str().unwrap();
    assert_eq!((&ecds["state"], &ecds["ackedPush"]), (&json!("refused"), &Value::Null));
    assert!(error.starts_with("Unable to create Wasm plugin default.broken") && !error.contains("hunter2"), "{error}");
    let lds = state(&answer, HTTPBIN, "LDS");
    let pushes = (&lds["state"], &lds["sentPush"], &lds["ackedPush"]);
    assert_eq!(pushes, (&json!("stale"), &json!("2026-11-23T19:37:50Z/9"), &json!("2026-11-23T19:37:49Z/7")));
    assert_eq!(state(&answer, SLEEP, "LDS")["state"], "notSent");

    let text = support::meshscope(&["sync", "--from", folder.path().to_str().unwrap()]);
    let text = String::from_utf8(text.stdout).unwrap();
    for expected in [
        "Of 2 proxies, 1 refused a part of what istiod sent, 1 did not answer to a part of it yet, 1 was not sent a part of what it watches.",
        "ECDS was refused (sent at 2026-11-23T19:37:50.529183146Z): Unable to create Wasm plugin",
        "LDS is stale: sent at 2026-11-23T19:37:50.520767404Z, and the proxy still has that of push 2026-11-23T19:37:49Z/7",
        "LDS was not sent",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_proxy_that_is_connected_to_none_or_twice_is_said() {
    let mut answer = syncz("permissive");
    let twice = part(&mut answer, HTTPBIN).clone();
    let entries = answer.as_array_mut().unwrap();
    entries.retain(|entry| entry["proxy"] != SLEEP);
    entries.push(twice);
    let folder = folder("permissive", &[("istiod/syncz.json", answer.to_string())]);
    let answer = asked(folder.path(), &[]);
    let alone = entry(&answer, SLEEP);
    assert_eq!((&alone["connected"], &alone["types"], &alone["istiod"]), (&json!(false), &json!([]), &Value::Null));
    assert!(alone["note"].as_str().unwrap().contains("hears of no change"), "{alone}");
    assert!(entry(&answer, HTTPBIN)["note"].as_str().unwrap().starts_with("it has 2 connections"));
    assert_eq!(asked(folder.path(), &["deploy/sleep"])["proxies"].as_array().unwrap().len(), 1);
    let elsewhere = asked(folder.path(), &["-n", "kube-public"]);
    assert_eq!((&elsewhere["proxies"], &elsewhere["istiods"][0]["connected"]), (&json!([]), &json!(1)));
}

#[test]
fn versions_that_are_eras_apart_are_said() {
    let mut answer = syncz("permissive");
    part(&mut answer, HTTPBIN)["istio_version"] = json!("1.20.8");
    let folder = folder("permissive", &[("istiod/syncz.json", answer.to_string())]);
    let answer = asked(folder.path(), &[]);
    let skew = entry(&answer, HTTPBIN)["skew"].as_str().unwrap();
    assert_eq!(skew, "the proxy is 1.20 and its istiod 1.31; Istio supports proxies that are one minor version older, and no more");
    assert_eq!(entry(&answer, SLEEP)["skew"], Value::Null);
}

#[test]
fn the_plugins_that_a_proxy_watches_are_those_that_istiod_names() {
    let names = ["extensions.istio.io/trafficextension/default.gone~istio-translated-wasmplugin", "some.filter"];
    let adsz = json!({"totalClients": 2, "clients": [
        {"connectionId": format!("{HTTPBIN}-2"), "watches": {ECDS: names}},
        {"connectionId": format!("{SLEEP}-1"), "watches": {}}]});
    let folder = folder("permissive", &[("istiod/adsz.json", adsz.to_string())]);
    let answer = asked(folder.path(), &[]);
    let plugins = &entry(&answer, HTTPBIN)["plugins"];
    let told: Vec<_> =
        plugins.as_array().unwrap().iter().map(|plugin| (&plugin["plugin"], &plugin["resource"], &plugin["applies"])).collect();
    let expected = [
        (&json!("some.filter"), &json!("some.filter"), &Value::Null),
        (&json!("default/gone"), &json!(names[0]), &json!(false)),
        (&json!("default/helloworld"), &Value::Null, &json!(true)),
    ];
    assert_eq!(told, expected);
    assert_eq!(entry(&answer, SLEEP)["plugins"], json!([]));
    let text = String::from_utf8(support::meshscope(&["sync", "--from", folder.path().to_str().unwrap()]).stdout).unwrap();
    assert!(text.contains("WasmPlugin default/helloworld applies to the proxy and is not watched"), "{text}");
    assert!(text.contains("WasmPlugin default/gone is watched though it does not apply to the proxy"), "{text}");
    // Without that answer it is said that nothing is known.
    let path = support::recording("permissive");
    let answer = support::json(&["sync", "--from", path.to_str().unwrap()]);
    let of_httpbin = entry(&answer, HTTPBIN);
    assert_eq!(of_httpbin["plugins"], Value::Null);
    assert!(of_httpbin["pluginsNote"].as_str().unwrap().contains("does not tell"));
}

#[test]
fn answers_that_cannot_be_used_are_one_line() {
    for (changed, expected) in [("[{\"proxy\": \"httpbin-66", "/debug/syncz cannot be read"), ("istiod is starting", "cannot be read")] {
        let folder = folder("permissive", &[("istiod/syncz.json", changed.to_owned())]);
        let output = support::meshscope(&["sync", "--from", folder.path().to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(3), 1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let folder = folder("permissive", &[]);
    std::fs::remove_file(folder.path().join("istiod/syncz.json")).unwrap();
    let output = support::meshscope(&["sync", "--from", folder.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("istiod/syncz.json is not in the recording"), "{said}");
    // What the proxies watch may be missing alone.
    let cut = self::folder("permissive", &[("istiod/adsz.json", "{\"clients\": [{".to_owned())]);
    let answer = asked(cut.path(), &[]);
    assert!(answer["warnings"][0]["what"].as_str().unwrap().contains("/debug/adsz cannot be read"));
    assert_eq!(state(&answer, HTTPBIN, "ECDS")["state"], "synced");
}

#[test]
fn live_l12_lua_is_in_the_listeners_and_never_in_ecds() {
    let lua = json!({"apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension", "metadata": {"namespace": "default", "name": "lua"},
        "spec": {"lua": {"inlineCode": "function envoy_on_request(h) end"}}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [lua]});
    // What each proxy watches: nothing but the plugin on httpbin.
    let watched = json!({"clients": [{"connectionId": format!("{HTTPBIN}-1"), "watches": {ECDS: []}}, {"connectionId": format!("{SLEEP}-2"), "watches": {}}]});
    let files = [("k8s/trafficextensions.extensions.istio.io.json", list.to_string()), ("istiod/adsz.json", watched.to_string())];
    let folder = folder("permissive", &files);
    let answer = asked(folder.path(), &[]);
    for proxy in [HTTPBIN, SLEEP] {
        let plugins = entry(&answer, proxy)["plugins"].as_array().unwrap();
        let lua = plugins.iter().find(|plugin| plugin["plugin"] == "default/lua").unwrap();
        assert_eq!((&lua["comesBy"], &lua["resource"], &lua["applies"]), (&json!("LDS"), &Value::Null, &json!(true)), "{lua}");
    }
    let output = support::meshscope(&["sync", "--from", folder.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("TrafficExtension default/lua is Lua: it is in the listeners themselves"), "{text}");
    assert!(!text.contains("default/lua applies to the proxy and is not watched"), "{text}");
}
