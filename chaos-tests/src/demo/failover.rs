//! A stream of writes and a stream of searches, and SIGKILL for the leader in the middle.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::time::sleep;

use super::{
    bureaus::{Bureaus, GATEWAY},
    questions,
    stage::{Stage, milliseconds, thousands},
};
use crate::{
    process::LocalCluster,
    traffic::{self, Acknowledged, longest_gap, percentile},
};

/// A write every so often, whether the last one was answered or not.
const WRITE_EVERY: Duration = Duration::from_millis(10);
/// A search every so often.
const SEARCH_EVERY: Duration = Duration::from_millis(5);
/// Before the kill.
const WARM_UP: Duration = Duration::from_secs(3);
/// After both streams are answered again.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// The streams must be answered again within this.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
/// Answers that were already on their way when the leader died are not counted as signs of life.
const ON_THEIR_WAY: Duration = Duration::from_millis(200);

/// What happened.
#[derive(Debug)]
pub(super) struct Run {
    /// The node that was killed.
    pub(super) killed: u64,
    pub(super) acknowledged: Vec<Acknowledged>,
}

/// Runs the streams, kills the leader, and tells the longest gaps.
pub(super) async fn kill_the_leader(
    cluster: &LocalCluster,
    bureaus: &Bureaus,
    stage: &mut Stage,
) -> anyhow::Result<Run> {
    stage.heading("The leader dies");
    let writes = traffic::writes(bureaus.of(GATEWAY)?, "demo-failover", WRITE_EVERY);
    let searches = traffic::searches(questions::partner(cluster)?, SEARCH_EVERY);
    let begun = Instant::now();
    stage.line("A write every 10 ms and a partner's search every 5 ms, whether the last one was answered or not.");
    sleep(WARM_UP).await;

    let killed = cluster.wait_leader().await?;
    let node = cluster.node(killed)?;
    let pid = node.pid().unwrap_or_default();
    let moment = Instant::now();
    node.kill()?;
    stage.line(&format!("kill -9 {pid}: node {killed}, the leader, is gone."));
    writes.answered_after(moment + ON_THEIR_WAY, RECOVERY_LIMIT).await?;
    searches.answered_after(moment + ON_THEIR_WAY, RECOVERY_LIMIT).await?;
    let next = cluster.wait_leader().await?;
    stage.line(&format!("Node {next} leads."));
    sleep(AFTERWARDS).await;
    let (writes, searches) = (writes.stop().await?, searches.stop().await?);
    let ended = Instant::now();

    stage.gap();
    for (what, answers) in [("acknowledged write", &writes), ("answered search", &searches)] {
        stage.line(&format!(
            "longest gap without an {what}: {:>10}   ({} answered, median {}, {} failed)",
            milliseconds(longest_gap(&answers.good, begun, ended)),
            thousands(answers.good.len() as u64),
            milliseconds(percentile(&answers.latencies, 50)),
            answers.failed.len()
        ));
    }
    let failed: Vec<&String> = writes.failed.iter().chain(&searches.failed).collect();
    if let Some(first) = failed.first() {
        bail!("{} calls failed although the client could have retried, the first with: {first}", failed.len());
    }
    Ok(Run { killed, acknowledged: writes.acknowledged })
}
