//! Files of another node's checkpoint, as they come in.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Checkpoint, CheckpointError, Manifest, ManifestFile, files};
use crate::{
    seam::{self, AppendFile, Host, Lane},
    storage::{engine::Engines, limits},
};

/// Characters of the name that a transfer has by its manifest.
const ID_CHARACTERS: usize = 32;

/// After a restart: what was complete and never installed is a transfer to resume. Blocks.
pub(super) fn revive(files: &dyn seam::FileSystem, staging: &Path, received: &Path) -> Result<(), CheckpointError> {
    for path in [staging, received] {
        files.create_directories(path).map_err(CheckpointError::io(path))?;
    }
    for entry in files.list(received).map_err(CheckpointError::io(received))? {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let target = staging.join(name.get(..ID_CHARACTERS).unwrap_or(name));
        if files.exists(&target) {
            files.remove_directory(&entry.path).map_err(CheckpointError::io(&entry.path))?;
        } else {
            files.rename(&entry.path, &target).map_err(CheckpointError::io(&target))?;
        }
    }
    Ok(())
}

/// A file that is not complete yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingPart {
    /// Its number in the manifest.
    pub file: usize,
    /// The first byte that is missing.
    pub offset: u64,
}

/// Collects the files of one checkpoint in a directory of their own. Dropped half-way, what has arrived stays there, and
/// a receiver of the same manifest goes on from it.
pub struct Receiver {
    host: Host,
    manifest: Manifest,
    directory: PathBuf,
    /// Where it goes when it is complete: the next transfer sweeps the staging directory.
    complete: PathBuf,
    /// Bytes there, by file.
    arrived: Vec<u64>,
    open: Option<(usize, Box<dyn AppendFile>)>,
    /// Its files are left alone for as long as it lives.
    _alive: Arc<()>,
}

impl Receiver {
    /// Prepares `staging/ID`. Files that `own` checkpoints hold are taken from there. Complete, it goes to `received`, with
    /// a number that no other has. Blocks.
    pub(super) fn begin(
        host: &Host,
        engines: &dyn Engines,
        (staging, received, number): (&Path, &Path, u64),
        manifest: Manifest,
        own: &[Checkpoint],
        alive: Arc<()>,
    ) -> Result<Self, CheckpointError> {
        let files = &*host.files;
        let id = blake3::hash(&manifest.encode()).to_hex();
        let id = &id.as_str()[..ID_CHARACTERS];
        let directory = staging.join(id);
        let complete = received.join(format!("{id}-{number}"));
        files.create_directories(&directory).map_err(CheckpointError::io(&directory))?;
        // One transfer at a time: whatever an earlier one left is of no use any more.
        for other in files.list(staging).map_err(CheckpointError::io(staging))? {
            if other.path != directory {
                files.remove_directory(&other.path).map_err(CheckpointError::io(&other.path))?;
            }
        }
        let held: BTreeMap<[u8; 32], PathBuf> = own
            .iter()
            .flat_map(|checkpoint| {
                let path = checkpoint.path();
                checkpoint.manifest().files.iter().map(|file| (file.checksum, path.join(&file.name)))
            })
            .collect();
        let mut arrived = Vec::with_capacity(manifest.files.len());
        for ManifestFile { name, size_bytes, checksum } in &manifest.files {
            let target = directory.join(name);
            let mut present = if files.exists(&target) { length(files, &target)? } else { 0 };
            if present > *size_bytes {
                files.remove_file(&target).map_err(CheckpointError::io(&target))?;
                present = 0;
            }
            if present < *size_bytes
                && let Some(source) = held.get(checksum)
            {
                if files.exists(&target) {
                    files.remove_file(&target).map_err(CheckpointError::io(&target))?;
                }
                if engines.is_immutable(name) {
                    files.hard_link(source, &target).map_err(CheckpointError::io(source))?;
                } else {
                    files::copy(files, source, &target)?;
                }
                present = length(files, &target)?;
            }
            arrived.push(present);
        }
        let receiver = Self { host: host.clone(), manifest, directory, complete, arrived, open: None, _alive: alive };
        receiver.check_space(staging)?;
        Ok(receiver)
    }

    /// Old and new state lie side by side for a while: the rest must fit beside what is there.
    fn check_space(&self, staging: &Path) -> Result<(), CheckpointError> {
        let arrived: u64 = self.arrived.iter().sum();
        let needed_bytes = self.manifest.size_bytes().saturating_sub(arrived) + limits::DISK_RESERVE_BYTES;
        let free_bytes = self.host.files.free_bytes(staging).map_err(CheckpointError::io(staging))?;
        if free_bytes < needed_bytes {
            return Err(CheckpointError::NoSpace { path: staging.to_path_buf(), needed_bytes, free_bytes });
        }
        Ok(())
    }

    /// What it will hold.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is still to be sent.
    pub fn missing(&self) -> Vec<MissingPart> {
        let incomplete = |(file, arrived): (usize, &u64)| {
            let missing = *arrived < self.manifest.files[file].size_bytes;
            missing.then_some(MissingPart { file, offset: *arrived })
        };
        self.arrived.iter().enumerate().filter_map(incomplete).collect()
    }

    /// Adds a piece. Pieces of a file come in order; files in any. Memory holds one piece at a time.
    pub async fn write(&mut self, file: usize, offset: u64, piece: Vec<u8>) -> Result<(), CheckpointError> {
        let expected = self.manifest.files.get(file);
        let expected = expected.ok_or_else(|| CheckpointError::Manifest("no such file".into()))?;
        let wanted = self.arrived[file];
        let end = offset + piece.len() as u64;
        if offset != wanted || end > expected.size_bytes {
            return Err(CheckpointError::NotNext { file, wanted, found: offset });
        }
        let path = self.directory.join(&expected.name);
        let open = self.open.take().filter(|(number, _)| *number == file).map(|(_, open)| open);
        let system = self.host.files.clone();
        let work = move || -> Result<Box<dyn AppendFile>, CheckpointError> {
            let mut target = match open {
                Some(target) => target,
                None => system.open_append(&path).map_err(CheckpointError::io(&path))?,
            };
            target.append(&piece).map_err(CheckpointError::io(&path))?;
            Ok(target)
        };
        let target = seam::run(&*self.host.blocking, Lane::Snapshot, work).await?;
        self.arrived[file] = end;
        self.open = Some((file, target));
        Ok(())
    }

    /// Checks every file against its checksum and makes all durable. A damaged file is removed, so that only it has to
    /// come again. The checkpoint counts for nothing until it is installed, and goes with its last handle.
    pub async fn finish(&mut self) -> Result<Checkpoint, CheckpointError> {
        self.open = None;
        let incomplete = self.missing().len();
        if incomplete > 0 {
            return Err(CheckpointError::Incomplete(incomplete));
        }
        let host = self.host.clone();
        let (directory, complete, manifest) = (self.directory.clone(), self.complete.clone(), self.manifest.clone());
        let work = move || {
            verify(&host, &directory, &manifest)?;
            host.files.rename(&directory, &complete).map_err(CheckpointError::io(&complete))
        };
        match seam::run(&*self.host.blocking, Lane::Snapshot, work).await {
            Ok(()) => {
                let checkpoint = Checkpoint::new(&self.host, self.complete.clone(), self.manifest.clone());
                checkpoint.retire();
                Ok(checkpoint)
            }
            Err(error) => {
                if let CheckpointError::Damaged(name) = &error
                    && let Some(file) = self.manifest.files.iter().position(|file| file.name == *name)
                {
                    self.arrived[file] = 0;
                }
                Err(error)
            }
        }
    }
}

fn verify(host: &Host, directory: &Path, manifest: &Manifest) -> Result<(), CheckpointError> {
    let system: &Arc<dyn seam::FileSystem> = &host.files;
    for ManifestFile { name, checksum, size_bytes } in &manifest.files {
        let path = directory.join(name);
        if *size_bytes == 0 && !system.exists(&path) {
            system.write(&path, b"").map_err(CheckpointError::io(&path))?;
        }
        if files::checksum(&**system, &path)? != *checksum {
            system.remove_file(&path).map_err(CheckpointError::io(&path))?;
            return Err(CheckpointError::Damaged(name.clone()));
        }
        system.sync_file(&path).map_err(CheckpointError::io(&path))?;
    }
    system.sync_directory(directory).map_err(CheckpointError::io(directory))
}

fn length(files: &dyn seam::FileSystem, path: &Path) -> Result<u64, CheckpointError> {
    let found = files.list(path.parent().unwrap_or(path)).map_err(CheckpointError::io(path))?;
    Ok(found.iter().find(|entry| entry.path == path).map_or(0, |entry| entry.size_bytes))
}
