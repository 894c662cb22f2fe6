//! A tag that was pushed again between two starts of replicas: which one has what the tag had before.

use serde_json::{Value, json};

use super::proxies::{PLUGINS, replicas};
use super::recorded::{HTTPBIN, Mesh};

const SECOND: &str = "httpbin-2.default";

/// A replica that was started, and given its module, at these times of day.
fn given(mesh: Mesh, proxy: &str, started: &str, given: &str) -> Mesh {
    let of_day = |time: &str| json!(format!("2026-11-23T{time}Z"));
    let mesh = mesh.change("k8s/pods.json", |list| {
        let pod = list["items"].as_array_mut().unwrap().iter_mut().find(|pod| proxy.starts_with(pod["metadata"]["name"].as_str().unwrap()));
        let statuses = pod.unwrap()["status"]["containerStatuses"].as_array_mut().unwrap().iter_mut();
        statuses.for_each(|status| status["state"]["running"]["startedAt"] = of_day(started));
    });
    mesh.change(&format!("proxies/{proxy}/config_dump.json"), |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let entries = sections.filter_map(|section| section.get_mut("ecds_filters")).filter_map(Value::as_array_mut).flatten();
        entries.for_each(|entry| entry["last_updated"] = of_day(given));
    })
}

/// The recording whose second replica was started three minutes later and has another module.
fn pushed_again() -> Mesh {
    given(replicas(&"0a".repeat(32)), SECOND, "19:41:00", "19:41:02.5")
}

/// The plugin's state in a replica, and what `health` says of it there.
fn health(mesh: &Mesh, proxy: &str) -> (String, String) {
    let answer = mesh.ask(&["health", "default/helloworld"]);
    let of_proxy = answer["plugins"][0]["proxies"].as_array().unwrap().iter().find(|found| found["proxy"] == proxy).unwrap();
    (of_proxy["state"].as_str().unwrap().to_owned(), of_proxy["evidence"].to_string())
}

const OLDER: &str = "runs an older module of its URL: ";

#[test]
fn incident_d10_a_replica_with_what_the_tag_had_before_is_not_said_to_run() {
    let (state, evidence) = health(&pushed_again(), HTTPBIN);
    let said = format!(
        "{OLDER}httpbin-2.default, started at 2026-11-23T19:41:00.000000Z, fetched another one: image sha256:{}; the tag was pushed again",
        "0a".repeat(32)
    );
    assert!(state == "unverified" && evidence.contains(&said), "{state}: {evidence}");
    let text = pushed_again().text(&["health", "default/helloworld"]);
    assert!(!text.lines().any(|line| line.contains('✓') && line.contains(HTTPBIN)), "{text}");
    let (_, evidence) = health(&pushed_again(), SECOND);
    assert!(!evidence.contains(OLDER), "{evidence}");
    // The other way round.
    let turned = given(replicas(&"0a".repeat(32)), HTTPBIN, "19:39:00", "19:39:02");
    assert_eq!(health(&turned, HTTPBIN).0, "running");
    let (state, evidence) = health(&turned, SECOND);
    assert!(
        state == "unverified" && evidence.contains(&format!("{OLDER}{HTTPBIN}, started at 2026-11-23T19:39:00")),
        "{state}: {evidence}"
    );
}

#[test]
fn what_is_not_proven_to_be_older_runs() {
    let pushed = |change: fn(&mut Value)| pushed_again().change(PLUGINS, |list| change(&mut list["items"][0]));
    let untimed = pushed_again().change("k8s/pods.json", |list| {
        list["items"].as_array_mut().unwrap().iter_mut().for_each(|pod| {
            let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap().iter_mut();
            statuses.for_each(|status| status["state"] = json!({"running": {}}));
        });
    });
    let fetched = "2026-11-23T19:41:01.000000Z\tinfo\twasm\tfetching image linsun/helloworld from registry registry.lab:5000 with tag v0";
    for (what, mesh) in [
        ("one module", given(replicas(""), SECOND, "19:41:00", "19:41:02")),
        ("started before", given(replicas(&"0a".repeat(32)), SECOND, "19:37:50", "19:41:02")),
        ("no start is known", untimed),
        (
            "another tag",
            pushed_again().write(format!("logs/{SECOND}.istio-proxy.log").as_str(), format!("2026-11-23T19:41:01.000000000Z {fetched}\n")),
        ),
    ] {
        let (state, evidence) = health(&mesh, HTTPBIN);
        assert!(state == "running" && !evidence.contains(OLDER), "{what}: {state}: {evidence}");
    }
    // What the object says decides.
    for (what, mesh) in [
        (
            "pinned",
            pushed(|plugin| plugin["spec"]["url"] = json!(format!("oci://registry.lab:5000/linsun/helloworld@sha256:{}", "0a".repeat(32)))),
        ),
        ("sha256", pushed(|plugin| plugin["spec"]["sha256"] = json!("0a".repeat(32)))),
        ("changed since", pushed(|plugin| plugin["metadata"]["creationTimestamp"] = json!("2026-11-23T19:40:00Z"))),
    ] {
        let (state, evidence) = health(&mesh, HTTPBIN);
        assert!(!evidence.contains(OLDER), "{what}: {state}: {evidence}");
    }
}
