//! `alertctl`: the operator's and the bureau's tool.
//!
//! Data goes to standard output (tables, or `-o json`), talk and progress to standard error. One file per group of
//! commands in `command/`; what they share is beside this file.

mod arguments;
mod cli;
mod command;
mod confirm;
mod exit;
mod output;

use std::process::ExitCode;

use alert_client::{AlertClient, ClientConfig};
use alert_cluster_config::Config;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command, Global},
    exit::{Exit, Failure},
    output::Output,
};

/// What every command gets.
struct App {
    client: AlertClient,
    output: Output,
    /// Dangerous verbs do not ask.
    yes: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = if cli.global.verbose { "alert_client=debug" } else { "warn" };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter)))
        .with_writer(std::io::stderr)
        .init();
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no runtime: {error}")))
        .and_then(|runtime| {
            let done = runtime.block_on(run(cli));
            // A thread that still waits for standard input must not hold the tool.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("alertctl: {failure}");
            failure.exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let output = Output::new(cli.global.output);
    if let Command::Audit(audit) = &cli.command
        && let Some(done) = command::audit::offline(audit, &output)
    {
        return done;
    }
    if let Command::Attachment(attachment) = &cli.command
        && let Some(done) = command::attachment::offline(attachment, &output)
    {
        return done;
    }
    let app = App { client: connect(&cli.global)?, output, yes: cli.global.yes };
    match cli.command {
        Command::Import(arguments) => command::import::run(&app, arguments).await,
        Command::Export(arguments) => command::export::run(&app, arguments).await,
        Command::Search(arguments) => command::search::run(&app, arguments).await,
        Command::Get(arguments) => command::alert::get(&app, arguments).await,
        Command::List(arguments) => command::alert::list(&app, arguments).await,
        Command::History(arguments) => command::alert::history(&app, arguments).await,
        Command::Put(arguments) => command::change::put(&app, arguments).await,
        Command::Duplicates(arguments) => command::relations::duplicates(&app, arguments).await,
        Command::Submit(step) => command::review::submit(&app, step).await,
        Command::Approve(step) => command::review::approve(&app, step).await,
        Command::Reject(step) => command::review::reject(&app, step).await,
        Command::Due(arguments) => command::review::due(&app, arguments).await,
        Command::Link(arguments) => command::relations::link(&app, arguments).await,
        Command::Unlink(arguments) => command::relations::unlink(&app, arguments).await,
        Command::TransferOwner(arguments) => command::relations::transfer_owner(&app, arguments).await,
        Command::WithdrawConsent(arguments) => command::relations::withdraw_consent(&app, arguments).await,
        Command::Attachment(arguments) => command::attachment::run(&app, arguments).await,
        Command::Hit(arguments) => command::hit::run(&app, arguments).await,
        Command::Statistics(arguments) => command::statistics::run(&app, arguments).await,
        Command::Extend(arguments) => command::change::extend(&app, arguments).await,
        Command::Restrict(arguments) => command::change::restrict(&app, arguments).await,
        Command::Lift(arguments) => command::change::lift(&app, arguments).await,
        Command::Cancel(arguments) => command::change::cancel(&app, arguments).await,
        Command::Erase(arguments) => command::change::erase(&app, arguments).await,
        Command::Status => command::cluster::status(&app).await,
        Command::Cluster(arguments) => command::cluster::run(&app, arguments).await,
        Command::Agreement(arguments) => command::agreement::run(&app, arguments).await,
        Command::Rules(arguments) => command::rules::run(&app, arguments).await,
        Command::Audit(arguments) => command::audit::run(&app, arguments).await,
    }
}

/// Configuration file first, then what the command line says.
fn connect(global: &Global) -> Result<AlertClient, Failure> {
    let Some(path) = &global.config else {
        return Err(Failure::usage("no configuration: give --config client.toml, or set ALERTCTL_CONFIG"));
    };
    let config = ClientConfig::load(path).map_err(|error| Failure::usage(error.to_string()))?;
    let client = AlertClient::builder().config(&config).build()?;
    Ok(client.with_defaults(|defaults| {
        let set = |field: &mut String, given: &Option<String>| {
            if let Some(given) = given {
                field.clone_from(given);
            }
        };
        set(&mut defaults.officer_ref, &global.officer);
        set(&mut defaults.purpose, &global.purpose);
        set(&mut defaults.agreement_id, &global.agreement);
        set(&mut defaults.on_behalf_of, &global.on_behalf_of);
        set(&mut defaults.case_ref, &global.case);
        set(&mut defaults.justification, &global.justification);
        defaults.read_level = global.read_level.map(Into::into);
        defaults.deadline = global.deadline;
        defaults.only_node.clone_from(&global.node);
    }))
}
