//! What the caller's bureau has to review before it ends: an alert that nobody extends is deleted without anyone acting.

use alert_core::{
    alert::{
        AlertId, Sight,
        time::{add_months, field_ms, subtract_months, to_ms},
    },
    pb,
    state::family::{Due, Family},
};
use prost::Message;

use super::Page;
use crate::{
    api::{
        admission::Class,
        backend::Deadline,
        call::Call,
        core::{Api, Operate},
        errors::{ApiError, ApiResult},
        operations::{self, Operation},
        reading::Reading,
        records::{Seen, given, size},
        work::Gone,
    },
    limits::{ANSWER_BYTES_MAX, PAGE_SCAN_TIME_MAX, SCAN_ENTRIES_PER_CHECK},
};

/// No rule warns earlier than this many months before the end.
const WARNING_MONTHS_MAX: u32 = 24;

impl Operate for pb::DueForReviewRequest {
    const OPERATION: &'static Operation = &operations::DUE_FOR_REVIEW;
    type Reply = pb::ListResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let before_ms = match &self.before {
            None => None,
            Some(before) => Some(
                to_ms(before).ok_or_else(|| ApiError::field("before", "OUT_OF_RANGE", "a time from 1970 to 9999"))?,
            ),
        };
        let question = self.before.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        let page = Page::open(api, call, self.page_size, &self.page_token, &question)?;
        let reading = api.reading(call, self.read.as_ref()).await?;

        let scan = (api.clone(), reading.clone(), page.after.clone(), page.size);
        let found = api.work(call, Class::Batch, move |gone| {
            let (api, reading, after, limit) = scan;
            api.scan_due(&reading, before_ms, after.as_deref(), limit, gone)
        });
        let (records, disclosed, last) = found.await?;

        let next_page_token = last.map(|last| page.next(api, &last)).unwrap_or_default();
        let answer = Some(api.disclose(call, &reading, disclosed).await?);
        Ok(pb::ListResponse { answer, records, next_page_token })
    }
}

/// Records, what was disclosed, and the last key looked at when there may be more.
type DueFound = (Vec<pb::AlertRecord>, Vec<pb::AuditDisclosure>, Option<Vec<u8>>);

impl Api {
    /// The viewer's own alerts by the time of their end. Without `before_ms`: those inside the warning time of their
    /// retention rule.
    fn scan_due(
        &self,
        reading: &Reading,
        before_ms: Option<u64>,
        after: Option<&[u8]>,
        limit: usize,
        gone: &Gone,
    ) -> ApiResult<DueFound> {
        let latest_ms = before_ms.unwrap_or_else(|| add_months(reading.now_ms, WARNING_MONTHS_MAX));
        let (mut records, mut disclosed, mut bytes, mut looked_at) = (Vec::new(), Vec::new(), 0, 0usize);
        let until = Deadline::now() + PAGE_SCAN_TIME_MAX;
        let mut cursor = reading.handle.view.cursor(Family::Expiry);
        cursor.seek(after.unwrap_or_default(), b"")?;
        while let Some((key, _)) = cursor.entry() {
            let (at_ms, due, id) = parse(key)?;
            if at_ms >= latest_ms {
                break;
            }
            looked_at += 1;
            if after != Some(key)
                && due == Due::Expire
                && let Some(seen) = self.find(reading, id)?
                && seen.sight == Sight::Owner
                && (before_ms.is_some() || is_warned(reading, &seen)?)
            {
                let record = self.record(reading, &seen)?;
                bytes += size(&record);
                disclosed.push(given(id, seen.stored.header.version));
                records.push(record);
            }
            let late = looked_at.is_multiple_of(SCAN_ENTRIES_PER_CHECK) && (gone.is_gone() || Deadline::now() >= until);
            if records.len() >= limit || bytes >= ANSWER_BYTES_MAX || late {
                return Ok((records, disclosed, Some(key.to_vec())));
            }
            cursor.next()?;
        }
        Ok((records, disclosed, None))
    }
}

/// Time, kind and alert of an entry of family `expiry`.
fn parse(key: &[u8]) -> ApiResult<(u64, Due, AlertId)> {
    let parsed = (|| {
        let (time, rest) = key.split_first_chunk::<8>()?;
        let (due, id) = rest.split_first()?;
        Some((u64::from_be_bytes(*time), Due::from_byte(*due)?, AlertId::from_slice(id)?))
    })();
    parsed.ok_or_else(|| ApiError::internal("a key of family 'expiry' does not parse"))
}

/// True when the owner is to be warned of the alert's end by now.
fn is_warned(reading: &Reading, seen: &Seen) -> ApiResult<bool> {
    let alert = seen.stored.to_alert()?;
    let core = alert.core.unwrap_or_default();
    let category = core.category.map(|category| category.value).unwrap_or_default();
    let source = core.source.map(|source| source.system).unwrap_or_default();
    let months = reading.rules.retention(&category, &source).warn_months_before;
    let expires_ms = alert.lifecycle.as_ref().and_then(|lifecycle| field_ms(&lifecycle.expires_at));
    Ok(expires_ms.is_some_and(|expires| subtract_months(expires, months) <= reading.now_ms))
}
