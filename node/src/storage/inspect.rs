//! Read-only looks at a state, for tests and tools.

use alert_core::state::{self, View, ViewError};

use super::{
    log::{LogError, LogStore},
    state::{Position, StateError, StateStore, StateView},
};
use crate::raft::types::{Entry, Payload};

/// A state's position and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    pub position: Position,
    /// Sum, modulo 2^128, of the hashes of all entries of the primary families.
    pub state_hash: u128,
}

/// Position and hash as the state itself keeps them: what nodes compare at one index.
pub fn fingerprint(view: &StateView) -> Fingerprint {
    Fingerprint { position: view.position(), state_hash: view.meta().state_hash }
}

/// The state hash computed anew from every entry; equal to the kept one in a sound state. Reads everything.
pub fn recomputed_hash(view: &dyn View) -> Result<u128, ViewError> {
    state::full_hash(view)
}

/// Position and hash of the store as of now, after the kept hash was found equal to the recomputed one.
pub fn verified_fingerprint(store: &StateStore) -> Result<Fingerprint, StateError> {
    let view = store.read()?;
    let kept = fingerprint(&view);
    let recomputed = recomputed_hash(&view)?;
    if kept.state_hash != recomputed {
        return Err(ViewError(format!(
            "the kept state hash {:032x} differs from the recomputed one {recomputed:032x}",
            kept.state_hash
        ))
        .into());
    }
    Ok(kept)
}

/// Entries of `from..to` that the log holds, without a hole, as many as one read admits; what is asked of a node's log
/// from outside of consensus.
pub async fn entries(log: &LogStore, from: u64, to: u64) -> Result<Vec<Entry>, LogError> {
    log.reader().read(from, to, super::limits::LOG_TAIL_BYTES_MAX).await
}

/// The encoded batch of commands that an entry carries; `None` for blank entries and memberships.
pub fn batch_of(entry: &Entry) -> Option<&[u8]> {
    match &entry.payload {
        Payload::Normal(batch) => Some(batch.0.as_ref()),
        _ => None,
    }
}
