//! The versions of one alert. A version that the viewer could not have seen in its time is left out.

use alert_core::{
    alert::{AlertId, Sight, StoredAlert},
    pb,
    state::family::{self, Family},
};

use super::Page;
use crate::{
    api::{
        admission::Class,
        call::Call,
        core::{Api, Operate},
        errors::ApiResult,
        operations::{self, Operation},
        reading::Reading,
        records::{Seen, given, parse_id, size},
        work::Gone,
    },
    limits::ANSWER_BYTES_MAX,
};

impl Operate for pb::HistoryRequest {
    const OPERATION: &'static Operation = &operations::HISTORY;
    type Reply = pb::HistoryResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let page = Page::open(api, call, self.page_size, &self.page_token, id.as_bytes())?;
        let after = page.after.as_deref().and_then(|key| Some(u64::from_be_bytes(key.try_into().ok()?))).unwrap_or(0);
        let reading = api.reading(call, self.read.as_ref()).await?;
        // A page of versions is too much reading for the threads that answer calls.
        let (api_there, state, size) = (api.clone(), reading.clone(), page.size);
        let told = api.work(call, Class::Batch, move |gone| api_there.versions(&state, id, after, size, gone)).await?;
        let next_page_token = if told.goes_on { page.next(api, &told.last.to_be_bytes()) } else { Vec::new() };
        let answer = Some(api.disclose(call, &reading, told.disclosed).await?);
        Ok(pb::HistoryResponse { answer, entries: told.entries, next_page_token })
    }
}

/// One page of versions.
struct Told {
    entries: Vec<pb::HistoryEntry>,
    disclosed: Vec<pb::AuditDisclosure>,
    /// The last version that was looked at.
    last: u64,
    /// There may be more behind it.
    goes_on: bool,
}

impl Api {
    /// The versions above `after` that this viewer could see in their time, at most `limit`.
    fn versions(&self, reading: &Reading, id: AlertId, after: u64, limit: usize, gone: &Gone) -> ApiResult<Told> {
        let current = self.find_or_refuse(reading, id)?;
        let mut versions = superseded(reading, id, after, limit)?;
        if versions.len() < limit && current.stored.header.version > after {
            versions.push(current.stored);
        }
        let goes_on = versions.len() >= limit;
        let mut told = Told { entries: Vec::new(), disclosed: Vec::new(), last: after, goes_on };
        let mut bytes = 0;
        for stored in versions {
            gone.check()?;
            if bytes >= ANSWER_BYTES_MAX {
                told.goes_on = true;
                break;
            }
            told.last = stored.header.version;
            let sight = self.sight(reading, &stored.header)?;
            if sight == Sight::Hidden {
                continue;
            }
            let seen = Seen { id, sight, stored };
            let record = self.record(reading, &seen)?;
            bytes += size(&record);
            told.disclosed.push(given(id, told.last));
            told.entries.push(pb::HistoryEntry {
                record: Some(record),
                change: seen.stored.header.change.clone(),
                changed_by: changed_by(reading, &seen),
            });
        }
        Ok(told)
    }
}

/// Superseded versions above `after`, oldest first, at most `limit`.
fn superseded(reading: &Reading, id: AlertId, after: u64, limit: usize) -> ApiResult<Vec<StoredAlert>> {
    let mut versions = Vec::new();
    let mut cursor = reading.handle.view.cursor(Family::History);
    cursor.seek(&family::history(id, after.saturating_add(1)), id.as_bytes())?;
    while versions.len() < limit
        && let Some((_, value)) = cursor.entry()
    {
        versions.push(StoredAlert::decode(value)?);
        cursor.next()?;
    }
    Ok(versions)
}

/// Whose call made a version. Which system of another authority it was is the owner's business.
fn changed_by(reading: &Reading, seen: &Seen) -> String {
    match (&seen.stored.header.changed_by, seen.sight) {
        (None, _) => "the store".into(),
        (Some(caller), Sight::Owner) => caller.to_string(),
        (Some(caller), _) if caller == reading.viewer.caller() => caller.to_string(),
        (Some(caller), _) => format!("{}/{}", caller.country, caller.authority),
    }
}
