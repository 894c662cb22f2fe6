//! `chains --from` on a dump of 46 MB, as a whole program, against `istioctl proxy-config listener -f` on the same file;
//! where there is no istioctl, against a program that parses the whole dump into a tree.

mod support;

use std::process::Command;

use criterion::{Criterion, criterion_group};

/// Makes this program its own peer.
const NAIVE: &str = "MESHSCOPE_BENCH_NAIVE";

fn peer(dump: &str) -> (&'static str, Command) {
    let mut istioctl = Command::new("istioctl");
    istioctl.args(["proxy-config", "listener", "-f", dump]);
    let there = istioctl.output().is_ok_and(|output| output.status.success());
    if there {
        return ("istioctl", istioctl);
    }
    let mut naive = Command::new(std::env::current_exe().unwrap());
    naive.env(NAIVE, dump);
    ("whole parse", naive)
}

fn dump(criterion: &mut Criterion) {
    let dump = support::large_dump();
    let dump = dump.to_str().unwrap();
    let mut own = support::meshscope(&["chains", "--from", dump]);
    let (name, mut other) = peer(dump);
    let mut group = criterion.benchmark_group("dump of 46 MB");
    group.bench_function("meshscope chains --from", |bencher| bencher.iter(|| support::run(&mut own)));
    group.bench_function(name, |bencher| bencher.iter(|| support::run(&mut other)));
    group.finish();
    match (support::cost(&own), support::cost(&other)) {
        (Some(own), Some(other)) => {
            println!(
                "dump of 46 MB: meshscope {:.2} s, {:.0} MiB; {name} {:.2} s, {:.0} MiB",
                own.seconds, own.mebibytes, other.seconds, other.mebibytes
            );
            println!(
                "dump of 46 MB: {name} / meshscope: time {:.1}, memory {:.1}",
                other.seconds / own.seconds,
                other.mebibytes / own.mebibytes
            );
        }
        _ => println!("dump of 46 MB: memory was not measured, since there is no /usr/bin/time"),
    }
}

criterion_group! { name = benches; config = support::criterion(); targets = dump }

fn main() {
    if let Some(path) = std::env::var_os(NAIVE) {
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        println!("{}", value["configs"].as_array().unwrap().len());
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
