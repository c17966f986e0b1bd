//! Nothing acknowledged is lost: every write of the run, asked from every node.

use std::time::Duration;

use alert_client::AlertClient;
use alert_proto::v1 as pb;
use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    bureaus::{Bureaus, GATEWAY},
    failover::{Acknowledged, Run},
    stage::{Stage, thousands},
};
use crate::process::{LocalCluster, wait_until};

/// Gets under way at one node.
const GETS_IN_FLIGHT: usize = 16;
/// A restarted node has caught up within this.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);

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
    let (applied, hash) = wait_until("the same state on all nodes", CATCH_UP_LIMIT, || same_state(cluster)).await?;
    stage.line(&format!("All three nodes are at log index {applied} with state hash {hash}."));
    let client = bureaus.of(GATEWAY)?;
    for node in cluster.nodes() {
        let at_node = client.at_node(node.client_address()?);
        let held = stream::iter(&run.acknowledged)
            .map(|write| get(&at_node, write))
            .buffer_unordered(GETS_IN_FLIGHT)
            .try_fold(0, async |held, ()| Ok(held + 1))
            .await
            .with_context(|| format!("node {}", node.id()))?;
        stage.line(&format!(
            "node {}: {} of {} acknowledged writes",
            node.id(),
            thousands(held),
            thousands(run.acknowledged.len() as u64)
        ));
    }
    Ok(())
}

/// (applied index, hash) when all nodes agree.
async fn same_state(cluster: &LocalCluster) -> anyhow::Result<Option<(u64, String)>> {
    let mut states = Vec::new();
    for node in cluster.nodes() {
        let Ok(status) = cluster.status(node.id()).await else { return Ok(None) };
        states.push((status.applied_index, status.state_hash));
    }
    states.dedup();
    Ok(if states.len() == 1 { states.pop() } else { None })
}

async fn get(client: &AlertClient, write: &Acknowledged) -> anyhow::Result<()> {
    let request = pb::GetRequest { alert_id: write.alert_id.clone(), ..Default::default() };
    let record = client.get(request).await.with_context(|| format!("{} is acknowledged", write.reference))?.record;
    let version = record.as_ref().and_then(|record| record.info.as_ref()).map(|info| info.version);
    let source = record.and_then(|record| record.alert?.core?.source).unwrap_or_default();
    if version != Some(write.version) || source.reference != write.reference {
        bail!("{} version {} came back as {} version {version:?}", write.reference, write.version, source.reference);
    }
    Ok(())
}
