//! Changes of the membership: one at a time, each checked before it is proposed.
//!
//! A node joins empty, as a learner, after it said who it is; it becomes a voter once it keeps up; an id is never used
//! twice, not even after the node is gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alert_core::pb;
use openraft::{
    ChangeMembers,
    async_runtime::WatchReceiver,
    errors::{ClientWriteError, RaftError},
    raft::Precondition,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Consensus,
    leadership::ClusterView,
    peers::Peers,
    reads::Reads,
    state_machine::read_used_node_ids,
    types::{LogId, Node, NodeId, TypeConfig},
};
use crate::api::backend::{AdminError, Deadline, Level};

/// Between two looks at a learner's lag.
const LAG_LOOK: Duration = Duration::from_millis(50);

/// Between two looks at whether a change is in effect.
const SETTLE_LOOK: Duration = Duration::from_millis(2);

/// When a learner may become a voter.
#[derive(Debug, Clone, Copy)]
pub struct PromotionRule {
    /// Most entries that it may lag behind.
    pub lag_entries_max: u64,
    /// For so long without a break.
    pub stable_for: Duration,
}

/// Changes the membership. Clones share the right to do so.
#[derive(Clone)]
pub struct MembershipChanges {
    pub(super) raft: Consensus,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) peers: Peers,
    pub(super) reads: Reads,
    pub(super) promotion: PromotionRule,
    pub(super) one_at_a_time: Arc<Mutex<()>>,
}

impl MembershipChanges {
    /// Adds an empty node as a learner.
    ///
    /// # Errors
    /// Why it was not added.
    pub async fn add_learner(&self, request: &pb::AddLearnerRequest, deadline: Deadline) -> Result<(), AdminError> {
        let _turn = self.turn()?;
        let id = request.node_id;
        if id == 0 || request.raft_address.is_empty() || request.client_address.is_empty() || request.name.is_empty() {
            return Err(AdminError::Invalid("node id, name, raft address and client address are needed".into()));
        }
        if self.cluster.node(id).is_some() {
            return Err(AdminError::Refused(format!("node {id} is a member already")));
        }
        let taken = self
            .cluster
            .membership()
            .membership()
            .nodes()
            .any(|(_, node)| node.raft_address == request.raft_address || node.name == request.name);
        if taken {
            return Err(AdminError::Refused("another member has this name or raft address".into()));
        }
        let read = self.reads.read(Level::Linearizable, deadline).await?;
        let used = read_used_node_ids(&*read.view).map_err(|error| AdminError::Failed(error.to_string()))?;
        if used.contains_key(&id) {
            return Err(AdminError::Refused(format!("id {id} was used before; ids are never used twice")));
        }
        let hello = self.peers.interview(id, &request.raft_address).await;
        let hello = hello.map_err(|error| AdminError::Refused(error.to_string()))?;
        if !hello.pristine {
            return Err(AdminError::Refused(format!(
                "node {id} at {} holds data of a cluster already: a node joins empty",
                request.raft_address
            )));
        }
        if used.values().any(|incarnation| *incarnation == hello.incarnation) {
            return Err(AdminError::Refused(format!("the data directory of node {id} was a member before")));
        }
        let node = Node {
            raft_address: request.raft_address.clone(),
            client_address: request.client_address.clone(),
            name: request.name.clone(),
            data_centre: request.data_centre.clone(),
            incarnation: hello.incarnation,
        };
        self.change(ChangeMembers::AddNodes(BTreeMap::from([(id, node)])), true, deadline).await
    }

    /// Makes a learner a voter, once it has kept up for long enough.
    ///
    /// # Errors
    /// Why it was not promoted; that its lag did not stay small before the deadline, among others.
    pub async fn promote(&self, id: NodeId, deadline: Deadline) -> Result<(), AdminError> {
        let _turn = self.turn()?;
        let membership = self.cluster.membership();
        if membership.get_node(&id).is_none() {
            return Err(AdminError::UnknownNode(id));
        }
        if membership.voter_ids().any(|voter| voter == id) {
            return Err(AdminError::Refused(format!("node {id} is a voter already")));
        }
        self.wait_until_it_keeps_up(id, deadline).await?;
        self.change(ChangeMembers::AddVoterIds(BTreeSet::from([id])), true, deadline).await
    }

    /// Removes a member.
    ///
    /// # Errors
    /// Why it was not removed.
    pub async fn remove(&self, id: NodeId, deadline: Deadline) -> Result<(), AdminError> {
        let _turn = self.turn()?;
        let membership = self.cluster.membership();
        if membership.get_node(&id).is_none() {
            return Err(AdminError::UnknownNode(id));
        }
        if id == self.cluster.own_id() {
            return Err(AdminError::Refused(format!("node {id} leads: transfer the leadership first")));
        }
        let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
        if !voters.contains(&id) {
            return self.change(ChangeMembers::RemoveNodes(BTreeSet::from([id])), false, deadline).await;
        }
        let left: Vec<NodeId> = voters.into_iter().filter(|voter| *voter != id).collect();
        let up = left.iter().filter(|voter| **voter == self.cluster.own_id() || self.peers.reachable(**voter)).count();
        if up <= left.len() / 2 {
            return Err(AdminError::Refused(format!(
                "without node {id}, {up} of {} voters can be reached: no quorum would be left",
                left.len()
            )));
        }
        self.change(ChangeMembers::RemoveVoters(BTreeSet::from([id])), false, deadline).await
    }

    /// The right to change the membership: on the leader, while no other change is under way.
    fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, AdminError> {
        if !self.cluster.leads() {
            return Err(AdminError::NotLeader { hint: self.cluster.hint() });
        }
        let under_way = || AdminError::Refused("another change of the membership is under way".into());
        let turn = self.one_at_a_time.try_lock().map_err(|_| under_way())?;
        let metrics = self.raft.server_metrics();
        let now = metrics.borrow_watched().clone();
        if now.membership_config != now.committed_membership_config {
            return Err(under_way());
        }
        Ok(turn)
    }

    async fn wait_until_it_keeps_up(&self, id: NodeId, deadline: Deadline) -> Result<(), AdminError> {
        let metrics = self.raft.data_metrics();
        let mut since: Option<Instant> = None;
        loop {
            let (last, matched) = {
                let now = metrics.borrow_watched();
                let matched = now.replication.as_ref().and_then(|replication| replication.get(&id).copied().flatten());
                (now.last_log.map_or(0, |id| id.index), matched.map(|id| id.index))
            };
            let lag = matched.map(|matched| last.saturating_sub(matched));
            let keeps_up = self.peers.reachable(id) && lag.is_some_and(|lag| lag <= self.promotion.lag_entries_max);
            since = if keeps_up { since.or_else(|| Some(Instant::now())) } else { None };
            if since.is_some_and(|since| since.elapsed() >= self.promotion.stable_for) {
                return Ok(());
            }
            if !self.cluster.leads() {
                return Err(AdminError::NotLeader { hint: self.cluster.hint() });
            }
            if Instant::now() + LAG_LOOK >= deadline {
                let lag = lag.map_or_else(|| "by an unknown number of entries".into(), |lag| format!("{lag} entries"));
                return Err(AdminError::Refused(format!(
                    "node {id} does not keep up yet: it lags {lag}; it must stay within {} for {:?}",
                    self.promotion.lag_entries_max, self.promotion.stable_for
                )));
            }
            sleep(LAG_LOOK).await;
        }
    }

    async fn change(
        &self,
        change: ChangeMembers<NodeId, Node>,
        retain: bool,
        deadline: Deadline,
    ) -> Result<(), AdminError> {
        // Nothing may have changed since the checks.
        let seen = *self.cluster.membership().log_id();
        let unchanged = [Precondition::<TypeConfig>::LastMembershipLogId { last_membership_log_id: seen }];
        tracing::info!(?change, "changing the membership");
        let changing = self.raft.change_membership_if(change, retain, unchanged);
        match timeout_at(deadline, changing).await {
            Err(_) => Err(AdminError::DeadlineExceeded),
            Ok(Ok(changed)) => self.settled(changed.log_id, deadline).await,
            Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_)))) => {
                Err(AdminError::NotLeader { hint: self.cluster.hint() })
            }
            Ok(Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error)))) => {
                Err(AdminError::Refused(error.to_string()))
            }
            Ok(Err(error)) => Err(AdminError::Failed(error.to_string())),
        }
    }

    /// Waits until what this node shows of the membership is not older than the change at `log_id`.
    async fn settled(&self, log_id: LogId, deadline: Deadline) -> Result<(), AdminError> {
        let metrics = self.raft.server_metrics();
        loop {
            let committed = *metrics.borrow_watched().committed_membership_config.log_id();
            if committed >= Some(log_id) && *self.cluster.membership().log_id() >= Some(log_id) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(AdminError::DeadlineExceeded);
            }
            sleep(SETTLE_LOOK).await;
        }
    }
}
