//! The state of the store: applies log entries, hands out views.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alert_core::{
    codec,
    state::{
        Caches, Effects, View, ViewError, Write,
        command::Batch,
        family::{Family, sys},
    },
};
use arc_swap::ArcSwap;
use openraft::EntryPayload;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Database, Position, StateError, StateView, families};
use crate::{
    raft::{
        state_machine::used_node_ids,
        types::{Applied, Entry, StoredMembership},
    },
    seam::{self, Host, Lane},
    storage::{
        engine::{Access, EngineError, EngineFigures, Engines, WriteBatch},
        records::RaftMeta,
    },
};

/// The state of one node. Cheap to clone.
#[derive(Clone)]
pub struct StateStore {
    shared: Arc<Shared>,
}

struct Shared {
    host: Host,
    database: ArcSwap<Database>,
    /// What readers get: the state after the last batch. Nearly all that happens is reading, so one snapshot, and its
    /// counters, serve every reader until the next batch.
    newest: ArcSwap<StateView>,
    closed: AtomicBool,
    position: watch::Sender<Position>,
    /// Held while a batch is applied or another database put in place.
    writer: Mutex<Writer>,
}

/// What the one writer knows.
struct Writer {
    raft: RaftMeta,
    caches: Caches,
}

impl StateStore {
    /// Opens the database at `path`, making it when absent. Blocks.
    pub fn open(host: &Host, engines: &dyn Engines, path: &Path) -> Result<Self, StateError> {
        Self::over(host, Database::open(engines, path, Access::ReadWrite)?)
    }

    pub(in crate::storage) fn over(host: &Host, database: Arc<Database>) -> Result<Self, StateError> {
        let raft = database.raft_meta()?;
        let newest = database.view()?;
        let position = newest.position();
        tracing::info!(
            path = %database.path().display(),
            applied = position.applied_index(),
            revision = position.revision,
            "state opened"
        );
        let shared = Shared {
            host: host.clone(),
            database: ArcSwap::new(database),
            newest: ArcSwap::from_pointee(newest),
            closed: AtomicBool::new(false),
            position: watch::Sender::new(position),
            writer: Mutex::new(Writer { raft, caches: Caches::default() }),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The state as of now. Reads nothing yet.
    ///
    /// # Errors
    /// The store was closed.
    pub fn read(&self) -> Result<StateView, StateError> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(EngineError::Closed("the state".into()).into());
        }
        Ok((**self.shared.newest.load()).clone())
    }

    /// How far the state is; changes after each chunk and each install. What a view says of itself is what counts.
    pub fn position(&self) -> watch::Receiver<Position> {
        self.shared.position.subscribe()
    }

    /// The last applied entry and the membership in force.
    pub fn raft_meta(&self) -> RaftMeta {
        self.shared.writer.lock().raft.clone()
    }

    /// Applies a chunk of log entries in one batch. One result for each entry, in order.
    pub async fn apply(&self, entries: Vec<Entry>) -> Result<Vec<Applied>, StateError> {
        let shared = self.shared.clone();
        seam::run(&*self.shared.host.blocking, Lane::Apply, move || shared.apply(&entries)).await
    }

    /// Writes `writes` and the position that they lead to in one batch, and publishes the position after it. Blocks.
    pub fn apply_batch(&self, writes: Vec<Write>, raft: RaftMeta) -> Result<Position, StateError> {
        let mut writer = self.shared.writer.lock();
        writer.caches = Caches::default();
        self.shared.write(&mut writer, writes, raft)
    }

    /// Counters of the engine below.
    pub fn figures(&self) -> EngineFigures {
        self.shared.database.load().engine().figures()
    }

    /// Closes the database. Later calls fail.
    pub async fn close(&self) -> Result<(), StateError> {
        let shared = self.shared.clone();
        let close = move || {
            let _writer = shared.writer.lock();
            shared.closed.store(true, Ordering::Release);
            shared.database.load().engine().close()
        };
        Ok(seam::run(&*self.shared.host.blocking, Lane::Apply, close).await?)
    }

    /// The database in use.
    pub(in crate::storage) fn database(&self) -> Arc<Database> {
        self.shared.database.load_full()
    }

    /// Puts another database in place of the one in use, and gives that back. Waits for a batch under way. Blocks.
    pub(in crate::storage) fn exchange(&self, database: Arc<Database>) -> Result<Arc<Database>, StateError> {
        let raft = database.raft_meta()?;
        let newest = database.view()?;
        let mut writer = self.shared.writer.lock();
        *writer = Writer { raft, caches: Caches::default() };
        let old = self.shared.database.swap(database);
        self.shared.publish(newest);
        Ok(old)
    }
}

impl Shared {
    fn apply(&self, entries: &[Entry]) -> Result<Vec<Applied>, StateError> {
        let mut writer = self.writer.lock();
        let mut raft = writer.raft.clone();
        let mut batches = Vec::new();
        let mut members = Vec::new();
        for entry in entries {
            let index = entry.log_id.index;
            if let Some(applied) = raft.last_applied
                && applied.index >= index
            {
                return Err(StateError::NotNext { index, applied: applied.index });
            }
            raft.last_applied = Some(entry.log_id);
            match &entry.payload {
                EntryPayload::Blank => {}
                EntryPayload::Normal(batch) => {
                    batches.push(codec::decode(&batch.0).map_err(|error| StateError::Undecodable {
                        what: format!("the batch of entry {index}"),
                        error,
                    })?)
                }
                EntryPayload::Membership(membership) => {
                    raft.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
                    members.extend(used_node_ids(membership));
                }
            }
        }
        // The one writer is here: nothing newer than the newest view is in the database.
        let view = self.newest.load_full();
        let effects = apply_entries(&*view, &mut writer.caches, &batches);
        let written = effects.map_err(StateError::from).and_then(|(mut writes, answers)| {
            writes.append(&mut members);
            self.write(&mut writer, writes, raft)?;
            Ok(answers)
        });
        let answers = written.inspect_err(|_| writer.caches = Caches::default())?;

        let mut answers = answers.into_iter();
        Ok(entries
            .iter()
            .map(|entry| match entry.payload {
                EntryPayload::Normal(_) => Applied { answers: answers.next().unwrap_or_default() },
                _ => Applied::default(),
            })
            .collect())
    }

    fn write(&self, writer: &mut Writer, writes: Vec<Write>, raft: RaftMeta) -> Result<Position, StateError> {
        let mut batch = WriteBatch::default();
        for (family, key, value) in writes {
            match value {
                Some(value) => batch.put(families::index(family), key, value),
                None => batch.delete(families::index(family), key),
            }
        }
        batch.put(families::index(Family::Sys), sys::RAFT, raft.encode());
        let database = self.database.load_full();
        database.engine().write(batch)?;
        writer.raft = raft;
        Ok(self.publish(database.view()?))
    }

    /// Lets readers have `newest`, and then tells them.
    fn publish(&self, newest: StateView) -> Position {
        let position = newest.position();
        self.newest.store(Arc::new(newest));
        self.position.send_replace(position);
        position
    }
}

type Answers = Vec<Vec<alert_core::state::command::Answer>>;

/// The one way from this store into the state machine.
fn apply_entries(view: &dyn View, caches: &mut Caches, batches: &[Batch]) -> Result<(Vec<Write>, Answers), ViewError> {
    if batches.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let Effects { writes, answers, .. } = alert_core::state::apply(view, caches, batches)?;
    assert_eq!(answers.len(), batches.len(), "the state machine answers every batch");
    Ok((writes, answers))
}
