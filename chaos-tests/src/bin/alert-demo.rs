//! `alert-demo`: the store at work, in one run. `make demo` builds and starts it.

use std::process::ExitCode;

use alert_chaos::demo::{self, Options};
use clap::Parser;

/// Starts three nodes on this machine, imports synthetic alerts, searches, kills the leader, shows that nothing is lost.
#[derive(Debug, Parser)]
#[command(name = "alert-demo", version)]
struct Arguments {
    /// Person alerts to import.
    #[arg(long, default_value_t = 37_000)]
    persons: u64,
    /// Object alerts to import.
    #[arg(long, default_value_t = 100_000)]
    objects: u64,
    /// Names the set of synthetic alerts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the cluster running, and print how to use it.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { persons, objects, seed, keep } = Arguments::parse();
    // An interrupted demo ends here too, so that its nodes and files go with it.
    let shown = tokio::select! {
        shown = demo::run(Options { persons, objects, seed, keep }) => shown,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted: stopped and removed")),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
