//! Read-only looks at a state, for tests and tools.

use alert_core::state::{self, View, ViewError};

use super::state::{Position, StateError, StateStore, StateView};

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
