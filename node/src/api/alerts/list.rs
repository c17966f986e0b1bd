//! Alerts by id, a page at a time. The scan behind it serves exports too.

use std::collections::BTreeMap;

use alert_core::{
    alert::{AlertId, LabelId, Sight, StoredAlert},
    pb,
};
use prost::Message;

use super::{Filter, Page};
use crate::{
    api::{
        admission::Class,
        backend::Deadline,
        call::Call,
        core::{Api, Operate},
        errors::ApiResult,
        operations::{self, Operation},
        reading::Reading,
        records::{Seen, given, scan_alerts, size},
        work::Gone,
    },
    limits::{ANSWER_BYTES_MAX, PAGE_SCAN_TIME_MAX, SCAN_ENTRIES_PER_CHECK},
};

/// What a scan found.
pub(super) struct Found {
    pub records: Vec<pb::AlertRecord>,
    pub disclosed: Vec<pb::AuditDisclosure>,
    /// The last id looked at; `None` when the scan came to the end.
    pub last: Option<AlertId>,
}

impl Api {
    /// Up to `limit` records that the viewer sees and the filter takes, in the order of ids, on a thread.
    pub(super) async fn scan(
        &self,
        call: &Call,
        class: Class,
        reading: &Reading,
        filter: &Filter,
        after: Option<AlertId>,
        limit: usize,
    ) -> ApiResult<Found> {
        let (api, reading, filter) = (self.clone(), reading.clone(), filter.clone());
        self.work(call, class, move |gone| api.scan_here(&reading, &filter, after, limit, gone)).await
    }

    fn scan_here(
        &self,
        reading: &Reading,
        filter: &Filter,
        after: Option<AlertId>,
        limit: usize,
        gone: &Gone,
    ) -> ApiResult<Found> {
        let labels = self.labels(reading);
        let mut decided: BTreeMap<LabelId, Option<Sight>> = BTreeMap::new();
        let mut found = Found { records: Vec::new(), disclosed: Vec::new(), last: None };
        let (mut looked_at, mut bytes) = (0usize, 0);
        let until = Deadline::now() + PAGE_SCAN_TIME_MAX;
        scan_alerts(&*reading.handle.view, after, |id, value| {
            looked_at += 1;
            let header = StoredAlert::decode_header(value)?;
            let sight = match decided.get(&header.label) {
                Some(sight) => *sight,
                None => {
                    let label = labels.get(header.label)?;
                    let sight = Some(reading.viewer.sight(&label))
                        .filter(|sight| *sight != Sight::Hidden && filter.takes(&label));
                    decided.insert(header.label, sight);
                    sight
                }
            };
            if let Some(sight) = sight {
                let seen = Seen { id, sight, stored: StoredAlert::decode(value)? };
                if filter.takes_record(&seen.stored)? {
                    let record = self.record(reading, &seen)?;
                    bytes += size(&record);
                    found.disclosed.push(given(id, seen.stored.header.version));
                    found.records.push(record);
                }
            }
            let full = found.records.len() >= limit || bytes >= ANSWER_BYTES_MAX;
            let late = looked_at.is_multiple_of(SCAN_ENTRIES_PER_CHECK) && (gone.is_gone() || Deadline::now() >= until);
            if full || late {
                found.last = Some(id);
            }
            Ok(!(full || late))
        })?;
        Ok(found)
    }
}

impl Operate for pb::ListRequest {
    const OPERATION: &'static Operation = &operations::LIST;
    type Reply = pb::ListResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let filter = Filter::new(self.filter.as_ref())?;
        let question = self.filter.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        let page = Page::open(api, call, self.page_size, &self.page_token, &question)?;
        let after = page.after.as_deref().and_then(AlertId::from_slice);
        let reading = api.reading(call, self.read.as_ref()).await?;
        let found = api.scan(call, Class::Batch, &reading, &filter, after, page.size).await?;
        let next_page_token = found.last.map(|last| page.next(api, last.as_bytes())).unwrap_or_default();
        let answer = Some(api.disclose(call, &reading, found.disclosed).await?);
        Ok(pb::ListResponse { answer, records: found.records, next_page_token })
    }
}
