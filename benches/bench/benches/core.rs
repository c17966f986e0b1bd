//! The pure core's hot paths, by the clock: `cargo bench -p alert-bench --bench core`.

use std::time::Duration;

use alert_bench::hot::{Hot, Path};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// An applied entry needs a record of its own, so a store serves so many.
const TIMES: usize = 200;

fn paths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core");
    group.measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(20);
    for path in Path::ALL {
        match path {
            Path::ApplyObject | Path::ApplyPerson => {
                group.bench_function(format!("{} x {TIMES}", path.name()), |bencher| {
                    let going = |mut hot: Hot| (0..TIMES).map(|_| hot.go()).sum::<usize>();
                    bencher.iter_batched(|| Hot::new(path, TIMES), going, BatchSize::PerIteration);
                });
            }
            _ => {
                let mut hot = Hot::new(path, TIMES);
                group.bench_function(path.name(), |bencher| bencher.iter(|| hot.go()));
            }
        }
    }
    group.finish();
}

criterion_group!(benches, paths);
criterion_main!(benches);
