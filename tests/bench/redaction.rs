//! How fast secrets are looked for in lines that are made of clues alone, which whoever can send a request may write: each at least at
//! 50 MB/s, and twice the line in twice the time. And the commands over a recording with twenty such lines.

#[path = "../support/clues.rs"]
mod clues;
mod support;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use meshscope::ingest::redact;
use tempfile::TempDir;

const MEGABYTE: usize = 1_000_000;

/// How long this thread has computed, where the system tells, so that other work on the machine does not count; else the time.
fn clock(first: Instant) -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let computed = stat.and_then(|text| text.split(' ').next()?.parse().ok());
    computed.map_or_else(|| first.elapsed(), Duration::from_nanos)
}

/// How long one run takes, of as many as the system's coarse clock needs; the shortest of three times.
fn shortest(line: &str) -> Duration {
    const RUNS: u32 = 30;
    let first = Instant::now();
    let runs = |_| {
        let started = clock(first);
        for _ in 0..RUNS {
            black_box(redact::log_line(black_box(line)));
        }
        (clock(first).saturating_sub(started) / RUNS).max(Duration::from_micros(1))
    };
    (0..3).map(runs).min().unwrap()
}

fn each_clue(_: &mut Criterion) {
    println!("lines of a megabyte, made of one clue each: MB/s, and the time for two megabytes to that for one");
    let mut slow = Vec::new();
    for (name, clue) in clues::CLUES {
        let (one, two) = (shortest(&clues::line(clue, MEGABYTE)), shortest(&clues::line(clue, 2 * MEGABYTE)));
        let (speed, ratio) = (1.0 / one.as_secs_f64(), two.as_secs_f64() / one.as_secs_f64());
        println!("  {name:36} {speed:8.0} MB/s {ratio:5.2}");
        if speed < 50.0 || ratio >= 2.5 {
            slow.push(name);
        }
    }
    assert!(slow.is_empty(), "too slow, or more than linear: {slow:?}");
}

/// The recording `permissive` with twenty lines of 60 KB in the log of a proxy.
fn recording() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings/permissive.tar.zst");
    tar::Archive::new(zstd::Decoder::new(fs::File::open(packed).unwrap()).unwrap()).unpack(folder.path()).unwrap();
    let logs = fs::read_dir(folder.path().join("logs")).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.filter(|path| path.to_string_lossy().ends_with("istio-proxy.log")).min().unwrap();
    let path = clues::line("kty", 60_000);
    let line = format!("2026-11-23T19:40:10.000000Z [2026-11-23T19:40:10.123Z] \"GET /{path} HTTP/1.1\" 404\n");
    fs::write(&log, fs::read_to_string(&log).unwrap() + &line.repeat(20)).unwrap();
    folder
}

fn commands(criterion: &mut Criterion) {
    let folder = recording();
    let from = folder.path().to_str().unwrap();
    let mut group = criterion.benchmark_group("a recording with twenty lines of 60 KB of kty");
    for command in ["logs", "health", "check"] {
        let mut run = support::meshscope(&[command, "--from", from, "-A"]);
        group.bench_function(command, |bencher| bencher.iter(|| support::run(&mut run)));
    }
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = each_clue, commands }
criterion_main!(benches);
