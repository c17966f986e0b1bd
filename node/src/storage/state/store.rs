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
    mutants::Mutant,
    search::{Normalisers, index::key::first_of_version},
    state::{
        Caches, Effects, IndexWork, View, ViewError, Write,
        command::{Batch, Command},
        family::{Family, sys},
        index_work, normaliser_in_force, read_rules,
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
    normalisers: Normalisers,
}

/// What the one writer knows.
struct Writer {
    raft: RaftMeta,
    caches: Caches,
}

impl StateStore {
    /// Opens the database at `path`, making it when absent. Blocks.
    pub fn open(host: &Host, engines: &dyn Engines, path: &Path) -> Result<Self, StateError> {
        Self::over(host, Database::open(engines, path, Access::ReadWrite)?, Normalisers::default())
    }

    /// On an open database, with the normalisers that this node has. Refused when the index is kept by another.
    pub(in crate::storage) fn over(
        host: &Host,
        database: Arc<Database>,
        normalisers: Normalisers,
    ) -> Result<Self, StateError> {
        let raft = database.raft_meta()?;
        let newest = database.view()?;
        check_normaliser(&newest, normalisers)?;
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
            writer: Mutex::new(Writer { raft, caches: Caches::new(normalisers) }),
            normalisers,
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
        writer.caches.clear();
        self.shared.write(&mut writer, writes, raft)
    }

    /// The normalisers that this node has.
    pub fn normalisers(&self) -> Normalisers {
        self.shared.normalisers
    }

    /// Does the next piece of work on the index, if there is any: builds that of the next normaliser, drops what no
    /// normaliser in use has made. `apply` waits meanwhile, no longer than for an ordinary batch. Blocks.
    pub fn work_on_index(&self) -> Result<Worked, StateError> {
        let dropped = {
            let mut writer = self.shared.writer.lock();
            match self.shared.work_on_index(&mut writer)? {
                IndexWork::Nothing => return Ok(Worked::Nothing),
                IndexWork::Write(_) => return Ok(Worked::Built),
                IndexWork::Drop(dropped) => dropped,
            }
        };
        // Beside the writer: what is gone must not slow down seeks, nor stay on the disk.
        let database = self.database();
        for (family, version) in dropped {
            let (from, to) = (first_of_version(version), first_of_version(version + 1));
            database.engine().compact(families::index(family), from.as_deref(), to.as_deref())?;
        }
        Ok(Worked::Dropped)
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

    /// Rewrites a family, as the engine does by itself in time.
    #[cfg(all(test, feature = "rocksdb"))]
    pub(crate) fn rewrite(&self, family: Family) -> Result<(), StateError> {
        Ok(self.database().engine().compact(families::index(family), None, None)?)
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
        *writer = Writer { raft, caches: Caches::new(self.shared.normalisers) };
        let old = self.shared.database.swap(database);
        self.shared.publish(newest);
        Ok(old)
    }
}

impl Shared {
    fn apply(&self, entries: &[Entry]) -> Result<Vec<Applied>, StateError> {
        let mut writer = self.writer.lock();
        let mut entries = entries.iter().map(Decoded::new).collect::<Result<Vec<_>, _>>()?;
        let mut applied = Vec::with_capacity(entries.len());
        // A switch begins a chunk: the index is completed on the state just before it.
        for chunk in entries.chunk_by_mut(|_, next| !next.switches) {
            if chunk[0].switches {
                self.complete_index(&mut writer)?;
            }
            applied.extend(self.apply_chunk(&mut writer, chunk)?);
        }
        Ok(applied)
    }

    /// Builds all that is missing of the next index, now. Members report a complete one before the switch is proposed; but
    /// one that lost its newest state with its power, or came back by a snapshot or from the log, may have less.
    fn complete_index(&self, writer: &mut Writer) -> Result<(), StateError> {
        let mut steps = 0_u64;
        while self.work_on_index(writer)? != IndexWork::Nothing {
            steps += 1;
        }
        if steps > 0 {
            tracing::warn!(steps, "the next index was completed while entries waited");
        }
        Ok(())
    }

    fn work_on_index(&self, writer: &mut Writer) -> Result<IndexWork, StateError> {
        let database = self.database.load_full();
        let work = index_work(&database.view()?, &mut writer.caches)?;
        let mut batch = WriteBatch::default();
        match &work {
            IndexWork::Nothing => return Ok(work),
            IndexWork::Write(writes) => batch = write_batch(writes.clone()),
            IndexWork::Drop(dropped) => {
                for (family, version) in dropped {
                    // Beyond the last version there is no key: the range of the last one is open at its end.
                    let to = first_of_version(version + 1).unwrap_or_else(|| vec![u8::MAX; 64]);
                    let from = first_of_version(*version).expect("the version stood in a key");
                    batch.delete_range(families::index(*family), from, to);
                }
            }
        }
        database.engine().write(batch)?;
        // The next chunk of entries, and the next step of this work, go by how far the index is.
        self.newest.store(Arc::new(database.view()?));
        Ok(work)
    }

    fn apply_chunk(&self, writer: &mut Writer, entries: &mut [Decoded<'_>]) -> Result<Vec<Applied>, StateError> {
        let mut raft = writer.raft.clone();
        let mut batches = Vec::new();
        let mut members = Vec::new();
        for Decoded { entry, batch, .. } in entries.iter_mut() {
            let index = entry.log_id.index;
            if let Some(applied) = raft.last_applied
                && applied.index >= index
            {
                return Err(StateError::NotNext { index, applied: applied.index });
            }
            raft.last_applied = Some(entry.log_id);
            match &entry.payload {
                EntryPayload::Blank | EntryPayload::Normal(_) => batches.extend(batch.take()),
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
            self.write(writer, writes, raft)?;
            Ok(answers)
        });
        let answers = written.inspect_err(|_| writer.caches.clear())?;

        let mut answers = answers.into_iter();
        Ok(entries
            .iter()
            .map(|decoded| match decoded.entry.payload {
                EntryPayload::Normal(_) => Applied { answers: answers.next().unwrap_or_default() },
                _ => Applied::default(),
            })
            .collect())
    }

    fn write(&self, writer: &mut Writer, writes: Vec<Write>, raft: RaftMeta) -> Result<Position, StateError> {
        let (mut batch, mut later) = (WriteBatch::default(), WriteBatch::default());
        for (family, key, value) in writes {
            let splits = Mutant::IndexInSecondBatch.is_planted() && !family.is_primary() && family != Family::Sys;
            put(if splits { &mut later } else { &mut batch }, (family, key, value));
        }
        batch.put(families::index(Family::Sys), sys::RAFT, raft.encode());
        let database = self.database.load_full();
        database.engine().write(batch)?;
        if !later.changes.is_empty() {
            database.engine().write(later)?;
        }
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

/// A log entry with its commands.
struct Decoded<'a> {
    entry: &'a Entry,
    /// Taken out of a batch entry.
    batch: Option<Batch>,
    /// It puts another normaliser into force.
    switches: bool,
}

impl<'a> Decoded<'a> {
    fn new(entry: &'a Entry) -> Result<Self, StateError> {
        let batch: Option<Batch> = match &entry.payload {
            EntryPayload::Normal(batch) => Some(codec::decode(&batch.0).map_err(|error| StateError::Undecodable {
                what: format!("the batch of entry {}", entry.log_id.index),
                error,
            })?),
            _ => None,
        };
        let switch = |command: &Command| matches!(command, Command::SwitchNormaliser { .. });
        let switches = batch.iter().flat_map(|batch| &batch.proposals).any(|proposal| switch(&proposal.command));
        Ok(Self { entry, batch, switches })
    }
}

/// What came of a call of [`StateStore::work_on_index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Some alerts are in the next index; there may be more.
    Built,
    /// Entries that nothing uses are gone; there may be more work.
    Dropped,
    /// There was nothing to do.
    Nothing,
}

/// Where the state is, if this node can keep its index.
pub(in crate::storage) fn check_normaliser(view: &StateView, normalisers: Normalisers) -> Result<(), StateError> {
    if let Some(rules) = read_rules(view)? {
        normaliser_in_force(&rules, normalisers)?;
    }
    Ok(())
}

fn write_batch(writes: Vec<Write>) -> WriteBatch {
    let mut batch = WriteBatch::default();
    writes.into_iter().for_each(|write| put(&mut batch, write));
    batch
}

fn put(batch: &mut WriteBatch, (family, key, value): Write) {
    match value {
        Some(value) => batch.put(families::index(family), key, value),
        None => batch.delete(families::index(family), key),
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
