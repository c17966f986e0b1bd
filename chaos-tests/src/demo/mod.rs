//! What `make demo` shows: three real nodes, an import, searches as a partner and as the United Kingdom, the leader killed
//! in the middle of it all, and nothing lost.
//!
//! * `stage`: headings and the time that passes
//! * `bureaus`: a client for each authority that owns alerts
//! * `load`: the file of synthetic alerts, and its import
//! * `questions`: the searches, and what each must find: the demo fails when one does not
//! * `failover`: streams of writes and searches over the death of the leader
//! * `proof`: every acknowledged write, asked from every node
//! * `farewell`: stopping, or how to use what keeps running

mod bureaus;
mod failover;
mod farewell;
mod load;
mod proof;
mod questions;
mod stage;

pub use farewell::instructions;
pub use load::partner_agreement;

use anyhow::Context;

use crate::process::{Keep, LocalCluster};
use bureaus::Bureaus;
use farewell::Guard;
use stage::Stage;

/// Data centres of the three nodes.
const DATA_CENTRES: [&str; 3] = ["lon", "man", "edi"];
/// Lines of each node's log that a failed demo shows.
const LOG_LINES: usize = 15;

/// Settings of a demo.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Person alerts to import, the known ones included.
    pub persons: u64,
    /// Object alerts to import, the known ones included.
    pub objects: u64,
    /// Names the set of synthetic alerts.
    pub seed: u64,
    /// Leave the cluster running at the end.
    pub keep: bool,
}

/// Shows everything, on standard output.
///
/// # Errors
/// The first thing that was not as promised. The nodes are stopped and their files removed, whatever happens.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let mut stage = Stage::begin();
    stage.heading("Three nodes, as three data centres on this machine");
    let keep = if options.keep { Keep::Running } else { Keep::Nothing };
    let cluster = LocalCluster::builder()
        .nodes(3)
        .data_centres(&DATA_CENTRES)
        .partners(&[alert_synth::known::PARTNER])
        .keep(keep)
        .write()
        .context("writing certificates and configuration")?;
    let cluster = Guard::new(cluster);
    match show(&cluster, options, &mut stage).await {
        Ok(()) => farewell::end(cluster, options.keep, &mut stage).await,
        Err(error) => {
            for node in cluster.nodes() {
                eprintln!("--- end of the log of node {} ---\n{}", node.id(), node.log_tail(LOG_LINES));
            }
            Err(error)
        }
    }
}

async fn show(cluster: &LocalCluster, options: Options, stage: &mut Stage) -> anyhow::Result<()> {
    cluster.start_all()?;
    cluster.wait_all_live().await?;
    cluster.form().await?;
    cluster.wait_all_ready().await?;
    let leader = cluster.wait_leader().await?;
    for node in cluster.nodes() {
        let config = node.config()?;
        let role = if node.id() == leader { "leader" } else { "follower" };
        let pid = node.pid().map_or_else(String::new, |pid| pid.to_string());
        stage.line(&format!(
            "node {}  {}  {:<9} {:<18} process {pid}",
            node.id(),
            config.node.data_centre,
            role,
            config.client_address()
        ));
    }
    stage.line("Certificates, configuration and data are in a directory of their own; all connections are mutual TLS.");

    let bureaus = Bureaus::new(cluster)?;
    load::agreement(cluster, stage).await?;
    load::import(cluster, &bureaus, options, stage).await?;
    questions::ask(cluster, stage).await?;
    let run = failover::kill_the_leader(cluster, &bureaus, stage).await?;
    proof::nothing_is_lost(cluster, &bureaus, &run, stage).await
}
