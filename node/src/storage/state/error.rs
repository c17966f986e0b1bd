//! What can go wrong with the state.

use std::io;

use alert_core::{codec::CodecError, state::ViewError};
use thiserror::Error;

use crate::storage::engine::EngineError;

/// Why the state cannot be read or changed. None of them is an answer to a caller: the node stops, or never starts.
#[derive(Debug, Error)]
pub enum StateError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state machine cannot read the state, or a command is of a newer version.
    #[error(transparent)]
    View(#[from] ViewError),
    /// What consensus keeps in the state, or a batch in an entry, does not decode.
    #[error("{what}: {error}")]
    Undecodable {
        /// Which bytes.
        what: String,
        /// Why not.
        error: CodecError,
    },
    /// An entry came twice, or out of order.
    #[error("entry {index} cannot be applied: the state already holds entry {applied}")]
    NotNext {
        /// Index of the entry.
        index: u64,
        /// Index up to which the state is.
        applied: u64,
    },
    /// The pointer to the database in use is damaged.
    #[error("the pointer to the state database does not parse: {0}")]
    Pointer(String),
}

impl From<StateError> for io::Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Engine(error) => error.into(),
            other => io::Error::other(other),
        }
    }
}
