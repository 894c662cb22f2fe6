//! Which of 5,000 pods each of 50 plugins applies to, against a loop over the same objects as JSON that compares labels only.

mod support;

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use meshscope::analysis::answers;
use meshscope::ingest::collect::Collector;
use meshscope::model::kind::Kind;
use meshscope::model::update::Update;
use serde_json::{Value, json};

const PODS: usize = 5_000;
const PLUGINS: usize = 50;
const NAMESPACES: usize = 50;

fn pods() -> Vec<Value> {
    let pod = |index: usize| {
        let labels = json!({"app": format!("app-{}", index % 100), "version": "v1"});
        let owner = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": format!("app-{}", index % 100), "controller": true, "uid": "1"}]);
        let meta = json!({"namespace": format!("team-{}", index % NAMESPACES), "name": format!("app-{index}"), "labels": labels, "ownerReferences": owner});
        let containers =
            json!([{"name": "app", "image": "app:1"}, {"name": "istio-proxy", "image": "proxyv2:1", "args": ["proxy", "sidecar"]}]);
        json!({"metadata": meta, "spec": {"containers": containers}, "status": {"phase": "Running", "podIP": "10.0.0.1"}})
    };
    (0..PODS).map(pod).collect()
}

fn plugins() -> Vec<Value> {
    let plugin = |index: usize| {
        // Every tenth stands in the root namespace and is for all.
        let namespace = if index.is_multiple_of(10) { "istio-system".to_owned() } else { format!("team-{}", index % NAMESPACES) };
        json!({"metadata": {"namespace": namespace, "name": format!("plugin-{index}")},
            "spec": {"selector": {"matchLabels": {"app": format!("app-{index}")}}, "url": "oci://registry.example/filter:v1", "phase": "AUTHN"}})
    };
    (0..PLUGINS).map(plugin).collect()
}

/// What a script would do: every plugin's labels against every pod's.
fn naive(plugins: &[Value], pods: &[Value]) -> usize {
    let applies = |plugin: &Value, pod: &Value| {
        let reaches = plugin["metadata"]["namespace"] == "istio-system" || plugin["metadata"]["namespace"] == pod["metadata"]["namespace"];
        let wanted = plugin["spec"]["selector"]["matchLabels"].as_object().unwrap();
        reaches && wanted.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
    };
    plugins.iter().map(|plugin| pods.iter().filter(|pod| applies(plugin, pod)).count()).sum()
}

fn analysis(criterion: &mut Criterion) {
    let (pods, plugins) = (pods(), plugins());
    let mut collector = Collector::default();
    collector.apply(Update::Listed { kind: Kind::Pod, namespace: None, objects: pods.clone() });
    collector.apply(Update::Listed { kind: Kind::WasmPlugin, namespace: None, objects: plugins.clone() });
    let snapshot = collector.snapshot(BTreeMap::new());
    let mut group = criterion.benchmark_group("5,000 pods, 50 plugins");
    group.bench_function("snapshot", |bencher| bencher.iter(|| black_box(&collector).snapshot(BTreeMap::new())));
    group.bench_function("plugins", |bencher| bencher.iter(|| answers::plugins(black_box(&snapshot), None)));
    group.bench_function("labels only, over JSON", |bencher| bencher.iter(|| naive(black_box(&plugins), black_box(&pods))));
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = analysis }
criterion_main!(benches);
