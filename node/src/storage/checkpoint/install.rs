//! The database in use: which it is, how another takes its place.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alert_core::{mutants::Mutant, state::family::Family};

use super::{Checkpoint, CheckpointError, CheckpointStore, Manifest, files, handle, store::Shared};
use crate::{
    seam::{self, FileSystem, Lane},
    storage::{
        data_directory::{WAY_OUT, replace_file},
        engine::{Access, EngineError, Engines, WriteBatch},
        limits,
        log::LogStore,
        state::{Database, StateError, check_normaliser},
    },
};

const CURRENT: &str = "CURRENT";
/// How often a replaced database is looked at: is anybody still reading it?
const RETIRE_POLL: Duration = Duration::from_millis(50);

/// The moments of an install between which a node may stop. Tests stop at each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Everything in the log is durable.
    LogFlushed,
    /// The checkpoint is among this node's own, and counts for a restart.
    Adopted,
    /// The new database's files are there.
    DatabaseMade,
    /// It is open, and holds what the manifest says.
    DatabaseOpened,
    /// `CURRENT` names it.
    PointerMoved,
    /// Readers and apply use it.
    Exchanged,
}

impl Step {
    /// In order.
    pub const ALL: [Step; 6] = [
        Step::LogFlushed,
        Step::Adopted,
        Step::DatabaseMade,
        Step::DatabaseOpened,
        Step::PointerMoved,
        Step::Exchanged,
    ];
}

/// Directory of database number `number`.
fn database_path(root: &Path, number: u64) -> PathBuf {
    root.join(format!("db-{number:06}"))
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("db-")?.parse().ok()
}

/// Databases in `root`, by number.
fn databases(files: &dyn FileSystem, root: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let mut found = Vec::new();
    for entry in files.list(root).map_err(CheckpointError::io(root))? {
        let number = entry.path.file_name().and_then(|name| name.to_str()).and_then(number_of);
        if let Some(number) = number.filter(|_| entry.is_directory) {
            found.push((number, entry.path));
        }
    }
    Ok(found)
}

/// True when `root` holds a state that a node has worked with.
pub fn is_in_use(files: &dyn FileSystem, root: &Path) -> bool {
    files.exists(&root.join(CURRENT))
}

/// Opens the database that `CURRENT` names, or the first one of a new directory, and sweeps all others. Blocks.
pub(super) fn open_current(
    files: &dyn FileSystem,
    engines: &dyn Engines,
    root: &Path,
) -> Result<Arc<Database>, CheckpointError> {
    let pointer = root.join(CURRENT);
    let database = if files.exists(&pointer) {
        let bytes = files.read(&pointer).map_err(CheckpointError::io(&pointer))?;
        let text = String::from_utf8_lossy(&bytes);
        let name = text.strip_suffix('\n').unwrap_or_default();
        let path = number_of(name).map(|number| database_path(root, number));
        let path = path.filter(|path| files.exists(path)).ok_or_else(|| {
            StateError::Pointer(format!(
                "{} says {text:?}, and there is no such database: {WAY_OUT}",
                pointer.display()
            ))
        })?;
        Database::open(engines, &path, Access::ReadWrite)?
    } else {
        // New, or stopped before the pointer was first written. A state that holds entries always has its pointer.
        let number = databases(files, root)?.last().map_or(1, |(number, _)| *number);
        let path = database_path(root, number);
        let database = Database::open(engines, &path, Access::ReadWrite)?;
        if database.raft_meta()?.last_applied.is_some() {
            let what = format!("{} is missing beside a database that is in use: {WAY_OUT}", pointer.display());
            return Err(StateError::Pointer(what).into());
        }
        point_to(files, root, &path)?;
        database
    };
    for (_, path) in databases(files, root)? {
        if path != database.path() {
            files.remove_directory(&path).map_err(CheckpointError::io(&path))?;
        }
    }
    Ok(database)
}

/// Lets `CURRENT` name `database`, durably.
fn point_to(files: &dyn FileSystem, root: &Path, database: &Path) -> Result<(), CheckpointError> {
    let name = database.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // The database's own name must be durable before anything names it.
    files.sync_directory(root).map_err(CheckpointError::io(root))?;
    let pointer = root.join(CURRENT);
    replace_file(files, &pointer, format!("{name}\n").as_bytes()).map_err(CheckpointError::io(&pointer))
}

impl CheckpointStore {
    /// Replaces the state by that of `checkpoint` (received, or one of this node's own). Readers of the old state keep it
    /// until they are done, at most [`limits::VIEW_LIFE_MS`]. Stopped anywhere, it can be asked again; a restart finds
    /// the old state or the new one.
    pub async fn install(&self, checkpoint: Checkpoint, log: &LogStore) -> Result<(), CheckpointError> {
        checkpoint.manifest().check_origin(&self.shared.cluster_id)?;
        // First the log: the state may never be durable ahead of a log that contradicts it.
        log.flush().await?;
        let shared = self.shared.clone();
        let work = move || {
            shared.reached(Step::LogFlushed)?;
            shared.exchange(checkpoint)
        };
        let old = seam::run(&*self.shared.host.blocking, Lane::Snapshot, work).await?;
        let retire = retire(self.shared.clone(), old);
        tokio::spawn(retire);
        self.shared.reached(Step::Exchanged)
    }
}

impl Shared {
    /// From a checkpoint to the state in use; gives back the old database. Blocks.
    fn exchange(&self, checkpoint: Checkpoint) -> Result<Arc<Database>, CheckpointError> {
        let own = self.adopt(checkpoint)?;
        self.reached(Step::Adopted)?;

        let files = &*self.host.files;
        let in_use = self.state.database();
        let next = databases(files, &self.root)?.last().map_or(1, |(number, _)| number + 1);
        let path = database_path(&self.root, next);
        files::duplicate(files, &*self.engines, &own.manifest().files, own.path(), &path)?;
        self.reached(Step::DatabaseMade)?;

        let database = Database::open(&*self.engines, &path, Access::ReadWrite)?;
        check_content(&database, own.manifest())?;
        // Before the pointer: a state that this release cannot keep must not become its own.
        check_normaliser(&database.view()?, self.state.normalisers())?;
        if Mutant::SnapshotWithoutRequests.is_planted() {
            let mut batch = WriteBatch::default();
            batch.delete_range(Family::Requests as usize, [0], [255]);
            database.engine().write(batch)?;
        }
        self.reached(Step::DatabaseOpened)?;

        point_to(files, &self.root, &path)?;
        self.reached(Step::PointerMoved)?;

        let old = self.state.exchange(database)?;
        assert!(Arc::ptr_eq(&old, &in_use), "installs run one at a time");
        tracing::info!(path = %path.display(), applied = ?own.last_log_id(), "snapshot installed");
        self.replace_newest(own);
        Ok(old)
    }

    /// Makes a checkpoint one of this node's own, durably.
    fn adopt(&self, checkpoint: Checkpoint) -> Result<Checkpoint, CheckpointError> {
        if checkpoint.path().parent() == Some(self.checkpoints().as_path()) {
            return Ok(checkpoint);
        }
        let path = self.new_checkpoint_path(checkpoint.last_log_id());
        let manifest = checkpoint.manifest().clone();
        files::duplicate(&*self.host.files, &*self.engines, &manifest.files, checkpoint.path(), &path)?;
        self.publish(path, manifest)
    }

    /// Makes the checkpoint in `path` count: its name durable, then its manifest.
    pub(super) fn publish(&self, path: PathBuf, manifest: Manifest) -> Result<Checkpoint, CheckpointError> {
        let files = &*self.host.files;
        let parent = self.checkpoints();
        files.sync_directory(&parent).map_err(CheckpointError::io(&parent))?;
        replace_file(files, &handle::manifest_path(&path), &manifest.encode()).map_err(CheckpointError::io(&path))?;
        Ok(Checkpoint::new(&self.host, path, manifest))
    }
}

/// Position, membership and hash as the files themselves say them.
pub(super) fn check_content(database: &Arc<Database>, manifest: &Manifest) -> Result<(), CheckpointError> {
    let raft = database.raft_meta()?;
    let meta = database.meta()?;
    let differs = |what: &str| Err(CheckpointError::Contradiction(what.to_owned()));
    if raft.last_applied != manifest.last_log_id() {
        return differs("last applied entry");
    }
    if raft.membership != manifest.stored_membership()? {
        return differs("membership");
    }
    if (meta.revision, meta.state_hash) != (manifest.revision, manifest.state_hash) {
        return differs("revision or state hash");
    }
    Ok(())
}

/// Closes and removes a database once nobody reads it. Readers beyond their longest life are turned away first.
async fn retire(shared: Arc<Shared>, database: Arc<Database>) {
    let began = shared.host.clock.boot();
    while Arc::strong_count(&database) > 1 {
        if shared.host.clock.boot().saturating_sub(began) >= Duration::from_millis(limits::VIEW_LIFE_MS) {
            database.revoke();
        }
        tokio::time::sleep(RETIRE_POLL).await;
    }
    let files = shared.host.files.clone();
    let work = move || {
        let path = database.path().to_path_buf();
        let closed = database.engine().close();
        drop(database);
        if let Err(error) = closed
            .map_err(|error: EngineError| error.to_string())
            .and_then(|()| files.remove_directory(&path).map_err(|error| error.to_string()))
        {
            // Swept at the next start.
            tracing::warn!(path = %path.display(), %error, "a replaced database could not be removed");
        }
    };
    shared.host.blocking.submit(Lane::Snapshot, Box::new(work));
}
