//! What the changes of one stretch are for one caller.
//!
//! Each revision that gains or keeps an alert in the watch's sight is an upsert; one that loses it, by deletion,
//! erasure, restriction or a change of label, is a removal, and these look alike. What was cancelled or suspended since
//! is never shown: an older version whose alert is out of sight by now is told as a removal too.

use std::{collections::BTreeMap, sync::Arc};

use alert_core::{
    alert::{AlertId, LabelId, Sight, StoredAlert},
    pb,
    state::{
        Change, FeedEntries,
        family::{self, Family},
    },
};

use super::cursor::{Position, Scope, feed_cursor};
use crate::{
    api::{
        alerts::Filter,
        core::Api,
        errors::ApiResult,
        reading::Reading,
        records::{Seen, given, size},
        work::Gone,
    },
    limits::{ANSWER_BYTES_MAX, WATCH_CHANGES_PER_MESSAGE},
};

/// What was found among the changes of one stretch.
#[derive(Default)]
pub struct Stretch {
    pub events: Vec<pb::FeedEvent>,
    pub disclosed: Vec<pb::AuditDisclosure>,
    /// Looked at up to here.
    pub read: u64,
}

/// Somebody's look at a state.
pub struct Look {
    pub api: Api,
    pub reading: Reading,
    pub filter: Arc<Filter>,
    pub scope: Scope,
    /// What each label that was met is for this caller.
    sights: BTreeMap<LabelId, Sight>,
}

impl Look {
    /// At this state, with this filter.
    pub fn new(api: Api, reading: Reading, filter: Arc<Filter>, scope: Scope) -> Self {
        Self { api, reading, filter, scope, sights: BTreeMap::new() }
    }

    /// The changes after `after`, as far as one message takes.
    pub fn stretch(&mut self, after: u64, gone: &Gone) -> ApiResult<Stretch> {
        let mut stretch = Stretch { read: after, ..Stretch::default() };
        let reading = self.reading.clone();
        let mut entries = FeedEntries::after(&*reading.handle.view, after)?;
        let mut bytes = 0;
        for _ in 0..WATCH_CHANGES_PER_MESSAGE {
            if bytes >= ANSWER_BYTES_MAX {
                return Ok(stretch);
            }
            gone.check()?;
            let Some((revision, entry)) = entries.next_entry()? else {
                // Nothing after it in this state: revisions without an entry of their own are behind us too.
                stretch.read = self.reading.handle.revision;
                return Ok(stretch);
            };
            if let Change::Alert { id, version, before, after } = entry.change
                && let Some((change, disclosed)) = self.event(id, version, before, after)?
            {
                if let pb::feed_event::Change::Upsert(record) = &change {
                    bytes += size(record);
                }
                stretch.disclosed.extend(disclosed);
                stretch.events.push(pb::FeedEvent {
                    cursor: feed_cursor(&self.api, revision, self.scope),
                    alert_id: id.to_string(),
                    change: Some(change),
                });
            }
            stretch.read = revision;
        }
        Ok(stretch)
    }

    /// What one change of an alert is for this caller.
    fn event(
        &mut self,
        id: AlertId,
        version: u64,
        before: Option<LabelId>,
        after: Option<LabelId>,
    ) -> ApiResult<Option<(pb::feed_event::Change, Option<pb::AuditDisclosure>)>> {
        let removal = pb::feed_event::Change::Removal(pb::FeedRemoval {});
        let (was_seen, sight) = (self.sight(before)? != Sight::Hidden, self.sight(after)?);
        if sight == Sight::Hidden {
            return Ok(was_seen.then_some((removal, None)));
        }
        match self.version(id, version)? {
            Some(stored) => {
                let record = self.api.record(&self.reading, &Seen { id, sight, stored })?;
                Ok(Some((pb::feed_event::Change::Upsert(record), Some(given(id, version)))))
            }
            None => Ok(Some((removal, None))),
        }
    }

    /// What the caller sees of an alert under a label; nothing of one that the filter leaves out.
    fn sight(&mut self, label: Option<LabelId>) -> ApiResult<Sight> {
        let Some(label) = label else { return Ok(Sight::Hidden) };
        if let Some(sight) = self.sights.get(&label) {
            return Ok(*sight);
        }
        let value = self.api.labels(&self.reading).get(label)?;
        let sight = if self.filter.takes(&value) { self.reading.viewer.sight(&value) } else { Sight::Hidden };
        self.sights.insert(label, sight);
        Ok(sight)
    }

    /// A version of an alert, unless the alert has gone out of the caller's sight since.
    fn version(&self, id: AlertId, version: u64) -> ApiResult<Option<StoredAlert>> {
        let Some(current) = self.api.find(&self.reading, id)? else { return Ok(None) };
        if current.stored.header.version == version {
            return Ok(Some(current.stored));
        }
        let bytes = self.reading.handle.view.get(Family::History, &family::history(id, version))?;
        Ok(bytes.map(|bytes| StoredAlert::decode(&bytes)).transpose()?)
    }
}

impl Position {
    /// True when changes after it are no longer kept.
    pub fn is_compacted(&self, reading: &Reading) -> bool {
        self.revision + 1 < reading.meta.feed_compacted_before
    }
}
