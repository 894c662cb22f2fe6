//! How fast secrets are looked for in lines that are made of clues alone, which whoever can send a request may write: each at least at
//! 50 MB/s, and twice the line in twice the time; and in documents that are dense in keys. And the commands over a recording with twenty
//! such lines.

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
fn shortest(run: impl Fn()) -> Duration {
    const RUNS: u32 = 10;
    const ENOUGH: Duration = Duration::from_millis(100);
    let first = Instant::now();
    let time = |_| {
        let started = clock(first);
        for tens in 1.. {
            (0..RUNS).for_each(|_| run());
            let took = clock(first).saturating_sub(started);
            if took >= ENOUGH {
                return took / (tens * RUNS);
            }
        }
        Duration::MAX
    };
    (0..3).map(time).min().unwrap()
}

/// Prints how fast a megabyte is redacted, and how long two take to that; whether both are as they should be.
fn is_fast(name: &str, run: impl Fn(usize)) -> bool {
    let (one, two) = (shortest(|| run(1)), shortest(|| run(2)));
    let (speed, ratio) = (1.0 / one.as_secs_f64(), two.as_secs_f64() / one.as_secs_f64());
    println!("  {name:36} {speed:8.0} MB/s {ratio:5.2}");
    speed >= 50.0 && ratio < 2.5
}

/// Documents dense in keys: how each begins, what it repeats, and its end.
const DOCUMENTS: [(&str, &str, &str, &str); 7] = [
    ("web keys", "{", r#""kty":"oct","#, r#""a":1}"#),
    ("web keys with a k", "[", r#"{"kty":"oct","k":"x"},"#, "1]"),
    ("tokens", "{", r#""token":"x","#, r#""a":1}"#),
    ("keys", "{", r#""key":"x","#, r#""token":1}"#),
    ("numbers within a secret", r#"{"token":{"#, r#""a":1,"#, r#""a":1}}"#),
    ("letters as numbers", "{", r#""a":"\u006bty","#, r#""token":1}"#),
    ("names within a configuration", r#"{"pluginConfig":{"#, r#""x-passed-on":"oct","#, r#""a":1}}"#),
];

fn each_clue(_: &mut Criterion) {
    // Above a size that depends on the largest block so far, the allocator gives memory back after each run, and the time leaps.
    drop(black_box(Vec::<u8>::with_capacity(30 * MEGABYTE)));
    let mut slow = Vec::new();
    println!("lines of a megabyte, made of one clue each: MB/s, and the time for two megabytes to that for one");
    for (name, clue) in clues::CLUES {
        let lines = [1, 2].map(|megabytes| clues::line(clue, megabytes * MEGABYTE));
        if !is_fast(name, |megabytes| drop(black_box(redact::log_line(black_box(&lines[megabytes - 1]))))) {
            slow.push(name);
        }
    }
    println!("documents of a megabyte");
    for (name, begin, part, end) in DOCUMENTS {
        let documents = [1, 2].map(|megabytes| format!("{begin}{}{end}", part.repeat(megabytes * MEGABYTE / part.len())));
        if !is_fast(name, |megabytes| drop(black_box(redact::json(black_box(&documents[megabytes - 1]))))) {
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
