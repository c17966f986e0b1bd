//! One alert in the state: its record, and everything that follows from it.
//!
//! Index entries, due times and counts are pure functions of the stored record. A change computes them for the record
//! before and after and writes the difference, so nothing can be left behind.

use std::collections::BTreeMap;

use prost::Message;

use super::{
    ViewError, attachments,
    family::{self, Due, Family, Hanging},
    feed::Change,
    life::parent_of,
    writer::Writer,
};
use crate::{
    alert::{
        AlertId, Caller, Header, Label, RecordError, RuleSet, StoredAlert, lifecycle::next_boundary, priority,
        sections, time::field_ms,
    },
    pb,
    search::index::{self, IndexInput},
};

/// Version of the name and number normaliser in use.
pub const NORMALISER: u32 = crate::search::NORMALISER_VERSION;

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
    pub lifecycle: pb::Lifecycle,
    pub state: pb::AlertState,
    /// "create", "update"...
    pub change: &'static str,
    pub by: Option<Caller>,
}

/// Stores a new version; `before` is what it replaces. Gives back its version.
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
        },
        alert: draft.content,
    };
    stored.replace_section(sections::LIFECYCLE, Some(&draft.lifecycle.encode_to_vec()))?;
    let alert = stored.to_alert()?;
    let label = Label::of(&alert, draft.state, rules, stored.header.changed_at_ms);
    stored.header.label = writer.intern(&label)?;
    let after = Loaded { stored, alert, label };

    if let Some(before) = before {
        let key = family::history(draft.id, before.version());
        writer.insert(Family::History, key, before.stored.encode());
        attachments::keep_referenced(writer, draft.id, &before.alert, Some(&after.alert))?;
    }
    writer.set(Family::Alerts, draft.id.as_bytes().to_vec(), Some(after.stored.encode()))?;
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
    write_derived(writer, rules, id, Some(loaded), None)?;
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
fn index_input<'a>(rules: &RuleSet, id: AlertId, loaded: &'a Loaded) -> Option<IndexInput<'a>> {
    (loaded.state() == pb::AlertState::Active).then(|| IndexInput {
        id,
        partition: loaded.label.partition,
        label: loaded.stored.header.label,
        priority: priority(&loaded.alert, rules),
        created_at_ms: loaded.stored.header.created_at_ms,
        normaliser: NORMALISER,
        alert: &loaded.alert,
    })
}

type Derived = BTreeMap<(Family, Vec<u8>), Vec<u8>>;

/// Everything that follows from a record: index entries, due times, what it hangs on.
fn derived(rules: &RuleSet, id: AlertId, loaded: &Loaded) -> Derived {
    let mut entries = Derived::new();
    if let Some(input) = index_input(rules, id, loaded) {
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
    let mut old = before.map(|loaded| derived(rules, id, loaded)).unwrap_or_default();
    for (place, value) in after.map(|loaded| derived(rules, id, loaded)).unwrap_or_default() {
        if old.remove(&place).as_ref() != Some(&value) {
            writer.set(place.0, place.1, Some(value))?;
        }
    }
    for (family, key) in old.into_keys() {
        writer.set(family, key, None)?;
    }
    // The lexicon counts the alerts that a name stands in: its entries follow from all of them, not from one.
    let input = |loaded| index_input(rules, id, loaded);
    let lexicon =
        index::lexicon::changes(writer.view(), before.and_then(input).as_ref(), after.and_then(input).as_ref())?;
    for (family, key, value) in lexicon {
        writer.set(family, key, value)?;
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
