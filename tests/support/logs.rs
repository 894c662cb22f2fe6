//! Logs of recordings, and lines of a test's own, as records.

use std::sync::Arc;

use meshscope::ingest::collect::Collector;
use meshscope::ingest::logs::{Assembler, split_kubelet};
use meshscope::model::ids::ProxyId;
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogLine, LogOrigin, LogRecord, LogSource};
use meshscope::model::mesh::Istiod;
use meshscope::model::update::Update;
use serde_json::Value;

/// The proxy of a pod.
pub fn proxy(name: &str) -> Arc<LogOrigin> {
    let pod = ProxyId::parse(name).unwrap();
    Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None })
}

/// An istiod.
pub fn istiod() -> Arc<LogOrigin> {
    Arc::new(LogOrigin { source: LogSource::Istiod, pod: ProxyId::new("", ""), container: "discovery".to_owned(), workload: None })
}

/// The records of a log, with the kubelet's times or without.
pub fn records(text: &str, origin: &Arc<LogOrigin>) -> Vec<LogRecord> {
    let mut assembler = Assembler::default();
    let mut records: Vec<LogRecord> = text.lines().filter_map(|text| assembler.push(line(text, origin))).collect();
    records.extend(assembler.flush());
    records
}

/// One line, with the kubelet's time or without.
pub fn line(text: &str, origin: &Arc<LogOrigin>) -> LogLine {
    let (time, text) = split_kubelet(text);
    LogLine { origin: Arc::clone(origin), time, text: text.to_owned(), cut: false }
}

/// The one record of a text.
pub fn record(text: &str, origin: &Arc<LogOrigin>) -> LogRecord {
    let mut records = records(text, origin);
    assert_eq!(records.len(), 1, "{text}");
    records.remove(0)
}

/// The logs of a recording: whose they are, and their text.
pub fn of_recording(name: &str) -> Vec<(Arc<LogOrigin>, String)> {
    let files = super::files(name).into_iter().filter(|(file, _)| file.starts_with("logs/"));
    let logs: Vec<_> = files
        .map(|(file, bytes)| {
            let whose = file.strip_prefix("logs/").unwrap().strip_suffix(".log").unwrap();
            (whose.strip_suffix(".istio-proxy").map_or_else(istiod, proxy), String::from_utf8(bytes).unwrap())
        })
        .collect();
    assert!(!logs.is_empty(), "{name} has logs");
    logs
}

/// The objects of a recording.
pub fn objects(name: &str) -> Arc<Inventory> {
    let files = super::files(name);
    let mut collector = Collector::default();
    for kind in Kind::ALL {
        let Some(bytes) = files.get(&kind.file()) else { continue };
        let mut list: Value = serde_json::from_slice(bytes).unwrap();
        let objects = if list["items"].is_array() { serde_json::from_value(list["items"].take()).unwrap() } else { vec![list] };
        collector.apply(Update::Listed { kind, namespace: None, objects });
    }
    let version = String::from_utf8(files["istiod/version.txt"].clone()).unwrap();
    let version = meshscope::ingest::istiod::istiod_version(&version).to_owned();
    collector.apply(Update::Istiods(vec![Istiod { pod: String::new(), version }]));
    collector.snapshot(Default::default()).objects
}
