//! The checkpoints of a node.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use alert_core::{search::Normalisers, state::family::LAYOUT_VERSION};
use parking_lot::Mutex;

use super::{
    Checkpoint, CheckpointError, Manifest, ManifestFile, Receiver, Step, files,
    handle::{self, Held},
    install, receive,
};
use crate::{
    raft::types::LogId,
    seam::{self, Host, Lane},
    storage::{
        data_directory::DataDirectory,
        engine::{Access, Engines},
        state::{Database, StateStore},
    },
};

/// Builds, receives and installs checkpoints. Cheap to clone.
#[derive(Clone)]
pub struct CheckpointStore {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub host: Host,
    pub engines: Arc<dyn Engines>,
    pub root: PathBuf,
    pub cluster_id: String,
    pub state: StateStore,
    incarnation: String,
    /// Numbers the checkpoints of this run: two may hold one position.
    counter: AtomicU64,
    newest: Mutex<Option<Checkpoint>>,
    /// Every checkpoint that somebody may hold.
    known: Mutex<Vec<Weak<Held>>>,
    /// Alive while files of another node's checkpoint come in.
    receiving: Mutex<Weak<()>>,
    stop_at: Mutex<Option<Step>>,
}

impl CheckpointStore {
    /// Opens the state in use, sweeps what an interrupted build or install left, and finds the newest checkpoint. Blocks.
    pub fn open(
        host: &Host,
        engines: &Arc<dyn Engines>,
        directory: &DataDirectory,
        normalisers: Normalisers,
    ) -> Result<(StateStore, Self), CheckpointError> {
        let root = directory.state_root().to_path_buf();
        let database = install::open_current(&*host.files, &**engines, &root)?;
        let state = StateStore::over(host, database, normalisers)?;
        let shared = Shared {
            host: host.clone(),
            engines: engines.clone(),
            root,
            cluster_id: directory.identity().cluster_id.clone(),
            state: state.clone(),
            incarnation: directory.identity().incarnation.clone(),
            counter: AtomicU64::new(0),
            newest: Mutex::new(None),
            known: Mutex::default(),
            receiving: Mutex::default(),
            stop_at: Mutex::default(),
        };
        shared.load()?;
        Ok((state, Self { shared: Arc::new(shared) }))
    }

    /// The newest checkpoint of this node.
    pub fn newest(&self) -> Option<Checkpoint> {
        self.shared.newest.lock().clone()
    }

    /// Makes a checkpoint of the state as of now. It is durable when this returns: what it holds may be purged from the
    /// log. Position, membership and hash are read back from it.
    pub async fn build(&self) -> Result<Checkpoint, CheckpointError> {
        let shared = self.shared.clone();
        seam::run(&*self.shared.host.blocking, Lane::Snapshot, move || shared.build()).await
    }

    /// Begins, or resumes, to receive another node's checkpoint. Fails when the disk has no room for it.
    pub async fn receive(&self, manifest: Manifest) -> Result<Receiver, CheckpointError> {
        manifest.check_origin(&self.shared.cluster_id)?;
        let shared = self.shared.clone();
        let own: Vec<Checkpoint> = self.newest().into_iter().collect();
        let work = move || {
            let number = shared.counter.fetch_add(1, Ordering::Relaxed);
            let places = (shared.staging(), shared.received());
            let alive = Arc::new(());
            *shared.receiving.lock() = Arc::downgrade(&alive);
            Receiver::begin(&shared.host, &*shared.engines, (&places.0, &places.1, number), manifest, &own, alive)
        };
        seam::run(&*self.shared.host.blocking, Lane::Snapshot, work).await
    }

    /// The oldest position of a checkpoint that is being sent: the log behind it must stay.
    pub fn oldest_pinned(&self) -> Option<LogId> {
        let mut known = self.shared.known.lock();
        known.retain(|held| held.strong_count() > 0);
        let pinned = known.iter().filter_map(Weak::upgrade).filter(|held| held.is_pinned());
        pinned.filter_map(|held| held.manifest.last_log_id()).min_by_key(|id| id.index)
    }

    /// Lets the next install stop at a step, as if the node had died there.
    #[cfg(test)]
    pub(super) fn stop_at(&self, step: Option<Step>) {
        *self.shared.stop_at.lock() = step;
    }
}

impl Shared {
    /// Where this node's checkpoints lie.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    fn received(&self) -> PathBuf {
        self.root.join("received")
    }

    /// Passes a step of an install.
    pub fn reached(&self, step: Step) -> Result<(), CheckpointError> {
        if *self.stop_at.lock() == Some(step) { Err(CheckpointError::Stopped(step)) } else { Ok(()) }
    }

    /// A name that no checkpoint has.
    pub fn new_checkpoint_path(&self, last_log_id: Option<LogId>) -> PathBuf {
        let (term, index) = last_log_id.map_or((0, 0), |id| (id.leader_id.term, id.index));
        loop {
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            let path = self.checkpoints().join(format!("{index:020}-{term}-{number}"));
            if !self.host.files.exists(&path) {
                return path;
            }
        }
    }

    /// Makes `checkpoint` the newest; the one before goes when nobody holds it any more.
    pub fn replace_newest(&self, checkpoint: Checkpoint) {
        self.known.lock().push(Arc::downgrade(checkpoint.held()));
        let old = self.newest.lock().replace(checkpoint.clone());
        if let Some(old) = old
            && old.path() != checkpoint.path()
        {
            old.retire();
        }
    }

    fn build(&self) -> Result<Checkpoint, CheckpointError> {
        let files = &*self.host.files;
        let in_use = self.state.database();
        let building = self.checkpoints().join("building");
        files.remove_directory(&building).map_err(CheckpointError::io(&building))?;
        in_use.engine().checkpoint(&building)?;

        let manifest = self.describe(&building, in_use.path())?;
        for ManifestFile { name, .. } in manifest.files.iter().filter(|file| !self.engines.is_immutable(&file.name)) {
            let path = building.join(name);
            files.sync_file(&path).map_err(CheckpointError::io(&path))?;
        }
        files.sync_directory(&building).map_err(CheckpointError::io(&building))?;
        let path = self.new_checkpoint_path(manifest.last_log_id());
        files.rename(&building, &path).map_err(CheckpointError::io(&path))?;
        let checkpoint = self.publish(path, manifest)?;
        tracing::info!(?checkpoint, applied = ?checkpoint.last_log_id(), "checkpoint built");
        self.replace_newest(checkpoint.clone());
        self.sweep_staging()?;
        Ok(checkpoint)
    }

    /// Removes what a transfer left that was broken off and not resumed: it would outlive every erasure.
    fn sweep_staging(&self) -> Result<(), CheckpointError> {
        if self.receiving.lock().strong_count() > 0 {
            return Ok(());
        }
        let (files, staging) = (&*self.host.files, self.staging());
        for entry in files.list(&staging).map_err(CheckpointError::io(&staging))? {
            files.remove_directory(&entry.path).map_err(CheckpointError::io(&entry.path))?;
        }
        Ok(())
    }

    /// Reads back what a new checkpoint holds.
    fn describe(&self, path: &Path, made_of: &Path) -> Result<Manifest, CheckpointError> {
        let database = Database::open(&*self.engines, path, Access::ReadOnly)?;
        let raft = database.raft_meta()?;
        let meta = database.meta()?;
        database.engine().close()?;
        drop(database);

        let name = made_of.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let lineage = format!("{}/{name}", self.incarnation);
        let newest = self.newest.lock().clone();
        // A file that never changes keeps its checksum.
        let known: BTreeMap<&str, &ManifestFile> = newest
            .iter()
            .filter(|checkpoint| checkpoint.manifest().lineage == lineage)
            .flat_map(|checkpoint| &checkpoint.manifest().files)
            .map(|file| (file.name.as_str(), file))
            .collect();
        let mut described = Vec::new();
        for (name, size_bytes) in files::content(&*self.host.files, &*self.engines, path)? {
            let kept = known.get(name.as_str()).filter(|file| file.size_bytes == size_bytes);
            let checksum = match kept.filter(|_| self.engines.is_immutable(&name)) {
                Some(file) => file.checksum,
                None => files::checksum(&*self.host.files, &path.join(&name))?,
            };
            described.push(ManifestFile { name, size_bytes, checksum });
        }
        Ok(Manifest {
            layout_version: LAYOUT_VERSION,
            cluster_id: self.cluster_id.clone(),
            lineage,
            last_applied: raft.last_applied.map(Into::into),
            membership: (&raft.membership).into(),
            revision: meta.revision,
            state_hash: meta.state_hash,
            files: described,
        })
    }

    /// Finds the newest whole checkpoint and removes all else.
    fn load(&self) -> Result<(), CheckpointError> {
        let files = &*self.host.files;
        let directory = self.checkpoints();
        files.create_directories(&directory).map_err(CheckpointError::io(&directory))?;
        receive::revive(files, &self.staging(), &self.received())?;

        let mut found = Vec::new();
        let entries = files.list(&directory).map_err(CheckpointError::io(&directory))?;
        for entry in entries.iter().filter(|entry| entry.is_directory) {
            let path = handle::manifest_path(&entry.path);
            let whole = files.exists(&path).then(|| files.read(&path)).and_then(Result::ok);
            let manifest = whole.and_then(|bytes| Manifest::decode(&bytes).ok());
            if let Some(manifest) = manifest.filter(|manifest| self.is_whole(&entry.path, manifest)) {
                found.push(Checkpoint::new(&self.host, entry.path.clone(), manifest));
            }
        }
        let newest = found.into_iter().max_by_key(|checkpoint| {
            (checkpoint.manifest().last_applied.map(|id| id.index), checkpoint.path().to_path_buf())
        });
        let keep = newest.as_ref().map(|checkpoint| checkpoint.path().to_path_buf());
        for entry in entries {
            let kept =
                keep.as_ref().is_some_and(|keep| entry.path == *keep || entry.path == handle::manifest_path(keep));
            let removed = match (kept, entry.is_directory) {
                (true, _) => Ok(()),
                (false, true) => handle::remove(files, &entry.path),
                // A manifest goes with its directory; alone, or half written, it is of no use.
                (false, false) if files.exists(&entry.path) => files.remove_file(&entry.path),
                (false, false) => Ok(()),
            };
            removed.map_err(CheckpointError::io(&entry.path))?;
        }
        if let Some(newest) = newest {
            self.replace_newest(newest);
        }
        Ok(())
    }

    /// True when every file is there in its full length.
    fn is_whole(&self, path: &Path, manifest: &Manifest) -> bool {
        let Ok(found) = files::content(&*self.host.files, &*self.engines, path) else { return false };
        let found: BTreeMap<String, u64> = found.into_iter().collect();
        manifest.files.iter().all(|file| found.get(&file.name) == Some(&file.size_bytes))
    }
}
