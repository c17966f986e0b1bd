//! Simulates whole clusters, seed by seed: `make sim SEEDS=1000 FIRST=1`.

mod batch;
mod entropy;
#[cfg(feature = "mutants")]
mod mutants;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use alert_chaos::validate::Verdict;
use clap::{Parser, Subcommand};

use batch::{report, run_seeds, simulate};

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
    /// Runs one seed and prints its timeline; writes a page.
    Replay {
        #[arg(long)]
        seed: u64,
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
        Verb::Replay { seed, out } => {
            let run = simulate(seed);
            print!("{}", run.trace);
            report(&run, &out);
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
    let (one, other) = (simulate(seed), simulate(seed));
    if one.trace == other.trace && one.history == other.history {
        println!("seed {seed}: two runs are the same, {} bytes", one.trace.len());
        return Verdict::Held;
    }
    println!("seed {seed}: two runs differ");
    for (number, (a, b)) in one.trace.lines().zip(other.trace.lines()).enumerate() {
        if a != b {
            println!("line {number}\n  {a}\n  {b}");
            break;
        }
    }
    Verdict::Violated
}
