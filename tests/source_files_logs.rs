//! The logs of recordings, and log files alone, as streams: plain and compressed, in their order, from the end, from a time on.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meshscope::analysis::logs::{Filter, FilterSpec};
use meshscope::ingest::logs::Assembler;
use meshscope::logs::{self, View};
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::logs::{LogOrigin, LogRecord, LogSource};
use meshscope::source::demo::Demo;
use meshscope::source::files::Files;
use meshscope::source::logs::{LogItem, LogNews, LogQuery};
use meshscope::source::{SharedSource, Source};
use proptest::prelude::*;
use tokio::sync::{mpsc, watch};

/// All lines and marks of each log, in the order in which the streams were told.
async fn read(files: &Files, query: LogQuery) -> Vec<(LogOrigin, Vec<String>)> {
    let origins = files.logs_held().unwrap().into_iter().map(Arc::new).collect();
    let (_targets, wanted) = watch::channel(origins);
    let (sender, mut news) = mpsc::channel(8);
    let task = tokio::spawn(files.logs(query, wanted, sender));
    let mut streams = Vec::new();
    while let Some(told) = news.recv().await {
        let LogNews::Stream(stream) = told else { panic!("{told:?}") };
        // Each waits in its own channel, so that they can be read one after the other only where each has its own task.
        streams.push(tokio::spawn(async move {
            let (mut batches, mut found) = (stream.batches, Vec::new());
            while let Some(batch) = batches.recv().await {
                found.extend(batch.items.into_iter().map(|item| match item {
                    LogItem::Line(line) => line.text,
                    LogItem::Mark(kind, text) => format!("<{kind:?}: {text}>"),
                }));
            }
            ((*stream.origin).clone(), found)
        }));
    }
    task.await.unwrap();
    let mut all = Vec::new();
    for stream in streams {
        all.push(stream.await.unwrap());
    }
    all
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::create_dir_all(folder.join("logs")).unwrap();
    std::fs::create_dir_all(folder.join("k8s")).unwrap();
    let mut bytes = text.as_bytes().to_vec();
    if name.ends_with(".gz") {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        bytes = packed.finish().unwrap();
    } else if name.ends_with(".zst") {
        bytes = zstd::encode_all(&bytes[..], 1).unwrap();
    }
    std::fs::write(folder.join("logs").join(name), bytes).unwrap();
}

/// A log of so many lines, one each second of the day.
fn seconds(count: usize) -> String {
    let time = |second: usize| format!("2026-11-23T{:02}:{:02}:{:02}.000000000Z", second / 3600, second / 60 % 60, second % 60);
    (0..count).map(|second| format!("{} line {second}\n", time(second))).collect()
}

#[tokio::test]
async fn every_log_of_a_recording_is_found_compressed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "istiod.log.gz", &seconds(3));
    write(folder.path(), "istiod.istiod-7d9-x.log", &seconds(2));
    write(folder.path(), "web-1.shop.istio-proxy.log.zst", "2026-11-23T00:00:00.5Z a\nno time\nno end");
    let files = Files::open(folder.path()).unwrap();
    let found = read(&files, LogQuery::default()).await;
    let names: Vec<_> = found.iter().map(|(origin, _)| (origin.source, origin.pod.to_string(), origin.container.as_str())).collect();
    assert_eq!(
        names,
        [
            (LogSource::Istiod, "istiod-7d9-x".to_owned(), "discovery"),
            (LogSource::Istiod, String::new(), "discovery"),
            (LogSource::Proxy, "web-1.shop".to_owned(), "istio-proxy"),
        ]
    );
    assert_eq!(found[0].1, ["line 0", "line 1"]);
    assert_eq!(found[1].1, ["line 0", "line 1", "line 2"]);
    assert_eq!(found[2].1, ["a", "no time", "no end"]);
}

#[tokio::test]
async fn a_log_alone_is_read_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "web-1.shop.istio-proxy.log", &seconds(2));
    write(folder.path(), "other.log.zst", &seconds(1));
    let open = |name: &str| Files::open(&folder.path().join("logs").join(name)).unwrap();
    let found = read(&open("web-1.shop.istio-proxy.log"), LogQuery::default()).await;
    assert_eq!((found[0].0.pod.to_string().as_str(), found[0].1.len()), ("web-1.shop", 2));
    let found = read(&open("other.log.zst"), LogQuery::default()).await;
    assert_eq!((found[0].0.pod.clone(), found[0].1.len()), (ProxyId::new("other", ""), 1));
}

#[tokio::test]
async fn the_end_of_a_log_is_by_lines_or_by_the_youngest_line_of_all() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "istiod.log", &seconds(20_000));
    write(folder.path(), "web-1.shop.istio-proxy.log", &seconds(19_990));
    let files = Files::open(folder.path()).unwrap();
    let found = read(&files, LogQuery { tail: Some(2), ..LogQuery::default() }).await;
    assert_eq!(
        (&found[0].1[..], &found[1].1[..]),
        (&["line 19998".to_owned(), "line 19999".to_owned()][..], &["line 19988".to_owned(), "line 19989".to_owned()][..])
    );
    let since = Some(Duration::from_secs(12));
    let found = read(&files, LogQuery { since, ..LogQuery::default() }).await;
    assert_eq!((found[0].1.len(), found[0].1[0].as_str()), (13, "line 19987"));
    assert_eq!(found[1].1, ["line 19987", "line 19988", "line 19989"]);
    let found = read(&files, LogQuery { previous: true, ..LogQuery::default() }).await;
    assert_eq!(found[0].1, ["<Failed: recordings hold no logs of earlier runs>"]);
}

#[tokio::test]
async fn damage_is_said_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "istiod.log.zst", &seconds(20_000));
    let path = folder.path().join("logs/istiod.log.zst");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let found = read(&Files::open(folder.path()).unwrap(), LogQuery::default()).await;
    let last = found[0].1.last().unwrap();
    assert!(last.starts_with("<Failed: the rest cannot be read"), "{last}");
}

/// All records of a source, as the program puts them together and in order.
async fn records(source: SharedSource, query: LogQuery, spec: FilterSpec) -> Vec<LogRecord> {
    let origins = source.logs_held().unwrap().into_iter().map(Arc::new).collect();
    let filter = Arc::new(Filter::new(spec, &Default::default()).unwrap());
    let (_views, view) = watch::channel(Arc::new(View { origins, objects: Arc::default(), alone: true, filter }));
    let (sender, mut batches) = mpsc::channel(2);
    let task = tokio::spawn(logs::run(source, query, view, sender));
    let mut found = Vec::new();
    while let Some(batch) = batches.recv().await {
        found.extend(batch);
    }
    task.await.unwrap();
    found
}

#[tokio::test]
async fn the_records_of_every_recording_are_all_there_each_log_in_its_order() {
    for name in support::MESHES.into_iter().map(str::to_owned).chain(support::eras()) {
        let files = Files::open(&support::recording(&name)).unwrap();
        let found = records(Arc::new(files.clone()), LogQuery::default(), FilterSpec::default()).await;
        for (origin, lines) in read(&files, LogQuery::default()).await {
            let of: Vec<&str> = found.iter().filter(|record| *record.origin == origin).map(|record| record.raw.as_str()).collect();
            let raw = of.join("\n");
            assert_eq!(raw.lines().count(), lines.len(), "{name} {origin:?}");
            let mut assembler = Assembler::default();
            let origin = Arc::new(origin);
            let line = |text: &String| {
                assembler.push(meshscope::model::logs::LogLine { origin: origin.clone(), time: None, text: text.clone(), cut: false })
            };
            let mut expected: Vec<String> = lines.iter().filter_map(line).map(|record| record.raw.to_string()).collect();
            expected.extend(assembler.flush().map(|record| record.raw.to_string()));
            assert_eq!(of, expected, "{name} {origin:?}");
        }
        // In the order of the times, as far as each log's own order lets it be.
        let mut last = BTreeMap::new();
        let times = found.iter().map(|record| {
            let last = last.entry(record.origin.clone()).or_insert(i64::MIN);
            *last = record.time.unwrap_or(*last).max(*last);
            *last
        });
        assert!(times.is_sorted(), "{name}");
    }
}

#[tokio::test]
async fn the_demo_tells_the_plugins_story_in_order() {
    let plugin = PluginId::new(PluginKind::WasmPlugin, "default", "helloworld");
    let spec = FilterSpec { plugins: vec![plugin], ..FilterSpec::default() };
    let found = records(Arc::new(Demo::new(0).unwrap()), LogQuery::default(), spec).await;
    let told: Vec<_> = found.iter().map(|record| meshscope::analysis::logs::summary::what(record)).collect();
    assert_eq!((told.first(), told.last()), (Some(&"push"), Some(&"plugin")), "{told:?}");
}

/// A line of some log: of Envoy, of Go, one that belongs to the line before, one that is too long for a block.
fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![3 => Just(""), 1 => Just("needle ")];
    (word, 0u8..12).prop_map(|(word, form)| match form {
        0..6 => format!("2026-11-23T19:37:41.428Z 2026-11-23T19:37:41.428949Z\tinfo\tads\tsome {word}message"),
        6..8 => format!("2026-11-23T19:37:41.428Z \tgoes {word}on"),
        8 => format!("{word}no time"),
        9 => format!("2026-11-23T19:37:41.428Z 2026-11-23T19:37:41.428949Z\tinfo\tads\t{}{word}", "long ".repeat(30_000)),
        10 => format!("2026-11-23T19:37:41.428Z \t{}{word}", "on ".repeat(5_000)),
        _ => String::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_passed_over_early_is_what_would_not_have_passed(lines in prop::collection::vec(line(), 0..60)) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "istiod.log", &lines.join("\n"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let source = || Arc::new(Files::open(folder.path()).unwrap());
        let include = || FilterSpec { include: vec!["needle".to_owned()], ..FilterSpec::default() };
        let raws = |records: Vec<LogRecord>| records.into_iter().map(|record| record.raw.to_string()).collect::<Vec<_>>();
        let quick = raws(runtime.block_on(records(source(), LogQuery::default(), include())));
        let all = runtime.block_on(records(source(), LogQuery::default(), FilterSpec::default()));
        let slow: Vec<String> = raws(all).into_iter().filter(|raw| raw.contains("needle")).collect();
        prop_assert_eq!(quick, slow);
    }
}
