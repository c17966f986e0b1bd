//! How this node asks a read index: of its own quorum while it leads, of the leader otherwise.

use std::{sync::Arc, time::Duration};

use alert_core::pb::RaftFrame;
use futures::{FutureExt, future::BoxFuture};
use openraft::raft::ReadPolicy;

use super::{
    Consensus,
    leadership::ClusterView,
    peers::{Lane, Peers},
    read_pump::Prober,
    types::NodeId,
    wire,
};

/// Asks consensus.
pub struct RaftProber {
    pub(super) raft: Consensus,
    pub(super) cluster: Arc<ClusterView>,
    pub(super) peers: Peers,
}

impl Prober for RaftProber {
    fn probe(&self, patience: Duration) -> BoxFuture<'static, Result<u64, String>> {
        let leader = self.cluster.leader_id();
        match leader {
            None => async { Err("there is no leader at present".to_owned()) }.boxed(),
            Some(id) if id == self.cluster.own_id() => own_quorum(self.raft.clone()).boxed(),
            Some(id) => ask(self.peers.clone(), id, patience).boxed(),
        }
    }
}

async fn own_quorum(raft: Consensus) -> Result<u64, String> {
    let linearizer = raft.get_read_linearizer(ReadPolicy::ReadIndex).await.map_err(|error| error.to_string())?;
    Ok(linearizer.read_log_id().index())
}

async fn ask(peers: Peers, leader: NodeId, patience: Duration) -> Result<u64, String> {
    let connection = peers.connection(leader, Lane::Forward, patience).await.map_err(|error| error.to_string())?;
    let asked = wire::ReadIndexAsked { patience_ms: patience.as_millis() as u64 };
    let frame = RaftFrame { payload: wire::encode(&asked) };
    let reply = connection.client().read_index(frame).await.map_err(|status| status.message().to_owned())?;
    peers.note_contact(leader);
    match wire::decode(&reply.into_inner().payload).map_err(|error| error.to_string())? {
        wire::ReadIndexReply::Index(index) => Ok(index),
        wire::ReadIndexReply::NotLeader(other) => Err(format!("node {leader} does not lead; it follows {other:?}")),
        wire::ReadIndexReply::NoQuorum => Err(format!("leader {leader} reaches no quorum")),
    }
}
