//! The story of a change: which push it was, what each proxy did with it, what is only the nearest that fits, and what is not seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::analysis::answers::{StepAnswer, TimelineAnswer, timeline};
use meshscope::analysis::logs::Attributor;
use meshscope::analysis::timeline::{Gatherer, StepKind};
use meshscope::ingest::collect::Collector;
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogOrigin, LogRecord};
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::update::Update;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::logs::{istiod, proxy, record};

const WEB: &str = "web-1.default";
const FILTER: &str = "extensions.istio.io/trafficextension/default.hello~istio-translated-wasmplugin";
const NAME: &str = "default.hello~istio-translated-wasmplugin";

fn hello() -> PluginId {
    PluginId::new(PluginKind::WasmPlugin, "default", "hello")
}

/// A mesh with a WasmPlugin with this metadata, or none, for one proxy with this dump.
fn mesh(metadata: Option<Value>, dump: &Value) -> Snapshot {
    let mut collector = Collector::default();
    let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
    let pod = json!({"metadata": {"namespace": "default", "name": "web-1", "labels": {"app": "web"}}, "spec": {"containers": containers}, "status": {"phase": "Running"}});
    collector.apply(Update::Applied { kind: Kind::Pod, object: pod });
    if let Some(mut metadata) = metadata {
        metadata["namespace"] = "default".into();
        metadata["name"] = "hello".into();
        let object = json!({"metadata": metadata, "spec": {"url": "oci://registry:5000/hello:v1", "pluginName": "root"}});
        collector.apply(Update::Applied { kind: Kind::WasmPlugin, object });
    }
    collector.apply(Update::Istiods(vec![Istiod { pod: String::new(), version: "1.31.0".to_owned() }]));
    let parsed = config_dump::parse(dump.to_string().as_bytes(), DumpView::Proxy, "dump").unwrap();
    let loaded = LoadedDump {
        dump: parsed.dump,
        way: "file",
        took_ms: 0,
        read_at: None,
        serial: 1,
        warnings: Vec::new(),
        cut_short: None,
        vitals: None,
    };
    collector.snapshot(BTreeMap::from([(ProxyId::parse(WEB).unwrap(), Dump::Loaded(Arc::new(loaded)))]))
}

/// The metadata of an object that was created at 10:00:00 and changed at this time.
fn changed(at: &str) -> Option<Value> {
    let write =
        |manager: &str, time: &str, fields: Value| json!({"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields});
    Some(json!({"creationTimestamp": "2026-11-23T08:00:00Z", "generation": 3, "managedFields": [
        write("kubectl-client-side-apply", at, json!({"f:spec": {}})),
        write("first", "2026-11-23T08:00:00Z", json!({"f:spec": {}})),
        write("labeller", "2026-11-23T23:00:00Z", json!({"f:metadata": {}})),
    ]}))
}

/// A dump with the plugin in one listener, and its ECDS entry.
fn dump(listener: &str, ecds: &str, config: Value) -> Value {
    let filters =
        json!([{"name": FILTER, "config_discovery": {"type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]}}]);
    let manager = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "http_filters": filters});
    let configured = json!({"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "virtualInbound",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}}, "traffic_direction": "INBOUND",
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]});
    let typed = json!({"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": FILTER, "typed_config": config});
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
         "dynamic_listeners": [{"name": "virtualInbound", "active_state": {"listener": configured, "last_updated": listener}}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [{"ecds_filter": typed, "last_updated": ecds}]},
    ]})
}

/// The configuration with the module in place.
fn module() -> Value {
    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {"name": NAME, "root_id": "root", "vm_config": {"code": {"local": {"filename": "/m.wasm"}}}}})
}

/// What the agent puts in its place.
fn denial() -> Value {
    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"policies": {}}, "rules_stat_prefix": "wasm-default-deny"})
}

/// The story out of istiod's lines and the proxy's: those of programs without their day, `10:00:05.100000 info ads text`, those
/// of an access log as they are.
fn told(snapshot: &Snapshot, of_istiod: &[String], of_proxy: &[String]) -> TimelineAnswer {
    let all = of_istiod.iter().map(|text| (text.clone(), istiod())).chain(of_proxy.iter().map(|text| (text.clone(), proxy(WEB))));
    told_by(snapshot, all.collect())
}

/// The same out of the lines of any logs.
fn told_by(snapshot: &Snapshot, lines: Vec<(String, Arc<LogOrigin>)>) -> TimelineAnswer {
    let line = |line: &str| match line.split_once(' ') {
        Some((time, rest)) if !line.starts_with('[') => {
            format!("2026-11-23T{time}Z\t{}", rest.replacen(' ', "\t", 2).replace('\u{a0}', " "))
        }
        _ => line.to_owned(),
    };
    let mut all: Vec<LogRecord> = lines.iter().map(|(text, origin)| record(&line(text), origin)).collect();
    all.sort_by_key(|record| record.time);
    let mut attributor = Attributor::new(snapshot.objects.clone());
    let mut gatherer = Gatherer::new(hello());
    for mut record in all {
        attributor.attribute(&mut record);
        gatherer.take(record);
    }
    timeline(snapshot, &hello(), &gatherer.gathered())
}

/// The steps of the one proxy, `fetch 10:00:05.113000`, those that are not certain with a question mark.
fn steps(answer: &TimelineAnswer) -> Vec<String> {
    let steps = &answer.proxies[0].steps;
    steps.iter().map(|step| format!("{} {}{}", step.step.words(), &step.time[11..23], if step.certain { "" } else { "?" })).collect()
}

fn step(answer: &TimelineAnswer, kind: StepKind) -> &StepAnswer {
    let of_proxies = answer.proxies.iter().flat_map(|part| &part.steps);
    let all = answer.changes.iter().chain(answer.control_plane.iter().flat_map(|part| &part.steps)).chain(of_proxies);
    all.into_iter().find(|step| step.step == kind).unwrap_or_else(|| panic!("no {kind:?}"))
}

fn unseen(answer: &TimelineAnswer, kind: StepKind) -> &str {
    let all = answer.unseen.iter().chain(answer.control_plane.iter().flat_map(|part| &part.unseen));
    let all = all.chain(answer.proxies.iter().flat_map(|part| &part.unseen));
    all.into_iter().find(|unseen| unseen.step == kind).map(|unseen| unseen.why.as_str()).unwrap_or_else(|| panic!("{kind:?} is seen"))
}

/// istiod's lines of a push at a second, `05`, for these configs.
fn pushes(second: &str, number: u32, configs: &str) -> Vec<String> {
    vec![
        format!(
            "10:00:{second}.500000 info ads Push debounce stable[{number}] 1 for config {configs}: 100.2ms since last change, 100.2ms since last push, forced=false"
        ),
        format!("10:00:{second}.500400 info ads XDS: Pushing Services:5 ConnectedEndpoints:1 Version:2026-11-23T10:00:{second}Z/{number}"),
        format!("10:00:{second}.501000 info delta LDS: PUSH for node:{WEB} resources:5 removed:0 size:1.2kB"),
        format!("10:00:{second}.510000 info delta ECDS: PUSH request for node:{WEB} resources:1 removed:0 size:361B filtered:0"),
    ]
}

const NAMED: &str = "TrafficExtension/default/hello~istio-translated-wasmplugin";

/// A line of Envoy, whose third column has blanks.
fn envoy(time: &str, level: &str, message: &str) -> String {
    format!("{time} {level} envoy\u{a0}wasm\u{a0}c.cc:1 {message}\tthread=1")
}

/// A line of the plugin.
fn spoke(time: &str) -> String {
    envoy(time, "warning", &format!("wasm log {NAME} root: hello"))
}

/// A line of the access log of a request that found no configuration.
fn failed_request(time: &str) -> String {
    let upstream = "\"-\" inbound|80|| - 10.0.0.1:80 10.0.0.2:1 - default";
    format!("[2026-11-23T{time}Z] \"GET /headers HTTP/1.1\" 500 NFCF - - \"-\" 0 0 3 - \"-\" \"curl\" \"1\" \"web\" {upstream}")
}

/// A line of the agent.
fn fetch(time: &str) -> String {
    format!("{time} info wasm fetching image hello from registry registry:5000 with tag v1")
}

#[test]
fn a_change_is_followed_from_the_object_to_the_first_line() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let own = [fetch("10:00:05.512000"), spoke("10:00:09.000000")];
    let answer = told(&snapshot, &pushes("05", 4, NAMED), &own);
    assert_eq!(
        step(&answer, StepKind::Changed).evidence.text,
        "metadata.managedFields: Update of the spec by kubectl-client-side-apply at 2026-11-23T10:00:05Z"
    );
    assert_eq!(answer.start.as_deref(), Some("2026-11-23T10:00:05.399800Z"));
    assert_eq!(
        steps(&answer),
        [
            "LDS pushed 10:00:05.501",
            "LDS accepted 10:00:05.505",
            "ECDS pushed 10:00:05.510",
            "fetch 10:00:05.512",
            "ECDS accepted 10:00:05.530",
            "first line 10:00:09.000",
        ]
    );
    assert_eq!(step(&answer, StepKind::LdsPushed).sentence(), "istiod pushed LDS to web-1 101 ms after the change");
    assert_eq!(step(&answer, StepKind::EcdsAccepted).since_previous.unwrap().to_string(), "18 ms");
    assert!(unseen(&answer, StepKind::VmStarted).contains("debug"));
}

#[test]
fn a_second_change_begins_a_new_story_and_a_module_in_the_cache_is_not_fetched() {
    let snapshot = mesh(changed("2026-11-23T10:00:15Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:15.512Z", module()));
    let own = [fetch("10:00:05.512000"), spoke("10:00:09.000000"), spoke("10:00:15.511000"), spoke("10:00:15.600000")];
    let all = [pushes("05", 4, NAMED), pushes("15", 5, NAMED)].concat();
    let answer = told(&snapshot, &all, &own);
    assert_eq!(step(&answer, StepKind::Debounced).time, "2026-11-23T10:00:15.500000Z");
    // What the module before said last, 1 ms before the new configuration, is not the new one's.
    assert_eq!(
        steps(&answer),
        ["LDS pushed 10:00:15.501", "ECDS pushed 10:00:15.510", "ECDS accepted 10:00:15.512", "first line 10:00:15.600"]
    );
    assert!(unseen(&answer, StepKind::Fetch).contains("cache"));
    assert!(unseen(&answer, StepKind::LdsAccepted).contains("ECDS alone"));
}

#[test]
fn two_changes_of_one_second_are_told_by_the_last_of_them() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.905Z", "2026-11-23T10:00:05.930Z", module()));
    let debounce = |time: &str, number: u32| {
        format!(
            "{time} info ads Push debounce stable[{number}] 1 for config {NAMED}: 100.2ms since last change, 100.2ms since last push, forced=false"
        )
    };
    let all = [debounce("10:00:05.200000", 1), debounce("10:00:05.900000", 2), debounce("10:07:00.000000", 3)];
    assert_eq!(step(&told(&snapshot, &all, &[]), StepKind::Debounced).time, "2026-11-23T10:00:05.900000Z");
}

#[test]
fn a_batch_that_names_another_object_is_only_the_nearest() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let answer = told(&snapshot, &pushes("05", 4, "Gateway/default/web and 3 more configs"), &[]);
    let debounced = step(&answer, StepKind::Debounced);
    assert!(!debounced.certain && debounced.note.as_ref().unwrap().contains("and 3 more configs"));
    // Nothing more was named: it cannot have been this one.
    let answer = told(&snapshot, &pushes("05", 4, "Gateway/default/web"), &[]);
    assert!(unseen(&answer, StepKind::Debounced).contains("names the plugin"));
    assert_eq!(answer.start_note, "from the whole second that the object names, so that they can be up to 1 s too long");
}

#[test]
fn a_log_that_begins_after_the_change_is_said() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let answer = told(&snapshot, &pushes("50", 1, NAMED), &["10:00:40.000000 info default Readiness succeeded".to_owned()]);
    // At its own start an istiod names every object.
    let late = step(&answer, StepKind::EcdsAccepted);
    assert!(late.since_change.is_some(), "{late:?}");
    let snapshot = mesh(changed("2026-11-23T09:00:05Z"), &dump("2026-11-23T09:00:05.505Z", "2026-11-23T09:00:05.530Z", module()));
    let answer = told(&snapshot, &pushes("50", 1, NAMED), &["10:00:40.000000 info default Readiness succeeded".to_owned()]);
    assert!(
        unseen(&answer, StepKind::Debounced).contains("reaches back only to 2026-11-23T10:00:50.5"),
        "{}",
        unseen(&answer, StepKind::Debounced)
    );
    assert!(unseen(&answer, StepKind::Fetch).contains("reaches back only to"));
    assert!(!step(&answer, StepKind::LdsAccepted).certain, "no push of it was read");
}

#[test]
fn a_refused_configuration_is_not_accepted_though_the_dump_lists_it() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let mut all = pushes("05", 4, NAMED);
    all.push(format!("10:00:05.532000 warn delta ADS:ECDS: ACK ERROR {WEB}-3 Internal:Unable to create Wasm plugin {NAME}"));
    let own = [
        fetch("10:00:05.512000"),
        envoy("10:00:05.529000", "critical", &format!("Plugin {NAME} failed to load")),
        failed_request("10:00:07.000"),
    ];
    let answer = told(&snapshot, &all, &own);
    assert_eq!(
        steps(&answer),
        [
            "LDS pushed 10:00:05.501",
            "LDS accepted 10:00:05.505",
            "ECDS pushed 10:00:05.510",
            "fetch 10:00:05.512",
            "VM failed 10:00:05.529",
            "ECDS refused 10:00:05.532",
            "request failed 10:00:07.000?",
        ]
    );
    assert!(unseen(&answer, StepKind::EcdsAccepted).contains("refused"));
    assert!(step(&answer, StepKind::EcdsRefused).evidence.text.contains("Unable to create Wasm plugin"));
    assert!(step(&answer, StepKind::RequestFailed).note.as_ref().unwrap().contains("NFCF"));
}

#[test]
fn at_level_debug_the_vm_and_its_root_context_are_seen() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let own = [
        fetch("10:00:05.512000"),
        envoy("10:00:05.526000", "debug", "Base Wasm created 1 now active"),
        envoy("10:00:05.528000", "debug", "wasm log root: on start"),
        spoke("10:00:09.000000"),
        failed_request("10:00:10.000"),
    ];
    // A request that failed for want of a configuration, while that is in force, was served by the listener before.
    let answer = told(&snapshot, &pushes("05", 4, NAMED), &own);
    assert_eq!(
        steps(&answer)[3..],
        ["fetch 10:00:05.512", "VM started 10:00:05.526?", "first line 10:00:05.528?", "ECDS accepted 10:00:05.530",]
    );
}

#[test]
fn a_stub_in_the_place_of_the_module_cannot_speak() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", denial()));
    let failed = "10:00:05.529500 error wasm error in converting the wasm config to local: cannot fetch Wasm module oci://registry:5000/hello:v1: not there. applying deny RBAC filter";
    let answer = told(&snapshot, &pushes("05", 4, NAMED), &[fetch("10:00:05.512000"), failed.to_owned()]);
    assert_eq!(steps(&answer)[3..], ["fetch 10:00:05.512", "fetch failed 10:00:05.529", "ECDS accepted 10:00:05.530"]);
    assert!(step(&answer, StepKind::EcdsAccepted).what.contains("denies every request"));
    assert!(unseen(&answer, StepKind::PluginLog).contains("cannot write"));
}

/// A proxy that is cut off from istiod keeps what it had, and what that writes and fails is no step of the change.
#[test]
fn what_the_module_before_does_is_not_credited_to_a_change_that_never_arrived() {
    let snapshot = mesh(changed("2026-11-23T10:00:15Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let own = [
        spoke("10:00:16.000000"),
        envoy("10:01:51.000000", "debug", "wasm log root: on tick"),
        envoy("10:01:52.000000", "critical", &format!("Plugin {NAME} failed to load")),
        failed_request("10:01:53.000"),
    ];
    let answer = told(&snapshot, &[pushes("05", 4, NAMED), pushes("15", 5, NAMED)].concat(), &own);
    assert_eq!(steps(&answer), ["LDS pushed 10:00:15.501", "ECDS pushed 10:00:15.510"]);
    assert!(unseen(&answer, StepKind::EcdsAccepted).contains("was last updated before the change"));
    assert!(unseen(&answer, StepKind::PluginLog).contains("nothing shows that the proxy has taken the change"));
}

#[test]
fn clocks_that_contradict_each_other_are_marked() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.105Z", "2026-11-23T10:00:05.130Z", module()));
    let answer = told(&snapshot, &pushes("05", 4, NAMED), &[fetch("10:00:05.112000")]);
    for kind in [StepKind::LdsAccepted, StepKind::EcdsAccepted, StepKind::Fetch] {
        let step = step(&answer, kind);
        assert!(step.skew && !step.certain, "{step:?}");
    }
    assert!(steps(&answer)[0].starts_with("LDS pushed"), "what causes something stands before it");
}

#[test]
fn without_an_object_the_story_begins_at_the_last_push() {
    let snapshot = mesh(None, &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let all = [pushes("05", 4, NAMED), pushes("20", 5, NAMED)].concat();
    let answer = told(&snapshot, &all, &[]);
    assert!(unseen(&answer, StepKind::Deleted).contains("there is no WasmPlugin default/hello now"));
    assert_eq!(answer.start.as_deref(), Some("2026-11-23T10:00:20.399800Z"));
    assert_eq!(steps(&answer), ["LDS pushed 10:00:20.501"]);
}

#[test]
fn an_object_that_does_not_say_when_it_changed_is_told_by_the_last_push_that_names_it() {
    let metadata = json!({"creationTimestamp": "2026-11-23T09:00:00Z", "generation": 7});
    let snapshot = mesh(Some(metadata), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let answer = told(&snapshot, &pushes("05", 4, NAMED), &[]);
    assert!(unseen(&answer, StepKind::Changed).contains("metadata.generation is 7"));
    assert!(!step(&answer, StepKind::Debounced).certain);
}

#[test]
fn each_istiod_has_its_part_and_the_proxy_follows_the_one_that_it_is_connected_to() {
    let snapshot = mesh(changed("2026-11-23T10:00:05Z"), &dump("2026-11-23T10:00:05.505Z", "2026-11-23T10:00:05.530Z", module()));
    let pod = |name: &str| Arc::new(LogOrigin { pod: ProxyId::new(name, "istio-system"), ..(*istiod()).clone() });
    // The first has no proxy, and is 200 ms slower.
    let other = pushes("05", 9, NAMED)[..2].iter().map(|line| line.replace("05.50", "05.70")).collect::<Vec<_>>();
    let of = |lines: Vec<String>, name: &str| lines.into_iter().map(|line| (line, pod(name))).collect::<Vec<_>>();
    let answer = told_by(&snapshot, [of(other, "istiod-a"), of(pushes("05", 4, NAMED), "istiod-b")].concat());
    let istiods: Vec<String> = answer.control_plane.iter().map(|part| part.istiod.as_ref().unwrap().pod.clone()).collect();
    assert_eq!(istiods, ["istiod-a", "istiod-b"]);
    assert_eq!(answer.start.as_deref(), Some("2026-11-23T10:00:05.399800Z"), "the first that received it");
    assert_eq!(steps(&answer)[..2], ["LDS pushed 10:00:05.501", "LDS accepted 10:00:05.505"]);
    assert_eq!(step(&answer, StepKind::LdsPushed).evidence.pod.as_ref().unwrap().pod, "istiod-b");
}

#[test]
fn what_logs_tell_of_old_istiods_is_told() {
    for recording in support::eras() {
        let path = support::recording(&recording);
        let answer = support::json(&["timeline", "default/helloworld", "--from", path.to_str().unwrap(), "-A"]);
        let steps: Vec<&str> =
            answer["controlPlane"][0]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        // Of some, the only debounce names another object of several.
        let unnamed = answer["controlPlane"][0]["unseen"][0]["why"].as_str().is_some_and(|why| why.contains("no debounce"));
        assert!(steps == ["received", "debounced", "pushed"] || steps.is_empty() && unnamed, "{recording}: {steps:?}");
        let of_proxy: Vec<&str> =
            answer["proxies"][0]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert!(["connected", "ldsPushed", "ecdsPushed"].iter().all(|step| of_proxy.contains(step)), "{recording}: {of_proxy:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the times, no step stands before one that is later, but where that is marked.
    #[test]
    fn times_never_decrease_unless_marked(listener in 0u32..60_000, ecds in 0u32..60_000, fetched in 0u32..60_000, line in 0u32..60_000, change in 0u32..60) {
        let at = |ms: u32| format!("10:00:{:02}.{:03}", ms / 1000, ms % 1000);
        let day = |ms: u32| format!("2026-11-23T{}Z", at(ms));
        let snapshot = mesh(changed(&format!("2026-11-23T10:00:{change:02}Z")), &dump(&day(listener), &day(ecds), module()));
        let all = [pushes("05", 4, NAMED), pushes("25", 5, NAMED)].concat();
        let own = [fetch(&format!("{}000", at(fetched))), spoke(&format!("{}000", at(line)))];
        let answer = told(&snapshot, &all, &own);
        for pair in answer.proxies[0].steps.windows(2) {
            let [before, after] = pair else { continue };
            // Envoy's dump keeps milliseconds.
            let cut = before.time[..23] == after.time[..23];
            prop_assert!(before.time <= after.time || after.skew || cut, "{before:?} {after:?}");
            prop_assert!(after.skew || before.skew || after.since_previous.is_none_or(|since| since.0 >= 0));
        }
    }
}
