//! What can go wrong below the seam.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why an engine could not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// There is no database at the path.
    #[error("there is no database in {}", .0.display())]
    NotFound(PathBuf),
    /// Bytes on disk are not what was written.
    #[error("damaged data in {place}: {what}")]
    Corrupt {
        /// What does not fit.
        what: String,
        /// Which file or database.
        place: String,
    },
    /// Another process, or another part of this one, has the database open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be made or written.
    #[error("cannot write to {}: {reason}", path.display())]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left on the disk of {0}")]
    DiskFull(String),
    /// Reading or writing failed.
    #[error("disk error in {place}: {reason}")]
    Io {
        /// Which file or database.
        place: String,
        /// The operating system's words.
        reason: String,
    },
    /// The engine cannot do it now; later it may.
    #[error("the engine is busy: {0}")]
    Busy(String),
    /// The database has families that this version does not know, or lacks ones that it was asked for.
    #[error("{} was written by another version of the store: {reason}", path.display())]
    OtherVersion {
        /// The database.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// The database was closed, or opened for reading only.
    #[error("{0} is closed for this")]
    Closed(String),
}

impl EngineError {
    /// From an error of the file system at `path`.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path.to_path_buf()),
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists => Self::NotWritable { path: path.to_path_buf(), reason: error.to_string() },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path.display().to_string()),
            io::ErrorKind::InvalidData => Self::Corrupt { what: error.to_string(), place: path.display().to_string() },
            _ => Self::Io { place: path.display().to_string(), reason: error.to_string() },
        }
    }

    /// True when the bytes on disk cannot be trusted.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}

impl From<EngineError> for io::Error {
    fn from(error: EngineError) -> Self {
        let kind = match &error {
            EngineError::NotFound(_) => io::ErrorKind::NotFound,
            EngineError::Corrupt { .. } => io::ErrorKind::InvalidData,
            EngineError::DiskFull(_) => io::ErrorKind::StorageFull,
            EngineError::NotWritable { .. } => io::ErrorKind::PermissionDenied,
            EngineError::Busy(_) => io::ErrorKind::WouldBlock,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
