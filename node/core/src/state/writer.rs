//! Writes of one batch: an overlay that keeps the state hash right.

use std::{collections::HashMap, sync::Arc};

use super::{
    Meta, Overlay, View, ViewError, Write,
    command::{Done, Outcome},
    family::{self, Family, is_hashed, sys},
    feed::{Change, FeedEntry},
};
use crate::{
    alert::{AlertId, Label, LabelId},
    codec,
    search::Normalisers,
};

/// What apply keeps in memory between batches. All of it follows from the state: it may be dropped at any time, and
/// must be when another state is installed.
#[derive(Debug, Default)]
pub struct Caches {
    pub(super) rules: super::RuleCache,
    pub(super) normalisers: Normalisers,
    /// Never iterated, so its order cannot show.
    labels: HashMap<Label, LabelId>,
    /// No answer to a request that is kept is older than this, in replicated milliseconds; `None` = not known.
    pub(super) requests_since_ms: Option<u64>,
    /// No session that is remembered has been silent since before this; `None` = not known.
    pub(super) sessions_since_ms: Option<u64>,
}

impl Caches {
    /// Empty, on a node that has these normalisers.
    pub fn new(normalisers: Normalisers) -> Self {
        Self { normalisers, ..Self::default() }
    }

    /// Forgets everything that follows from the state.
    pub fn clear(&mut self) {
        *self = Self::new(self.normalisers);
    }
}

/// The overlay of one batch with its counters.
pub(super) struct Writer<'a> {
    overlay: Overlay<'a>,
    pub meta: Meta,
    pub caches: &'a mut Caches,
}

impl<'a> Writer<'a> {
    pub fn new(base: &'a dyn View, caches: &'a mut Caches) -> Result<Self, ViewError> {
        Ok(Self { meta: Meta::read(base)?, overlay: Overlay::new(base), caches })
    }

    /// The answer of a command that took effect, or had nothing to do.
    pub fn done(&self, id: AlertId, version: u64, state: i32, outcome: Outcome) -> Done {
        Done { id, version, revision: self.meta.revision, state, outcome, repeated: false }
    }

    /// The same, about nothing in particular.
    pub fn done_without_id(&self, outcome: Outcome) -> Done {
        self.done(AlertId::from_bytes([0; 16]), 0, 0, outcome)
    }

    /// What the batch has made of the state so far.
    pub fn view(&self) -> &Overlay<'a> {
        &self.overlay
    }

    pub fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.overlay.get(family, key)
    }

    /// Puts (`Some`) or deletes (`None`) a key.
    pub fn set(&mut self, family: Family, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), ViewError> {
        if is_hashed(family, &key) {
            let old = self.overlay.get(family, &key)?;
            if old == value {
                return Ok(());
            }
            if let Some(old) = old {
                self.meta.state_hash = self.meta.state_hash.wrapping_sub(entry_hash(family, &key, &old));
            }
            if let Some(new) = &value {
                self.meta.state_hash = self.meta.state_hash.wrapping_add(entry_hash(family, &key, new));
            }
        }
        self.overlay.set(family, key, value);
        Ok(())
    }

    /// Puts a key that is known to be absent: saves the look-up.
    pub fn insert(&mut self, family: Family, key: Vec<u8>, value: Vec<u8>) {
        if is_hashed(family, &key) {
            self.meta.state_hash = self.meta.state_hash.wrapping_add(entry_hash(family, &key, &value));
        }
        self.overlay.set(family, key, Some(value));
    }

    /// Writes into the feed what the present revision changed.
    pub fn tell(&mut self, change: Change) {
        let entry = FeedEntry { at_ms: self.meta.time_ms, change };
        self.insert(Family::Changes, family::change(self.meta.revision), codec::encode(&entry));
    }

    /// The number of a label, a new one at its first use.
    pub fn intern(&mut self, label: &Label) -> Result<LabelId, ViewError> {
        if let Some(id) = self.caches.labels.get(label) {
            return Ok(*id);
        }
        let bytes = codec::encode(label);
        let by_hash = [sys::LABEL_BY_HASH, blake3::hash(&bytes).as_bytes()].concat();
        let id = match self.get(Family::Sys, &by_hash)? {
            Some(id) => codec::decode(&id)?,
            None => {
                let id = self.meta.next_label;
                self.meta.next_label += 1;
                self.insert(Family::Sys, label_key(id), bytes);
                self.insert(Family::Sys, by_hash, codec::encode(&id));
                id
            }
        };
        self.caches.labels.insert(label.clone(), id);
        Ok(id)
    }

    /// All writes, the counters among them.
    pub fn finish(mut self) -> (Vec<Write>, Meta) {
        self.overlay.set(Family::Sys, sys::META.to_vec(), Some(codec::encode(&self.meta)));
        (self.overlay.into_writes(), self.meta)
    }
}

/// The label of a number.
pub fn read_label(view: &dyn View, id: LabelId) -> Result<Arc<Label>, ViewError> {
    let bytes = view
        .get(Family::Sys, &label_key(id))?
        .ok_or_else(|| ViewError(format!("label {id} is used and does not exist")))?;
    Ok(Arc::new(codec::decode(&bytes)?))
}

fn label_key(id: LabelId) -> Vec<u8> {
    [sys::LABEL_BY_ID, &id.to_be_bytes()].concat()
}

/// The part of one entry in the additive state hash.
pub fn entry_hash(family: Family, key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(family.name().as_bytes());
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let bytes = hasher.finalize();
    u128::from_le_bytes(bytes.as_bytes()[..16].try_into().expect("a hash of 32 bytes has a first half"))
}

/// The state hash computed anew from all entries: what `Meta::state_hash` must equal.
pub fn full_hash(view: &dyn View) -> Result<u128, ViewError> {
    let mut sum = 0u128;
    let mut add = |family: Family, prefix: &[u8]| {
        super::scan_prefix(view, family, prefix, |key, value| {
            sum = sum.wrapping_add(entry_hash(family, key, value));
            Ok(true)
        })
    };
    Family::ALL.iter().filter(|family| family.is_primary()).try_for_each(|family| add(*family, b""))?;
    sys::REPLICATED.iter().try_for_each(|prefix| add(Family::Sys, prefix))?;
    Ok(sum)
}
