//! The state machine as openraft sees it: hands committed entries to the state store in chunks, and sends the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex},
};

use alert_core::{
    codec,
    state::{
        View, ViewError, Write,
        family::{Family, sys},
    },
};
use futures::{Stream, StreamExt};
use openraft::{
    OptionalSend,
    storage::{ApplyResponder, EntryResponder, RaftSnapshotBuilder, RaftStateMachine},
};
use tokio::sync::watch;

use super::{
    limits::{APPLY_CHUNK_BYTES, APPLY_CHUNK_ENTRIES},
    types::{EncodedBatch, Entry, LogId, Membership, NodeId, Payload, SnapshotMeta, StoredMembership, TypeConfig},
};
use crate::storage::{
    Storage,
    checkpoint::{Checkpoint, CheckpointStore},
    log::{LogMarks, entry},
};

/// A snapshot with what it covers.
pub type Snapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, Checkpoint>;

type Responder = Option<ApplyResponder<TypeConfig>>;

/// Applies entries. Clones share everything.
#[derive(Clone)]
pub struct StateMachine {
    storage: Storage,
    installing: Arc<watch::Sender<bool>>,
    marks: Arc<Mutex<LogMarks>>,
}

impl StateMachine {
    /// On top of what is on disk.
    pub fn new(storage: Storage) -> Self {
        let marks = Arc::new(Mutex::new(storage.log.opened_marks()));
        Self { storage, installing: Arc::new(watch::channel(false).0), marks }
    }

    /// True while a snapshot takes the place of the state.
    pub fn installing(&self) -> watch::Receiver<bool> {
        self.installing.subscribe()
    }

    /// Where the log's bytes lie, for the snapshot policy.
    pub fn log_marks(&self) -> Arc<Mutex<LogMarks>> {
        self.marks.clone()
    }

    async fn apply_chunk(&self, chunk: &mut Chunk) -> io::Result<()> {
        let Chunk { entries, responders, bytes } = std::mem::take(chunk);
        let Some(last) = entries.last() else { return Ok(()) };
        let last_index = last.log_id.index;
        let at_ms = entries.iter().filter_map(entry::proposed_at_ms).max();
        // A quorum of others may have committed what is not on this node's disk yet. Should it die now, its state would be
        // ahead of its log, or against it.
        self.storage.log.durable(last_index).await?;
        let answers = self.storage.state.apply(entries).await?;
        self.marks.lock().expect("held for this line only").note(last_index, bytes as u64, at_ms);
        for (responder, answer) in responders.into_iter().zip(answers) {
            if let Some(responder) = responder {
                responder.send(answer);
            }
        }
        Ok(())
    }
}

/// Entries that are applied together.
#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    responders: Vec<Responder>,
    bytes: usize,
}

impl Chunk {
    fn push(&mut self, entry: Entry, responder: Responder) {
        if let Payload::Normal(EncodedBatch(batch)) = &entry.payload {
            self.bytes += batch.len();
        }
        self.entries.push(entry);
        self.responders.push(responder);
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Checkpoint;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let meta = self.storage.state.raft_meta();
        Ok((meta.last_applied, meta.membership))
    }

    async fn apply<S>(&mut self, entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        // A chunk is what is ready, up to the bounds: a single entry never waits for more.
        let mut ready = entries.ready_chunks(APPLY_CHUNK_ENTRIES);
        while let Some(items) = ready.next().await {
            let mut chunk = Chunk::default();
            for item in items {
                let (entry, responder) = item?;
                chunk.push(entry, responder);
                if chunk.bytes >= APPLY_CHUNK_BYTES {
                    self.apply_chunk(&mut chunk).await?;
                }
            }
            self.apply_chunk(&mut chunk).await?;
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder { checkpoints: self.storage.checkpoints.clone() }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Checkpoint) -> Result<(), io::Error> {
        // What it says of itself is what was offered: nothing else may become the state.
        if snapshot_meta(&snapshot)? != *meta {
            return Err(io::Error::other("the snapshot's own position and membership are not those offered"));
        }
        self.installing.send_replace(true);
        // Flushes the log before anything else: the state must never be durable ahead of a log that contradicts it.
        let installed = self.storage.checkpoints.install(snapshot, &self.storage.log).await;
        self.installing.send_replace(false);
        Ok(installed?)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        self.storage.checkpoints.newest().map(as_snapshot).transpose()
    }
}

/// Builds checkpoints, beside apply.
pub struct SnapshotBuilder {
    checkpoints: CheckpointStore,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = Checkpoint;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        as_snapshot(self.checkpoints.build().await?)
    }
}

/// What a checkpoint covers, as openraft wants to hear it.
///
/// # Errors
/// A membership that contradicts itself.
pub fn snapshot_meta(checkpoint: &Checkpoint) -> io::Result<SnapshotMeta> {
    let last_membership = checkpoint.manifest().stored_membership()?;
    Ok(SnapshotMeta { last_log_id: checkpoint.last_log_id(), last_membership })
}

fn as_snapshot(checkpoint: Checkpoint) -> io::Result<Snapshot> {
    Ok(Snapshot { meta: snapshot_meta(&checkpoint)?, snapshot: checkpoint })
}

/// Remembers each node that ever was a member, so that no id is used twice: written with each membership.
pub fn used_node_ids(membership: &Membership) -> Vec<Write> {
    let write = |(id, node): (&NodeId, &super::types::Node)| {
        (Family::Sys, sys::used_node_id(*id), Some(codec::encode(&node.incarnation)))
    };
    membership.nodes().map(write).collect()
}

/// Nodes that were members and are no longer.
///
/// # Errors
/// The state cannot be read.
pub fn read_removed_node_ids(view: &dyn View, members: &Membership) -> Result<BTreeSet<NodeId>, ViewError> {
    let used = read_used_node_ids(view)?;
    Ok(used.into_keys().filter(|id| members.get_node(id).is_none()).collect())
}

/// Every node that ever was a member: its id, and its data directory's incarnation.
///
/// # Errors
/// The state cannot be read.
pub fn read_used_node_ids(view: &dyn View) -> Result<BTreeMap<NodeId, String>, ViewError> {
    let mut used = BTreeMap::new();
    alert_core::state::scan_prefix(view, Family::Sys, sys::USED_NODE_ID, |key, value| {
        let id = key.get(sys::USED_NODE_ID.len()..).and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
        let id = id.ok_or_else(|| ViewError("a key of a used node id has another length".into()))?;
        used.insert(id, codec::decode(value)?);
        Ok(true)
    })?;
    Ok(used)
}
