//! From the start of the program to an answer over the embedded mesh, against the program that only says its version.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};

fn start(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start");
    for arguments in [&["plugins", "--demo"][..], &["why", "default/helloworld", "deploy/httpbin", "--demo"], &["--version"]] {
        let mut command = support::meshscope(arguments);
        group.bench_function(format!("meshscope {}", arguments.join(" ")), |bencher| bencher.iter(|| support::run(&mut command)));
    }
    group.finish();
}

criterion_group! { name = benches; config = support::criterion(); targets = start }
criterion_main!(benches);
