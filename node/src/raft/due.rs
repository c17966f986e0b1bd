//! What falls due (activation, expiry, the ends of restrictions) is a command like any other, proposed by the leader,
//! and only when a majority of the voters' clocks have reached the time.

use std::{sync::Arc, time::Duration};

use alert_core::state::{
    command::{Command, Proposal},
    next_due_ms,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{leadership::ClusterView, propose::Proposer, reads::Reads};
use crate::{
    api::backend::Leadership,
    seam::{Host, Lane, run},
};

/// Longest time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Patience with one such command.
const PATIENCE: Duration = Duration::from_secs(5);

/// Proposes `Due` while this node leads; ends with `stopping`.
pub async fn run_due(
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

/// One look at what is due next; the pause until another is worth while.
async fn look(cluster: &ClusterView, reads: &Reads, proposer: &Proposer, host: &Host) -> Duration {
    let Ok(handle) = reads.newest() else { return LOOK_INTERVAL };
    let due = run(&*host.blocking, Lane::Read, move || next_due_ms(&*handle.view)).await;
    let due_ms = match due {
        Ok(Some(due_ms)) => due_ms,
        Ok(None) => return LOOK_INTERVAL,
        Err(error) => {
            tracing::error!(%error, "what falls due cannot be read");
            return LOOK_INTERVAL;
        }
    };
    let now_ms = cluster.median_time_ms();
    if due_ms > now_ms {
        return Duration::from_millis(due_ms - now_ms).min(LOOK_INTERVAL);
    }
    let proposal = Proposal { caller: None, request: None, rules_revision: 0, command: Command::Due };
    match proposer.propose(proposal, Instant::now() + PATIENCE).await {
        // At once: one command handles only so many items.
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::debug!(%error, "what has fallen due was not proposed");
            LOOK_INTERVAL
        }
    }
}
