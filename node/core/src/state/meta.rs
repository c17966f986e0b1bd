//! The state machine's own counters, written in each batch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    View, ViewError,
    family::{Family, sys},
};
use crate::codec;

/// Everything that the state machine counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Grows by one with each replicated change.
    pub revision: u64,
    /// Replicated time, milliseconds since 1970; never goes back.
    pub time_ms: u64,
    /// Sum, modulo 2^128, of the hashes of all entries of the primary families.
    pub state_hash: u128,
    /// The number that the next new label gets.
    pub next_label: u32,
    /// Revision at which any rules last changed.
    pub rules_revision: u64,
    /// Revision at which any agreement last changed.
    pub agreements_revision: u64,
    /// Records by `pb::AlertState`.
    pub alerts_by_state: BTreeMap<i32, u64>,
    /// Feed entries before this revision are gone.
    pub feed_compacted_before: u64,
}

impl Meta {
    /// As of `view`; the default in an empty store.
    pub fn read(view: &dyn View) -> Result<Self, ViewError> {
        match view.get(Family::Sys, sys::META)? {
            Some(bytes) => Ok(codec::decode(&bytes)?),
            None => Ok(Self::default()),
        }
    }

    /// Records of any state.
    pub fn alerts(&self) -> u64 {
        self.alerts_by_state.values().sum()
    }
}
