//! A snapshot from the leader: what is offered, what is here already, the files, and then the short swap.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use alert_core::pb::{SnapshotChunk, SnapshotInstalled, SnapshotManifest, SnapshotWanted};
use futures::{Stream, StreamExt};
use tonic::Status;

use super::{
    Consensus,
    state_machine::Snapshot,
    state_port::{Receiving, StateStore},
    types::{NodeId, SnapshotMeta, Vote},
    wire,
};
use crate::seam::{Blocking, Lane, run};

struct Transfer {
    id: String,
    meta: SnapshotMeta,
    vote: Vote,
    receiving: Box<dyn Receiving>,
}

/// Receives snapshots, one at a time from each sender.
#[derive(Clone)]
pub struct SnapshotReceiver {
    raft: Consensus,
    store: Arc<dyn StateStore>,
    blocking: Arc<dyn Blocking>,
    transfers: Arc<Mutex<BTreeMap<NodeId, Transfer>>>,
}

fn bad(error: impl std::fmt::Display) -> Status {
    Status::invalid_argument(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

impl SnapshotReceiver {
    /// For this node's state.
    pub fn new(raft: Consensus, store: Arc<dyn StateStore>, blocking: Arc<dyn Blocking>) -> Self {
        Self { raft, store, blocking, transfers: Arc::default() }
    }

    /// Answers an offer with what is here already.
    pub async fn offer(&self, from: NodeId, manifest: SnapshotManifest) -> Result<SnapshotWanted, Status> {
        let meta: wire::WireSnapshotMeta = wire::decode(&manifest.meta).map_err(bad)?;
        let meta = SnapshotMeta::try_from(meta).map_err(bad)?;
        let vote: wire::WireVote = wire::decode(&manifest.vote).map_err(bad)?;
        let snapshot = meta.last_log_id.map_or((0, 0), |id| (**id.committed_leader_id(), id.index));
        let id = format!("{from}-{}-{}", snapshot.0, snapshot.1);
        // One transfer for each sender: the one before lets go of its files first.
        drop(self.take(from));
        let store = self.store.clone();
        let receiving = run(&*self.blocking, Lane::Snapshot, move || store.receive(&manifest.files)).await;
        let receiving = receiving.map_err(failed)?;
        let have = receiving.have();
        tracing::info!(id, files_here = have.len(), "a snapshot is offered");
        let transfer = Transfer { id: id.clone(), meta, vote: vote.into(), receiving };
        self.transfers.lock().expect("held for this line only").insert(from, transfer);
        Ok(SnapshotWanted { from: have, transfer_id: id })
    }

    fn take(&self, from: NodeId) -> Option<Transfer> {
        self.transfers.lock().expect("held for this line only").remove(&from)
    }

    /// Takes the files, verifies them, and lets consensus install them.
    pub async fn files(
        &self,
        from: NodeId,
        chunks: impl Stream<Item = Result<SnapshotChunk, Status>>,
    ) -> Result<SnapshotInstalled, Status> {
        tokio::pin!(chunks);
        let not_offered = || Status::failed_precondition("this transfer was not offered, or has ended");
        let head = chunks.next().await.ok_or_else(not_offered)??;
        let mut transfer =
            self.take(from).filter(|transfer| transfer.id == head.transfer_id).ok_or_else(not_offered)?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            let (back, stored) = run(&*self.blocking, Lane::Snapshot, move || {
                let stored = transfer.receiving.chunk(&chunk.name, chunk.offset, &chunk.data);
                (transfer, stored)
            })
            .await;
            stored.map_err(failed)?;
            transfer = back;
        }
        let Transfer { meta, vote, receiving, .. } = transfer;
        let checkpoint = run(&*self.blocking, Lane::Snapshot, move || receiving.finish()).await.map_err(failed)?;
        let snapshot = Snapshot { meta, snapshot: checkpoint };
        let response = self.raft.install_full_snapshot(vote, snapshot).await.map_err(failed)?;
        Ok(SnapshotInstalled { vote: wire::encode(&wire::WireVote::from(response.vote)).to_vec() })
    }
}
