//! What can go wrong with checkpoints.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::Step;
use crate::storage::{engine::EngineError, log::LogError, state::StateError};

/// Why a checkpoint could not be built, received or installed.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The database could not be read, made or opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log could not be made durable first.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's words.
        error: io::Error,
    },
    /// The disk has no room for the new state beside the old one.
    #[error(
        "a snapshot needs {needed_bytes} bytes in {} beside the present state, and {free_bytes} are free",
        path.display()
    )]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// Bytes still to come, with a reserve.
        needed_bytes: u64,
        /// Bytes free.
        free_bytes: u64,
    },
    /// The manifest does not decode, or asks for what no manifest may.
    #[error("bad manifest: {0}")]
    Manifest(String),
    /// The checkpoint is of another cluster or layout.
    #[error("the snapshot is of {found}, and this node of {wanted}")]
    Foreign {
        /// What the manifest says.
        found: String,
        /// What this node is.
        wanted: String,
    },
    /// A piece does not continue what is there.
    #[error("file {file} of the snapshot continues at byte {wanted}, not at {found}")]
    NotNext {
        /// Number of the file.
        file: usize,
        /// Where the next piece begins.
        wanted: u64,
        /// Where this one does.
        found: u64,
    },
    /// A received file is not the one that was sent. It has been removed: sending it again may help.
    #[error("file '{0}' of the snapshot arrived damaged")]
    Damaged(String),
    /// Files are missing.
    #[error("{0} files of the snapshot are still incomplete")]
    Incomplete(usize),
    /// What the files say of themselves is not what the manifest says.
    #[error("the snapshot does not hold what its manifest says: {0}")]
    Contradiction(String),
    /// A test stopped here.
    #[error("stopped at {0:?}")]
    Stopped(Step),
}

impl CheckpointError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |error| Self::Io { path, error }
    }
}

impl From<EngineError> for CheckpointError {
    fn from(error: EngineError) -> Self {
        Self::State(error.into())
    }
}

impl From<CheckpointError> for io::Error {
    fn from(error: CheckpointError) -> Self {
        let kind = match &error {
            CheckpointError::Io { error, .. } => error.kind(),
            CheckpointError::NoSpace { .. } => io::ErrorKind::StorageFull,
            CheckpointError::Damaged(_) | CheckpointError::Contradiction(_) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
