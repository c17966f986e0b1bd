//! Anchors of this node's audit log: its head goes through the log, so that no node can cut the end of its own log, or
//! write all of it anew, unseen. A follower hands its head to the leader.

use std::{sync::Arc, time::Duration};

use alert_core::{pb::RaftFrame, state::command::Command};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    duty::store_proposal,
    leadership::ClusterView,
    peers::{Lane, Peers},
    propose::Proposer,
    types::NodeId,
    wire,
};
use crate::api::backend::Deadline;

/// Sequence and hash of the last durable record of an audit log.
pub type AuditHead = (u64, [u8; 32]);

/// Proposes heads.
pub(super) struct Anchors {
    pub cluster: Arc<ClusterView>,
    pub peers: Peers,
    pub proposer: Proposer,
    pub patience: Duration,
}

impl Anchors {
    /// Proposes the head whenever it has moved, at most once in `interval`; ends with `stopping`.
    pub async fn run(self, mut head: watch::Receiver<AuditHead>, interval: Duration, stopping: CancellationToken) {
        // What the log held before this start may never have been anchored.
        head.mark_changed();
        loop {
            let moved = tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                moved = head.changed() => moved,
            };
            if moved.is_err() {
                return;
            }
            let now = *head.borrow_and_update();
            if now.0 > 0
                && let Err(error) = self.anchor(now, Instant::now() + self.patience).await
            {
                tracing::debug!(%error, "the audit log's head was not anchored");
                head.mark_changed();
            }
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = sleep(interval) => {}
            }
        }
    }

    async fn anchor(&self, head: AuditHead, deadline: Deadline) -> Result<(), String> {
        match self.cluster.leader_id() {
            None => Err("there is no leader".into()),
            Some(leader) if leader == self.cluster.own_id() => {
                propose(&self.proposer, self.cluster.own_id(), head, deadline).await
            }
            Some(leader) => {
                let patience = deadline.saturating_duration_since(Instant::now());
                let connection = self.peers.connection(leader, Lane::Forward, patience).await;
                let mut client = connection.map_err(|error| error.to_string())?.client();
                let frame = RaftFrame { payload: wire::encode(&head) };
                let sent = timeout_at(deadline, client.anchor_audit(frame)).await;
                sent.map_err(|_| "no answer in time".to_owned())?.map_err(|status| status.message().to_owned())?;
                Ok(())
            }
        }
    }
}

/// Proposes the head of one node's audit log.
///
/// # Errors
/// Why it was not, in words.
pub(super) async fn propose(
    proposer: &Proposer,
    node_id: NodeId,
    (sequence, head): AuditHead,
    deadline: Deadline,
) -> Result<(), String> {
    let command = Command::AnchorAudit { node_id, sequence, head };
    match proposer.propose(store_proposal(command), deadline).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(rejection)) => Err(format!("{rejection:?}")),
        Err(error) => Err(error.to_string()),
    }
}
