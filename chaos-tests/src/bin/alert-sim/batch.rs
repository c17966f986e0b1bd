//! Many seeds on all cores, with progress and a summary.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use alert_chaos::{
    report::page,
    sim::{Run, run},
    validate::Verdict,
};

use crate::entropy::seeded;

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Sum {
    seeds: u64,
    simulated: Duration,
    operations: u64,
    checked: u64,
    terms: usize,
    faults: BTreeMap<String, u64>,
    failed: Vec<(u64, Verdict)>,
}

impl Sum {
    fn add(&mut self, run: &Run) {
        self.seeds += 1;
        self.simulated += run.simulated;
        self.operations += run.operations;
        self.checked += run.findings.checked;
        self.terms += run.terms;
        for (kind, effects) in run.tally.iter() {
            *self.faults.entry(format!("{kind:?}")).or_default() += u64::from(effects);
        }
        if run.verdict() != Verdict::Held {
            self.failed.push((run.seed, run.verdict()));
        }
    }
}

/// One seed, on a thread with seeded randomness.
pub fn simulate(seed: u64) -> Run {
    seeded(seed, move |ended| run(seed, ended))
}

/// The command that repeats a seed.
pub fn replay_command(seed: u64) -> String {
    format!("make sim-replay SEED={seed}")
}

/// What is said of a failed seed, and its page.
pub fn report(run: &Run, out: &Path) {
    println!("seed {}: {:?}; repeats with: {}", run.seed, run.verdict(), replay_command(run.seed));
    for violation in &run.findings.violations {
        println!("  {violation}");
    }
    for reason in &run.findings.inconclusive {
        println!("  inconclusive: {reason}");
    }
    let title = format!("Simulation of seed {}", run.seed);
    let file = out.join(format!("seed-{}.html", run.seed));
    let written = fs::create_dir_all(out)
        .and_then(|()| fs::write(&file, page(&title, &replay_command(run.seed), &run.findings, &run.notes)));
    match written {
        Ok(()) => println!("  timeline: {}", file.display()),
        Err(error) => println!("  the page could not be written: {error}"),
    }
}

/// Runs them all, none of them begun after `limit`; the worst verdict of any.
pub fn run_seeds(seeds: &[u64], limit: Option<Duration>, jobs: usize, out: &Path) -> Verdict {
    let started = Instant::now();
    let (next, sum, told) = (AtomicUsize::new(0), Mutex::new(Sum::default()), Mutex::new(started));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while limit.is_none_or(|limit| started.elapsed() < limit) {
                    let Some(seed) = seeds.get(next.fetch_add(1, Relaxed)) else { return };
                    let run = simulate(*seed);
                    let mut sum = sum.lock().expect("nobody panics with it");
                    sum.add(&run);
                    if run.verdict() != Verdict::Held {
                        report(&run, out);
                    }
                    let mut told = told.lock().expect("nobody panics with it");
                    if told.elapsed() >= PROGRESS {
                        *told = Instant::now();
                        let rate = sum.seeds as f64 / started.elapsed().as_secs_f64();
                        println!(
                            "{} of {} seeds, {rate:.2} a second, {} failed",
                            sum.seeds,
                            seeds.len(),
                            sum.failed.len()
                        );
                    }
                }
            });
        }
    });
    summary(&sum.into_inner().expect("nobody panics with it"), started.elapsed())
}

fn summary(sum: &Sum, took: Duration) -> Verdict {
    let hours = sum.simulated.as_secs_f64() / 3600.0;
    println!(
        "{} seeds in {:.0} s ({:.2} a second): {hours:.2} simulated hours, {} operations, {} checks, {} terms",
        sum.seeds,
        took.as_secs_f64(),
        sum.seeds as f64 / took.as_secs_f64(),
        sum.operations,
        sum.checked,
        sum.terms
    );
    let faults: Vec<String> = sum.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    println!("faults that took effect: {}", faults.join(", "));
    let with = |verdict| -> Vec<String> {
        sum.failed.iter().filter(|(_, found)| *found == verdict).map(|(seed, _)| seed.to_string()).collect()
    };
    let (violated, inconclusive) = (with(Verdict::Violated), with(Verdict::Inconclusive));
    println!("violated: {} {}", violated.len(), violated.join(" "));
    println!("inconclusive: {} {}", inconclusive.len(), inconclusive.join(" "));
    match () {
        () if !violated.is_empty() => Verdict::Violated,
        () if !inconclusive.is_empty() || sum.seeds == 0 => Verdict::Inconclusive,
        () => Verdict::Held,
    }
}
