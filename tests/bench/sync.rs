//! How long `sync` takes for 1,000 proxies: from the bytes of istiod's answer to the text. It should stay under 200 ms.

mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use meshscope::analysis::answers;
use meshscope::cli::Format;
use meshscope::ingest::collect::Collector;
use meshscope::ingest::istiod::{self, Syncz};
use meshscope::model::kind::Kind;
use meshscope::model::sync::{IstiodSync, Sync};
use meshscope::model::update::Update;
use meshscope::report::{Answer, Paint};
use serde_json::{Value, json};

const PROXIES: usize = 1_000;

/// The recorded answer of an istiod, with its proxies again and again under other names.
fn syncz() -> Vec<u8> {
    let packed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings/permissive.tar.zst");
    let mut archive = tar::Archive::new(zstd::Decoder::new(std::fs::File::open(packed).unwrap()).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let recorded: Value = serde_json::from_reader(entries.find(|entry| entry.path().unwrap().ends_with("syncz.json")).unwrap()).unwrap();
    let proxies: Vec<&Value> = recorded.as_array().unwrap().iter().filter(|entry| !entry["resources"].is_null()).collect();
    let renamed = (0..PROXIES).map(|index| {
        let mut entry = proxies[index % proxies.len()].clone();
        entry["proxy"] = json!(format!("app-{index}.default"));
        entry
    });
    serde_json::to_vec(&renamed.collect::<Vec<_>>()).unwrap()
}

fn objects() -> Collector {
    let pods = (0..PROXIES).map(|index| {
        json!({"metadata": {"namespace": "default", "name": format!("app-{index}"), "labels": {"app": "app"}},
            "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2:1", "args": ["proxy", "sidecar"]}]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.1.0.1"}]}})
    });
    let mut collector = Collector::default();
    collector.apply(Update::Listed { kind: Kind::Pod, namespace: None, objects: pods.collect() });
    collector
}

fn sync(criterion: &mut Criterion) {
    let (bytes, collector) = (syncz(), objects());
    let snapshot = collector.snapshot(Default::default());
    println!("istiod's answer is {} KiB", bytes.len() / 1024);
    criterion.bench_function("sync of 1,000 proxies: parse, answer, print", |bencher| {
        bencher.iter(|| {
            let Syncz { clients, tells_watched } = istiod::syncz(black_box(&bytes)).unwrap();
            let istiod = IstiodSync {
                pod: "istiod-1".to_owned(),
                way: "port-forward",
                tried: Vec::new(),
                account: None,
                only: None,
                tells_watched,
                clients,
            };
            let mut snapshot = snapshot.clone();
            snapshot.sync = Some(Ok(Arc::new(Sync { istiods: vec![istiod], ..Sync::default() })));
            let answer = answers::sync(&snapshot, |_| true);
            assert_eq!(answer.proxies.len(), PROXIES);
            answer.printed(Format::Text, Paint::Plain)
        });
    });
}

criterion_group! { name = benches; config = support::criterion(); targets = sync }
criterion_main!(benches);
