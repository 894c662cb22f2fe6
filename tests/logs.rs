//! The logs of all recordings, read line by line: what belongs together, what wrote it, and what it tells.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::ingest::logs::{Assembler, split_kubelet};
use meshscope::model::ids::ProxyId;
use meshscope::model::logs::{LogKind, LogLine, LogOrigin, LogRecord, LogSource};

/// Whose a log of a recording is, by its file.
fn origin(file: &str) -> Arc<LogOrigin> {
    let name = file.trim_start_matches("logs/").trim_end_matches(".log");
    let proxy = name.strip_suffix(".istio-proxy").and_then(ProxyId::parse);
    let (source, container) = if proxy.is_some() { (LogSource::Proxy, "istio-proxy") } else { (LogSource::Istiod, "discovery") };
    let pod = proxy.unwrap_or_else(|| ProxyId::new("", ""));
    Arc::new(LogOrigin { source, pod, container: container.to_owned(), workload: None })
}

fn records(text: &str, origin: &Arc<LogOrigin>) -> Vec<LogRecord> {
    let mut assembler = Assembler::default();
    let line = |line| {
        let (time, text) = split_kubelet(line);
        LogLine { origin: Arc::clone(origin), time, text: text.to_owned(), cut: false }
    };
    let mut records: Vec<LogRecord> = text.lines().filter_map(|text| assembler.push(line(text))).collect();
    records.extend(assembler.flush());
    records
}

#[test]
fn debug() {
    let mut names: Vec<String> = support::MESHES.map(str::to_owned).to_vec();
    names.extend(support::eras());
    let mut events: BTreeMap<(LogKind, String), usize> = BTreeMap::new();
    for name in names {
        for (file, bytes) in support::files(&name) {
            if !file.starts_with("logs/") {
                continue;
            }
            let text = String::from_utf8(bytes).unwrap();
            for record in records(&text, &origin(&file)) {
                *events.entry((record.kind, format!("{:?}", record.event))).or_default() += 1;
                if record.kind == LogKind::Unknown || record.raw.contains('\n') {
                    println!(
                        "{name} {file} {:?} {:?} {:?} {} {:?}",
                        record.kind,
                        record.level,
                        record.scope,
                        record.raw.lines().count(),
                        record.message.lines().next()
                    );
                }
            }
        }
    }
    for lab in ["istiod", "x.default.istio-proxy"] {
        let path = if lab == "istiod" { "/tmp/lp/lab/istiod.log" } else { "/tmp/lp/lab/httpbin.log" };
        for record in records(&std::fs::read_to_string(path).unwrap(), &origin(&format!("logs/{lab}.log"))) {
            if record.kind == LogKind::Unknown || record.raw.contains('\n') || record.kind == LogKind::Envoy {
                println!(
                    "LAB {lab} {:?} {:?} {:?} {} {:?}",
                    record.kind,
                    record.level,
                    record.scope,
                    record.raw.lines().count(),
                    record.message
                );
            }
        }
    }
    println!("{events:#?}");
}
