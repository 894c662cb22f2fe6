//! What a busy mesh logs, in every form that its programs write: for the benchmarks of logs.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::sync::Arc;

use meshscope::ingest::collect::Collector;
use meshscope::model::ids::ProxyId;
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogOrigin, LogSource};
use meshscope::model::update::Update;
use serde_json::json;

const PLUGINS: usize = 20;

/// Writes the line of a number, which is of this time.
pub type Form = fn(usize, &str) -> String;

/// Every form. A line of which none is a plugin's is not attributed.
pub const FORMS: [(&str, Form); 6] = [
    ("istiod, text", istiod),
    ("istiod, JSON", istiod_json),
    ("Envoy, text", envoy),
    ("Envoy, JSON", envoy_json),
    ("access log, text", access),
    ("access log, JSON", access_json),
];

/// A mesh with plugins for one workload.
pub fn mesh() -> Arc<Inventory> {
    let mut collector = Collector::default();
    for name in (0..PLUGINS).map(|index| format!("plugin-{index}")).chain(["quiet".to_owned()]) {
        let spec = json!({"url": format!("oci://registry.example/filters/{name}:v1"), "pluginName": format!("root_{name}"),
            "selector": {"matchLabels": {"app": "web"}}});
        let object = json!({"metadata": {"namespace": "team", "name": name}, "spec": spec});
        collector.apply(Update::Applied { kind: Kind::WasmPlugin, object });
    }
    let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
    let object = json!({"metadata": {"namespace": "team", "name": "web-1", "labels": {"app": "web"}}, "spec": {"containers": containers}});
    collector.apply(Update::Applied { kind: Kind::Pod, object });
    collector.snapshot(Default::default()).objects
}

/// The container of a proxy.
pub fn origin(pod: &str) -> Arc<LogOrigin> {
    let pod = ProxyId::new(pod, "team");
    Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None })
}

/// A time within a second.
pub fn time(index: usize) -> String {
    format!("2026-11-23T19:{:02}:{:02}.{:06}Z", index / 3_600 % 60, index / 60 % 60, index % 1_000_000)
}

/// A proxy's log under load with the plugins at debug: a request and what plugins say of it, here and there a push, a warning of
/// more than one line, a fetch.
pub fn mixed(index: usize, time: &str) -> String {
    match index % 20 {
        0..8 => access(index, time),
        8..16 => envoy(index - 8, time),
        16..19 => istiod(index, time),
        _ => format!("{time}\twarning\tenvoy config source/a.cc:282\tlistener rejected: no such cluster\n\tthread=13"),
    }
}

fn access(index: usize, time: &str) -> String {
    format!(
        "[{time}] \"GET /api/v1/items/{index}?page=2 HTTP/1.1\" 200 - via_upstream - \"-\" 0 1843 12 11 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" \"26f6ea12-e287-4570-9f19-1c9e830c3cc4\" \"web:8000\" \"10.244.0.4:80\" inbound|80|| 127.0.0.6:37832 10.244.0.4:80 10.244.0.5:56634 outbound_.8000_._.web.team.svc.cluster.local default"
    )
}

fn access_json(index: usize, time: &str) -> String {
    json!({"start_time": time, "route_name": "default", "method": "GET", "path": format!("/api/v1/items/{index}?page=2"),
        "protocol": "HTTP/1.1", "response_code": 200, "response_flags": "-", "response_code_details": "via_upstream",
        "connection_termination_details": null, "upstream_transport_failure_reason": null, "bytes_received": 0, "bytes_sent": 1843,
        "duration": 12, "upstream_service_time": "11", "x_forwarded_for": null, "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "request_id": "26f6ea12-e287-4570-9f19-1c9e830c3cc4", "authority": "web:8000", "upstream_host": "10.244.0.4:80",
        "upstream_cluster": "inbound|80||", "upstream_local_address": "127.0.0.6:37832", "downstream_local_address": "10.244.0.4:80",
        "downstream_remote_address": "10.244.0.5:56634", "requested_server_name": "outbound_.8000_._.web.team.svc.cluster.local"})
    .to_string()
}

/// Most of what Envoy writes at debug is a plugin's.
fn of_envoy(index: usize) -> (&'static str, &'static str, &'static str, String) {
    let plugin = index % PLUGINS;
    match index % 8 {
        0..6 => (
            "info",
            "wasm",
            "source/extensions/common/wasm/context.cc:1154",
            format!(
                "wasm log team.plugin-{plugin}~istio-translated-wasmplugin root_plugin-{plugin}: on_http_request_headers: 12 headers, path /api/v1/items/{index}"
            ),
        ),
        _ => (
            "debug",
            "http",
            "source/common/http/conn_manager_impl.cc:1263",
            format!("[Tags: \"ConnectionId\":\"{index}\",\"StreamId\":\"1\"] request end stream timestamp recorded"),
        ),
    }
}

fn envoy(index: usize, time: &str) -> String {
    let (level, component, place, message) = of_envoy(index);
    format!("{time}\t{level}\tenvoy {component} {place}\t{message}\tthread={}", 20 + index % 4)
}

fn envoy_json(index: usize, time: &str) -> String {
    let (level, component, place, message) = of_envoy(index);
    let (scope, message, thread) = (json!(format!("envoy {component}")), json!(message), 20 + index % 4);
    format!(r#"{{"time":"{time}","level":"{level}","scope":{scope},"msg":{message},"caller":"{place}","thread":"{thread}"}}"#)
}

fn of_istiod(index: usize) -> (&'static str, String) {
    let plugin = index % PLUGINS;
    match index % 20 {
        0 => ("wasm", format!("fetching image filters/plugin-{plugin} from registry registry.example with tag v1")),
        1 => (
            "ads",
            format!(
                "Push debounce stable[{index}] 1 for config WasmPlugin/team/plugin-{plugin}: 100.97ms since last change, 100.96ms since last push, forced=false"
            ),
        ),
        2..8 => ("ads", format!("ADS: new connection for node:web-1.team-{index}")),
        _ => ("delta", format!("LDS: PUSH for node:web-1.team resources:{plugin} removed:0 size:36.3kB cached:0/3 filtered:0")),
    }
}

fn istiod(index: usize, time: &str) -> String {
    let (scope, message) = of_istiod(index);
    format!("{time}\tinfo\t{scope}\t{message}")
}

fn istiod_json(index: usize, time: &str) -> String {
    let (scope, message) = of_istiod(index);
    format!(r#"{{"level":"info","time":"{time}","scope":"{scope}","msg":"{message}"}}"#)
}
