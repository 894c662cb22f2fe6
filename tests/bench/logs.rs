//! Lines of istiod and proxies to attributed records, on one core; and how fast a filter passes over what cannot match.

mod support;

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshscope::analysis::logs::{Attributor, Filter, FilterSpec};
use meshscope::ingest::collect::Collector;
use meshscope::ingest::logs::{Assembler, split_kubelet};
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogLine, LogOrigin, LogRecord, LogSource};
use meshscope::model::update::Update;
use serde_json::json;

const LINES: usize = 100_000;
const PLUGINS: usize = 20;

/// A mesh with plugins for one workload.
fn mesh() -> Arc<Inventory> {
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

/// A proxy's log under load with the plugins at debug: a request and what plugins say of it, here and there a push, a warning of
/// more than one line, a fetch.
fn text(index: usize) -> String {
    let time = format!("2026-11-23T19:{:02}:{:02}.{:06}Z", index / 3_600 % 60, index / 60 % 60, index);
    let plugin = index % PLUGINS;
    let envoy = |level: &str, place: &str, message: &str| format!("{time}\t{level}\tenvoy {place}\t{message}\tthread={}", 20 + index % 4);
    match index % 20 {
        0..8 => format!(
            "[{time}] \"GET /api/v1/items/{index}?page=2 HTTP/1.1\" 200 - via_upstream - \"-\" 0 1843 12 11 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" \"26f6ea12-e287-4570-9f19-1c9e830c3cc4\" \"web:8000\" \"10.244.0.4:80\" inbound|80|| 127.0.0.6:37832 10.244.0.4:80 10.244.0.5:56634 outbound_.8000_._.web.team.svc.cluster.local default"
        ),
        8..14 => envoy(
            "info",
            "wasm source/extensions/common/wasm/context.cc:1154",
            &format!(
                "wasm log team.plugin-{plugin}~istio-translated-wasmplugin root_plugin-{plugin}: on_http_request_headers: 12 headers, path /api/v1/items/{index}"
            ),
        ),
        14 | 15 => envoy(
            "debug",
            "http source/common/http/conn_manager_impl.cc:1263",
            &format!("[Tags: \"ConnectionId\":\"{index}\",\"StreamId\":\"1\"] request end stream timestamp recorded"),
        ),
        16 => format!("{time}\tinfo\tdelta\tLDS: PUSH for node:web-1.team resources:{plugin} removed:0 size:36.3kB"),
        17 => format!("{time}\tinfo\tads\tADS: new connection for node:web-1.team-{index}"),
        18 => format!("{time}\tinfo\twasm\tfetching image filters/plugin-{plugin} from registry registry.example with tag v1"),
        _ => format!("{time}\twarning\tenvoy config source/a.cc:282\tlistener rejected: no such cluster\n\tthread=13"),
    }
}

fn json(index: usize) -> String {
    let time = format!("2026-11-23T19:{:02}:{:02}.{:06}Z", index / 3_600 % 60, index / 60 % 60, index);
    let plugin = index % PLUGINS;
    match index % 4 {
        0 => json!({"start_time": time, "route_name": "default", "method": "GET", "path": "/api/v1/items", "protocol": "HTTP/1.1", "response_code": 200,
            "response_flags": "-", "response_code_details": "via_upstream", "bytes_received": 0, "bytes_sent": 1843, "duration": 12,
            "upstream_service_time": "11", "request_id": "26f6ea12-e287-4570-9f19-1c9e830c3cc4", "authority": "web:8000",
            "upstream_host": "10.244.0.4:80", "upstream_cluster": "inbound|80||"})
        .to_string(),
        1 | 2 => format!(
            r#"{{"time":"{time}","level":"info","scope":"envoy wasm","msg":"wasm log team.plugin-{plugin}~istio-translated-wasmplugin root_plugin-{plugin}: on_http_request_headers","caller":"source/context.cc:1154","thread":"22"}}"#
        ),
        _ => format!(r#"{{"level":"info","time":"{time}","scope":"delta","msg":"LDS: PUSH for node:web-1.team resources:5 removed:0 size:36.3kB"}}"#),
    }
}

/// A log with the kubelet's times, and how many lines it has.
fn log(line: fn(usize) -> String, lines: usize) -> (String, u64) {
    let mut log = String::new();
    let mut index = 0;
    let mut count = 0;
    while count < lines {
        for part in line(index).lines() {
            writeln!(log, "2026-11-23T19:54:00.{:09}Z {part}", index).unwrap();
            count += 1;
        }
        index += 1;
    }
    (log, count as u64)
}

fn parse(log: &str, origin: &Arc<LogOrigin>, attributor: &mut Attributor) -> usize {
    let mut assembler = Assembler::default();
    let mut attributed = 0;
    let mut take = |record: Option<LogRecord>| {
        if let Some(mut record) = record {
            attributor.attribute(&mut record);
            attributed += usize::from(black_box(record).plugin.is_some());
        }
    };
    for line in log.lines() {
        let (time, text) = split_kubelet(line);
        take(assembler.push(LogLine { origin: Arc::clone(origin), time, text: text.to_owned(), cut: false }));
    }
    take(assembler.flush());
    attributed
}

fn logs(criterion: &mut Criterion) {
    let origin = Arc::new(LogOrigin {
        source: LogSource::Proxy,
        pod: ProxyId::new("web-1", "team"),
        container: "istio-proxy".to_owned(),
        workload: None,
    });
    let objects = mesh();
    let mut attributor = Attributor::new(Arc::clone(&objects));
    let mut group = criterion.benchmark_group("lines to attributed records");
    for (name, line) in [("text", text as fn(usize) -> String), ("json", json)] {
        let (log, lines) = log(line, LINES);
        assert!(parse(&log, &origin, &mut attributor) > LINES / 4, "plugins are found");
        group.throughput(Throughput::Elements(lines));
        group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(&log), &origin, &mut attributor)));
    }
    group.finish();

    let spec = FilterSpec { plugins: vec![PluginId::new(PluginKind::WasmPlugin, "team", "quiet")], ..FilterSpec::default() };
    let filter = Filter::new(spec, &objects).unwrap();
    let (log, _) = log(text, LINES);
    let mut group = criterion.benchmark_group("what a filter by plugin passes over");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("text", |bencher| bencher.iter(|| filter.find(black_box(log.as_bytes()), 0)));
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = logs }
criterion_main!(benches);
