//! Work on the files of checkpoints. All of it blocks.

use std::path::Path;

use super::{CheckpointError, ManifestFile};
use crate::{
    seam::FileSystem,
    storage::{engine::Engines, limits},
};

/// BLAKE3 of a file, read piece by piece.
pub(super) fn checksum(files: &dyn FileSystem, path: &Path) -> Result<[u8; 32], CheckpointError> {
    let mut hasher = blake3::Hasher::new();
    let mut offset = 0;
    loop {
        let piece = files.read_at(path, offset, limits::CHECKPOINT_CHUNK_BYTES).map_err(CheckpointError::io(path))?;
        if piece.is_empty() {
            return Ok(*hasher.finalize().as_bytes());
        }
        hasher.update(&piece);
        offset += piece.len() as u64;
    }
}

/// Names and sizes of the files in `directory` that belong to the database's content, by name.
pub(super) fn content(
    files: &dyn FileSystem,
    engines: &dyn Engines,
    directory: &Path,
) -> Result<Vec<(String, u64)>, CheckpointError> {
    let mut found = Vec::new();
    for entry in files.list(directory).map_err(CheckpointError::io(directory))? {
        let name = entry.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !entry.is_directory && engines.is_content(name) {
            found.push((name.to_owned(), entry.size_bytes));
        }
    }
    found.sort();
    Ok(found)
}

/// Makes `to` a durable copy of the checkpoint at `from`: links where files never change, copies elsewhere. `to` is
/// replaced; its name in the parent is not yet durable.
pub(super) fn duplicate(
    files: &dyn FileSystem,
    engines: &dyn Engines,
    manifest: &[ManifestFile],
    from: &Path,
    to: &Path,
) -> Result<(), CheckpointError> {
    files.remove_directory(to).map_err(CheckpointError::io(to))?;
    files.create_directories(to).map_err(CheckpointError::io(to))?;
    for ManifestFile { name, .. } in manifest {
        let (source, target) = (from.join(name), to.join(name));
        if engines.is_immutable(name) {
            files.hard_link(&source, &target).map_err(CheckpointError::io(&source))?;
        } else {
            copy(files, &source, &target)?;
        }
    }
    files.sync_directory(to).map_err(CheckpointError::io(to))
}

/// A durable copy of one file, piece by piece.
pub(super) fn copy(files: &dyn FileSystem, from: &Path, to: &Path) -> Result<(), CheckpointError> {
    files.write(to, b"").map_err(CheckpointError::io(to))?;
    let mut target = files.open_append(to).map_err(CheckpointError::io(to))?;
    loop {
        let offset = target.size_bytes();
        let piece = files.read_at(from, offset, limits::CHECKPOINT_CHUNK_BYTES).map_err(CheckpointError::io(from))?;
        if piece.is_empty() {
            break;
        }
        target.append(&piece).map_err(CheckpointError::io(to))?;
    }
    target.sync().map_err(CheckpointError::io(to))
}
