//! Nothing acknowledged is lost: every write of the run, asked from every node.

use super::{
    bureaus::{Bureaus, GATEWAY},
    failover::Run,
    stage::{Stage, thousands},
};
use crate::{process::LocalCluster, traffic};

/// Restarts the killed node, waits until all nodes hold the same, and gets every acknowledged alert from each.
pub(super) async fn nothing_is_lost(
    cluster: &LocalCluster,
    bureaus: &Bureaus,
    run: &Run,
    stage: &mut Stage,
) -> anyhow::Result<()> {
    stage.heading("Nothing that was acknowledged is lost");
    let node = cluster.node(run.killed)?;
    node.start()?;
    node.wait_ready().await?;
    stage.line(&format!("Node {} is started again and has caught up.", run.killed));
    let (applied, hash) = cluster.wait_same_state().await?;
    stage.line(&format!("All three nodes are at log index {applied} with state hash {hash}."));
    let acknowledged = thousands(run.acknowledged.len() as u64);
    for (id, held) in traffic::held_by_every_node(cluster, &bureaus.of(GATEWAY)?, &run.acknowledged).await? {
        stage.line(&format!("node {id}: {} of {acknowledged} acknowledged writes", thousands(held)));
    }
    Ok(())
}
