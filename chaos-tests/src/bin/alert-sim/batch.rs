//! Many seeds on all cores, with progress and a summary.
//!
//! Each seed runs in a process of its own: what libraries keep for a whole process (counters, hash keys) then begins
//! anew, so that a seed gives the same run whatever ran before it; and a run that hangs is ended without the others.

use std::{
    collections::BTreeMap,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use alert_chaos::validate::Verdict;

use crate::outcome::Outcome;

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);
/// A run that takes longer than this hangs.
const RUN_TIME_MAX: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Sum {
    seeds: u64,
    simulated_us: u64,
    operations: u64,
    checked: u64,
    terms: usize,
    faults: BTreeMap<String, u64>,
    failed: Vec<(u64, Verdict)>,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.simulated_us += outcome.simulated_us;
        self.operations += outcome.operations;
        self.checked += outcome.checked;
        self.terms += outcome.terms;
        for (kind, effects) in &outcome.faults {
            *self.faults.entry(kind.clone()).or_default() += u64::from(*effects);
        }
        if outcome.verdict() != Verdict::Held {
            self.failed.push((outcome.seed, outcome.verdict()));
        }
    }

    /// What a run of that long came to, so that one that is broken off has its figures too.
    fn told(&self, took: Duration) -> String {
        format!(
            "{} seeds in {:.0} s ({:.2} a second): {:.2} simulated hours, {} operations, {} checks, {} terms",
            self.seeds,
            took.as_secs_f64(),
            self.seeds as f64 / took.as_secs_f64(),
            self.simulated_us as f64 / 3.6e9,
            self.operations,
            self.checked,
            self.terms
        )
    }
}

/// One seed, in a process of its own, with a planted bug or without. Pages of failed seeds go to `out`.
pub fn simulate(seed: u64, plant: Option<&str>, out: Option<&Path>) -> Outcome {
    let mut command = match std::env::current_exe() {
        Ok(program) => Command::new(program),
        Err(error) => return Outcome::without(seed, format!("this program does not find itself: {error}")),
    };
    command.arg("one").arg("--seed").arg(seed.to_string());
    if let Some(name) = plant {
        command.arg("--plant").arg(name);
    }
    if let Some(out) = out {
        command.arg("--out").arg(out);
    }
    tell(&mut command).unwrap_or_else(|why| Outcome::without(seed, why))
}

fn tell(command: &mut Command) -> Result<Outcome, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("no process for the seed: {error}"))?;
    let mut stdout = child.stdout.take().ok_or("the process has no output")?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if began.elapsed() > RUN_TIME_MAX {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the run did not end within {} s", RUN_TIME_MAX.as_secs()));
        }
        thread::sleep(POLL);
    };
    let text = reader.join().map_err(|_| "the reader panicked")?.map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("the process ended with {status} and told nothing: {error}"))
}

/// The command that repeats a seed.
pub fn replay_command(seed: u64) -> String {
    format!("make sim-replay SEED={seed}")
}

/// What is said of a failed seed.
pub fn report(outcome: &Outcome, out: &Path) {
    println!("seed {}: {:?}; repeats with: {}", outcome.seed, outcome.verdict(), replay_command(outcome.seed));
    outcome.violations.iter().for_each(|violation| println!("  {violation}"));
    outcome.inconclusive.iter().for_each(|reason| println!("  inconclusive: {reason}"));
    println!("  timeline: {}", out.join(format!("seed-{}.html", outcome.seed)).display());
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
                    let outcome = simulate(*seed, None, Some(out));
                    let mut sum = sum.lock().expect("nobody panics with it");
                    sum.add(&outcome);
                    if outcome.verdict() != Verdict::Held {
                        report(&outcome, out);
                    }
                    let mut told = told.lock().expect("nobody panics with it");
                    if told.elapsed() >= PROGRESS {
                        *told = Instant::now();
                        println!(
                            "{}; {} failed, {} to go",
                            sum.told(started.elapsed()),
                            sum.failed.len(),
                            seeds.len() as u64 - sum.seeds
                        );
                    }
                }
            });
        }
    });
    summary(&sum.into_inner().expect("nobody panics with it"), started.elapsed())
}

fn summary(sum: &Sum, took: Duration) -> Verdict {
    println!("{}", sum.told(took));
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
