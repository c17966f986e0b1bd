//! What was acknowledged is there, on every node.

use alert_client::AlertClient;
use alert_proto::v1 as pb;
use anyhow::{Context, bail};
use futures::{StreamExt, stream};

use super::Acknowledged;
use crate::process::{LocalCluster, State};

/// Gets under way at one node.
const GETS_IN_FLIGHT: usize = 16;
/// Of each node, so many faults are told.
const FAULTS_SHOWN: usize = 5;

/// Gets every one of `acknowledged` from every node that runs, each at the version that was acknowledged, and tells how
/// many each node gave: (node, count).
///
/// # Errors
/// What a node does not hold, with the node's number: all nodes are asked first, because whether one node lacks it or
/// all do tells apart a lost disk and a lost write.
pub async fn held_by_every_node(
    cluster: &LocalCluster,
    client: &AlertClient,
    acknowledged: &[Acknowledged],
) -> anyhow::Result<Vec<(u64, u64)>> {
    let (mut held, mut faults) = (Vec::new(), Vec::new());
    for node in cluster.nodes().into_iter().filter(|node| node.state() == State::Running) {
        let at_node = client.at_node(node.client_address()?);
        let gets = stream::iter(acknowledged).map(|write| get(&at_node, write)).buffer_unordered(GETS_IN_FLIGHT);
        let answers: Vec<anyhow::Result<()>> = gets.collect().await;
        held.push((node.id(), answers.iter().filter(|answer| answer.is_ok()).count() as u64));
        let failed = answers.into_iter().filter_map(Result::err);
        faults.extend(failed.take(FAULTS_SHOWN).map(|error| format!("node {}: {error:#}", node.id())));
    }
    if !faults.is_empty() {
        bail!("of {} acknowledged writes the nodes hold {held:?}:\n{}", acknowledged.len(), faults.join("\n"));
    }
    Ok(held)
}

async fn get(client: &AlertClient, write: &Acknowledged) -> anyhow::Result<()> {
    let request = pb::GetRequest { alert_id: write.alert_id.clone(), ..Default::default() };
    let named = || format!("{} (alert {})", write.reference, write.alert_id);
    let record = client.get(request).await.with_context(named)?.record;
    let version = record.as_ref().and_then(|record| record.info.as_ref()).map(|info| info.version);
    let source = record.and_then(|record| record.alert?.core?.source).unwrap_or_default();
    if version != Some(write.version) || source.reference != write.reference {
        bail!("{} version {} came back as {} version {version:?}", named(), write.version, source.reference);
    }
    Ok(())
}
