//! The state machine as openraft sees it: takes committed entries in chunks, applies each on the apply lane, writes it
//! in one batch with the applied id and the membership, then answers.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use alert_core::{
    codec,
    state::{
        Caches, Effects, Meta, View, ViewError, Write,
        command::{Answer, Batch},
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
    snapshot_policy::LogMarks,
    state_port::{AppliedState, Checkpoint, StateStore},
    types::{Applied, EncodedBatch, Entry, LogId, Payload, SnapshotMeta, StoredMembership, TypeConfig},
};
use crate::{
    api::backend,
    seam::{Blocking, Lane, run},
};

/// A snapshot, built here or received.
pub type SnapshotData = Arc<dyn Checkpoint>;
/// A snapshot with what it covers.
pub type Snapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, SnapshotData>;

/// The pure function that applies batches: `alert_core::state::apply`, or a stand-in of a test.
pub type ApplyFn = fn(&dyn View, &mut Caches, &[Batch]) -> Result<Effects, ViewError>;

/// How far the state is, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub applied: backend::Applied,
    /// True while a snapshot takes the place of the state.
    pub installing: bool,
}

/// Applies entries. Clones share everything.
#[derive(Clone)]
pub struct StateMachine {
    store: Arc<dyn StateStore>,
    blocking: Arc<dyn Blocking>,
    apply: ApplyFn,
    caches: Arc<Mutex<Caches>>,
    /// As of the last chunk written; the apply lane's own.
    applied: Arc<Mutex<AppliedState>>,
    progress: Arc<watch::Sender<Progress>>,
    /// Where the log's bytes lie, for the snapshot policy.
    marks: Arc<Mutex<LogMarks>>,
}

impl StateMachine {
    /// On top of what the store holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(store: Arc<dyn StateStore>, blocking: Arc<dyn Blocking>, apply: ApplyFn) -> io::Result<Self> {
        let machine = Self {
            store,
            blocking,
            apply,
            caches: Arc::default(),
            applied: Arc::default(),
            progress: Arc::new(watch::channel(Progress::default()).0),
            marks: Arc::default(),
        };
        machine.reload()?;
        Ok(machine)
    }

    /// How far the state is; each change after it can be read.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// How far the state is, with the membership.
    pub fn applied(&self) -> AppliedState {
        self.applied.lock().expect("held for this line only").clone()
    }

    /// Where the log's bytes lie.
    pub fn log_marks(&self) -> Arc<Mutex<LogMarks>> {
        self.marks.clone()
    }

    /// Takes up what the store holds: at the start, and after a snapshot was installed.
    fn reload(&self) -> io::Result<()> {
        let (view, applied) = self.store.snapshot()?;
        let meta = Meta::read(&*view).map_err(io::Error::other)?;
        *self.caches.lock().expect("held for this line only") = Caches::default();
        *self.applied.lock().expect("held for this line only") = applied.clone();
        self.publish(&applied, meta.revision);
        Ok(())
    }

    fn publish(&self, applied: &AppliedState, revision: u64) {
        let index = applied.log_id.map_or(0, |id| id.index);
        self.progress.send_modify(|progress| progress.applied = backend::Applied { index, revision });
    }

    /// Applies a chunk and writes it. Blocks: on the apply lane.
    fn apply_chunk(&self, chunk: &[(LogId, Payload)]) -> io::Result<Vec<Applied>> {
        let mut applied = self.applied();
        let mut batches = Vec::new();
        let mut memberships = Vec::new();
        let mut bytes = 0;
        for (log_id, payload) in chunk {
            applied.log_id = Some(*log_id);
            match payload {
                Payload::Blank => {}
                Payload::Normal(EncodedBatch(batch)) => {
                    bytes += batch.len() as u64;
                    batches.push(decode_batch(*log_id, batch)?);
                }
                Payload::Membership(membership) => {
                    applied.membership = StoredMembership::new(Some(*log_id), membership.clone());
                    memberships.push(applied.membership.clone());
                }
            }
        }
        let (view, _) = self.store.snapshot()?;
        let mut answers: Vec<Vec<Answer>> = Vec::new();
        let mut writes: Vec<Write> = Vec::new();
        let mut revision = self.progress.borrow().applied.revision;
        if !batches.is_empty() {
            let mut caches = self.caches.lock().expect("the apply lane is one thread");
            let effects = (self.apply)(&*view, &mut caches, &batches).map_err(io::Error::other)?;
            assert_eq!(effects.answers.len(), batches.len(), "apply answers every batch");
            (writes, answers, revision) = (effects.writes, effects.answers, effects.meta.revision);
        }
        for membership in &memberships {
            writes.extend(used_ids(membership));
        }
        self.store.write(writes, &applied)?;
        *self.applied.lock().expect("held for this line only") = applied.clone();
        let last_index = applied.log_id.map_or(0, |id| id.index);
        self.marks.lock().expect("held for this line only").note(last_index, bytes);
        self.publish(&applied, revision);
        let mut answers = answers.into_iter();
        let answer = |payload: &Payload| match payload {
            Payload::Normal(_) => Applied { answers: answers.next().unwrap_or_default() },
            Payload::Blank | Payload::Membership(_) => Applied::default(),
        };
        Ok(chunk.iter().map(|(_, payload)| payload).map(answer).collect())
    }
}

fn decode_batch(log_id: LogId, bytes: &[u8]) -> io::Result<Batch> {
    codec::decode(bytes).map_err(|error| io::Error::other(format!("log entry {log_id} cannot be read: {error}")))
}

/// Remembers each node that ever was a member, so that no id is used twice.
fn used_ids(membership: &StoredMembership) -> impl Iterator<Item = Write> + '_ {
    membership.membership().nodes().map(|(id, node)| {
        let value = codec::encode(&node.incarnation);
        (Family::Sys, sys::used_node_id(*id), Some(value))
    })
}

/// Every node that ever was a member: its id, and the incarnation of its last data directory.
///
/// # Errors
/// The state cannot be read.
pub fn read_used_ids(view: &dyn View) -> Result<BTreeMap<u64, String>, ViewError> {
    let mut used = BTreeMap::new();
    alert_core::state::scan_prefix(view, Family::Sys, sys::USED_NODE_ID, |key, value| {
        let id = key.get(sys::USED_NODE_ID.len()..).and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
        let id = id.ok_or_else(|| ViewError("a key of a used node id has another length".into()))?;
        used.insert(id, codec::decode(value)?);
        Ok(true)
    })?;
    Ok(used)
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let applied = self.applied();
        Ok((applied.log_id, applied.membership))
    }

    async fn apply<Strm>(&mut self, entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        // Chunks are what is ready, up to the bounds: a single entry never waits for more.
        let mut ready = entries.ready_chunks(APPLY_CHUNK_ENTRIES);
        while let Some(items) = ready.next().await {
            let mut chunk = Vec::with_capacity(items.len());
            let mut responders = Vec::with_capacity(items.len());
            let mut bytes = 0;
            for item in items {
                let (entry, responder): (Entry, Option<ApplyResponder<TypeConfig>>) = item?;
                bytes += match &entry.payload {
                    Payload::Normal(EncodedBatch(batch)) => batch.len(),
                    Payload::Blank | Payload::Membership(_) => 0,
                };
                chunk.push((entry.log_id, entry.payload));
                responders.push(responder);
                if bytes >= APPLY_CHUNK_BYTES {
                    self.apply_on_lane(std::mem::take(&mut chunk), std::mem::take(&mut responders)).await?;
                    bytes = 0;
                }
            }
            self.apply_on_lane(chunk, responders).await?;
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<SnapshotBuilder> {
        Some(self.get_snapshot_builder().await)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder { store: self.store.clone(), blocking: self.blocking.clone() }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> Result<(), io::Error> {
        tracing::info!(last_log_id = ?meta.last_log_id, "a snapshot takes the place of the state");
        self.progress.send_modify(|progress| progress.installing = true);
        let machine = self.clone();
        let (last_log_id, membership) = (meta.last_log_id, meta.last_membership.clone());
        let installed = run(&*self.blocking, Lane::Apply, move || {
            let applied = snapshot.applied();
            // What it says of itself is what was offered: nothing else may become the state.
            if applied != (AppliedState { log_id: last_log_id, membership }) {
                return Err(io::Error::other("the snapshot's own applied id and membership are not those offered"));
            }
            machine.store.install(&*snapshot)?;
            machine.reload()
        })
        .await;
        self.progress.send_modify(|progress| progress.installing = false);
        installed
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let store = self.store.clone();
        let checkpoint = run(&*self.blocking, Lane::Snapshot, move || store.checkpoint()).await?;
        Ok(checkpoint.map(as_snapshot))
    }
}

impl StateMachine {
    async fn apply_on_lane(
        &self,
        chunk: Vec<(LogId, Payload)>,
        responders: Vec<Option<ApplyResponder<TypeConfig>>>,
    ) -> io::Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        let machine = self.clone();
        let answers = run(&*self.blocking, Lane::Apply, move || machine.apply_chunk(&chunk)).await?;
        for (responder, answer) in responders.into_iter().zip(answers) {
            if let Some(responder) = responder {
                responder.send(answer);
            }
        }
        Ok(())
    }
}

fn as_snapshot(checkpoint: Arc<dyn Checkpoint>) -> Snapshot {
    let AppliedState { log_id, membership } = checkpoint.applied();
    Snapshot { meta: SnapshotMeta { last_log_id: log_id, last_membership: membership }, snapshot: checkpoint }
}

/// Builds checkpoints, beside apply.
pub struct SnapshotBuilder {
    store: Arc<dyn StateStore>,
    blocking: Arc<dyn Blocking>,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let store = self.store.clone();
        let checkpoint = run(&*self.blocking, Lane::Snapshot, move || store.build_checkpoint()).await?;
        Ok(as_snapshot(checkpoint))
    }
}

