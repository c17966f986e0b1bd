//! What can go wrong with the log.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::storage::{data_directory::WAY_OUT, engine::EngineError};

/// Why the log cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogError {
    /// Entries or votes that were acknowledged may be missing: the node must not go on under its id.
    #[error("the Raft log in {} is damaged: {what}. {WAY_OUT}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What does not fit, and where.
        what: String,
    },
    /// The engine failed otherwise.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store has stopped after an earlier error.
    #[error("the Raft log has stopped: {0}")]
    Stopped(String),
    /// Consensus asked for something that would leave a hole.
    #[error("entry {found} cannot be appended: {wanted} is next")]
    NotNext {
        /// Index of the entry.
        found: u64,
        /// The only index that may follow.
        wanted: u64,
    },
    /// An entry beyond the limit was let through.
    #[error("entry {index} has {bytes} bytes, more than an entry may have")]
    TooLarge {
        /// Index of the entry.
        index: u64,
        /// Its size.
        bytes: usize,
    },
}

impl LogError {
    /// An engine's error at open or while reading: damage is told with the way out.
    pub(super) fn from_engine(path: &std::path::Path, error: EngineError) -> Self {
        match error {
            EngineError::Corrupt { what, place } => {
                Self::Damaged { path: path.to_path_buf(), what: format!("{what} ({place})") }
            }
            other => Self::Engine(other),
        }
    }
}

impl From<LogError> for io::Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Engine(error) => error.into(),
            LogError::Damaged { .. } => io::Error::new(io::ErrorKind::InvalidData, error),
            other => io::Error::other(other),
        }
    }
}
