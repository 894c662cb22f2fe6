//! Which plugin a log record is about, and which records a filter lets through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;

use meshscope::analysis::logs::{Attributor, Filter, FilterSpec, Severity};
use meshscope::ingest::collect::Collector;
use meshscope::model::ids::{PluginId, PluginKind, ProxyId, WorkloadId, WorkloadKind};
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogEvent, LogKind, LogOrigin, LogRecord, LogSource, MarkKind};
use meshscope::model::mesh::Istiod;
use meshscope::model::update::Update;
use serde_json::{Value, json};
use support::logs::{istiod, objects, of_recording, proxy, record, records};

const WEB: &str = "web-1.default";

/// A mesh with a proxy for `app=web` in namespace `default`, and these plugins.
fn mesh(version: &str, plugins: &[(Kind, &str, Value)]) -> Arc<Inventory> {
    let mut collector = Collector::default();
    let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
    for (name, app) in [("web-1", "web"), ("other-1", "other")] {
        let object = json!({"metadata": {"namespace": "default", "name": name, "labels": {"app": app}}, "spec": {"containers": containers}, "status": {"phase": "Running"}});
        collector.apply(Update::Applied { kind: Kind::Pod, object });
    }
    for (kind, name, spec) in plugins {
        let (namespace, name) = name.split_once('/').unwrap();
        let object = json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec});
        collector.apply(Update::Applied { kind: *kind, object });
    }
    collector.apply(Update::Istiods(vec![Istiod { pod: String::new(), version: version.to_owned() }]));
    collector.snapshot(Default::default()).objects
}

/// A WasmPlugin for `app`, with a root id.
fn wasm(name: &'static str, app: &str, root_id: &str) -> (Kind, &'static str, Value) {
    let url = format!("oci://registry:5000/{name}:v1");
    (Kind::WasmPlugin, name, json!({"url": url, "pluginName": root_id, "selector": {"matchLabels": {"app": app}}}))
}

/// The record of one line, attributed: `WasmPlugin default/a`, and the note.
fn attributed(objects: &Arc<Inventory>, text: &str, origin: &Arc<LogOrigin>) -> (String, String) {
    let mut record = record(text, origin);
    Attributor::new(Arc::clone(objects)).attribute(&mut record);
    let plugin = record.plugin.map(|plugin| format!("{} {plugin}", plugin.kind)).unwrap_or_default();
    (plugin, record.plugin_note.unwrap_or_default())
}

fn of_web(objects: &Arc<Inventory>, rest: &str) -> (String, String) {
    attributed(objects, &format!("2026-11-23T19:41:35.069002Z\t{rest}"), &proxy(WEB))
}

fn said(objects: &Arc<Inventory>, prefix: &str) -> (String, String) {
    of_web(objects, &format!("info\tenvoy wasm context.cc:1\twasm log{prefix}: text\tthread=1"))
}

#[test]
fn the_story_of_a_recording_is_attributed() {
    let name = "fetch-failed-closed";
    let mut attributor = Attributor::new(objects(name));
    let mut told = Vec::new();
    for (origin, text) in of_recording(name) {
        for mut record in records(&text, &origin) {
            attributor.attribute(&mut record);
            if record.plugin.is_some() || record.plugin_note.is_some() {
                let first = record.message.lines().next().unwrap_or_default();
                let first: String = first.chars().take(110).collect();
                let plugin = record.plugin.map(|plugin| plugin.to_string());
                told.push(format!(
                    "{:?} {first}\n    {} ({})",
                    record.event,
                    plugin.unwrap_or_default(),
                    record.plugin_note.unwrap_or_default()
                ));
            }
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_plugin_is_known_by_its_name_in_every_era() {
    let old = mesh("1.26.2", &[wasm("default/a", "web", "root")]);
    let new = mesh(
        "1.31",
        &[wasm("default/a", "web", "root"), (Kind::TrafficExtension, "default/a", json!({"wasm": {"url": "oci://r.io/te:v1"}}))],
    );
    assert_eq!(said(&old, " default.a root"), ("WasmPlugin default/a".into(), String::new()));
    assert_eq!(said(&new, " default.a~istio-translated-wasmplugin root"), ("WasmPlugin default/a".into(), String::new()));
    assert_eq!(said(&new, " default.a root"), ("TrafficExtension default/a".into(), String::new()), "without a mark");
    assert_eq!(said(&old, " default.a"), ("WasmPlugin default/a".into(), String::new()), "a plugin without a root id");
    assert_eq!(said(&new, " default.a~istio-translated-wasmplugin").0, "WasmPlugin default/a");
    let gone = said(&new, " default.gone~istio-translated-wasmplugin root");
    assert_eq!(gone, ("WasmPlugin default/gone".into(), "there is no WasmPlugin default/gone now".into()));
    assert_eq!(said(&new, " my.filter vm"), (String::new(), "no plugin has root id my.filter vm".into()), "an EnvoyFilter's free choice");
}

#[test]
fn a_root_id_decides_where_one_plugin_has_it() {
    let plugins = [
        wasm("default/a", "web", "root"),
        wasm("default/b", "other", "root"),
        wasm("default/c", "web", "twice"),
        wasm("default/d", "web", "twice"),
    ];
    let blank = mesh("1.31", &[wasm("default/e", "web", "two words")]);
    let mesh = mesh("1.31", &plugins);
    assert_eq!(
        said(&mesh, " root"),
        ("WasmPlugin default/a".into(), "by root id root, which no other plugin that reaches the proxy has".into())
    );
    assert_eq!(said(&blank, " two words").0, "WasmPlugin default/e");
    assert_eq!(said(&mesh, " twice"), (String::new(), "the line has only root id twice, which default/c and default/d have".into()));
    assert_eq!(said(&mesh, " unheard"), (String::new(), "no plugin has root id unheard".into()));
    assert_eq!(said(&mesh, ""), (String::new(), "no plugin has an empty root id".into()));
    let line = "2026-11-23T19:41:35Z\tinfo\tenvoy wasm context.cc:1\twasm log root: text\tthread=1";
    let elsewhere = attributed(&mesh, line, &proxy("unknown-1.default"));
    assert_eq!(elsewhere, (String::new(), "the line has only root id root, which default/a and default/b have".into()));
}

#[test]
fn a_line_of_before_a_plugin_is_not_the_plugins() {
    let (kind, name, spec) = wasm("default/a", "web", "root");
    let with = |created: &str| {
        let mut objects = (*mesh("1.31", &[(kind, name, spec.clone()), wasm("default/b", "web", "other")])).clone();
        let plugin = objects.plugins.get_mut(&PluginId::new(PluginKind::WasmPlugin, "default", "a")).unwrap();
        Arc::make_mut(plugin).created = Some(created.to_owned());
        Arc::new(objects)
    };
    // Another one with the root id or the URL may have been there before.
    let (before, after) = (with("2026-11-23T19:00:00Z"), with("2026-11-23T20:00:00Z"));
    let fetch = |objects| of_web(objects, "info\twasm\tfetching image default/a from registry registry:5000 with tag v1");
    assert_eq!([said(&before, " root").0, fetch(&before).0], ["WasmPlugin default/a", "WasmPlugin default/a"]);
    assert_eq!(
        said(&after, " root"),
        (
            String::new(),
            "the line has only root id root, and default/a, the only plugin that reaches the proxy that has it now, was created after it"
                .into()
        )
    );
    assert_eq!(fetch(&after).0, "");
    // By its name it is known whatever was there.
    assert_eq!(said(&after, " default.a~istio-translated-wasmplugin root").0, "WasmPlugin default/a");
    assert_eq!(said(&after, " default.b~istio-translated-wasmplugin other").0, "WasmPlugin default/b");
}

#[test]
fn a_fetch_is_known_by_its_url() {
    let mesh = mesh(
        "1.31",
        &[
            (Kind::WasmPlugin, "default/tagged", json!({"url": "registry.lab:5000/linsun/hello:v1"})),
            (Kind::WasmPlugin, "default/latest", json!({"url": "oci://registry.lab:5000/linsun/hello"})),
            (Kind::WasmPlugin, "default/hub", json!({"url": "hub/hello@sha256:0123"})),
            (Kind::WasmPlugin, "default/http", json!({"url": "https://example.com/a.wasm"})),
            (Kind::WasmPlugin, "default/one", json!({"url": "oci://r.io/same:v1"})),
            (Kind::WasmPlugin, "default/two", json!({"url": "oci://r.io/same:v1"})),
        ],
    );
    let fetch = |rest: &str| of_web(&mesh, &format!("info\twasm\tfetching image {rest}")).0;
    assert_eq!(fetch("linsun/hello from registry registry.lab:5000 with tag v1"), "WasmPlugin default/tagged");
    assert_eq!(fetch("with plain text from registry.lab:5000/linsun/hello:latest"), "WasmPlugin default/latest");
    assert_eq!(fetch("hub/hello from registry index.docker.io with tag sha256:0123"), "WasmPlugin default/hub");
    let failed = |url: &str| {
        of_web(
            &mesh,
            &format!(
                "error\twasm\terror in converting the wasm config to local: cannot fetch Wasm module {url}: why. applying deny RBAC filter"
            ),
        )
    };
    assert_eq!(failed("https://example.com/a.wasm").0, "WasmPlugin default/http");
    assert_eq!(failed("oci://registry.lab:5000/linsun/hello:v1").0, "WasmPlugin default/tagged");
    assert_eq!(
        failed("default.hub~istio-translated-wasmplugin"),
        ("WasmPlugin default/hub".into(), String::new()),
        "for want of a pull secret"
    );
    assert_eq!(
        failed("oci://r.io/same:v1"),
        (String::new(), "the line has only the URL oci://r.io/same:v1, which default/one and default/two have".into())
    );
}

#[test]
fn istiods_lines_name_objects_and_resources() {
    let mesh = mesh("1.31", &[wasm("default/a", "web", ""), (Kind::TrafficExtension, "default/a", json!({"lua": {"inlineCode": ""}}))]);
    let line = |rest: &str| attributed(&mesh, &format!("2026-11-23T19:41:35.069002Z\t{rest}"), &istiod());
    let debounce = |object: &str| {
        line(&format!("info\tads\tPush debounce stable[9] 1 for config {object} and 3 more configs: 1s since last change, 1s since last push, forced=false")).0
    };
    assert_eq!(debounce("TrafficExtension/default/a~istio-translated-wasmplugin"), "WasmPlugin default/a");
    assert_eq!(debounce("TrafficExtension/default/a"), "TrafficExtension default/a");
    assert_eq!(debounce("WasmPlugin/default/a"), "WasmPlugin default/a");
    assert_eq!(debounce("ServiceEntry/default/a"), "");
    let nack = |text: &str| line(&format!("warn\tdelta\tADS:ECDS: ACK ERROR web-1.default-5 Internal:{text}"));
    assert_eq!(nack("Unable to create Wasm plugin default.a~istio-translated-wasmplugin").0, "WasmPlugin default/a");
    assert_eq!(nack("extensions.istio.io/trafficextension/default.a: no").0, "TrafficExtension default/a");
    assert_eq!(
        nack("default.a and default.a~istio-translated-wasmplugin").1,
        "the line names TrafficExtension default/a and WasmPlugin default/a"
    );
    assert_eq!(
        line("warn\tmodel\ttrafficextension default/a~istio-translated-wasmplugin discarded: wasm.url is required").0,
        "WasmPlugin default/a"
    );
    let push = |node: &str| line(&format!("info\tdelta\tECDS: PUSH for node:{node} resources:1 removed:0 size:1kB"));
    assert_eq!(push(WEB), ("WasmPlugin default/a".into(), "the only Wasm plugin that reaches the proxy".into()));
    assert_eq!(push("other-1.default"), (String::new(), String::new()));
}

#[test]
fn failures_without_a_name_are_told_where_only_one_can_have_failed() {
    let one = mesh("1.31", &[wasm("default/a", "web", "")]);
    let two = mesh("1.31", &[wasm("default/a", "web", ""), wasm("default/b", "web", "")]);
    let vm = "error\tenvoy wasm wasm_vm.cc:38\tFunction: proxy_on_configure failed: Uncaught RuntimeError: unreachable\tthread=1";
    assert_eq!(of_web(&one, vm), ("WasmPlugin default/a".into(), "the only Wasm plugin that reaches the proxy".into()));
    assert_eq!(of_web(&two, vm), (String::new(), "the line does not say which of default/a and default/b".into()));
    assert_eq!(
        of_web(&two, "error\tenvoy wasm wasm.cc:1\tPlugin default.b~istio-translated-wasmplugin failed to load\tthread=1").0,
        "WasmPlugin default/b"
    );
    let request =
        |mesh, code: &str| attributed(mesh, &format!("[2026-11-23T19:42:30.054Z] \"GET / HTTP/1.1\" {code} - \"-\" 0 0 0 -"), &proxy(WEB));
    assert_eq!(request(&one, "503 - wasm_fail_stream").0, "WasmPlugin default/a");
    assert_eq!(request(&one, "500 NFCF -").0, "WasmPlugin default/a");
    assert_eq!(request(&two, "500 NFCF -").1, "the line does not say which of default/a and default/b");
    let (plugin, note) = request(&one, "403 - rbac_access_denied_matched_policy[none]");
    assert!(plugin.is_empty() && note.contains("default/a"), "an AuthorizationPolicy can deny in the same words: {note}");
    assert_eq!(request(&one, "200 - via_upstream"), (String::new(), String::new()));
    let in_json = |path: &str, flags: &str, details: &str| {
        let request = serde_json::json!({"start_time": "2026-11-23T19:42:30.054Z", "path": path, "response_flags": flags, "response_code_details": details});
        attributed(&one, &request.to_string(), &proxy(WEB)).0
    };
    for (path, flags, details, plugin) in [
        ("/", "-", "wasm_fail_stream", "WasmPlugin default/a"),
        ("/", "NFCF", "-", "WasmPlugin default/a"),
        ("/wasm_fail_stream", "-", "via_upstream", ""),
    ] {
        assert_eq!(in_json(path, flags, details), plugin, "{path} {flags} {details}");
    }
}

/// Where the same objects tie a line as before, and where others do not.
#[test]
fn other_objects_are_followed_and_pods_that_are_gone_are_remembered() {
    let two = [wasm("default/a", "web", "hi"), wasm("default/b", "other", "hi")];
    let all = mesh("1.31.0", &two);
    let mut attributor = Attributor::new(all.clone());
    let failed = r#"[2026-11-23T19:42:30.054Z] "GET / HTTP/1.1" 500 NFCF filter_config_not_found - "-" 0 0 3 - "-" "-" "-" "a" "-" inbound|80|| - 10.0.0.1:80 10.0.0.2:1 - default"#;
    let mut failed = record(failed, &proxy(WEB));
    attributor.attribute(&mut failed);
    assert_eq!(failed.plugin, Some(PluginId::new(PluginKind::WasmPlugin, "default", "a")));
    assert!(!attributor.follow(all.clone()), "the same objects");
    // A new state of a pod, and a pod that nobody asked for, change nothing.
    let mut more = (*all).clone();
    let mut web = (*more.pods[&ProxyId::parse(WEB).unwrap()]).clone();
    (web.ready, web.phase) = (!web.ready, "Pending".to_owned());
    more.insert_pod(web);
    assert!(!attributor.follow(Arc::new(more.clone())));
    // The pod is gone. Its line is still about the one plugin that reached it, not about either of the mesh.
    more.pods.remove(&ProxyId::parse(WEB).unwrap());
    assert!(!attributor.follow(Arc::new(more.clone())));
    assert_eq!(attributor.again(&failed), (failed.plugin.clone(), failed.plugin_note.clone()));
    // Another plugin would have reached it too.
    let third = mesh("1.31.0", &[&two[..], &[wasm("default/c", "web", "ho")]].concat());
    more.plugins = third.plugins.clone();
    assert!(attributor.follow(Arc::new(more.clone())));
    assert_eq!(attributor.again(&failed).0, None);
    // But not if it was made after the line was written.
    for (created, expected) in [("2026-11-23T19:42:30Z", None), ("2026-11-23T19:42:31Z", failed.plugin.clone())] {
        let late = more.plugins.get_mut(&PluginId::new(PluginKind::WasmPlugin, "default", "c")).unwrap();
        Arc::make_mut(late).created = Some(created.to_owned());
        assert!(attributor.follow(Arc::new(more.clone())));
        assert_eq!(attributor.again(&failed).0, expected, "{created}");
    }
}

/// A line of a proxy's log at a minute and second: a failure of a plugin, or one that names none.
fn failure(proxy_name: &str, at: &str, plugin: Option<&str>) -> LogRecord {
    let rest = match plugin {
        Some(name) => format!("wasm.cc:1\tPlugin default.{name}~istio-translated-wasmplugin failed to load"),
        None => "wasm_vm.cc:38\tFunction: proxy_on_configure failed: Uncaught RuntimeError: unreachable".to_owned(),
    };
    record(&format!("2026-11-23T19:{at}.000000Z\terror\tenvoy wasm {rest}\tthread=1"), &proxy(proxy_name))
}

fn wasm_plugin(name: &str) -> PluginId {
    PluginId::new(PluginKind::WasmPlugin, "default", name)
}

const GONE: &str = "the line does not name its plugin, and default/a, which is not there now, failed in the proxy shortly before";

#[test]
fn a_plugin_that_is_back_is_not_gone() {
    let with = |name: &'static str| mesh("1.31", &[wasm(name, "web", "")]);
    let mut attributor = Attributor::new(with("default/b"));
    let said = |attributor: &mut Attributor, at: &str, plugin: Option<&str>| {
        let mut record = failure(WEB, at, plugin);
        attributor.attribute(&mut record);
        (record.plugin, record.plugin_note.unwrap_or_default())
    };
    assert_eq!(said(&mut attributor, "41:00", Some("a")).0, Some(wasm_plugin("a")));
    assert_eq!(said(&mut attributor, "41:01", None), (None, GONE.to_owned()));
    assert!(attributor.follow(with("default/a")));
    let only = (Some(wasm_plugin("a")), "the only Wasm plugin that reaches the proxy".to_owned());
    assert_eq!(said(&mut attributor, "41:02", None), only, "it is there again");
    // And what is not is still remembered.
    attributor.follow(with("default/b"));
    said(&mut attributor, "42:00", Some("a"));
    attributor.follow(mesh("1.31", &[wasm("default/b", "web", ""), wasm("default/c", "other", "")]));
    assert_eq!(said(&mut attributor, "42:01", None), (None, GONE.to_owned()));
}

#[test]
fn lines_beside_one_that_names_a_plugin_stay_without_another_when_it_goes() {
    let mut attributor = Attributor::new(mesh("1.31", &[wasm("default/a", "web", ""), wasm("default/b", "web", "")]));
    let (mut named, mut nameless) = (failure(WEB, "41:00", Some("a")), failure(WEB, "41:01", None));
    attributor.attribute(&mut named);
    attributor.attribute(&mut nameless);
    assert_eq!(named.plugin, Some(wasm_plugin("a")));
    assert_eq!(nameless.plugin_note.as_deref(), Some("the line does not say which of default/a and default/b"));
    assert!(attributor.follow(mesh("1.31", &[wasm("default/b", "web", "")])));
    assert_eq!(attributor.again(&named), (Some(wasm_plugin("a")), Some("there is no WasmPlugin default/a now".to_owned())));
    assert_eq!(attributor.again(&nameless), (None, Some(GONE.to_owned())));
}

#[test]
fn what_is_long_ago_makes_room_for_what_is_gone_now() {
    let mut attributor = Attributor::new(mesh("1.31", &[wasm("default/b", "web", "")]));
    for number in 0..1000 {
        attributor.attribute(&mut failure(&format!("p{number}.default"), "41:00", Some("a")));
    }
    let mut within = failure(WEB, "41:30", None);
    attributor.attribute(&mut failure(WEB, "41:29", Some("a")));
    attributor.attribute(&mut within);
    assert_eq!(within.plugin, Some(wasm_plugin("b")), "of so many proxies within a minute no more is remembered");
    let mut after = failure(WEB, "43:01", None);
    attributor.attribute(&mut failure(WEB, "43:00", Some("a")));
    attributor.attribute(&mut after);
    assert_eq!((after.plugin, after.plugin_note.as_deref()), (None, Some(GONE)));
}

#[test]
fn a_proxy_that_is_known_only_later_is_a_change() {
    let objects = mesh("1.31.0", &[wasm("default/a", "web", "hi")]);
    let mut none = (*objects).clone();
    let web = none.pods.remove(&ProxyId::parse(WEB).unwrap()).unwrap();
    let mut attributor = Attributor::new(Arc::new(none.clone()));
    let push = format!("2026-11-23T19:41:35.069002Z\tinfo\tdelta\tECDS: PUSH request for node:{WEB} resources:1 removed:0 size:412B");
    let mut push = record(&push, &istiod());
    attributor.attribute(&mut push);
    assert_eq!(push.plugin, None);
    none.insert_pod((*web).clone());
    assert!(attributor.follow(Arc::new(none)));
    assert_eq!(attributor.again(&push).0, Some(PluginId::new(PluginKind::WasmPlugin, "default", "a")));
}

#[test]
fn lua_names_nobody() {
    let script = |name: &'static str| (Kind::TrafficExtension, name, json!({"lua": {"inlineCode": "x"}}));
    let line = "info\tenvoy lua source/extensions/filters/http/lua/lua_filter.cc:994\tscript log: hello\tthread=1";
    let one = mesh("1.31", &[script("default/l"), wasm("default/a", "web", "")]);
    assert_eq!(of_web(&one, line), ("TrafficExtension default/l".into(), "the only plugin in Lua that reaches the proxy".into()));
    let two = mesh("1.31", &[script("default/l"), script("default/m")]);
    assert_eq!(of_web(&two, line).1, "the line does not say which of default/l and default/m");
}

/// All records of a recording that a filter lets through.
fn filtered(name: &str, spec: FilterSpec) -> Vec<LogRecord> {
    let objects = objects(name);
    let filter = Filter::new(spec, &objects).unwrap();
    let mut attributor = Attributor::new(objects);
    let mut passed = Vec::new();
    for (origin, text) in of_recording(name) {
        for mut record in records(&text, &origin) {
            attributor.attribute(&mut record);
            if filter.matches(&record) {
                assert!(filter.may_match(record.raw.as_bytes()), "{}", record.raw);
                assert!(filter.may_match(text.as_bytes()));
                passed.push(record);
            }
        }
    }
    passed
}

fn helloworld() -> Vec<PluginId> {
    vec![PluginId::new(PluginKind::WasmPlugin, "default", "helloworld")]
}

#[test]
fn a_filter_by_plugin_finds_its_story_before_it_parses() {
    for name in support::MESHES {
        let plugins: Vec<PluginId> = objects(name).plugins.keys().cloned().collect();
        for plugin in plugins {
            let passed = filtered(name, FilterSpec { plugins: vec![plugin.clone()], ..FilterSpec::default() });
            assert!(passed.iter().any(|record| matches!(record.event, Some(LogEvent::Debounce | LogEvent::Fetch))), "{name} {plugin}");
            assert!(passed.iter().all(|record| record.plugin.as_ref() == Some(&plugin)));
        }
    }
    let filter = Filter::new(FilterSpec { plugins: helloworld(), ..FilterSpec::default() }, &objects("permissive")).unwrap();
    assert!(!filter.may_match(b"2026-11-23T19:54:00Z\tinfo\tads\tLDS: PUSH for node:httpbin-1.default resources:5"));
    assert!(!filter.may_match(br#"[2026-11-23T19:42:30.054Z] "GET / HTTP/1.1" 200 - via_upstream"#));
}

#[test]
fn the_next_place_of_a_candidate_is_found_in_a_whole_log() {
    let spec = FilterSpec { plugins: helloworld(), ..FilterSpec::default() };
    let filter = Filter::new(spec, &objects("permissive")).unwrap();
    let lines = b"one\ntwo default.helloworld\nthree\nfour default/helloworld\n";
    let first = filter.find(lines, 0).unwrap();
    assert_eq!(&lines[first..first + 7], b"default");
    let second = filter.find(lines, first + 1).unwrap();
    assert_eq!(&lines[second..second + 18], b"default/helloworld");
    assert_eq!(filter.find(lines, second + 1), None);
    assert_eq!(filter.find(lines, 1_000), None);
    let all = Filter::new(FilterSpec::default(), &Inventory::default()).unwrap();
    assert_eq!((all.find(lines, 3), all.find(lines, lines.len())), (Some(3), None));
}

#[test]
fn levels_of_all_programs_are_on_one_scale() {
    let origin = proxy(WEB);
    let filter = Filter::new(FilterSpec { level: Some(Severity::Warning), ..FilterSpec::default() }, &Inventory::default()).unwrap();
    let time = "2026-11-23T19:54:00Z";
    for (text, passes) in [
        (format!("{time}\twarn\tmodel\tx"), true),
        (format!("{time}\twarning\tenvoy wasm a.cc:1\tx\tthread=1"), true),
        (format!("{time}\tinfo\tmodel\tx"), false),
        (format!("{time}\tdebug\tenvoy wasm a.cc:1\tx\tthread=1"), false),
        (format!("{time}\tcritical\tenvoy main a.cc:1\tx\tthread=1"), true),
        ("2026/11/23 19:37:48 ERROR x".to_owned(), true),
        ("panic: x".to_owned(), true),
        (format!("[{time}] \"GET / HTTP/1.1\" 200"), false),
    ] {
        assert_eq!(filter.matches(&record(&text, &origin)), passes, "{text}");
    }
}

#[test]
fn sources_scopes_and_texts_narrow_the_log() {
    let of = |spec: FilterSpec| filtered("permissive", spec);
    assert!(
        of(FilterSpec { sources: vec![LogSource::Proxy], ..FilterSpec::default() })
            .iter()
            .all(|record| record.origin.source == LogSource::Proxy)
    );
    let scopes = of(FilterSpec { scopes: vec!["delta".into(), "wasm".into()], ..FilterSpec::default() });
    assert!(
        scopes.iter().any(|record| record.kind == LogKind::Plugin)
            && scopes.iter().all(|record| matches!(&*record.scope, "delta" | "wasm"))
    );
    let default = of(FilterSpec { scopes: vec!["default".into()], ..FilterSpec::default() });
    assert!(!default.is_empty() && default.iter().all(|record| record.scope.is_empty() && record.kind != LogKind::Access));
    let include = vec!["Effective config".into(), "^proxyMetadata:$".into()];
    assert_eq!(of(FilterSpec { include, ..FilterSpec::default() }).len(), 2, "one for each proxy: it looks at every line of a record");
    let spec = FilterSpec { include: vec!["FLAG: --d".into()], exclude: vec!["domain".into()], ..FilterSpec::default() };
    assert!(of(spec).is_empty());
    let error = Filter::new(FilterSpec { exclude: vec!["a(b".into()], ..FilterSpec::default() }, &Inventory::default()).unwrap_err();
    assert_eq!(error.to_string(), "a(b is not a regular expression: unclosed group");
}

#[test]
fn of_istiods_lines_a_workload_sees_its_own() {
    let spec = FilterSpec { workloads: vec![WorkloadId::new(WorkloadKind::Deployment, "default", "httpbin")], ..FilterSpec::default() };
    let passed = filtered("permissive", spec);
    assert!(passed.iter().any(|record| record.message.starts_with("LDS: PUSH for node:httpbin-")));
    assert!(passed.iter().any(|record| record.event == Some(LogEvent::Debounce)));
    assert!(!passed.iter().any(|record| record.message.contains("node:sleep-")));
    let pod = ProxyId::parse("httpbin-664956bb75-9d64m.default").unwrap();
    let passed = filtered("permissive", FilterSpec { pods: vec![pod.clone()], ..FilterSpec::default() });
    assert!(passed.iter().all(|record| record.origin.source == LogSource::Istiod || record.origin.pod == pod));
}

#[test]
fn what_happened_to_the_stream_always_passes() {
    let mut mark = record("one line", &proxy(WEB));
    (mark.kind, mark.event) = (LogKind::Mark, Some(LogEvent::Mark(MarkKind::Dropped)));
    let spec = FilterSpec { plugins: helloworld(), level: Some(Severity::Error), include: vec!["x".into()], ..FilterSpec::default() };
    assert!(Filter::new(spec, &Inventory::default()).unwrap().matches(&mark));
}
