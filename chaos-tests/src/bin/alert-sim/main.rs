//! Simulates whole clusters, seed by seed: `make sim SEEDS=1000 FIRST=1`.

mod batch;
mod entropy;
#[cfg(feature = "mutants")]
mod mutants;
mod outcome;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alert_chaos::{
    report::page,
    sim::{Run, run},
    validate::Verdict,
};
use clap::{Parser, Subcommand};

use batch::{replay_command, report, run_seeds, simulate};
use entropy::seeded;
use outcome::{Outcome, hash_of};

/// Simulates clusters on virtual time. Exit code 0: held, 1: violated, 2: inconclusive.
#[derive(Parser)]
#[command(name = "alert-sim")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs many seeds on all cores.
    Run {
        #[arg(long, default_value_t = 1)]
        first: u64,
        #[arg(long, default_value_t = 100)]
        seeds: u64,
        /// Begins no seed after this time.
        #[arg(long)]
        seconds: Option<u64>,
        /// Seeds at a time; default: the machine's cores.
        #[arg(long)]
        jobs: Option<usize>,
        /// Where pages of failed seeds go.
        #[arg(long, default_value = "sim-report")]
        out: PathBuf,
    },
    /// Runs one seed and tells its outcome as JSON; what `run` starts for each seed.
    #[command(hide = true)]
    One {
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        plant: Option<String>,
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Runs one seed and prints its timeline; writes a page.
    Replay {
        #[arg(long)]
        seed: u64,
        /// A planted bug, by name.
        #[arg(long)]
        plant: Option<String>,
        #[arg(long, default_value = "sim-report")]
        out: PathBuf,
    },
    /// Plants each bug in turn and counts the seeds until it is caught. Needs the feature `mutants`.
    #[cfg(feature = "mutants")]
    Mutants {
        #[arg(long, default_value_t = 1)]
        first: u64,
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        #[arg(long)]
        jobs: Option<usize>,
        /// Only these, by name.
        #[arg(long)]
        only: Vec<String>,
        /// Only so many, rotated by the day.
        #[arg(long)]
        rotate: Option<usize>,
    },
    /// Runs the seeds that found something once.
    Regressions {
        #[arg(long)]
        jobs: Option<usize>,
        #[arg(long, default_value = "sim-report")]
        out: PathBuf,
    },
    /// Runs one seed twice, and fails unless both runs are the same, byte by byte.
    Repeat {
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    // Everything that the nodes and the network say, for whoever looks for a cause: RUST_LOG=turmoil=trace.
    if std::env::var_os("RUST_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).without_time().with_writer(std::io::stderr).init();
    }
    let verdict = match Arguments::parse().verb {
        Verb::Run { first, seeds, seconds, jobs, out } => {
            let limit = seconds.map(Duration::from_secs);
            let seeds: Vec<u64> = (first..first.saturating_add(seeds)).collect();
            run_seeds(&seeds, limit, jobs_of(jobs), &out)
        }
        Verb::One { seed, plant, out } => one(seed, plant.as_deref(), out.as_deref()),
        Verb::Replay { seed, plant, out } => {
            let run = here(seed, plant.as_deref());
            print!("{}", run.trace);
            println!("hash of the run: {}", hash_of(&run));
            write_page(&run, &out);
            report(&Outcome::of(&run), &out);
            run.verdict()
        }
        #[cfg(feature = "mutants")]
        Verb::Mutants { first, seeds, jobs, only, rotate } => mutants::run(first, seeds, jobs_of(jobs), &only, rotate),
        Verb::Regressions { jobs, out } => regressions(jobs_of(jobs), &out),
        Verb::Repeat { seed } => repeat(seed),
    };
    ExitCode::from(verdict as u8)
}

fn jobs_of(asked: Option<usize>) -> usize {
    asked.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1)
}

/// Every seed of `regressions.txt`; the worst verdict of any.
fn regressions(jobs: usize, out: &Path) -> Verdict {
    const LIST: &str = include_str!("../../../regressions.txt");
    let seeds = LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next());
    let seeds: Vec<u64> = seeds.map(|seed| seed.parse().expect("a line begins with a seed")).collect();
    if seeds.is_empty() {
        println!("no seed has found anything yet");
        return Verdict::Held;
    }
    run_seeds(&seeds, None, jobs, out)
}

fn repeat(seed: u64) -> Verdict {
    let (one, other) = (simulate(seed, None, None), simulate(seed, None, None));
    if one.hash == other.hash && !one.hash.is_empty() {
        println!("seed {seed}: two runs are the same, byte by byte: {}", one.hash);
        return Verdict::Held;
    }
    println!("seed {seed}: two runs differ: {} and {}", one.hash, other.hash);
    Verdict::Violated
}

/// One seed, in this process.
fn here(seed: u64, plant: Option<&str>) -> Run {
    let plant = plant.map(ToOwned::to_owned);
    seeded(seed, move |ended| {
        if let Some(name) = plant {
            plant_bug(&name);
        }
        run(seed, ended);
    })
}

#[cfg(feature = "mutants")]
fn plant_bug(name: &str) {
    let mutant = alert_core::mutants::Mutant::ALL.iter().find(|mutant| mutant.name() == name);
    alert_core::mutants::Mutant::plant(Some(*mutant.expect("a planted bug has one of the names that are listed")));
}

#[cfg(not(feature = "mutants"))]
fn plant_bug(name: &str) {
    panic!("{name}: this program was built without the feature `mutants`");
}

fn one(seed: u64, plant: Option<&str>, out: Option<&Path>) -> Verdict {
    let run = here(seed, plant);
    if let Some(out) = out
        && run.verdict() != Verdict::Held
    {
        write_page(&run, out);
    }
    let told = serde_json::to_string(&Outcome::of(&run)).expect("an outcome is plain data");
    println!("{told}");
    run.verdict()
}

fn write_page(run: &Run, out: &Path) {
    let title = format!("Simulation of seed {}", run.seed);
    let file = out.join(format!("seed-{}.html", run.seed));
    let page = page(&title, &replay_command(run.seed), &run.findings, &run.notes);
    if let Err(error) = fs::create_dir_all(out).and_then(|()| fs::write(&file, page)) {
        eprintln!("the page {} could not be written: {error}", file.display());
    }
}
