//! `alertd`: one node of the alert store.

use std::{path::PathBuf, process::ExitCode};

use alert_cluster_config::{Config, NodeConfig};
use clap::Parser;

/// One node of the alert store. Stops in order on SIGTERM, reads its certificates again on SIGHUP.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The node's configuration (TOML). `alert-config sample node` prints one.
    #[arg(long)]
    config: PathBuf,
    /// Check the configuration, say what is wrong with it, and end.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match NodeConfig::load(&arguments.config) {
        Err(error) => Err(error.to_string()),
        Ok(_) if arguments.check => {
            println!("{}: the configuration is in order", arguments.config.display());
            Ok(())
        }
        Ok(config) => alert_node::process::run(config, &arguments.config),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("alertd: {sentence}");
            ExitCode::FAILURE
        }
    }
}
