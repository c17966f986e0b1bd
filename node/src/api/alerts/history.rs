//! The versions of one alert. A version that the viewer could not have seen in its time is left out.

use alert_core::{
    alert::{AlertId, Sight, StoredAlert},
    pb,
    state::family::{self, Family},
};

use super::Page;
use crate::{
    api::{
        call::Call,
        core::{Api, Operate},
        errors::ApiResult,
        operations::{self, Operation},
        reading::Reading,
        records::{Seen, given, parse_id, size},
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
        let current = api.find_or_refuse(&reading, id)?;

        let mut versions = superseded(&reading, id, after, page.size)?;
        if versions.len() < page.size && current.stored.header.version > after {
            versions.push(current.stored);
        }
        let full = versions.len() >= page.size;
        let (mut entries, mut disclosed, mut bytes, mut last) = (Vec::new(), Vec::new(), 0, after);
        let mut cut = false;
        for stored in versions {
            if bytes >= ANSWER_BYTES_MAX {
                cut = true;
                break;
            }
            last = stored.header.version;
            let sight = api.sight(&reading, &stored.header)?;
            if sight == Sight::Hidden {
                continue;
            }
            let seen = Seen { id, sight, stored };
            let record = api.record(&reading, &seen)?;
            bytes += size(&record);
            disclosed.push(given(id, last));
            entries.push(pb::HistoryEntry {
                record: Some(record),
                change: seen.stored.header.change.clone(),
                changed_by: changed_by(&reading, &seen),
            });
        }
        let next_page_token = if full || cut { page.next(api, &last.to_be_bytes()) } else { Vec::new() };
        let answer = Some(api.disclose(call, &reading, disclosed).await?);
        Ok(pb::HistoryResponse { answer, entries, next_page_token })
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
