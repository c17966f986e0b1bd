//! Proof that the simulation can see: each planted bug, and the number of seeds until it was caught.

use std::{
    sync::Mutex,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use alert_chaos::validate::Verdict;
use alert_core::mutants::Mutant;

use crate::batch::simulate;

/// Plants each in turn; held when every one was caught.
pub fn run_all(first: u64, seeds: u64, jobs: usize, chosen: &[Mutant]) -> Verdict {
    let mut missed = Vec::new();
    println!("{:<34} {:>6}  caught by", "planted bug", "seeds");
    for mutant in chosen {
        let began = Instant::now();
        match hunt(*mutant, first, seeds, jobs) {
            Some((count, seed, how)) => {
                let took = began.elapsed().as_secs();
                println!("{:<34} {count:>6}  seed {seed}, {took} s: {how}", mutant.name());
            }
            None => {
                println!("{:<34}      -  not within {seeds} seeds", mutant.name());
                missed.push(mutant.name());
            }
        }
    }
    println!("{} of {} caught", chosen.len() - missed.len(), chosen.len());
    if missed.is_empty() { Verdict::Held } else { Verdict::Violated }
}

/// The verb of the command line.
pub fn run(first: u64, seeds: u64, jobs: usize, only: &[String], rotate: Option<usize>) -> Verdict {
    let mut chosen: Vec<Mutant> = Mutant::ALL
        .iter()
        .copied()
        .filter(|mutant| only.is_empty() || only.iter().any(|name| name == mutant.name()))
        .collect();
    if let Some(count) = rotate {
        let day = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400) as usize;
        let length = chosen.len().max(1);
        chosen.rotate_left(day * count % length);
        chosen.truncate(count);
    }
    run_all(first, seeds, jobs, &chosen)
}

/// The number of seeds up to the first one that finds a violation, that seed, and what it found.
fn hunt(mutant: Mutant, first: u64, seeds: u64, jobs: usize) -> Option<(u64, u64, String)> {
    let (next, found) = (AtomicU64::new(0), AtomicBool::new(false));
    let caught: Mutex<Option<(u64, u64, String)>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= seeds || found.load(Relaxed) {
                        return;
                    }
                    let seed = first + number;
                    let outcome = simulate(seed, Some(mutant.name()), None);
                    let Some(how) = outcome.violations.into_iter().next() else { continue };
                    // It is the planted bug that was seen only if the seed holds without it.
                    if simulate(seed, None, None).violations.is_empty() {
                        found.store(true, Relaxed);
                        let mut caught = caught.lock().expect("nobody panics with it");
                        if caught.as_ref().is_none_or(|(count, ..)| number + 1 < *count) {
                            *caught = Some((number + 1, seed, how));
                        }
                    }
                }
            });
        }
    });
    caught.into_inner().expect("nobody panics with it")
}
