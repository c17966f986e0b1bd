//! `alertd`: one node of the alert store.

use std::{path::PathBuf, process::ExitCode};

use alert_cluster_config::{Config, NodeConfig};
use alert_node::{
    ops::{self, LogFormat},
    server::Server,
};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

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
    let config = match NodeConfig::load(&arguments.config) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string()),
    };
    if arguments.check {
        println!("{}: the configuration is in order", arguments.config.display());
        return ExitCode::SUCCESS;
    }
    let format = match config.log.format {
        alert_cluster_config::node::LogFormat::Text => LogFormat::Text,
        alert_cluster_config::node::LogFormat::Json => LogFormat::Json,
    };
    if let Err(error) = ops::init_logging(format, &config.log.filter) {
        return fail(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the runtime cannot start: {error}")),
    };
    match runtime.block_on(run(config, arguments.config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn run(config: NodeConfig, path: PathBuf) -> Result<(), String> {
    let metrics = ops::install_recorder()?;
    let server = Server::start(config, metrics).await.map_err(|error| error.to_string())?;
    let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be received: {error}"));
    let (mut terminate, mut interrupt, mut hangup) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    loop {
        tokio::select! {
            biased;
            failure = server.failed() => {
                server.stop().await;
                return Err(failure);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match NodeConfig::load(&path) {
                Ok(config) => server.reload(&config),
                Err(error) => tracing::error!(%error, "configuration not read again"),
            },
        }
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

/// One clear sentence on standard error.
fn fail(sentence: &str) -> ExitCode {
    eprintln!("alertd: {sentence}");
    ExitCode::FAILURE
}
