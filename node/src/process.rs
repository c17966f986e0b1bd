//! The server process: logging, runtime, signals.

use std::path::Path;

use alert_cluster_config::{Config, NodeConfig, node::LogFormat as Format};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    ops::{self, LogFormat},
    server::Server,
};

/// Runs a node until it is told to stop (SIGTERM, SIGINT), or has to. SIGHUP reads certificates, authorities and the
/// deny list from `path` again.
///
/// # Errors
/// One sentence: why it did not start, or why it had to stop.
pub fn run(config: NodeConfig, path: &Path) -> Result<(), String> {
    let format = match config.log.format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    ops::init_logging(format, &config.log.filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("the runtime cannot start: {error}"))?.block_on(serve(config, path))
}

async fn serve(config: NodeConfig, path: &Path) -> Result<(), String> {
    let (mut terminate, mut interrupt, mut hangup) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    let metrics = ops::install_recorder()?;
    let server = Server::start(config, metrics).await.map_err(|error| error.to_string())?;
    let ended = loop {
        tokio::select! {
            biased;
            failure = server.failed() => break Err(failure),
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => match NodeConfig::load(path) {
                Ok(config) => server.reload(&config),
                Err(error) => tracing::error!(%error, "configuration not read again"),
            },
        }
    };
    tracing::info!("stopping");
    server.stop().await;
    ended
}

fn listen(kind: SignalKind) -> Result<Signal, String> {
    signal(kind).map_err(|error| format!("signals cannot be received: {error}"))
}
