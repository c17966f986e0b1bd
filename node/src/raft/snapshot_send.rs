//! A snapshot to one peer: the manifest, then the files that it lacks, windowed and at a bounded rate. Only standing
//! still ends a transfer, never its length; the next attempt goes on where this one stopped.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alert_core::pb::{SnapshotChunk, SnapshotFileOffset, SnapshotManifest, SnapshotWanted};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    limits::{SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNKS_QUEUED},
    peers::{Lane, Peers},
    state_machine::{Snapshot, SnapshotData},
    types::{NodeId, Vote},
    wire,
};
use crate::seam::{self, Blocking, run};

/// Sends snapshots. Clones share the rate.
#[derive(Clone)]
pub struct SnapshotSender {
    blocking: Arc<dyn Blocking>,
    no_progress: Duration,
    bytes_per_second: Option<u64>,
    /// Last index of each snapshot being sent, by a number of the transfer.
    sending: Arc<Mutex<(u64, BTreeMap<u64, u64>)>>,
}

/// A snapshot is being sent for as long as this lives.
struct Sending(SnapshotSender, u64);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending.lock().expect("held for this line only").1.remove(&self.1);
    }
}

impl SnapshotSender {
    /// With at most so many bytes per second, each; `None` = as fast as the connection.
    pub fn new(blocking: Arc<dyn Blocking>, no_progress: Duration, bytes_per_second: Option<u64>) -> Self {
        Self { blocking, no_progress, bytes_per_second, sending: Arc::default() }
    }

    /// Lowest last index of the snapshots being sent: their receivers go on from the log after it.
    pub fn sending(&self) -> Option<u64> {
        self.sending.lock().expect("held for this line only").1.values().min().copied()
    }

    fn note(&self, last_index: u64) -> Sending {
        let mut sending = self.sending.lock().expect("held in this function only");
        sending.0 += 1;
        let number = sending.0;
        sending.1.insert(number, last_index);
        Sending(self.clone(), number)
    }

    /// Sends `snapshot`; the receiver's vote once it has taken it. The checkpoint stays on disk for as long as this
    /// runs.
    ///
    /// # Errors
    /// In words. Trying again goes on where this stopped.
    pub async fn send(&self, peers: &Peers, target: NodeId, vote: Vote, snapshot: Snapshot) -> Result<Vote, String> {
        let _sending = self.note(snapshot.meta.last_log_id.map_or(0, |id| id.index));
        let connection = peers.connection(target, Lane::Snapshot, self.no_progress).await;
        let mut client = connection.map_err(|error| error.to_string())?.client();
        let manifest = SnapshotManifest {
            meta: wire::encode(&wire::WireSnapshotMeta::from(&snapshot.meta)).to_vec(),
            vote: wire::encode(&wire::WireVote::from(vote)).to_vec(),
            files: snapshot.snapshot.files(),
        };
        let files = manifest.files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect();
        let offered = timeout(self.no_progress * 4, client.snapshot_offer(manifest)).await;
        let offered = offered.map_err(|_| "no answer to the offer".to_owned())?;
        let SnapshotWanted { from, transfer_id } = offered.map_err(|status| status.message().to_owned())?.into_inner();
        let (chunks, queue) = mpsc::channel(SNAPSHOT_CHUNKS_QUEUED);
        let feeding = self.feed(snapshot.snapshot, files, from, transfer_id, chunks);
        let sending = client.snapshot_files(ReceiverStream::new(queue));
        tokio::pin!(feeding, sending);
        // The feeder notices when nothing moves. Once all is sent, the receiver verifies and installs: that is bounded
        // by the connection's own pings, which a dead receiver does not answer.
        let mut fed = false;
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut sending => break answer,
                outcome = &mut feeding, if !fed => {
                    outcome?;
                    fed = true;
                }
            }
        };
        let installed = answer.map_err(|status| status.message().to_owned())?.into_inner();
        let vote: wire::WireVote = wire::decode(&installed.vote).map_err(|error| error.to_string())?;
        Ok(vote.into())
    }

    async fn feed(
        &self,
        checkpoint: SnapshotData,
        files: Vec<(String, u64)>,
        from: Vec<SnapshotFileOffset>,
        transfer_id: String,
        chunks: mpsc::Sender<SnapshotChunk>,
    ) -> Result<(), String> {
        let mut pace = Pace::new(self.bytes_per_second);
        // Names the transfer, even where every file is there already.
        let head = SnapshotChunk { transfer_id: transfer_id.clone(), ..SnapshotChunk::default() };
        if chunks.send(head).await.is_err() {
            return Ok(());
        }
        for (name, size_bytes) in files {
            let mut offset = from.iter().find(|held| held.name == name).map_or(0, |held| held.offset);
            // A file that is wholly there is not sent; an empty one is, so that it comes to be.
            while offset < size_bytes || (size_bytes == 0 && !from.iter().any(|held| held.name == name)) {
                let length = usize::try_from(size_bytes - offset).unwrap_or(usize::MAX).min(SNAPSHOT_CHUNK_BYTES);
                let (source, file) = (checkpoint.clone(), name.clone());
                let read = run(&*self.blocking, seam::Lane::Read, move || source.read(&file, offset, length)).await;
                let data = read.map_err(|error| format!("file {name} cannot be read: {error}"))?;
                if data.len() != length {
                    return Err(format!("file {name} is shorter than its manifest says"));
                }
                pace.wait_for(data.len()).await;
                offset += data.len() as u64;
                let last = offset == size_bytes;
                let chunk = SnapshotChunk {
                    transfer_id: transfer_id.clone(),
                    name: name.clone(),
                    offset: offset - data.len() as u64,
                    data,
                    last,
                };
                match timeout(self.no_progress, chunks.send(chunk)).await {
                    Ok(Ok(())) => {}
                    // The call has ended; its answer says why.
                    Ok(Err(_)) => return Ok(()),
                    Err(_) => return Err(format!("no progress for {:?}", self.no_progress)),
                }
                if size_bytes == 0 {
                    break;
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
    fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second, next: Instant::now() }
    }

    async fn wait_for(&mut self, bytes: usize) {
        let Some(rate) = self.bytes_per_second.filter(|rate| *rate > 0) else { return };
        sleep_until(self.next).await;
        self.next = self.next.max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / rate as f64);
    }
}
