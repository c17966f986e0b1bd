//! `alertd`: one node of the alert store.

use std::{path::PathBuf, process::ExitCode};

use alert_cluster_config::{Config, NodeConfig};
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

/// One node of the alert store. Stops in order on SIGTERM, reads its certificates again on SIGHUP.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The node's configuration (TOML). `alert-config sample node` prints one.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Check the configuration, say what is wrong with it, and end.
    #[arg(long)]
    check: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Forms the cluster with this node, which runs: once, on the first node. Repeated, it says so and does nothing.
    Init,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(path) = arguments.config else {
        // A required argument cannot also be one that may stand after the verb.
        Arguments::command()
            .error(ErrorKind::MissingRequiredArgument, "the argument '--config <CONFIG>' is missing")
            .exit()
    };
    let ended = match (NodeConfig::load(&path), arguments.verb) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), _) if arguments.check => Ok(Some(format!("{}: the configuration is in order", path.display()))),
        (Ok(config), Some(Verb::Init)) => alert_node::formation::init(&config).map(Some),
        (Ok(config), None) => alert_node::process::run(config, &path).map(|()| None),
    };
    match ended {
        Ok(said) => {
            said.iter().for_each(|sentence| println!("{sentence}"));
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("alertd: {sentence}");
            ExitCode::FAILURE
        }
    }
}
