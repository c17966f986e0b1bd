//! Handing the leadership over: to a live voter that has everything, with proposals held meanwhile, and only back when
//! it leads. openraft only triggers; and a leader that has begun takes no more writes until another is elected.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use alert_core::mutants::Mutant;
use openraft::async_runtime::WatchReceiver;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::{Consensus, leadership::ClusterView, peers::Peers, types::NodeId};
use crate::api::backend::{AdminError, Deadline, Leadership};

/// Between two looks at how far the voters are.
const LOOK: Duration = Duration::from_millis(2);
/// A voter that answered within so long is alive.
const ALIVE_WITHIN: Duration = Duration::from_millis(1000);

/// Transfers the leadership.
#[derive(Clone)]
pub struct Transfers {
    pub(super) raft: Consensus,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) peers: Peers,
    pub(super) in_flight: watch::Receiver<usize>,
    /// Longest wait for the entries under way, and for the candidate to have them.
    pub(super) drain: Duration,
}

impl Transfers {
    /// To `to`, or (0) to the best voter; the new leader's id and term once it leads.
    ///
    /// # Errors
    /// Why it was not transferred.
    pub async fn transfer(&self, to: NodeId, deadline: Deadline) -> Result<(NodeId, u64), AdminError> {
        if !self.cluster.leads() {
            return Err(AdminError::NotLeader { hint: self.cluster.hint() });
        }
        let own_id = self.cluster.own_id();
        if to == own_id {
            return Err(AdminError::Refused(format!("node {to} leads already")));
        }
        let voters: BTreeSet<NodeId> = self.cluster.membership().voter_ids().collect();
        if to != 0 && !voters.contains(&to) {
            return Err(AdminError::Refused(format!("node {to} is not a voter")));
        }
        let candidates: Vec<NodeId> =
            voters.into_iter().filter(|id| *id != own_id && (to == 0 || *id == to) && self.alive(*id)).collect();
        if candidates.is_empty() {
            return Err(AdminError::Refused("no other voter can be reached to take over".into()));
        }
        // From here on new proposals wait; they go to the new leader, or on here if the transfer fails.
        let _hold = self.cluster.hold();
        let prepared = Instant::now() + self.drain;
        let mut in_flight = self.in_flight.clone();
        // Entries that are still under way then will be answered all the same, or as `MaybeApplied`.
        let _ = timeout_at(prepared.min(deadline), in_flight.wait_for(|in_flight| *in_flight == 0)).await;
        let chosen = self.best_caught_up(&candidates, prepared.min(deadline)).await?;
        tracing::info!(to = chosen, "transferring the leadership");
        let triggered = self.raft.trigger().transfer_leader(chosen).await;
        triggered.map_err(|error| AdminError::Failed(error.to_string()))?;
        self.await_new_leader(deadline).await
    }

    fn alive(&self, id: NodeId) -> bool {
        self.peers.reachable(id) && self.peers.last_contact(id).is_some_and(|last| last.elapsed() <= ALIVE_WITHIN)
    }

    /// The candidate that has most of the log; waits until one has all of it.
    async fn best_caught_up(&self, candidates: &[NodeId], until: Instant) -> Result<NodeId, AdminError> {
        let metrics = self.raft.data_metrics();
        loop {
            let best = {
                let now = metrics.borrow_watched();
                let matched = |id: &NodeId| {
                    let replication = now.replication.as_ref()?;
                    Some(replication.get(id).copied().flatten()?.index)
                };
                let best = candidates.iter().filter_map(|id| Some((matched(id)?, *id))).max_by_key(|best| best.0);
                let caught_up = |matched| matched >= now.last_log.map_or(0, |id| id.index);
                best.filter(|(matched, _)| caught_up(*matched) || Mutant::TransferWithoutCatchUp.is_planted())
            };
            if let Some((_, id)) = best {
                return Ok(id);
            }
            if Instant::now() >= until {
                return Err(AdminError::Refused("no other voter has caught up with the log".into()));
            }
            sleep(LOOK).await;
        }
    }

    async fn await_new_leader(&self, deadline: Deadline) -> Result<(NodeId, u64), AdminError> {
        let mut leadership = self.cluster.leadership();
        let other = leadership.wait_for(|leadership| matches!(leadership, Leadership::Other(_)));
        match timeout_at(deadline, other).await {
            Ok(Ok(leadership)) => match &*leadership {
                Leadership::Other(hint) => Ok((hint.node_id, hint.term)),
                Leadership::Unknown | Leadership::Me { .. } => {
                    Err(AdminError::Failed("the leadership changed again meanwhile".into()))
                }
            },
            Ok(Err(_)) => Err(AdminError::Failed("this node is stopping".into())),
            Err(_) => Err(AdminError::DeadlineExceeded),
        }
    }
}
