//! `alert-demo`: the store at work, in one run. `make demo` builds and starts it.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use alert_chaos::demo::{self, Options};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// As a shell tells that Ctrl-C ended a program.
const INTERRUPTED: u8 = 130;

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
        name = interrupted() => {
            // A terminal that is gone takes no words, which must not end us in a panic.
            let _ = writeln!(io::stderr(), "\n{name}: the nodes are stopped and their files removed.");
            return ExitCode::from(INTERRUPTED);
        }
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, a terminal that was closed, or whoever stops services: the name of what came.
async fn interrupted() -> &'static str {
    let listen = |kind| signal(kind).expect("a process can listen to these signals");
    let (mut interrupt, mut hangup, mut terminate) =
        (listen(SignalKind::interrupt()), listen(SignalKind::hangup()), listen(SignalKind::terminate()));
    tokio::select! {
        _ = interrupt.recv() => "Interrupted",
        _ = hangup.recv() => "The terminal is gone",
        _ = terminate.recv() => "Terminated",
    }
}
