//! Goes one hot path so many times: for `valgrind --tool=callgrind`, and to count allocations. Run by `alert-bench`.

use std::alloc::System;

use alert_bench::hot::{Hot, Path};
use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Parser)]
struct Arguments {
    #[arg(value_enum)]
    path: Path,
    times: usize,
    /// Things are made for so many times, so that two runs differ in the going alone.
    #[arg(long)]
    made_for: Option<usize>,
}

fn main() {
    let Arguments { path, times, made_for } = Arguments::parse();
    let mut hot = Hot::new(path, made_for.unwrap_or(times));
    let region = Region::new(ALLOCATOR);
    let mut sum = 0;
    for _ in 0..times {
        sum += std::hint::black_box(hot.go());
    }
    let used = region.change();
    let each = |count: usize| count as f64 / times.max(1) as f64;
    println!("allocations {:.1}", each(used.allocations + used.reallocations));
    println!("bytes {:.1}", each(used.bytes_allocated));
    println!("result {sum}");
}
