//! Old changes leave the feed: by age, as the retention rules say. The leader proposes it, by the median of the voters'
//! clocks, so that one wrong clock drops nothing. How far somebody's copy is keeps nothing back: a partner that went away
//! must not make the feed grow without end, and it is told to start again with an export.

use std::{sync::Arc, time::Duration};

use alert_core::state::{
    Meta, RuleCache, View, ViewError,
    command::{Command, Proposal},
    compactable_before,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{leadership::ClusterView, propose::Proposer, reads::Reads};
use crate::{
    api::backend::Leadership,
    seam::{Host, Lane, run},
};

/// Time between two looks when nothing is old.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// Patience with one such command.
const PATIENCE: Duration = Duration::from_secs(5);

/// Proposes `CompactFeed` while this node leads; ends with `stopping`.
pub async fn run_feed_compaction(
    cluster: Arc<ClusterView>,
    reads: Reads,
    proposer: Proposer,
    host: Host,
    stopping: CancellationToken,
) {
    let mut leadership = cluster.leadership();
    loop {
        let leads = matches!(*leadership.borrow_and_update(), Leadership::Me { .. });
        let pause = if leads { look(&cluster, &reads, &proposer, &host).await } else { LOOK_INTERVAL };
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            changed = leadership.changed(), if !leads => if changed.is_err() { return },
            () = sleep(pause) => {}
        }
    }
}

/// One look at the oldest changes; the pause until another is worth while.
async fn look(cluster: &ClusterView, reads: &Reads, proposer: &Proposer, host: &Host) -> Duration {
    let Ok(handle) = reads.newest() else { return LOOK_INTERVAL };
    let now_ms = cluster.median_time_ms();
    let old = run(&*host.blocking, Lane::Read, move || old_before(&*handle.view, now_ms)).await;
    let before_revision = match old {
        Ok(Some(before_revision)) => before_revision,
        Ok(None) => return LOOK_INTERVAL,
        Err(error) => {
            tracing::error!(%error, "the oldest changes of the feed cannot be read");
            return LOOK_INTERVAL;
        }
    };
    let command = Command::CompactFeed { before_revision };
    let proposal = Proposal { caller: None, request: None, rules_revision: 0, command };
    match proposer.propose(proposal, Instant::now() + PATIENCE).await {
        Ok(_) => {
            tracing::info!(before_revision, "old changes left the feed");
            // At once: one command drops only so many.
            Duration::ZERO
        }
        Err(error) => {
            tracing::debug!(%error, "the feed was not compacted");
            LOOK_INTERVAL
        }
    }
}

fn old_before(view: &dyn View, now_ms: u64) -> Result<Option<u64>, ViewError> {
    // Before the rules of a new cluster are in, there is nothing to compact.
    let Some(rules) = RuleCache::default().get(view, &Meta::read(view)?)? else { return Ok(None) };
    compactable_before(view, now_ms.saturating_sub(rules.feed_retention_ms()))
}
