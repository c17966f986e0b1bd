//! Which index entries a node keeps: those of the normaliser in force, and those of the next one as far as it has built
//! them.
//!
//! A search profile with another normaliser than the one in force does not come into force at once: it is kept as the
//! *next* profile. From then on each node builds the next index at its own pace, alert by alert in the order of their ids,
//! and `apply` writes both indexes for the alerts that are built already. When every member has built it all, the leader
//! proposes [`Command::SwitchNormaliser`](super::command::Command::SwitchNormaliser): one log entry puts the next profile
//! into force, and what the old normaliser left is dropped.
//!
//! How far a node is (`sys::INDEX_BUILD`) lies beside the entries and is written in one batch with them, so a crash, a
//! restart and a checkpoint find the two in step. It is a node's own affair: neither it nor the index counts in the state
//! hash.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Caches, Meta, Overlay, View, ViewError, Write, alerts,
    family::{Family, sys},
    scan_from,
};
use crate::{
    alert::{AlertId, RuleSet, StoredAlert},
    codec, limits,
    search::{Normaliser, Normalisers, index::key},
};

/// How far this node has built the index of the next normaliser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexBuild {
    /// The version that is built.
    pub normaliser: u32,
    /// The last alert that is in it; `None` = none yet.
    pub upto: Option<AlertId>,
    /// Every alert is in it; `upto` says no more.
    pub complete: bool,
}

impl IndexBuild {
    fn of(normaliser: u32) -> Self {
        Self { normaliser, upto: None, complete: false }
    }

    /// As of `view`; `None` while nothing is built.
    pub fn read(view: &dyn View) -> Result<Option<Self>, ViewError> {
        Ok(view.get(Family::Sys, sys::INDEX_BUILD)?.map(|bytes| codec::decode(&bytes)).transpose()?)
    }

    fn write(&self) -> Write {
        (Family::Sys, sys::INDEX_BUILD.to_vec(), Some(codec::encode(self)))
    }

    /// The alert's entries are in the next index, so a change of the alert changes them too.
    fn covers(&self, id: AlertId) -> bool {
        self.complete || self.upto.is_some_and(|upto| id <= upto)
    }
}

/// The families that are keyed by normaliser.
pub fn index_families() -> impl Iterator<Item = Family> {
    Family::ALL.iter().copied().filter(|family| key::prefix_length(*family).is_some())
}

/// The normaliser in force.
///
/// # Errors
/// This node does not have it: it must not go on.
pub fn normaliser_in_force(rules: &RuleSet, normalisers: Normalisers) -> Result<Normaliser, ViewError> {
    normalisers.require(rules.search_profile().normaliser_version).map_err(|error| ViewError(error.to_string()))
}

/// The normalisers under which the entries of `id` are kept now.
pub(super) fn kept(
    view: &dyn View,
    rules: &RuleSet,
    normalisers: Normalisers,
    id: AlertId,
) -> Result<Vec<Normaliser>, ViewError> {
    let mut kept = vec![normaliser_in_force(rules, normalisers)?];
    if let Some(next) = rules.next_normaliser()
        && let Some(build) = IndexBuild::read(view)?
        && build.normaliser == next
        && build.covers(id)
    {
        kept.extend(normalisers.get(next));
    }
    Ok(kept)
}

/// True when a node that does not have the next normaliser finds an index of it, built under another release: what it
/// cannot keep up it must not leave standing.
pub(super) fn is_orphaned(view: &dyn View, rules: &RuleSet, normalisers: Normalisers) -> Result<bool, ViewError> {
    match rules.next_normaliser() {
        Some(next) if normalisers.get(next).is_none() => Ok(IndexBuild::read(view)?.is_some()),
        _ => Ok(false),
    }
}

/// What is to be done for the index in the background; each piece small enough to hold up a writer for no longer than an
/// ordinary batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexWork {
    /// Remove every entry of these families under these versions.
    Drop(Vec<(Family, u32)>),
    /// Write this: entries, and how far the build is. More follows.
    Write(Vec<Write>),
    /// Nothing, as far as this node can.
    Nothing,
}

/// The next piece of work on the index of `view`. What it answers must be written before anything else changes the state.
pub fn index_work(view: &dyn View, caches: &mut Caches) -> Result<IndexWork, ViewError> {
    let Some(rules) = caches.rules.get(view, &Meta::read(view)?)? else { return Ok(IndexWork::Nothing) };
    let build = IndexBuild::read(view)?;
    let next = rules.next_normaliser();
    let built = build.filter(|build| Some(build.normaliser) == next);
    let unused = unused(view, rules.search_profile().normaliser_version, built)?;
    if !unused.is_empty() {
        return Ok(IndexWork::Drop(unused));
    }
    let Some(normaliser) = next.and_then(|next| caches.normalisers.get(next)) else { return Ok(IndexWork::Nothing) };
    let build = built.unwrap_or(IndexBuild::of(normaliser.version()));
    if build.complete {
        return Ok(IndexWork::Nothing);
    }
    step(view, normaliser, build).map(IndexWork::Write)
}

/// Index entries of versions that nothing uses.
fn unused(view: &dyn View, in_force: u32, built: Option<IndexBuild>) -> Result<Vec<(Family, u32)>, ViewError> {
    let used = BTreeSet::from_iter([Some(in_force), built.map(|build| build.normaliser)].into_iter().flatten());
    let mut unused = Vec::new();
    for family in index_families() {
        let mut cursor = view.cursor(family);
        let mut from = Vec::new();
        loop {
            cursor.seek(&from, b"")?;
            let Some((key, _)) = cursor.entry() else { break };
            let version = key::version_of(key)
                .ok_or_else(|| ViewError(format!("a key of family '{}' has no version", family.name())))?;
            if !used.contains(&version) {
                unused.push((family, version));
            }
            let Some(next) = key::first_of_version(version + 1) else { break };
            from = next;
        }
    }
    Ok(unused)
}

/// Derives the entries of the next few alerts.
fn step(view: &dyn View, normaliser: Normaliser, mut build: IndexBuild) -> Result<Vec<Write>, ViewError> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    let from = build.upto.map_or_else(Vec::new, |upto| [upto.as_bytes().as_slice(), &[0]].concat());
    let mut more = false;
    scan_from(view, Family::Alerts, &from, |key, value| {
        more = chunk.len() == limits::INDEX_BUILD_ALERTS || bytes >= limits::INDEX_BUILD_BYTES;
        if more {
            return Ok(false);
        }
        let id = AlertId::from_slice(key).ok_or_else(|| ViewError("a key of family 'alerts' is no id".into()))?;
        bytes += value.len();
        chunk.push((id, StoredAlert::decode(value)?));
        Ok(true)
    })?;
    // The lexicon counts: each alert sees what those before it have added.
    let mut overlay = Overlay::new(view);
    for (id, stored) in chunk {
        for (family, key, value) in alerts::index_entries(&overlay, id, stored, normaliser)? {
            overlay.set(family, key, value);
        }
        build.upto = Some(id);
    }
    build.complete = !more;
    let mut writes = overlay.into_writes();
    writes.push(build.write());
    Ok(writes)
}
