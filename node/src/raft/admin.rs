//! Administration of the cluster: formation, members, leadership, snapshots, status.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alert_core::{
    pb,
    state::{Meta, is_founded},
};
use openraft::{
    ServerState,
    async_runtime::WatchReceiver,
    errors::{InitializeError, RaftError},
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    node::Inner,
    types::{LogId, NodeId},
};
use crate::api::backend::{AdminBackend, AdminError, BoxFuture, Deadline};

/// Between two looks at whether an action has come to its end.
const LOOK: Duration = Duration::from_millis(5);

/// Between two requests for a snapshot.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Administration of one node's cluster.
#[derive(Clone)]
pub struct Admin(pub(super) Arc<Inner>);

fn failed(error: impl std::fmt::Display) -> AdminError {
    AdminError::Failed(error.to_string())
}

fn index(id: Option<LogId>) -> u64 {
    id.map_or(0, |id| id.index)
}

impl Admin {
    /// Forms a cluster of this one node. Once: repeated, and on a node that belongs to a cluster, it does nothing.
    async fn form(&self, deadline: Deadline) -> Result<pb::InitResponse, AdminError> {
        let inner = &self.0;
        let answer = |formed_now| pb::InitResponse { cluster_id: inner.options.cluster_id.clone(), formed_now };
        if inner.raft.is_initialized().await.map_err(failed)? {
            return Ok(answer(false));
        }
        let members = BTreeMap::from([(inner.options.node_id, inner.options.node.clone())]);
        match inner.raft.initialize(members).await {
            Ok(()) => {}
            Err(RaftError::APIError(InitializeError::NotAllowed(_))) => return Ok(answer(false)),
            Err(error) => return Err(failed(error)),
        }
        inner.hello.set_pristine(false);
        tracing::info!(cluster_id = inner.options.cluster_id, "formed a cluster of this node");
        // Formed means usable: the next change need not be tried twice.
        while !inner.cluster.leads() || inner.reads.check_ready().is_err() || !self.is_founded()? {
            if Instant::now() >= deadline {
                return Err(AdminError::DeadlineExceeded);
            }
            sleep(LOOK).await;
        }
        Ok(answer(true))
    }

    fn is_founded(&self) -> Result<bool, AdminError> {
        is_founded(&*self.0.reads.newest()?.view).map_err(failed)
    }

    async fn build_snapshot(&self, deadline: Deadline) -> Result<pb::TriggerSnapshotResponse, AdminError> {
        let metrics = self.0.raft.data_metrics();
        let wanted = index(metrics.borrow_watched().last_applied);
        if wanted == 0 {
            return Err(AdminError::Refused("there is nothing to make a snapshot of".into()));
        }
        let mut asked: Option<Instant> = None;
        loop {
            let built = index(metrics.borrow_watched().snapshot);
            if built >= wanted {
                return Ok(pb::TriggerSnapshotResponse { snapshot_index: built });
            }
            if Instant::now() >= deadline {
                return Err(AdminError::DeadlineExceeded);
            }
            // Asked again now and then: a request is dropped while another snapshot is being built.
            if asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN) {
                asked = Some(Instant::now());
                self.0.raft.trigger().snapshot().await.map_err(failed)?;
            }
            sleep(LOOK).await;
        }
    }

    fn members(&self) -> Vec<pb::MemberStatus> {
        let inner = &self.0;
        let own_id = inner.options.node_id;
        let membership = inner.cluster.membership();
        let voters: Vec<NodeId> = membership.voter_ids().collect();
        let data = inner.raft.data_metrics();
        let (last_log, replication) = {
            let now = data.borrow_watched();
            (index(now.last_log), now.replication.clone().unwrap_or_default())
        };
        membership
            .nodes()
            .map(|(id, node)| {
                let own = *id == own_id;
                let contact = inner.peers.last_contact(*id).map(|at| at.elapsed());
                pb::MemberStatus {
                    node_id: *id,
                    name: node.name.clone(),
                    raft_address: node.raft_address.clone(),
                    client_address: node.client_address.clone(),
                    data_centre: node.data_centre.clone(),
                    kind: if voters.contains(id) { "voter" } else { "learner" }.into(),
                    matched_index: if own { last_log } else { index(replication.get(id).copied().flatten()) },
                    reachable: own || inner.peers.reachable(*id),
                    last_contact: if own { Some(Duration::ZERO) } else { contact }
                        .and_then(|contact| contact.try_into().ok()),
                }
            })
            .collect()
    }

    fn status_now(&self) -> Result<pb::StatusResponse, AdminError> {
        let inner = &self.0;
        let metrics = inner.raft.metrics();
        let now = metrics.borrow_watched().clone();
        let handle = inner.reads.newest()?;
        let meta = Meta::read(&*handle.view).map_err(failed)?;
        let role = match now.state {
            ServerState::Learner => "learner",
            ServerState::Follower => "follower",
            ServerState::Candidate => "candidate",
            ServerState::Leader => "leader",
            ServerState::Shutdown => "shutdown",
        };
        Ok(pb::StatusResponse {
            cluster_id: inner.options.cluster_id.clone(),
            epoch: inner.options.epoch,
            node_id: inner.options.node_id,
            leader_id: now.current_leader.unwrap_or(0),
            term: now.current_term,
            role: role.into(),
            last_log_index: now.last_log_index.unwrap_or(0),
            committed_index: index(now.local_committed),
            applied_index: handle.applied_index,
            snapshot_index: index(now.snapshot),
            purged_index: index(now.purged),
            revision: handle.revision,
            state_hash: format!("{:032x}", meta.state_hash),
            alerts: meta.alerts(),
            members: self.members(),
            version: env!("CARGO_PKG_VERSION").into(),
            data_directory_incarnation: inner.options.node.incarnation.clone(),
            ready: inner.reads.check_ready().is_ok(),
            checks: self.checks(now.running_state.as_ref().err().map(ToString::to_string)),
        })
    }

    fn checks(&self, failure: Option<String>) -> Vec<pb::Check> {
        let inner = &self.0;
        let check = |name: &str, ok: bool, detail: String| pb::Check { name: name.into(), ok, detail };
        let ready = inner.reads.check_ready();
        let mut checks = vec![
            check("consensus", failure.is_none(), failure.unwrap_or_default()),
            check("reads", ready.is_ok(), ready.err().map(|error| error.to_string()).unwrap_or_default()),
            check("quorum", !inner.pump.without_quorum(), inner.pump.last_failure()),
        ];
        if let Some(detail) = inner.next_index.describe() {
            checks.push(check("next index", true, detail));
        }
        for (id, _) in inner.cluster.membership().nodes().filter(|(id, _)| **id != inner.options.node_id) {
            let fault = inner.peers.last_fault(*id);
            checks.push(check(&format!("node {id}"), inner.peers.reachable(*id), fault));
        }
        for (id, skew_ms) in inner.clocks.skews_ms() {
            let ok = skew_ms.unsigned_abs() < 1000;
            checks.push(check(&format!("clock of node {id}"), ok, format!("{skew_ms} ms ahead of this node's")));
        }
        checks
    }

    fn membership_response(&self) -> pb::MembershipResponse {
        pb::MembershipResponse { members: self.members() }
    }
}

impl AdminBackend for Admin {
    fn init(&self, deadline: Deadline) -> BoxFuture<'_, Result<pb::InitResponse, AdminError>> {
        Box::pin(self.form(deadline))
    }

    fn status(&self) -> BoxFuture<'_, Result<pb::StatusResponse, AdminError>> {
        Box::pin(async { self.status_now() })
    }

    fn add_learner(
        &self,
        node: pb::AddLearnerRequest,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        Box::pin(async move {
            within(deadline, self.0.changes.add_learner(&node, deadline)).await?;
            Ok(self.membership_response())
        })
    }

    fn promote(&self, node_id: u64, deadline: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        Box::pin(async move {
            within(deadline, self.0.changes.promote(node_id, deadline)).await?;
            Ok(self.membership_response())
        })
    }

    fn remove(&self, node_id: u64, deadline: Deadline) -> BoxFuture<'_, Result<pb::MembershipResponse, AdminError>> {
        Box::pin(async move {
            within(deadline, self.0.changes.remove(node_id, deadline)).await?;
            Ok(self.membership_response())
        })
    }

    fn transfer_leader(
        &self,
        to_node_id: u64,
        deadline: Deadline,
    ) -> BoxFuture<'_, Result<pb::TransferLeaderResponse, AdminError>> {
        Box::pin(async move {
            let (leader_id, term) = self.0.transfers.transfer(to_node_id, deadline).await?;
            Ok(pb::TransferLeaderResponse { leader_id, term })
        })
    }

    fn trigger_snapshot(&self, deadline: Deadline) -> BoxFuture<'_, Result<pb::TriggerSnapshotResponse, AdminError>> {
        Box::pin(self.build_snapshot(deadline))
    }
}

async fn within<T>(deadline: Deadline, action: impl Future<Output = Result<T, AdminError>>) -> Result<T, AdminError> {
    timeout_at(deadline, action).await.unwrap_or(Err(AdminError::DeadlineExceeded))
}
