//! A checkpoint on this node's disk.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{CheckpointError, Manifest};
use crate::{
    raft::types::LogId,
    seam::{self, Host, Lane},
    storage::limits,
};

/// A checkpoint on this node's disk. Cheap to clone; its files stay as long as a clone is held, even after a newer one
/// has taken its place.
#[derive(Clone)]
pub struct Checkpoint {
    held: Arc<Held>,
}

pub(super) struct Held {
    pub path: PathBuf,
    pub manifest: Manifest,
    host: Host,
    /// True: the files go with the last handle.
    retired: AtomicBool,
    pins: AtomicUsize,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.retired.load(Ordering::Acquire) {
            let (files, path) = (self.host.files.clone(), self.path.clone());
            let remove = move || {
                if let Err(error) = remove(&*files, &path) {
                    // Swept at the next start.
                    tracing::warn!(path = %path.display(), %error, "a checkpoint could not be removed");
                }
            };
            self.host.blocking.submit(Lane::Snapshot, Box::new(remove));
        }
    }
}

/// Where the manifest of the checkpoint in `path` lies.
pub(super) fn manifest_path(path: &Path) -> PathBuf {
    path.with_extension("manifest")
}

/// Removes a checkpoint: the manifest first, so that what is left never counts.
pub(super) fn remove(files: &dyn seam::FileSystem, path: &Path) -> std::io::Result<()> {
    let manifest = manifest_path(path);
    if files.exists(&manifest) {
        files.remove_file(&manifest)?;
        files.sync_directory(path.parent().unwrap_or(path))?;
    }
    files.remove_directory(path)
}

impl Checkpoint {
    pub(super) fn new(host: &Host, path: PathBuf, manifest: Manifest) -> Self {
        let held =
            Held { path, manifest, host: host.clone(), retired: AtomicBool::new(false), pins: AtomicUsize::new(0) };
        Self { held: Arc::new(held) }
    }

    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.held.manifest
    }

    /// The last log entry in it.
    pub fn last_log_id(&self) -> Option<LogId> {
        self.held.manifest.last_log_id()
    }

    /// Its directory.
    pub(super) fn path(&self) -> &Path {
        &self.held.path
    }

    pub(super) fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Lets its files go with the last handle.
    pub(super) fn retire(&self) {
        self.held.retired.store(true, Ordering::Release);
    }

    /// Marks it as being sent: while pinned, the log behind it must not be purged.
    pub fn pin(&self) -> Pin {
        self.held.pins.fetch_add(1, Ordering::AcqRel);
        Pin { checkpoint: self.clone() }
    }

    /// Up to [`limits::CHECKPOINT_CHUNK_BYTES`] of file number `file` from `offset`; empty at its end.
    pub async fn read(&self, file: usize, offset: u64) -> Result<Vec<u8>, CheckpointError> {
        let file = self.held.manifest.files.get(file);
        let file = file.ok_or_else(|| CheckpointError::Manifest("no such file".into()))?;
        let path = self.held.path.join(&file.name);
        let files = self.held.host.files.clone();
        let work =
            move || files.read_at(&path, offset, limits::CHECKPOINT_CHUNK_BYTES).map_err(CheckpointError::io(&path));
        seam::run(&*self.held.host.blocking, Lane::Read, work).await
    }
}

impl Held {
    pub fn is_pinned(&self) -> bool {
        self.pins.load(Ordering::Acquire) > 0
    }
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "checkpoint {} ({} bytes)", self.held.path.display(), self.held.manifest.size_bytes())
    }
}

/// A checkpoint that is being sent, for as long as this lives.
pub struct Pin {
    checkpoint: Checkpoint,
}

impl Pin {
    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.checkpoint.held.pins.fetch_sub(1, Ordering::AcqRel);
    }
}
