//! A snapshot from the leader: what is here already, what is missing, and then the short swap.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use alert_core::pb::{SnapshotChunk, SnapshotInstalled, SnapshotManifest, SnapshotPart, SnapshotWanted};
use futures::{Stream, StreamExt};
use tokio::sync::watch;
use tonic::Status;

use super::{
    Consensus,
    state_machine::{Snapshot, snapshot_meta},
    types::{NodeId, Vote},
    wire,
};
use crate::storage::{
    checkpoint::{CheckpointStore, Manifest, Receiver},
    records::VoteRecord,
};

struct Transfer {
    id: String,
    vote: Vote,
    receiver: Receiver,
}

/// Receives snapshots: one transfer from each sender.
#[derive(Clone)]
pub struct SnapshotReceiver {
    raft: Consensus,
    checkpoints: CheckpointStore,
    transfers: Arc<Mutex<BTreeMap<NodeId, Transfer>>>,
    counter: Arc<AtomicU64>,
    under_way: Arc<watch::Sender<usize>>,
}

/// One snapshot on its way here; until it is installed, or the transfer breaks off.
struct UnderWay(Arc<watch::Sender<usize>>);

impl UnderWay {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

fn bad(error: impl std::fmt::Display) -> Status {
    Status::invalid_argument(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

impl SnapshotReceiver {
    /// For this node's state.
    pub fn new(raft: Consensus, checkpoints: CheckpointStore) -> Self {
        let under_way = Arc::new(watch::channel(0).0);
        Self { raft, checkpoints, transfers: Arc::default(), counter: Arc::default(), under_way }
    }

    /// How many snapshots are on their way here.
    pub fn under_way(&self) -> watch::Receiver<usize> {
        self.under_way.subscribe()
    }

    /// Answers an offer with what is missing here.
    ///
    /// # Errors
    /// The offer does not decode, is of another cluster, or does not fit on the disk.
    pub async fn offer(&self, from: NodeId, offer: SnapshotManifest) -> Result<SnapshotWanted, Status> {
        let manifest = Manifest::decode(&offer.manifest).map_err(bad)?;
        let vote: VoteRecord = wire::decode(&offer.vote).map_err(bad)?;
        // The one before lets go of its files first.
        drop(self.take(from));
        let receiver = self.checkpoints.receive(manifest).await.map_err(failed)?;
        let missing = receiver.missing();
        let id = self.counter.fetch_add(1, Ordering::Relaxed).to_string();
        tracing::info!(
            from,
            files = receiver.manifest().files.len(),
            missing = missing.len(),
            bytes = receiver.manifest().size_bytes(),
            "a snapshot is offered"
        );
        let transfer = Transfer { id: id.clone(), vote: vote.into(), receiver };
        self.transfers.lock().expect("held for this line only").insert(from, transfer);
        let part = |part: crate::storage::checkpoint::MissingPart| SnapshotPart {
            file: part.file as u32,
            offset: part.offset,
        };
        Ok(SnapshotWanted { missing: missing.into_iter().map(part).collect(), transfer_id: id })
    }

    fn take(&self, from: NodeId) -> Option<Transfer> {
        self.transfers.lock().expect("held for this line only").remove(&from)
    }

    /// Takes what was missing, verifies everything, and lets consensus install it.
    ///
    /// # Errors
    /// The transfer was not offered, broke off, or what arrived is damaged. What has arrived stays for the next attempt.
    pub async fn files(
        &self,
        from: NodeId,
        chunks: impl Stream<Item = Result<SnapshotChunk, Status>>,
    ) -> Result<SnapshotInstalled, Status> {
        tokio::pin!(chunks);
        let not_offered = || Status::failed_precondition("this transfer was not offered, or has ended");
        let head = chunks.next().await.ok_or_else(not_offered)??;
        let transfer = self.take(from).filter(|transfer| transfer.id == head.transfer_id).ok_or_else(not_offered)?;
        let Transfer { vote, mut receiver, .. } = transfer;
        let _under_way = UnderWay::new(&self.under_way);
        while let Some(chunk) = chunks.next().await {
            let SnapshotChunk { file, offset, data, .. } = chunk?;
            receiver.write(file as usize, offset, data.into()).await.map_err(failed)?;
        }
        let checkpoint = receiver.finish().await.map_err(failed)?;
        let meta = snapshot_meta(&checkpoint).map_err(bad)?;
        let snapshot = Snapshot { meta, snapshot: checkpoint };
        let response = self.raft.install_full_snapshot(vote, snapshot).await.map_err(failed)?;
        Ok(SnapshotInstalled { vote: wire::encode(&VoteRecord::from(&response.vote)).to_vec() })
    }
}
