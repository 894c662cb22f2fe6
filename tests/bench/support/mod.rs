//! What the benchmarks share: the large dump, and runs of whole programs with their time and memory.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::Criterion;

/// Few samples: whole programs are measured, and the differences of interest are not of a few per cent.
pub fn criterion() -> Criterion {
    let quick = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    quick.configure_from_args()
}

/// The dump of one proxy in a mesh of 2,000 services, unpacked once.
pub fn large_dump() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scale.json");
    if !target.exists() {
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings/scale.tar.zst");
        let mut archive = tar::Archive::new(zstd::Decoder::new(std::fs::File::open(packed).unwrap()).unwrap());
        let is_dump = |entry: &tar::Entry<'_, _>| entry.path().is_ok_and(|path| path.ends_with("config_dump.json"));
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let mut dump = entries.find(is_dump).expect("the recording has a dump");
        // Another run may unpack at the same time: each writes a file of its own and puts it in place whole.
        let part = target.with_extension(format!("{}.part", std::process::id()));
        std::io::copy(&mut dump, &mut std::fs::File::create(&part).unwrap()).unwrap();
        std::fs::rename(part, &target).unwrap();
    }
    target
}

/// The program under measurement.
pub fn meshscope(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    command.args(arguments);
    command
}

/// Runs a command to its end, which must be a good one, with its output thrown away.
pub fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// What one run took.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Wall time in seconds.
    pub seconds: f64,
    /// The most memory that it held, in MiB.
    pub mebibytes: f64,
}

/// Time and memory of the middle one of five runs, by GNU time; None where there is none.
pub fn cost(command: &Command) -> Option<Cost> {
    let mut runs: Vec<Cost> = (0..5).map(|_| measured(command)).collect::<Option<_>>()?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Some(runs[runs.len() / 2])
}

fn measured(command: &Command) -> Option<Cost> {
    let report = tempfile::NamedTempFile::new().ok()?;
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%e %M", "-o"]).arg(report.path()).arg(command.get_program()).args(command.get_args());
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let status = timed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let text = std::fs::read_to_string(report.path()).ok()?;
    let (seconds, kibibytes) = text.trim().split_once(' ')?;
    let (seconds, kibibytes): (f64, f64) = (seconds.parse().ok()?, kibibytes.parse().ok()?);
    // GNU time tells hundredths of a second.
    status.success().then_some(Cost { seconds: seconds.max(0.01), mebibytes: kibibytes / 1024.0 })
}
