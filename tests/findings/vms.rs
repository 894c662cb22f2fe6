//! VMs: who shares one, what shows that one runs again, and whose failures are of a plugin that is gone; `health` and `check` say the same.

use serde_json::{Value, json};

use super::modules::{LOG, STATS, checked, failing, strategy, with_second_module};
use super::proxies::{DUMP, PLUGINS};
use super::recorded::Mesh;

/// The recording with a line of httpbin's log at a time of day.
fn line(mesh: Mesh, time: &str, text: &str) -> Mesh {
    mesh.change_text(LOG, |log| log.push_str(&format!("2026-11-23T{time}.000000000Z {text}\n")))
}

/// The plugin speaks, on a thread of Envoy.
fn speaking(mesh: Mesh, time: &str, thread: u8) -> Mesh {
    let text = format!(
        "2026-11-23T{time}.000000Z\twarning\tenvoy wasm source/extensions/common/wasm/context.cc:1198\twasm log default.helloworld~istio-translated-wasmplugin add_header: hello\tthread={thread}"
    );
    line(mesh, time, &text)
}

/// A request on a connection of its own is answered, or ended by a VM that has failed.
fn request(mesh: Mesh, time: &str, answered: bool) -> Mesh {
    let port = 30_000 + time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u32>().unwrap()) % 30_000;
    on_connection(mesh, time, answered, port)
}

/// The same on the client's connection from a port.
fn on_connection(mesh: Mesh, time: &str, answered: bool, port: u32) -> Mesh {
    let (code, details, upstream) = if answered { (200, "via_upstream", "10.244.0.4:80") } else { (503, "wasm_fail_stream", "-") };
    let text = format!(
        "[2026-11-23T{time}.000Z] \"GET /headers HTTP/1.1\" {code} - {details} - \"-\" 0 0 3 1 \"-\" \"curl/7.88.1\" \"26f6ea12\" \"httpbin:8000\" \"{upstream}\" inbound|80|| 127.0.0.6:37832 10.244.0.4:80 10.244.0.5:{port} - default"
    );
    line(mesh, time, &text)
}

/// The plugin on httpbin fails open, by its object and in what the proxy has.
fn open() -> Mesh {
    strategy(Mesh::permissive(), "FAIL_OPEN").change_text(DUMP, |dump| *dump = dump.replace("\"FAIL_CLOSED\"", "\"FAIL_OPEN\""))
}

fn closed() -> Mesh {
    strategy(Mesh::permissive(), "FAIL_CLOSE")
}

/// What `health` says of a plugin: its roll-up, how many proxies have a VM that failed, and the state on the one proxy; and of how many
/// plugins `check` says that a VM failed.
fn said(mesh: &Mesh, plugin: &str) -> (String, u64, String, usize) {
    let health = mesh.ask(&["health", plugin])["plugins"][0].take();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let failed = health["vmFailed"].as_u64().unwrap();
    (text(&health["rollup"]), failed, text(&health["proxies"][0]["state"]), checked(mesh, "vm-failed").len())
}

fn well(findings: usize) -> (String, u64, String, usize) {
    ("ready".to_owned(), 0, "running".to_owned(), findings)
}

fn unverified(findings: usize) -> (String, u64, String, usize) {
    ("unknown".to_owned(), 0, "unverified".to_owned(), findings)
}

/// Twenty requests, each on a connection of its own, from a minute of 19 o'clock on.
fn answered(mesh: Mesh, minute: u32) -> Mesh {
    (10..30).fold(mesh, |mesh, second| request(mesh, &format!("19:{minute}:{second}"), true))
}

fn failed(findings: usize) -> (String, u64, String, usize) {
    ("failed".to_owned(), 1, "vmFailed".to_owned(), findings)
}

/// Changes what ECDS has of the second plugin.
fn each_of_second(mesh: Mesh, edit: impl Fn(&mut Value)) -> Mesh {
    mesh.change(DUMP, |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let entries = sections.filter_map(|section| section.get_mut("ecds_filters")).flat_map(|ecds| ecds.as_array_mut().unwrap());
        entries.filter(|entry| entry.to_string().contains("default.second~")).for_each(&edit);
    })
}

/// The second plugin was given a configuration at 19:40:30.
fn given_again(mesh: Mesh) -> Mesh {
    each_of_second(mesh, |entry| entry["last_updated"] = json!("2026-11-23T19:40:30.000Z"))
}

#[test]
fn live_l2_plugins_of_one_module_share_a_vm_and_its_failure() {
    let shared = failing(with_second_module(true), "19:40:10", true);
    for plugin in ["default/helloworld", "default/second"] {
        assert_eq!(said(&shared, plugin), failed(2), "{plugin}");
    }
    let findings = checked(&shared, "vm-failed");
    assert!(findings.iter().all(|finding| finding["severity"] == "error"), "{findings:?}");
    assert!(findings[0]["evidence"].to_string().contains("it shares its VM with default/second"), "{findings:?}");
    // What was given a new configuration since has a new VM.
    let since = failing(given_again(with_second_module(true)), "19:40:10", true);
    assert_eq!((said(&since, "default/helloworld"), said(&since, "default/second").1), (failed(1), 0));
    // The environment and the root id are no part of what a VM is known by, its configuration is.
    let with = |field: &str, value: Value| {
        let put = |entry: &mut Value| entry["ecds_filter"]["typed_config"]["config"]["vm_config"][field] = value.clone();
        failing(each_of_second(with_second_module(true), put), "19:40:10", true)
    };
    let environment = with("environment_variables", json!({"key_values": {"A": "1"}}));
    assert_eq!(said(&environment, "default/second"), failed(2));
    for other in [with("vm_id", json!("mine")), with("configuration", json!({"value": "{}"}))] {
        assert_eq!(said(&other, "default/second"), unverified(1), "one of two VMs");
    }
}

#[test]
fn live_l2_where_it_can_be_either_nobody_is_said_to_run() {
    let either = failing(with_second_module(false), "19:40:10", true);
    for (plugin, other) in [("default/helloworld", "default/second"), ("default/second", "default/helloworld")] {
        assert_eq!(said(&either, plugin), unverified(1), "{plugin}");
        let health = either.ask(&["health", plugin]);
        let evidence = health["plugins"][0]["proxies"][0]["evidence"][0]["what"].as_str().unwrap();
        assert!(evidence.starts_with(&format!("its VM or that of {other} failed: ")), "{evidence}");
    }
    // One of them has run since on the same worker, so that it was the other.
    let one = speaking(failing(with_second_module(false), "19:40:10", true), "19:40:20", 22);
    assert_eq!((said(&one, "default/second"), said(&one, "default/helloworld")), (failed(1), well(1)));
    assert_eq!(checked(&one, "vm-failed")[0]["object"]["name"], "second");
}

#[test]
fn incident_two_plugins_and_one_that_traps_on_a_header() {
    let trapped = || failing(with_second_module(false), "19:40:10", false);
    let both = |mesh: &Mesh, helloworld, second| {
        assert_eq!((said(mesh, "default/helloworld"), said(mesh, "default/second")), (helloworld, second));
    };
    let has_error = |mesh: &Mesh| {
        let findings = checked(mesh, "vm-failed");
        let [finding] = &findings[..] else { panic!("one finding: {findings:?}") };
        assert_eq!(finding["severity"], "error", "{finding}");
        finding["what"].as_str().unwrap().to_owned()
    };
    // A trap on worker 22, an answer of worker 23, a 503 of worker 22 again.
    let mesh = request(request(request(trapped(), "19:40:11", false), "19:40:12", true), "19:40:13", false);
    both(&mesh, unverified(1), unverified(1));
    assert!(has_error(&mesh).ends_with("of one of default/helloworld and default/second."));
    // The words of a plugin on the other worker show nothing, nor do answers among the 503s.
    let mesh = speaking(mesh, "19:40:14", 23);
    let mesh = (10..25).fold(mesh, |mesh, second| request(mesh, &format!("19:41:{second}"), true));
    let mesh = request(mesh, "19:41:40", false);
    both(&mesh, unverified(1), unverified(1));
    has_error(&mesh);
    // Its words on the worker of the trap show that the trap was the other's, which still ends requests.
    let mesh = speaking(mesh, "19:42:00", 22);
    both(&mesh, well(1), failed(1));
    assert!(has_error(&mesh).contains("default/second"));
    // A 503 without the line of the trap, which is of before the lines that were read: no line of one worker excludes a plugin.
    let alone = speaking(request(with_second_module(false), "19:40:13", false), "19:40:14", 22);
    both(&alone, unverified(1), unverified(1));
    // Once connections to all workers are answered it has passed.
    both(&answered(alone, 41), well(0), well(0));
}

#[test]
fn incident_what_was_changed_since_may_have_been_what_failed() {
    // The second plugin gets another module after the trap, by ECDS alone.
    let mesh = failing(given_again(with_second_module(false)), "19:40:10", true);
    assert_eq!((said(&mesh, "default/helloworld"), said(&mesh, "default/second")), (unverified(1), well(1)));
    let findings = checked(&mesh, "vm-failed");
    assert_eq!(findings[0]["severity"], "information", "{findings:?}");
    assert!(findings[0]["what"].as_str().unwrap().ends_with("of default/helloworld, or a plugin that was changed or deleted since."));
    // A request that is ended after the change is of one of those in place.
    let still = request(mesh, "19:40:40", false);
    assert_eq!((said(&still, "default/helloworld"), said(&still, "default/second")), (unverified(1), unverified(1)));
    assert_eq!(checked(&still, "vm-failed")[0]["severity"], "error");
    // The listener was changed since, as where a plugin is deleted or a chain is rebuilt with a new VM.
    let changed = failing(closed(), "19:40:10", true).change_text(DUMP, |dump| {
        let mut value: Value = serde_json::from_str(dump).unwrap();
        let sections = value["configs"].as_array_mut().unwrap().iter_mut();
        for listener in sections.filter_map(|section| section.get_mut("dynamic_listeners")).flat_map(|all| all.as_array_mut().unwrap()) {
            listener["active_state"]["last_updated"] = json!("2026-11-23T19:40:30.000Z");
        }
        *dump = value.to_string();
    });
    assert_eq!(said(&changed, "default/helloworld"), unverified(1));
    assert_eq!(checked(&changed, "vm-failed")[0]["severity"], "information");
    assert_eq!(said(&answered(changed, 41), "default/helloworld"), well(0));
}

#[test]
fn live_l3_later_lines_and_answered_requests_are_signs_of_life() {
    let trapped = || failing(closed(), "19:40:10", true);
    assert_eq!(said(&trapped(), "default/helloworld"), failed(1));
    assert_eq!(said(&speaking(trapped(), "19:40:20", 22), "default/helloworld"), well(0));
    // Each of the two workers has a VM of its own: what one of them answers or logs shows nothing of the other.
    assert_eq!(said(&request(trapped(), "19:40:20", true), "default/helloworld"), failed(1));
    assert_eq!(said(&answered(trapped(), 41), "default/helloworld"), well(0));
    let of_one = (10..50).fold(trapped(), |mesh, second| on_connection(mesh, &format!("19:41:{second}"), true, 40_001));
    assert_eq!(said(&of_one, "default/helloworld"), failed(1), "one connection stays with one worker");
    let single =
        request(trapped().change_text(STATS, |stats| *stats = stats.replace("concurrency{} 2", "concurrency{} 1")), "19:40:20", true);
    assert_eq!(said(&single, "default/helloworld"), well(0), "there is no other worker");
    let unknown = answered(trapped().change_text(STATS, |stats| *stats = stats.replace("concurrency{} 2", "other{} 2")), 41);
    assert_eq!(said(&unknown, "default/helloworld"), failed(1), "how many workers there are is not known");
    let healed = answered(trapped(), 41).ask(&["health", "default/helloworld"]);
    let evidence = healed["plugins"][0]["proxies"][0]["evidence"].to_string();
    assert!(
        evidence.contains(
            "its VM failed at 2026-11-23T19:40:10.050Z, and has run since: requests on 20 connections passed it, and none was ended"
        ),
        "{evidence}"
    );
    // What was before it is none.
    assert_eq!(
        said(&failing(request(speaking(closed(), "19:40:05", 22), "19:40:06", true), "19:40:10", true), "default/helloworld"),
        failed(1)
    );
    // Each worker has a VM of its own: the words of another one, and answers between failures, prove nothing.
    assert_eq!(said(&speaking(trapped(), "19:40:20", 23), "default/helloworld"), failed(1));
    let mixed = request(request(request(trapped(), "19:40:20", true), "19:40:21", false), "19:40:22", true);
    assert_eq!(said(&mixed, "default/helloworld"), failed(1));
    let many = answered(mixed, 41);
    assert_eq!(said(&many, "default/helloworld"), well(0), "a worker that has failed would have had one of them");
    // A request that began before the failure, and is logged after it.
    assert_eq!(said(&request(failing(closed(), "19:40:10", false), "19:40:09", true), "default/helloworld"), failed(1));
    // It failed again.
    assert_eq!(said(&failing(speaking(trapped(), "19:40:20", 22), "19:40:30", false), "default/helloworld"), failed(1));
}

#[test]
fn live_l3_fail_open_answers_no_later_503_and_is_passed_by() {
    let trapped = failing(open(), "19:40:10", false);
    assert_eq!(checked(&trapped, "vm-failed")[0]["severity"], "warning");
    // Requests that pass it by are no sign of its life.
    assert_eq!(said(&request(trapped, "19:40:20", true), "default/helloworld"), failed(1));
    // The request in which it fails ends with it.
    assert_eq!(said(&request(failing(open(), "19:40:10", false), "19:40:10", false), "default/helloworld"), failed(1));
    // The failure that ended a later request was that of a plugin that is gone.
    let gone = failing(open(), "19:40:10", true);
    assert_eq!(said(&gone, "default/helloworld"), well(0));
    assert_eq!(said(&request(request(gone, "19:40:11", false), "19:40:12", false), "default/helloworld"), well(0));
}

#[test]
fn live_l3_a_deleted_plugins_failures_go_with_it() {
    // What ECDS still holds of it says whose the failure can have been.
    let entry = |dump: &mut Value| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let ecds = sections.filter_map(|section| section.get_mut("ecds_filters")).next().unwrap().as_array_mut().unwrap();
        let gone = ecds[0].to_string().replace("default.helloworld~", "default.gone~").replace("/77d4eb7c", "/99d4eb7c");
        ecds.push(serde_json::from_str(&gone).unwrap());
    };
    let with_leftover = failing(
        open().change(DUMP, |dump| {
            entry(dump);
        }),
        "19:40:10",
        true,
    );
    assert_eq!(checked(&with_leftover, "vm-failed").iter().filter(|finding| finding["severity"] == "error").count(), 0);
    // So it is where both share a VM.
    let sharing = |dump: &mut Value| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let ecds = sections.filter_map(|section| section.get_mut("ecds_filters")).next().unwrap().as_array_mut().unwrap();
        let gone = ecds[0].to_string().replace("default.helloworld~", "default.gone~").replace("FAIL_OPEN", "FAIL_CLOSED");
        ecds.push(serde_json::from_str(&gone).unwrap());
    };
    assert_eq!(said(&failing(open().change(DUMP, sharing), "19:40:10", true), "default/helloworld"), well(0));
    let named = "2026-11-23T19:40:10.000000Z\tcritical\tenvoy wasm context.cc:1\tPlugin default.gone~istio-translated-wasmplugin: Function: proxy_on_request_headers failed: unreachable\tthread=22";
    assert_eq!(said(&line(closed(), "19:40:10", named), "default/helloworld"), well(0));
}

#[test]
fn incident_d2_a_plugin_that_cannot_start_fails_no_vm_of_another() {
    let start = "critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:626\tPlugin default.second~istio-translated-wasmplugin failed to load\tthread=22";
    let mesh = line(with_second_module(true), "19:40:10", &format!("2026-11-23T19:40:10.000000Z\t{start}"));
    assert_eq!(said(&mesh, "default/helloworld"), well(0));
}

/// The lines that Envoy writes where a module does not start, and what a request met afterwards.
fn not_starting(mesh: Mesh, after: &str) -> Mesh {
    let lines = [
        "error\tenvoy wasm source/extensions/common/wasm/wasm_vm.cc:38\tFunction: proxy_on_configure failed: Uncaught RuntimeError: memory access out of bounds\tthread=13",
        "error\tenvoy wasm source/extensions/common/wasm/wasm.cc:104\tWasm VM failed Failed to configure base Wasm plugin\tthread=13",
        "critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:626\tPlugin default.helloworld~istio-translated-wasmplugin failed to load\tthread=13",
        "critical\tenvoy wasm source/extensions/common/wasm/wasm.cc:479\tPlugin configured to fail closed failed to load\tthread=13",
        "warning\tenvoy config delta_subscription_state.cc:282\tdelta config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm plugin default.helloworld~istio-translated-wasmplugin\tthread=13",
    ];
    let mesh = lines.iter().fold(mesh, |mesh, text| line(mesh, "19:40:10", &format!("2026-11-23T19:40:10.000000Z\t{text}")));
    line(
        mesh,
        "19:40:20",
        &format!(
            "[2026-11-23T19:40:20.000Z] \"GET /headers HTTP/1.1\" {after} \"-\" 0 0 0 - \"-\" \"curl/7.88.1\" \"7d582b96\" \"httpbin:8000\" \"-\" inbound|80|| - 10.244.0.9:80 10.244.0.5:1 - default"
        ),
    )
}

#[test]
fn incident_d2_what_answers_where_a_module_does_not_start() {
    const STATS: &str = "proxies/httpbin-664956bb75-9d64m.default/stats.prom";
    let what = |mesh: &Mesh, code: &str| {
        checked(mesh, code).iter().map(|finding| finding["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let cause = "the module's proxy_on_configure failed: memory access out of bounds (2026-11-23T19:40:10.000000Z)";
    // Envoy still has a plugin of the name: that of before.
    let before = not_starting(closed(), "200 - via_upstream -");
    let [said_before] = &what(&before, "refused-push")[..] else { panic!("one finding") };
    assert!(said_before.contains(cause) && said_before.contains("requests pass the module before"), "{said_before}");
    assert_eq!((said(&before, "default/helloworld").2.as_str(), what(&before, "vm-failed").len()), ("rejected", 0));
    let whole = checked(&before, "refused-push")[0].to_string();
    assert_eq!(whole.matches("memory access out of bounds").count(), 1, "the line is said once: {whole}");
    assert!(said_before.contains("default/helloworld (oci://registry.lab:5000/linsun/helloworld:latest): "), "{said_before}");
    // The module before is known by its fetch: back to it is the quickest way out.
    let broken = json!("oci://registry.lab:5000/linsun/helloworld:broken");
    let newer = not_starting(closed().change(PLUGINS, |list| list["items"][0]["spec"]["url"] = broken.clone()), "200 - via_upstream -");
    let newer = checked(&newer, "refused-push")[0].to_string();
    assert!(newer.contains("requests pass now: write oci://registry.lab:5000/linsun/helloworld:latest into url"), "{newer}");
    // It has none, and what it does with requests shows the rest.
    let none = || closed().change_text(STATS, |stats| *stats = "envoy_wasm_wasm_vm_count{} 0\n".to_owned());
    let nothing = not_starting(none(), "500 NFCF  -");
    let [said_nothing] = &what(&nothing, "vm-failed")[..] else { panic!("one finding") };
    assert!(said_nothing.contains(cause) && said_nothing.contains("500 NFCF"), "{said_nothing}");
    assert_eq!((said(&nothing, "default/helloworld").2.as_str(), what(&nothing, "refused-push").len()), ("vmFailed", 0));
    let fix = checked(&nothing, "vm-failed")[0]["fix"].to_string();
    assert!(!fix.contains("do not restart pods"), "no pod runs what it had before: {fix}");
    let stub = not_starting(none(), "403 - rbac_access_denied_matched_policy[none] -");
    let [said_stub] = &what(&stub, "refused-push")[..] else { panic!("one finding") };
    assert!(said_stub.contains("the stub before denies every request: 403"), "{said_stub}");
    // No VM, and nothing that says why.
    assert_eq!(said(&none(), "default/helloworld"), failed(1));
}

#[test]
fn incident_d2c_no_vm_runs_and_the_log_no_longer_says_why() {
    let none = || closed().change_text(STATS, |stats| *stats = "envoy_wasm_wasm_vm_count{} 0\n".to_owned());
    let one = |mesh: &Mesh| match &checked(mesh, "vm-failed")[..] {
        [finding] => (finding["severity"].as_str().unwrap().to_owned(), finding["what"].as_str().unwrap().to_owned(), finding.to_string()),
        other => panic!("one finding: {other:?}"),
    };
    let request = "[2026-11-23T19:40:20.000Z] \"GET /headers HTTP/1.1\" 500 NFCF  - \"-\" 0 0 0 - \"-\" \"curl/7.88.1\" \"7d582b96\" \"httpbin:8000\" \"-\" inbound|80|| - 10.244.0.9:80 10.244.0.5:1 - default";
    let rotated = line(none(), "19:40:20", request);
    assert_eq!(said(&rotated, "default/helloworld"), failed(1));
    let (severity, what, whole) = one(&rotated);
    assert_eq!(
        (severity.as_str(), what.as_str()),
        (
            "error",
            "On 1 proxy no Wasm VM of default/helloworld (oci://registry.lab:5000/linsun/helloworld:latest) runs, and requests fail."
        )
    );
    assert!(whole.contains("no Wasm VM is active"), "{whole}");
    // The statistics alone.
    let (severity, what, _) = one(&none());
    assert_eq!(
        (severity.as_str(), what.as_str()),
        (
            "error",
            "On 1 proxy no Wasm VM of default/helloworld (oci://registry.lab:5000/linsun/helloworld:latest) runs, and requests fail."
        )
    );
}

#[test]
fn incident_d11_what_the_object_asks_for_and_the_proxy_does_not_have() {
    let with = |field: &str, value: Value| closed().change(super::proxies::PLUGINS, |list| list["items"][0]["spec"][field] = value.clone());
    for (mesh, words) in [
        (with("pluginName", json!("other")), "pluginName: the object has other"),
        (with("failStrategy", json!("FAIL_OPEN")), "failStrategy: the object has FAIL_OPEN"),
        (with("pluginConfig", json!({"a": 1})), "pluginConfig: the object has one, and the proxy has none"),
        (with("vmConfig", json!({"env": [{"name": "A", "value": "1"}]})), "vmConfig.env"),
    ] {
        assert_eq!(said(&mesh, "default/helloworld").2, "outdated", "{words}");
        let [finding] = &checked(&mesh, "plugin-outdated")[..] else { panic!("one finding: {words}") };
        assert!(finding["evidence"][0].as_str().unwrap().contains(words) && finding["severity"] == "warning", "{finding}");
    }
    // What means the same, and what changes nothing in the module.
    for mesh in [
        with("pluginConfig", json!({})),
        with("vmConfig", json!({"env": []})),
        with("priority", json!(5)),
        with("imagePullPolicy", json!("Always")),
    ] {
        assert_eq!(said(&mesh, "default/helloworld"), well(0));
    }
}

#[test]
fn incident_n1_requests_that_meet_no_configuration_contradict_a_plugin_that_seems_to_run() {
    const UPSTREAM: &str = "\"httpbin:8000\" \"-\" inbound|80|| - 10.244.0.9:80";
    let meets_none = |mesh: Mesh, time: &str| {
        let text = format!(
            "[2026-11-23T{time}.000Z] \"GET /headers HTTP/1.1\" 500 NFCF - - \"-\" 0 0 0 - \"-\" \"curl/7.88.1\" \"7d582b96\" {UPSTREAM} 10.244.0.5:1 - default"
        );
        line(mesh, time, &text)
    };
    let unread = |mesh: Mesh| mesh.without(STATS);
    let one = |mesh: &Mesh| match &checked(mesh, "vm-failed")[..] {
        [finding] => (finding["severity"].as_str().unwrap().to_owned(), finding["what"].as_str().unwrap().to_owned()),
        other => panic!("one finding: {other:?}"),
    };
    let alone = meets_none(meets_none(unread(closed()), "19:40:10"), "19:40:20");
    assert_eq!(said(&alone, "default/helloworld"), failed(1));
    let (severity, what) = one(&alone);
    assert_eq!(severity, "error");
    assert!(what.contains("2 requests ended with 500 NFCF") && what.contains("every request fails"), "{what}");
    // Envoy has accepted one since.
    assert_eq!(said(&request(alone, "19:40:30", true), "default/helloworld"), unverified(0));
    assert_eq!(said(&speaking(meets_none(unread(closed()), "19:40:10"), "19:40:20", 23), "default/helloworld"), well(0));
    // Before the configuration that is there now.
    assert_eq!(said(&meets_none(unread(closed()), "19:37:49"), "default/helloworld"), unverified(0));
    // The statistics show that Envoy took one.
    assert_eq!(said(&meets_none(closed(), "19:40:10"), "default/helloworld"), well(0));
    // Of two plugins the line names none.
    let two = meets_none(unread(with_second_module(false)), "19:40:10");
    for plugin in ["default/helloworld", "default/second"] {
        assert_eq!(said(&two, plugin), unverified(1), "{plugin}");
    }
    let (severity, what) = one(&two);
    assert_eq!(severity, "error");
    assert!(what.ends_with("of one of default/helloworld and default/second."), "{what}");
}
