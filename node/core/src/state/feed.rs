//! What the feed is made of: one entry for each revision that changed something, and how far each caller's copy is.

use serde::{Deserialize, Serialize};

use super::{
    View, ViewError,
    command::Outcome,
    context::Applied,
    family::{self, Family, sys},
    scan_prefix,
    view::Cursor,
    writer::Writer,
};
use crate::{
    alert::{AlertId, Caller, LabelId},
    codec, limits,
};

/// What one revision changed. Labels before and after say who gained or lost sight of the alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// An alert; `after` absent = erased. The record is in `alerts` when its version is the current one, otherwise in
    /// `history`; when it is in neither it was erased or purged since, and the event is a removal.
    Alert {
        /// Which.
        id: AlertId,
        /// The version this revision made.
        version: u64,
        /// Label before the change; absent = new.
        before: Option<LabelId>,
        /// Label after it.
        after: Option<LabelId>,
    },
    /// An agreement: streams under it end with RESYNC.
    Agreement {
        /// Which.
        id: String,
    },
    /// Rules of one kind (`pb::RuleKind` as a number).
    Rules {
        /// Which.
        kind: i32,
    },
    /// A link between two alerts came or went.
    Link {
        /// Which.
        id: AlertId,
    },
    /// A hit was reported or its conversation grew.
    Hit {
        /// Which.
        id: AlertId,
    },
    /// An attachment of an alert may be fetched now.
    Attachment {
        /// The alert.
        alert: AlertId,
    },
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// Replicated time of the change, milliseconds since 1970. Never less than that of an earlier entry.
    pub at_ms: u64,
    /// What changed.
    pub change: Change,
}

/// Entries of the feed in order.
pub struct FeedEntries<'a>(Box<dyn Cursor + 'a>);

impl<'a> FeedEntries<'a> {
    /// Those after `revision`.
    pub fn after(view: &'a dyn View, revision: u64) -> Result<Self, ViewError> {
        let mut cursor = view.cursor(Family::Changes);
        cursor.seek(&family::change(revision.saturating_add(1)), b"")?;
        Ok(Self(cursor))
    }

    /// The next one with its revision; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<(u64, FeedEntry)>, ViewError> {
        let Some((key, value)) = self.0.entry() else { return Ok(None) };
        let entry = (revision_of(key)?, codec::decode(value)?);
        self.0.next()?;
        Ok(Some(entry))
    }
}

fn revision_of(key: &[u8]) -> Result<u64, ViewError> {
    let key = key.try_into().map_err(|_| ViewError("a key of family 'changes' is no revision".into()))?;
    Ok(u64::from_be_bytes(key))
}

/// Which entries are older than `before_ms`: the first revision that is not, looking at so many entries as one command
/// drops. `None`: none is.
pub fn compactable_before(view: &dyn View, before_ms: u64) -> Result<Option<u64>, ViewError> {
    let mut entries = FeedEntries::after(view, 0)?;
    let mut before = None;
    for _ in 0..limits::FEED_ENTRIES_COMPACTED_AT_ONCE {
        match entries.next_entry()? {
            Some((revision, entry)) if entry.at_ms < before_ms => before = Some(revision + 1),
            _ => break,
        }
    }
    Ok(before)
}

/// Drops old entries, at most so many: the leader proposes again while there are more.
pub(super) fn compact(writer: &mut Writer<'_>, before_revision: u64) -> Applied {
    let mut old = Vec::new();
    let mut reached = before_revision;
    scan_prefix(writer.view(), Family::Changes, b"", |key, _| {
        let revision = revision_of(key)?;
        if revision >= before_revision {
            return Ok(false);
        }
        if old.len() == limits::FEED_ENTRIES_COMPACTED_AT_ONCE {
            reached = revision;
            return Ok(false);
        }
        old.push(key.to_vec());
        Ok(true)
    })?;
    for key in old {
        writer.set(Family::Changes, key, None)?;
    }
    // Never beyond what has happened: a cursor of now is not overtaken by what is to come.
    let meta = &mut writer.meta;
    meta.feed_compacted_before = meta.feed_compacted_before.max(reached.min(meta.revision + 1));
    Ok(writer.done_without_id(Outcome::Changed))
}

/// How far a caller's copy is, as it said itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The copy holds everything up to here.
    pub revision: u64,
    /// Replicated time of the latest acknowledgement, milliseconds since 1970.
    pub at_ms: u64,
    /// Replicated time of the first one.
    pub since_ms: u64,
    /// Longest time that a change waited to be acknowledged, in milliseconds.
    pub slowest_ms: u64,
    /// When that change was acknowledged; 0 = nothing was waited for yet.
    pub slowest_at_ms: u64,
}

fn acknowledgement_key(agreement: &str, caller: &Caller) -> Vec<u8> {
    [sys::FEED_ACK, &family::text(agreement), &codec::encode(caller)].concat()
}

/// `oldest_ms` is the time of the oldest change that this caller had to wait for and had not acknowledged, found by the
/// leader: what the caller may not see does not count against it.
pub(super) fn acknowledge(
    writer: &mut Writer<'_>,
    caller: Option<&Caller>,
    agreement: &str,
    revision: u64,
    oldest_ms: Option<u64>,
) -> Applied {
    let Some(caller) = caller else { return Ok(writer.done_without_id(Outcome::Unchanged)) };
    let key = acknowledgement_key(agreement, caller);
    let now_ms = writer.meta.time_ms;
    let held: Option<Acknowledgement> =
        writer.get(Family::Sys, &key)?.map(|bytes| codec::decode(&bytes)).transpose()?;
    let fresh = Acknowledgement { revision: 0, at_ms: 0, since_ms: now_ms, slowest_ms: 0, slowest_at_ms: 0 };
    let mut acknowledged = held.unwrap_or(fresh);
    if acknowledged.revision > revision {
        // A message that was overtaken by a later one.
        return Ok(writer.done_without_id(Outcome::Unchanged));
    }
    if let Some(oldest_ms) = oldest_ms
        && acknowledged.revision < revision
        && now_ms.saturating_sub(oldest_ms) >= acknowledged.slowest_ms
    {
        acknowledged.slowest_ms = now_ms.saturating_sub(oldest_ms);
        acknowledged.slowest_at_ms = now_ms;
    }
    (acknowledged.revision, acknowledged.at_ms) = (revision, now_ms);
    // A change like any other: who waits for the answer's revision has it in sight.
    writer.meta.revision += 1;
    writer.set(Family::Sys, key, Some(codec::encode(&acknowledged)))?;
    Ok(writer.done_without_id(Outcome::Changed))
}

/// What one caller has acknowledged under one agreement ("" = under none).
pub fn read_acknowledgement(
    view: &dyn View,
    agreement: &str,
    caller: &Caller,
) -> Result<Option<Acknowledgement>, ViewError> {
    let bytes = view.get(Family::Sys, &acknowledgement_key(agreement, caller))?;
    Ok(bytes.map(|bytes| codec::decode(&bytes)).transpose()?)
}

/// What every caller has acknowledged under one agreement.
pub fn read_acknowledgements(view: &dyn View, agreement: &str) -> Result<Vec<(Caller, Acknowledgement)>, ViewError> {
    let prefix = [sys::FEED_ACK, &family::text(agreement)].concat();
    let mut found = Vec::new();
    scan_prefix(view, Family::Sys, &prefix, |key, value| {
        found.push((codec::decode(&key[prefix.len()..])?, codec::decode(value)?));
        Ok(true)
    })?;
    Ok(found)
}
