//! A snapshot to one peer: the manifest, then what the peer lacks, windowed and at a bounded rate. Only standing still
//! ends a transfer, never its length; the next attempt goes on where this one stopped.

use std::time::Duration;

use alert_core::pb::{SnapshotChunk, SnapshotManifest, SnapshotPart, SnapshotWanted};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    limits::SNAPSHOT_CHUNKS_QUEUED,
    peers::{Lane, Peers},
    state_machine::Snapshot,
    types::{NodeId, Vote},
    wire,
};
use crate::storage::{checkpoint::Checkpoint, records::VoteRecord};

/// A receiver reads, hashes and syncs at least so fast.
const VERIFY_BYTES_PER_SECOND_MIN: u64 = 10 << 20;

/// Sends snapshots.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotSender {
    /// A transfer that stands still for so long is given up.
    pub no_progress: Duration,
    /// At most so many bytes per second, each; `None` = as fast as the connection.
    pub bytes_per_second: Option<u64>,
}

impl SnapshotSender {
    /// Sends `snapshot`; the receiver's vote once it has taken it. While this runs the checkpoint is pinned: its files
    /// stay, and the log after it.
    ///
    /// # Errors
    /// In words. Trying again goes on where this stopped.
    pub async fn send(&self, peers: &Peers, target: NodeId, vote: Vote, snapshot: Snapshot) -> Result<Vote, String> {
        let pin = snapshot.snapshot.pin();
        let connection = peers.connection(target, Lane::Snapshot, self.no_progress).await;
        let mut client = connection.map_err(|error| error.to_string())?.client();
        let offer = SnapshotManifest {
            manifest: pin.checkpoint().manifest().encode(),
            vote: wire::encode(&VoteRecord::from(&vote)).to_vec(),
        };
        let offered = timeout(self.no_progress * 4, client.snapshot_offer(offer)).await;
        let offered = offered.map_err(|_| "no answer to the offer".to_owned())?;
        let SnapshotWanted { missing, transfer_id } =
            offered.map_err(|status| status.message().to_owned())?.into_inner();
        let (chunks, queue) = mpsc::channel(SNAPSHOT_CHUNKS_QUEUED);
        let feeding = self.feed(pin.checkpoint(), missing, transfer_id, chunks);
        let sending = client.snapshot_files(ReceiverStream::new(queue));
        tokio::pin!(feeding, sending);
        // The feeder notices when nothing moves. A receiver that has gone does not answer the connection's pings.
        let early = tokio::select! {
            biased;
            answer = &mut sending => Some(answer),
            outcome = &mut feeding => {
                outcome?;
                None
            }
        };
        let answer = match early {
            Some(answer) => answer,
            // Everything is sent; now all of it is verified and put in place.
            None => {
                let bytes = pin.checkpoint().manifest().size_bytes();
                let patience = self.no_progress * 4 + Duration::from_secs(bytes / VERIFY_BYTES_PER_SECOND_MIN);
                timeout(patience, sending).await.map_err(|_| format!("not installed within {patience:?}"))?
            }
        };
        let installed = answer.map_err(|status| status.message().to_owned())?.into_inner();
        let vote: VoteRecord = wire::decode(&installed.vote).map_err(|error| error.to_string())?;
        Ok(vote.into())
    }

    async fn feed(
        &self,
        checkpoint: &Checkpoint,
        missing: Vec<SnapshotPart>,
        transfer_id: String,
        chunks: mpsc::Sender<SnapshotChunk>,
    ) -> Result<(), String> {
        let mut pace = Pace { bytes_per_second: self.bytes_per_second, next: Instant::now() };
        // Names the transfer, even where every file is there already.
        let head = SnapshotChunk { transfer_id, ..SnapshotChunk::default() };
        if chunks.send(head).await.is_err() {
            // The call has ended; its answer says why.
            return Ok(());
        }
        for SnapshotPart { file, mut offset } in missing {
            loop {
                let read = checkpoint.read(file as usize, offset).await;
                let data = read.map_err(|error| format!("the snapshot cannot be read: {error}"))?;
                if data.is_empty() {
                    break;
                }
                pace.wait_for(data.len()).await;
                let next = offset + data.len() as u64;
                let chunk = SnapshotChunk { transfer_id: String::new(), file, offset, data: data.into() };
                match timeout(self.no_progress, chunks.send(chunk)).await {
                    Ok(Ok(())) => offset = next,
                    Ok(Err(_)) => return Ok(()),
                    Err(_) => return Err(format!("no progress for {:?}", self.no_progress)),
                }
            }
        }
        Ok(())
    }
}

/// Keeps a rate.
struct Pace {
    bytes_per_second: Option<u64>,
    next: Instant,
}

impl Pace {
    async fn wait_for(&mut self, bytes: usize) {
        let Some(rate) = self.bytes_per_second.filter(|rate| *rate > 0) else { return };
        // Each chunk pays for itself, the first one too: a snapshot of one chunk is not free.
        self.next = self.next.max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / rate as f64);
        sleep_until(self.next).await;
    }
}
