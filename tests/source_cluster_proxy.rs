//! Questions to proxies and istiods against an API server whose pods do as told. No cluster is needed.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_api::{Exec, FakeApi, Forward};
use meshscope::fetch;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::Dump;
use meshscope::model::update::{Health, Update};
use meshscope::source::cluster::Cluster;
use meshscope::source::{FailureKind, LogRequest, ProxyQuestion, ProxyRequest, Reply, SharedSource, Source, SourceError};
use serde_json::{Value, json};
use tokio::sync::mpsc;

async fn connect(api: &FakeApi) -> Cluster {
    Cluster::connect(api.options()).await.unwrap()
}

fn request(question: ProxyQuestion, deadline: Duration) -> ProxyRequest {
    let (proxy, container) = (ProxyId::new("web-1", "shop"), "istio-proxy".to_owned());
    ProxyRequest { proxy, container, admin_port: 15000, question, deadline }
}

async fn ask(api: &FakeApi, question: ProxyQuestion, deadline: Duration) -> Result<Reply, SourceError> {
    let reply = connect(api).await.proxy(request(question, deadline)).await;
    if let Err(error) = &reply {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    reply
}

async fn chains(api: &FakeApi) -> Result<Reply, SourceError> {
    ask(api, ProxyQuestion::Chains, Duration::from_secs(10)).await
}

fn section(name: &str, body: Value) -> String {
    let mut section = json!({"@type": format!("type.googleapis.com/envoy.admin.v3.{name}")});
    section.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    json!({"configs": [section]}).to_string()
}

/// An Envoy of today: a mask has to fit a section in every path.
fn envoy(path: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match (path.trim_start_matches('/'), query) {
        ("config_dump", "mask=dynamic_listeners,static_listeners") => {
            (200, section("ListenersConfigDump", json!({"dynamic_listeners": [{"name": "virtualInbound"}]})))
        }
        ("config_dump", "mask=ecds_filters") => {
            (400, "FieldMask ecds_filters could not be successfully applied to any configs.".to_owned())
        }
        ("config_dump", query) if query.starts_with("mask=bootstrap.node.id,") => {
            (200, section("BootstrapConfigDump", json!({"bootstrap": {"node": {"id": "sidecar~10.0.0.1~web-1.shop~x"}}})))
        }
        ("config_dump", "mask=dynamic_active_clusters,dynamic_warming_clusters") => {
            (200, section("ClustersConfigDump", json!({"dynamic_active_clusters": [{"cluster": {"name": "web"}}]})))
        }
        // A proxy that has no routes.
        ("config_dump", "mask=dynamic_route_configs") => {
            (400, "FieldMask dynamic_route_configs could not be successfully applied to any configs.".to_owned())
        }
        ("config_dump", "include_eds&mask=dynamic_endpoint_configs") => (200, section("EndpointsConfigDump", json!({"n": 1}))),
        ("config_dump", "" | "include_eds") => (200, section("ListenersConfigDump", json!({"whole": true}))),
        (
            "stats/prometheus",
            "filter=wasm%7Cextension_config_discovery%7Clds.update_rejected%7Ctotal_listeners_warming%7Cserver.concurrency",
        ) => (200, "envoy_wasm_wasm_vm_count{} 4\n".to_owned()),
        ("logging", _) => (200, "active loggers:\n  wasm: warning\n".to_owned()),
        _ => (404, "invalid path. admin commands are:".to_owned()),
    }
}

fn old_envoy(path: &str) -> (u16, String) {
    if path.contains("mask=") { (400, "no masks here".to_owned()) } else { envoy(path) }
}

fn pilot_agent(arguments: &str) -> Result<String, String> {
    let path = arguments.strip_prefix("pilot-agent request GET ").unwrap();
    match envoy(path) {
        (200 | 404, body) => Ok(body),
        (code, body) => Err(format!("2026/01/01 INFO starting\nError: received unsuccessful status code {code}: {body}\n")),
    }
}

fn istiod(path: &str) -> (u16, String) {
    match path {
        "/version" => (200, "1.31-alpha.eed52ebb66ad-unknown-Clean".to_owned()),
        "/debug/connections" => (200, json!({"clients": [{"connectionId": "web-1.shop-7"}]}).to_string()),
        "/debug/config_dump?proxyID=web-1.shop" => (500, "proto: not found".to_owned()),
        "/debug/config_dump?proxyID=web-1.shop&types=lds" => (200, json!({"configs": [{"name": "virtualInbound"}]}).to_string()),
        _ => (404, "no".to_owned()),
    }
}

fn run_istiod(api: &FakeApi) {
    let labels = json!({"app": "istiod"});
    let pod = json!({"metadata": {"namespace": "istio-system", "name": "istiod-1", "labels": labels}, "status": {"phase": "Running"}});
    api.state().put("pods", pod);
    api.state().forwards.insert("istiod-1".to_owned(), Forward::Http(istiod));
}

fn set(api: &FakeApi, forward: Forward, exec: Exec) {
    api.state().forwards.insert("web-1".to_owned(), forward);
    api.state().execs.insert("web-1".to_owned(), exec);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_the_dump_become_one() {
    let api = FakeApi::start().await;
    set(&api, Forward::Http(envoy), Exec::Forbidden);
    let reply = chains(&api).await.unwrap();
    assert_eq!((reply.way, reply.view, reply.tried.len()), ("port-forward", DumpView::Proxy, 0));
    let dump: Value = serde_json::from_slice(&reply.bytes).unwrap();
    let sections = dump["configs"].as_array().unwrap();
    assert_eq!(sections.len(), 2);
    assert_eq!(sections[0]["bootstrap"]["node"]["id"], "sidecar~10.0.0.1~web-1.shop~x");
    assert_eq!(sections[1]["dynamic_listeners"][0]["name"], "virtualInbound");
    // One forward carries all three.
    assert_eq!(api.state().requests.iter().filter(|path| path.contains("portforward")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_comparison_needs_is_asked_for_section_by_section() {
    let api = FakeApi::start().await;
    set(&api, Forward::Http(envoy), Exec::Forbidden);
    let reply = ask(&api, ProxyQuestion::Resources, Duration::from_secs(10)).await.unwrap();
    assert_eq!((reply.way, reply.view, reply.tried.len()), ("port-forward", DumpView::Proxy, 0));
    let dump: Value = serde_json::from_slice(&reply.bytes).unwrap();
    let types: Vec<&str> = dump["configs"].as_array().unwrap().iter().map(|it| it["@type"].as_str().unwrap()).collect();
    let sections = ["ClustersConfigDump", "RoutesConfigDump", "EndpointsConfigDump"];
    assert_eq!(types, sections.map(|name| format!("type.googleapis.com/envoy.admin.v3.{name}")), "one that is not there is empty");
    assert_eq!(api.state().requests.iter().filter(|path| path.contains("portforward")).count(), 1);

    set(&api, Forward::Http(old_envoy), Exec::Forbidden);
    let reply = ask(&api, ProxyQuestion::Resources, Duration::from_secs(10)).await.unwrap();
    assert!(String::from_utf8_lossy(&reply.bytes).contains("whole") && reply.tried[0].contains("the whole was read"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_without_masks_gives_the_whole_and_that_is_said() {
    let api = FakeApi::start().await;
    set(&api, Forward::Http(old_envoy), Exec::Forbidden);
    let reply = chains(&api).await.unwrap();
    assert!(String::from_utf8_lossy(&reply.bytes).contains("whole"));
    assert_eq!(reply.tried, ["this proxy cannot give a part of its dump (status 400: no masks here), the whole was read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_is_the_second_way() {
    let api = FakeApi::start().await;
    set(&api, Forward::Forbidden, Exec::Prints(pilot_agent));
    let reply = chains(&api).await.unwrap();
    assert_eq!((reply.way, reply.view), ("exec", DumpView::Proxy));
    assert!(reply.tried[0].starts_with("port-forward to port 15000: pods \"web-1\" is forbidden: User \"jane\" cannot create"));
    let dump: Value = serde_json::from_slice(&reply.bytes).unwrap();
    assert_eq!(dump["configs"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_that_the_agent_prints_is_not_an_answer() {
    let api = FakeApi::start().await;
    set(&api, Forward::Refused, Exec::Prints(pilot_agent));
    let error = ask(&api, ProxyQuestion::Certs, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Refused);
    assert!(error.what.contains("status 404: invalid path"), "{error}");
    assert!(error.what.contains("before that, port-forward to port 15000: nothing answers on port 15000: connection refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_istiod_would_send_is_the_last_way_and_marked_as_such() {
    let api = FakeApi::start().await;
    run_istiod(&api);
    set(&api, Forward::Forbidden, Exec::Forbidden);
    let reply = chains(&api).await.unwrap();
    assert_eq!((reply.way, reply.view), ("istiod", DumpView::Istiod));
    assert_eq!(reply.tried.len(), 3);
    assert!(reply.tried[2].contains("proto: not found"));
    // Only the dump can be had from istiod.
    let error = ask(&api, ProxyQuestion::Certs, Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Forbidden);
    assert_eq!(error.fix, "grant get and create on pods/portforward, or else on pods/exec, in namespace shop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_never_answers_ends_with_the_deadline() {
    let api = FakeApi::start().await;
    set(&api, Forward::Silent, Exec::Forbidden);
    let began = Instant::now();
    let error = ask(&api, ProxyQuestion::Chains, Duration::from_millis(600)).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(error.kind, FailureKind::TimedOut);
    let start = "cannot read the config dump of pod web-1 in namespace shop: port-forward to port 15000: no answer within 0.3 s; exec in";
    assert!(error.what.starts_with(start), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_gone_is_not_looked_for_elsewhere() {
    let api = FakeApi::start().await;
    let error = chains(&api).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Missing);
    assert!(error.what.ends_with("pods \"web-1\" not found"), "{error}");
    assert!(!api.state().requests.iter().any(|path| path.contains("/exec")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_dropped_frees_its_turn() {
    let api = FakeApi::start().await;
    set(&api, Forward::Silent, Exec::Forbidden);
    let cluster = connect(&api).await;
    let asked = cluster.proxy(request(ProxyQuestion::Chains, Duration::from_secs(60)));
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err());
    set(&api, Forward::Http(envoy), Exec::Forbidden);
    let reply = cluster.proxy(request(ProxyQuestion::Logging, Duration::from_secs(5))).await.unwrap();
    assert!(reply.bytes.starts_with(b"active loggers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_asked_for_its_own_metrics_in_the_format_that_is_read() {
    let agent = |path: &str| match path {
        "/stats/prometheus?filter=istio_agent" => (200, "istio_agent_wasm_cache_entries 1\n".to_owned()),
        _ => (404, path.to_owned()),
    };
    let api = FakeApi::start().await;
    set(&api, Forward::Http(agent), Exec::Forbidden);
    let cluster = connect(&api).await;
    let reply = cluster.proxy(request(ProxyQuestion::AgentStats, Duration::from_secs(5))).await.unwrap();
    assert_eq!(&reply.bytes[..], b"istio_agent_wasm_cache_entries 1\n");
    let requests = api.state().requests.clone();
    assert!(requests.iter().any(|path| path.contains("ports=15020")), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_not_asked_while_its_envoy_starts() {
    let starting = |path: &str| match path {
        "/init_dump" => {
            let manager = json!({"name": "init manager Server", "target_names": ["target Listener-init-target virtualInbound"]});
            (200, json!({"unready_targets_dumps": [manager]}).to_string())
        }
        _ => envoy(path),
    };
    let api = FakeApi::start().await;
    set(&api, Forward::Http(starting), Exec::Forbidden);
    let source: SharedSource = Arc::new(connect(&api).await);
    let asked = request(ProxyQuestion::Chains, Duration::from_secs(10));
    let Dump::Loaded(loaded) = fetch::dump(source, asked, 1, Arc::default(), true).await else { panic!("the dump is read") };
    assert_eq!(loaded.vitals.as_ref().unwrap().agent, None);
    let requests = api.state().requests.clone();
    assert!(!requests.iter().any(|path| path.contains("ports=15020")), "{requests:?}");
    assert_eq!(loaded.warnings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_whole() {
    let api = FakeApi::start().await;
    set(&api, Forward::Silent, Exec::Forbidden);
    let log = |pod: &str| LogRequest { pod: ProxyId::new(pod, "shop"), container: "istio-proxy".to_owned() };
    let cluster = connect(&api).await;
    assert_eq!(cluster.log(log("web-1")).await.unwrap().bytes.split(|byte| *byte == b'\n').count(), 3);
    let error = cluster.log(log("gone")).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Missing);
    assert!(error.what.starts_with("cannot read the log of container istio-proxy of pod gone in namespace shop: "), "{error}");
    assert!(api.state().requests.iter().any(|path| path.contains("timestamps=true")));
}

#[tokio::test(flavor = "multi_thread")]
async fn incident_d11b_an_istiod_that_does_not_run_is_named() {
    let api = FakeApi::start().await;
    let asked = async || connect(&api).await.istiod("/debug/syncz".to_owned()).await.unwrap_err();
    let nowhere = asked().await;
    assert_eq!(nowhere.fix, "name istiod's namespace with --istio-namespace");
    let put = |replicas: u64| {
        let metadata = json!({"namespace": "istio-system", "name": "istiod", "labels": {"app": "istiod"}});
        api.state().put("deployments.apps", json!({"metadata": metadata, "spec": {"replicas": replicas}, "status": {}}));
    };
    put(0);
    let scaled_down = asked().await;
    assert_eq!(scaled_down.what, "istiod cannot be asked for /debug/syncz: no istiod runs: Deployment istio-system/istiod has 0 replicas");
    assert!(scaled_down.fix.starts_with("scale it up, or see why it does not run"), "{scaled_down:?}");
    put(2);
    assert!(asked().await.what.ends_with("no istiod runs: Deployment istio-system/istiod has 0 of 2 pods ready"));
    api.state().forbid("list", "deployments.apps", Some("istio-system"));
    let pod =
        json!({"metadata": {"namespace": "istio-system", "name": "istiod-1", "labels": {"app": "istiod"}}, "status": {"phase": "Pending"}});
    api.state().put("pods", pod);
    assert!(asked().await.what.ends_with("no istiod runs: pod istiod-1 is Pending"));
}

#[tokio::test(flavor = "multi_thread")]
async fn istiods_version_comes_and_follows_its_pods() {
    let api = FakeApi::start().await;
    let (sender, mut updates) = mpsc::channel(64);
    let watch = tokio::spawn(connect(&api).await.watch(sender));
    let mut until = async |is_it: fn(&Update) -> bool| {
        let wait = async {
            loop {
                let update = updates.recv().await.unwrap();
                if is_it(&update) {
                    return update;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap()
    };
    let update = until(|update| matches!(update, Update::Unread(unread) if unread.kind.is_none())).await;
    let Update::Unread(unread) = update else { unreachable!() };
    assert!(unread.why.contains("no running pod has the label app=istiod in namespace istio-system"), "{unread:?}");
    until(|update| matches!(update, Update::Health(Health::Live))).await;
    run_istiod(&api);
    let update = until(|update| matches!(update, Update::Istiods(_))).await;
    let Update::Istiods(istiods) = update else { unreachable!() };
    assert_eq!((istiods[0].pod.as_str(), istiods[0].version.as_str()), ("istiod-1", "1.31-alpha.eed52ebb66ad"));
    watch.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_for_a_recording_hold_all_that_may_be_read_and_no_secrets() {
    let api = FakeApi::start().await;
    for namespace in ["shop", "istio-system", "secret"] {
        api.state().put("pods", json!({"metadata": {"namespace": namespace, "name": namespace}}));
    }
    api.state().page = 2;
    let cluster = connect(&api).await;
    let names = |reply: &Reply| {
        let list: Value = serde_json::from_slice(&reply.bytes).unwrap();
        list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&cluster.list("pods".to_owned()).await.unwrap()), ["shop", "istio-system", "secret"]);
    api.state().forbid("list", "pods", None);
    let reply = cluster.list("pods".to_owned()).await.unwrap();
    assert_eq!(names(&reply), ["shop", "istio-system"]);
    assert_eq!(reply.tried, ["list on pods in all namespaces is forbidden to user jane"]);
    let recordable = cluster.recordable().await.unwrap();
    assert!(recordable.contains(&"wasmplugins.extensions.istio.io".to_owned()) && recordable.contains(&"pods".to_owned()));
    assert!(!recordable.iter().any(|resource| resource.contains("secret")));
    assert_eq!(cluster.list("secrets".to_owned()).await.unwrap_err().kind, FailureKind::BadInput);
    assert_eq!(cluster.list("gateways.gateway.networking.k8s.io".to_owned()).await.unwrap_err().kind, FailureKind::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_statistics_of_plugins_are_asked_for() {
    let api = FakeApi::start().await;
    set(&api, Forward::Http(envoy), Exec::Forbidden);
    assert_eq!(ask(&api, ProxyQuestion::WasmStats, Duration::from_secs(10)).await.unwrap().bytes, "envoy_wasm_wasm_vm_count{} 4\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_does_not_say_of_its_plugins_is_a_caveat_and_the_rest_stands() {
    let api = FakeApi::start().await;
    set(&api, Forward::Http(envoy), Exec::Forbidden);
    let source: SharedSource = Arc::new(connect(&api).await);
    let asked = request(ProxyQuestion::Chains, Duration::from_secs(10));
    let Dump::Loaded(loaded) = fetch::dump(source, asked, 1, Arc::default(), true).await else { panic!("the dump is read") };
    assert_eq!(loaded.dump.sections.len(), 2);
    let vitals = loaded.vitals.as_ref().unwrap();
    assert_eq!(vitals.envoy.as_ref().unwrap().value("envoy_wasm_wasm_vm_count"), Some(4.0));
    assert_eq!((&vitals.waits, &vitals.agent), (&None, &None));
    let said: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    for part in ["cannot read the init dump of pod web-1 in namespace shop", "cannot read the agent's statistics of pod web-1"] {
        assert!(said.iter().any(|warning| warning.contains(part)), "{part}: {said:#?}");
    }
}
