//! How long explanations take in a mesh of 500 services and 50 plugins: every plugin for one workload, and one plugin that reaches
//! the whole mesh for 5,000 workloads, against counting its filters in the same dumps without explaining anything.

mod support;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use meshscope::analysis::chains::{Facts, predict};
use meshscope::analysis::{answers, placement};
use meshscope::ingest::collect::Collector;
use meshscope::model::envoy::{ConfigDump, DumpView};
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::update::Update;
use rayon::prelude::*;
use serde_json::{Value, json};

const SERVICES: usize = 500;
const PLUGINS: usize = 50;
const PODS: usize = 5_000;
const NAMESPACES: usize = 50;

fn app(index: usize) -> (String, String) {
    (format!("team-{}", index % NAMESPACES), format!("app-{}", index % SERVICES))
}

fn service(index: usize) -> Value {
    let (namespace, name) = app(index);
    let mut ports = vec![json!({"name": "http", "port": 8000 + index % 10, "targetPort": 8080})];
    // TCP has an outbound listener for each service: a few, so that 5,000 dumps have room in memory.
    ports.extend(index.is_multiple_of(50).then(|| json!({"name": "tcp-admin", "port": 9000, "targetPort": 9000})));
    json!({"metadata": {"namespace": namespace, "name": name},
        "spec": {"clusterIP": format!("10.96.{}.{}", index / 250, index % 250 + 1), "selector": {"app": name}, "ports": ports}})
}

fn pod(index: usize) -> Value {
    let (namespace, name) = app(index);
    json!({"metadata": {"namespace": namespace, "name": format!("{name}-{}", index / SERVICES), "labels": {"app": name}},
        "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2:1", "args": ["proxy", "sidecar"]}]},
        "status": {"phase": "Running", "podIPs": [{"ip": format!("10.1.{}.{}", index / 250, index % 250 + 1)}]}})
}

/// The first is for the whole mesh, a few more for the whole first namespace, the rest for one app each.
fn plugin(index: usize) -> Value {
    let (namespace, name) = app(index);
    let selector = json!({"matchLabels": {"app": name}});
    let spec = json!({"url": "oci://registry.example/filter:v1", "phase": "AUTHN", "priority": index});
    let (namespace, spec) = match index {
        0 => ("istio-system".to_owned(), spec),
        1..10 => ("team-0".to_owned(), spec),
        _ => (namespace, json!({"url": spec["url"], "phase": "STATS", "selector": selector})),
    };
    json!({"metadata": {"namespace": namespace, "name": format!("plugin-{index}")}, "spec": spec})
}

/// The mesh, in which every proxy has just what its istiod would send.
fn mesh() -> Snapshot {
    let mut collector = Collector::default();
    Kind::ALL.into_iter().for_each(|kind| drop(collector.apply(Update::Absent(kind))));
    let mut listed = |kind, objects| drop(collector.apply(Update::Listed { kind, namespace: None, objects }));
    listed(Kind::Service, (0..SERVICES).map(service).collect());
    listed(Kind::Pod, (0..PODS).map(pod).collect());
    listed(Kind::WasmPlugin, (0..PLUGINS).map(plugin).collect());
    collector.apply(Update::Istiods(vec![Istiod { pod: "istiod".to_owned(), version: "1.31.0".to_owned() }]));
    let objects = collector.snapshot(BTreeMap::new());
    let dumps = objects.objects.pods.values().map(|pod| {
        let facts = Facts::of(&objects.objects, pod, None, None).unwrap();
        let dump = ConfigDump { listeners: predict(&facts).listeners, ..ConfigDump::empty(DumpView::Proxy) };
        let loaded =
            LoadedDump { dump, way: "file", took_ms: 0, read_at: None, vitals: None, serial: 1, warnings: Vec::new(), cut_short: None };
        (pod.id.clone(), Dump::Loaded(Arc::new(loaded)))
    });
    collector.snapshot(dumps.collect())
}

/// What a script would do: the filter's name, looked for in every chain of every listener.
fn counted(snapshot: &Snapshot, plugin: &PluginId) -> usize {
    let dumps = snapshot.dumps.values().filter_map(|dump| if let Dump::Loaded(loaded) = dump { Some(&loaded.dump) } else { None });
    dumps.flat_map(|dump| &dump.listeners).map(|listener| placement::count_in_listener(listener, plugin)).sum()
}

fn explain(criterion: &mut Criterion) {
    let snapshot = mesh();
    let everywhere = PluginId::new(PluginKind::WasmPlugin, "istio-system", "plugin-0");
    let proxy = [ProxyId::new("app-0-0", "team-0")];
    let answer = answers::why(&snapshot, &everywhere, None);
    assert_eq!(answer.workloads.len(), PODS);
    assert!(answer.workloads.iter().flat_map(|entry| &entry.listeners).all(|listener| listener.agrees == Some(true)));
    let mut group = criterion.benchmark_group("500 services, 50 plugins");
    let plugins: Vec<&PluginId> = snapshot.objects.plugins.keys().collect();
    group.bench_function("one plugin for one workload", |bencher| {
        bencher.iter(|| answers::why(black_box(&snapshot), &everywhere, Some(&proxy)));
    });
    group.bench_function("every plugin for one workload, on all cores", |bencher| {
        bencher.iter(|| plugins.par_iter().map(|plugin| answers::why(&snapshot, plugin, Some(&proxy))).collect::<Vec<_>>());
    });
    group.bench_function("one plugin for 5,000 workloads", |bencher| {
        bencher.iter(|| answers::why(black_box(&snapshot), &everywhere, None));
    });
    group.bench_function("all plugins over 5,000 workloads", |bencher| bencher.iter(|| answers::plugins(black_box(&snapshot), None)));
    group.bench_function("counted only", |bencher| bencher.iter(|| counted(black_box(&snapshot), &everywhere)));
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = explain }
criterion_main!(benches);
