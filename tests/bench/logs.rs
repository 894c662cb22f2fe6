//! Lines of istiod and proxies to attributed records, on one core; and how fast a filter passes over what cannot match.

#[path = "support/lines.rs"]
mod lines;
mod support;

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meshscope::analysis::logs::{Attributor, Filter, FilterSpec};
use meshscope::ingest::logs::{Assembler, split_kubelet};
use meshscope::model::ids::{PluginId, PluginKind};
use meshscope::model::logs::{LogLine, LogOrigin, LogRecord, LogSource};

const LINES: usize = 100_000;

/// A log with the kubelet's times, and how many lines it has.
fn log(form: lines::Form) -> (String, u64) {
    let mut log = String::new();
    let mut count = 0;
    for index in 0..LINES {
        for part in form(index, &lines::time(index)).lines() {
            writeln!(log, "2026-11-23T19:54:00.{index:09}Z {part}").unwrap();
            count += 1;
        }
    }
    (log, count)
}

/// Has a log understood to its end; gives how many records pass the filter.
fn parse(log: &str, origin: &Arc<LogOrigin>, attributor: &mut Attributor, filter: &Filter) -> usize {
    let mut assembler = Assembler::default();
    let mut passed = 0;
    let mut take = |record: Option<LogRecord>| {
        if let Some(mut record) = record {
            attributor.attribute(&mut record);
            passed += usize::from(filter.matches(black_box(&record)));
        }
    };
    for line in log.lines() {
        let (time, text) = split_kubelet(line);
        take(assembler.push(LogLine { origin: Arc::clone(origin), time, text: text.to_owned(), cut: false }));
    }
    take(assembler.flush());
    passed
}

fn logs(criterion: &mut Criterion) {
    let proxy = lines::origin("web-1");
    let istiod = Arc::new(LogOrigin { source: LogSource::Istiod, container: "discovery".to_owned(), ..(*proxy).clone() });
    let objects = lines::mesh();
    let mut attributor = Attributor::new(Arc::clone(&objects));
    let all = Filter::new(FilterSpec::default(), &objects).unwrap();
    let mut group = criterion.benchmark_group("lines to attributed records");
    for (name, form) in lines::FORMS.into_iter().chain([("all as text", lines::mixed as lines::Form)]) {
        let (log, lines) = log(form);
        let origin = if name.starts_with("istiod") { &istiod } else { &proxy };
        assert_eq!(parse(&log, origin, &mut attributor, &all), LINES, "a record each");
        group.throughput(Throughput::Elements(lines));
        group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(&log), origin, &mut attributor, &all)));
    }
    group.finish();

    let spec = FilterSpec { plugins: vec![PluginId::new(PluginKind::WasmPlugin, "team", "quiet")], ..FilterSpec::default() };
    let filter = Filter::new(spec, &objects).unwrap();
    let (log, _) = log(lines::mixed);
    let mut group = criterion.benchmark_group("what a filter by plugin passes over");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("text", |bencher| bencher.iter(|| filter.find(black_box(log.as_bytes()), 0)));
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = logs }
criterion_main!(benches);
