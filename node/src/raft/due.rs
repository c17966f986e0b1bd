//! What the leader proposes by itself. What falls due (activation, expiry, the ends of restrictions) is a command like
//! any other, proposed only when a majority of the voters' clocks have reached the time. A cluster without rules gets
//! those that its first leader ships.

use std::time::Duration;

use alert_core::state::{command::Command, founding, is_founded, next_due_ms};

use super::duty::{Duty, Leader};

/// Longest time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Between two attempts to found the cluster.
const FOUND_INTERVAL: Duration = Duration::from_millis(20);

/// Founds the cluster, then proposes `Due`.
#[derive(Default)]
pub struct Due {
    founded: bool,
}

impl Duty for Due {
    async fn look(&mut self, leader: &Leader) -> Duration {
        if self.founded {
            return look(leader).await;
        }
        self.founded = found(leader).await;
        if self.founded { Duration::ZERO } else { FOUND_INTERVAL }
    }
}

/// Sees to it that the cluster has rules; true once it has. They go through the log like everything else: the nodes may
/// be of releases that ship different ones.
async fn found(leader: &Leader) -> bool {
    match leader.read("the rules", is_founded).await {
        Some(true) => return true,
        Some(false) => {}
        None => return false,
    }
    match leader.propose("the rules that a cluster begins with", founding()).await {
        Ok(Ok(done)) => {
            tracing::info!(outcome = ?done.outcome, "the cluster has the rules that it begins with");
            true
        }
        Ok(Err(_)) | Err(_) => false,
    }
}

/// One look at what is due next.
async fn look(leader: &Leader) -> Duration {
    let Some(Some(due_ms)) = leader.read("what falls due", next_due_ms).await else { return LOOK_INTERVAL };
    let now_ms = leader.now_ms();
    if due_ms > now_ms {
        return Duration::from_millis(due_ms - now_ms).min(LOOK_INTERVAL);
    }
    match leader.propose("what has fallen due", Command::Due).await {
        // At once: one command handles only so many items.
        Ok(Ok(_)) => Duration::ZERO,
        Ok(Err(_)) | Err(_) => LOOK_INTERVAL,
    }
}
