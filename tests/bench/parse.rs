//! A dump of 46 MB in memory, understood, against the same bytes parsed into a tree that nobody has looked at yet.

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;

fn parse(criterion: &mut Criterion) {
    let bytes = std::fs::read(support::large_dump()).unwrap();
    let mut group = criterion.benchmark_group("parse of 46 MB");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("meshscope", |bencher| bencher.iter(|| config_dump::parse(black_box(&bytes), DumpView::Proxy, "dump").unwrap()));
    group.bench_function("serde_json::Value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&bytes)).unwrap());
    });
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = parse }
criterion_main!(benches);
