//! One alert in the state: its record, and everything that follows from it.
//!
//! Index entries, due times and counts are pure functions of the stored record. A change computes them for the record
//! before and after and writes the difference, so nothing can be left behind.

use std::collections::BTreeMap;

use prost::Message;

use super::{
    View, ViewError, Write, attachments,
    family::{self, Due, Family, Hanging, sys},
    feed::Change,
    indexing,
    life::parent_of,
    writer::Writer,
};
use crate::{
    alert::{
        AlertId, Caller, Header, Label, RecordError, RuleSet, StoredAlert, lifecycle::next_boundary, priority,
        sections, time::field_ms,
    },
    mutants::Mutant,
    pb,
    search::{
        Normaliser,
        index::{self, IndexInput},
    },
};

impl From<RecordError> for ViewError {
    fn from(error: RecordError) -> Self {
        Self(error.to_string())
    }
}

/// A record read for a change: stored form, decoded content, and its label.
pub(super) struct Loaded {
    pub stored: StoredAlert,
    pub alert: pb::Alert,
    pub label: Label,
}

impl Loaded {
    pub fn state(&self) -> pb::AlertState {
        pb::AlertState::try_from(self.stored.header.state).unwrap_or(pb::AlertState::Unspecified)
    }

    pub fn version(&self) -> u64 {
        self.stored.header.version
    }

    /// A tombstone is all that is left.
    pub fn is_ended(&self) -> bool {
        matches!(self.state(), pb::AlertState::Expired | pb::AlertState::Deleted)
    }
}

pub(super) fn load(writer: &Writer<'_>, id: AlertId) -> Result<Option<Loaded>, ViewError> {
    let Some(bytes) = writer.get(Family::Alerts, id.as_bytes())? else { return Ok(None) };
    let stored = StoredAlert::decode(&bytes)?;
    let alert = stored.to_alert()?;
    let label = (*super::read_label(writer.view(), stored.header.label)?).clone();
    Ok(Some(Loaded { stored, alert, label }))
}

/// A new version of an alert, before it is stored.
pub(super) struct Draft {
    pub id: AlertId,
    /// Encoded content sections, without lifecycle.
    pub content: Vec<u8>,
    /// The same content decoded, with its new lifecycle.
    pub alert: pb::Alert,
    pub state: pb::AlertState,
    /// "create", "update"...
    pub change: &'static str,
    pub by: Option<Caller>,
}

/// Stores a new version; `before` is what it replaces: without it the id is free. Gives back its version.
pub(super) fn store(
    writer: &mut Writer<'_>,
    rules: &RuleSet,
    before: Option<&Loaded>,
    draft: Draft,
) -> Result<u64, ViewError> {
    writer.meta.revision += 1;
    let meta = &writer.meta;
    let mut stored = StoredAlert {
        header: Header {
            data_key_id: 0,
            version: before.map_or(1, |loaded| loaded.version() + 1),
            revision: meta.revision,
            created_at_ms: before.map_or(meta.time_ms, |loaded| loaded.stored.header.created_at_ms),
            changed_at_ms: meta.time_ms,
            state: draft.state as i32,
            label: 0,
            change: draft.change.into(),
            changed_by: draft.by,
            priority: 0,
        },
        alert: draft.content,
    };
    let mut alert = draft.alert;
    let lifecycle = alert.lifecycle.get_or_insert_default().encode_to_vec();
    stored.replace_section(sections::LIFECYCLE, Some(&lifecycle))?;
    let label = Label::of(&alert, draft.state, rules, stored.header.changed_at_ms);
    stored.header.label = writer.intern(&label)?;
    stored.header.priority = priority(&alert, rules);
    let after = Loaded { stored, alert, label };

    let (key, bytes) = (draft.id.as_bytes().to_vec(), after.stored.encode());
    match before {
        None => writer.insert(Family::Alerts, key, bytes),
        Some(before) => {
            let history = family::history(draft.id, before.version());
            writer.insert(Family::History, history, before.stored.encode());
            attachments::keep_referenced(writer, draft.id, &before.alert, Some(&after.alert))?;
            writer.set(Family::Alerts, key, Some(bytes))?;
        }
    }
    write_derived(writer, rules, draft.id, before, Some(&after))?;
    let change = Change::Alert {
        id: draft.id,
        version: after.version(),
        before: before.map(|loaded| loaded.stored.header.label),
        after: Some(after.stored.header.label),
    };
    writer.tell(change);
    Ok(after.version())
}

/// Removes the record and every version before it. The feed tells it as a removal.
pub(super) fn erase(writer: &mut Writer<'_>, rules: &RuleSet, id: AlertId, loaded: &Loaded) -> Result<(), ViewError> {
    writer.meta.revision += 1;
    writer.set(Family::Alerts, id.as_bytes().to_vec(), None)?;
    if !Mutant::ErasedKeyLeft.is_planted() {
        write_derived(writer, rules, id, Some(loaded), None)?;
    }
    purge_history(writer, id)?;
    attachments::keep_referenced(writer, id, &loaded.alert, None)?;
    let change =
        Change::Alert { id, version: loaded.version() + 1, before: Some(loaded.stored.header.label), after: None };
    writer.tell(change);
    Ok(())
}

/// Removes every superseded version of an alert.
pub(super) fn purge_history(writer: &mut Writer<'_>, id: AlertId) -> Result<(), ViewError> {
    let mut keys = Vec::new();
    super::scan_prefix(writer.view(), Family::History, id.as_bytes(), |key, _| {
        keys.push(key.to_vec());
        Ok(true)
    })?;
    for key in keys {
        writer.set(Family::History, key, None)?;
    }
    Ok(())
}

/// An alert as the index sees it; only active ones are there.
fn index_input(id: AlertId, loaded: &Loaded, normaliser: Normaliser) -> Option<IndexInput<'_>> {
    (loaded.state() == pb::AlertState::Active).then_some(IndexInput {
        id,
        partition: loaded.label.partition,
        label: loaded.stored.header.label,
        priority: loaded.stored.header.priority,
        created_at_ms: loaded.stored.header.created_at_ms,
        normaliser,
        alert: &loaded.alert,
    })
}

/// What puts a stored alert into an index that lacks it.
pub(super) fn index_entries(
    view: &dyn View,
    id: AlertId,
    stored: StoredAlert,
    normaliser: Normaliser,
) -> Result<Vec<Write>, ViewError> {
    if stored.header.state != pb::AlertState::Active as i32 {
        return Ok(Vec::new());
    }
    let alert = stored.to_alert()?;
    let label = (*super::read_label(view, stored.header.label)?).clone();
    let loaded = Loaded { stored, alert, label };
    let input = index_input(id, &loaded, normaliser);
    let mut writes = index::lexicon::changes(view, None, input.as_ref())?;
    if let Some(input) = &input {
        index::derive(input, &mut |family, key, value| writes.push((family, key, Some(value))));
    }
    Ok(writes)
}

type Derived = BTreeMap<(Family, Vec<u8>), Vec<u8>>;

/// Everything that follows from a record alone, whatever rules are in force by now: index entries, due times, what it
/// hangs on.
fn derived(id: AlertId, loaded: &Loaded, normalisers: &[Normaliser]) -> Derived {
    let mut entries = Derived::new();
    for input in normalisers.iter().filter_map(|normaliser| index_input(id, loaded, *normaliser)) {
        index::derive(&input, &mut |family, key, value| {
            entries.insert((family, key), value);
        });
    }
    for (at_ms, due) in due_times(loaded) {
        entries.insert((Family::Expiry, family::due(at_ms, due, id)), Vec::new());
    }
    if let Some(parent) = parent_of(&loaded.alert).filter(|_| !loaded.is_ended()) {
        entries.insert((Family::Links, family::hanging(parent, Hanging::Child, id)), Vec::new());
    }
    entries
}

fn due_times(loaded: &Loaded) -> Vec<(u64, Due)> {
    let Some(lifecycle) = &loaded.alert.lifecycle else { return Vec::new() };
    if loaded.is_ended() {
        let until = lifecycle.tombstone.as_ref().and_then(|tombstone| field_ms(&tombstone.history_until));
        return until.map(|at| (at, Due::PurgeHistory)).into_iter().collect();
    }
    let start = field_ms(&lifecycle.valid_from).filter(|_| loaded.state() == pb::AlertState::Scheduled);
    let boundary = next_boundary(lifecycle, loaded.stored.header.changed_at_ms);
    [
        start.map(|at| (at, Due::Activate)),
        field_ms(&lifecycle.expires_at).map(|at| (at, Due::Expire)),
        boundary.map(|at| (at, Due::Restriction)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn write_derived(
    writer: &mut Writer<'_>,
    rules: &RuleSet,
    id: AlertId,
    before: Option<&Loaded>,
    after: Option<&Loaded>,
) -> Result<(), ViewError> {
    if indexing::is_orphaned(writer.view(), rules, writer.caches.normalisers)? {
        writer.set(Family::Sys, sys::INDEX_BUILD.to_vec(), None)?;
    }
    let normalisers = indexing::kept(writer.view(), rules, writer.caches.normalisers, id)?;
    let new = after.map(|loaded| derived(id, loaded, &normalisers)).unwrap_or_default();
    match before {
        // Each of these keys holds the id, so none is there yet.
        None => new.into_iter().for_each(|((family, key), value)| writer.insert(family, key, value)),
        Some(before) => {
            let mut old = derived(id, before, &normalisers);
            for (place, value) in new {
                if old.remove(&place).as_ref() != Some(&value) {
                    writer.set(place.0, place.1, Some(value))?;
                }
            }
            for (family, key) in old.into_keys() {
                writer.set(family, key, None)?;
            }
        }
    }
    // The lexicon counts the alerts that a name stands in: its entries follow from all of them, not from one.
    for normaliser in normalisers {
        let input = |loaded| index_input(id, loaded, normaliser);
        let (before, after) = (before.and_then(input), after.and_then(input));
        for (family, key, value) in index::lexicon::changes(writer.view(), before.as_ref(), after.as_ref())? {
            writer.set(family, key, value)?;
        }
    }
    let counts = &mut writer.meta.alerts_by_state;
    if let Some(before) = before {
        let count = counts.entry(before.stored.header.state).or_default();
        *count = count.checked_sub(1).expect("a stored alert was counted when it was stored");
    }
    if let Some(after) = after {
        *counts.entry(after.stored.header.state).or_default() += 1;
    }
    counts.retain(|_, count| *count > 0);
    Ok(())
}
