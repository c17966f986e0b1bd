//! What the leader proposes by itself. What falls due (activation, expiry, the ends of restrictions) is a command like
//! any other, proposed only when a majority of the voters' clocks have reached the time. A cluster without rules gets
//! those that its first leader ships.

use std::{sync::Arc, time::Duration};

use alert_core::state::{
    command::{Command, Proposal},
    founding, is_founded, next_due_ms,
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
/// Between two attempts to found the cluster.
const FOUND_INTERVAL: Duration = Duration::from_millis(20);
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
    let mut founded = false;
    loop {
        let leads = matches!(*leadership.borrow_and_update(), Leadership::Me { .. });
        let pause = match leads {
            true if !founded => {
                founded = found(&reads, &proposer, &host).await;
                if founded { Duration::ZERO } else { FOUND_INTERVAL }
            }
            true => look(&cluster, &reads, &proposer, &host).await,
            false => LOOK_INTERVAL,
        };
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            changed = leadership.changed(), if !leads => if changed.is_err() { return },
            () = sleep(pause) => {}
        }
    }
}

/// Sees to it that the cluster has rules; true once it has. They go through the log like everything else: the nodes may
/// be of releases that ship different ones.
async fn found(reads: &Reads, proposer: &Proposer, host: &Host) -> bool {
    let Ok(handle) = reads.newest() else { return false };
    match run(&*host.blocking, Lane::Read, move || is_founded(&*handle.view)).await {
        Ok(true) => return true,
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%error, "the rules cannot be read");
            return false;
        }
    }
    match proposer.propose(store_proposal(founding()), Instant::now() + PATIENCE).await {
        Ok(Ok(done)) => {
            tracing::info!(outcome = ?done.outcome, "the cluster has the rules that it begins with");
            true
        }
        Ok(Err(rejection)) => {
            tracing::error!(?rejection, "the rules that a cluster begins with were refused");
            false
        }
        Err(error) => {
            tracing::debug!(%error, "the rules that a cluster begins with were not proposed");
            false
        }
    }
}

/// A command of the store's own.
pub fn store_proposal(command: Command) -> Proposal {
    Proposal { caller: None, request: None, rules_revision: 0, command }
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
    match proposer.propose(store_proposal(Command::Due), Instant::now() + PATIENCE).await {
        // At once: one command handles only so many items.
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::debug!(%error, "what has fallen due was not proposed");
            LOOK_INTERVAL
        }
    }
}
