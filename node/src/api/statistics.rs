//! Counts, never personal data, of those alerts that the caller may know of: what there is now, or what happened over a
//! stretch of time. Over a stretch: alerts created and ended, hits reported and answered, by category.

use std::{collections::BTreeMap, ops::Range};

use alert_core::{
    alert::{
        AlertId, Label, Partition, Role, Sight, StoredAlert,
        time::{field_ms, to_ms},
    },
    pb::{self, statistics_service_server::StatisticsService},
    state::{View, family::Family, read_hit},
};
use tonic::{Request, Response, Status};

use super::{
    admission::Class,
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult},
    operations::{self, Operation},
    reading::Reading,
    records::scan_alerts,
    work::Gone,
};
use crate::limits::SCAN_ENTRIES_PER_CHECK;

#[tonic::async_trait]
impl StatisticsService for Api {
    async fn report(
        &self,
        request: Request<pb::StatisticsRequest>,
    ) -> Result<Response<pb::StatisticsResponse>, Status> {
        self.unary(request).await
    }
}

impl Operate for pb::StatisticsRequest {
    const OPERATION: &'static Operation = &operations::STATISTICS;
    type Reply = pb::StatisticsResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let span = span(self)?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let (counting, state) = (api.clone(), reading.clone());
        let count = move |gone: &Gone| Counter::new(counting, state, gone.clone()).count(span);
        let rows = api.work(call, Class::Batch, count).await?;
        let answer = Some(api.disclose(call, &reading, Vec::new()).await?);
        Ok(pb::StatisticsResponse { answer, rows })
    }
}

/// The stretch of time that was asked for; `None` = now.
fn span(request: &pb::StatisticsRequest) -> ApiResult<Option<Range<u64>>> {
    let read = |field: &str, time: &Option<prost_types::Timestamp>, otherwise: u64| match time {
        None => Ok(otherwise),
        Some(time) => to_ms(time).ok_or_else(|| ApiError::field(field, "OUT_OF_RANGE", "a time from 1970 to 9999")),
    };
    if request.from.is_none() && request.until.is_none() {
        return Ok(None);
    }
    let (from, until) = (read("from", &request.from, 0)?, read("until", &request.until, u64::MAX)?);
    if until <= from {
        return Err(ApiError::field("until", "INCONSISTENT", "ends before it begins"));
    }
    Ok(Some(from..until))
}

struct Counter {
    api: Api,
    reading: Reading,
    gone: Gone,
    looked_at: usize,
    /// By measure, category and state.
    counts: BTreeMap<(&'static str, String, i32), u64>,
}

impl Counter {
    fn new(api: Api, reading: Reading, gone: Gone) -> Self {
        Self { api, reading, gone, looked_at: 0, counts: BTreeMap::new() }
    }

    fn count(mut self, span: Option<Range<u64>>) -> ApiResult<Vec<pb::StatisticsRow>> {
        let view = std::sync::Arc::clone(&self.reading.handle.view);
        scan_alerts(&*view, None, |_, value| {
            self.check_caller()?;
            self.alert(value, span.as_ref())?;
            Ok(true)
        })?;
        if let Some(span) = &span {
            self.hits(&*view, span)?;
        }
        let row = |((measure, category, state), count): ((&str, String, i32), u64)| pb::StatisticsRow {
            measure: measure.into(),
            agreement_id: String::new(),
            category: Some(pb::Code { list: "category".into(), value: category }),
            state,
            count,
        };
        Ok(self.counts.into_iter().map(row).collect())
    }

    /// Work whose caller has gone is dropped.
    fn check_caller(&mut self) -> ApiResult<()> {
        self.looked_at += 1;
        if self.looked_at.is_multiple_of(SCAN_ENTRIES_PER_CHECK) {
            self.gone.check()?;
        }
        Ok(())
    }

    fn add(&mut self, measure: &'static str, label: &Label, state: i32) {
        *self.counts.entry((measure, label.category.clone(), state)).or_default() += 1;
    }

    fn alert(&mut self, value: &[u8], span: Option<&Range<u64>>) -> ApiResult<()> {
        let header = StoredAlert::decode_header(value)?;
        let label = self.api.labels(&self.reading).get(header.label)?;
        if !self.may_count(&label) {
            return Ok(());
        }
        let Some(span) = span else {
            self.add("alerts", &label, label.state);
            return Ok(());
        };
        if span.contains(&header.created_at_ms) {
            self.add("alerts-created", &label, 0);
        }
        let has_ended = [pb::AlertState::Expired as i32, pb::AlertState::Deleted as i32].contains(&header.state);
        // A tombstone does not change any more: its last change was the end.
        if has_ended && span.contains(&header.changed_at_ms) {
            self.add("alerts-ended", &label, header.state);
        }
        Ok(())
    }

    fn hits(&mut self, view: &dyn View, span: &Range<u64>) -> ApiResult<()> {
        const HITS: &[u8] = b"h";
        let mut cursor = view.cursor(Family::Hits);
        cursor.seek(HITS, HITS)?;
        while let Some((key, _)) = cursor.entry() {
            self.check_caller()?;
            let id = AlertId::from_slice(&key[HITS.len()..]);
            let hit = id.map(|id| read_hit(view, id)).transpose()?.flatten().unwrap_or_default();
            if let Some(label) = self.label_of(view, &hit)?
                && self.may_count(&label)
            {
                let fell = |time| field_ms(time).is_some_and(|at| span.contains(&at));
                if fell(&hit.reported_at) {
                    self.add("hits-reported", &label, 0);
                }
                if fell(&hit.answered_at) {
                    self.add("hits-answered", &label, 0);
                }
            }
            cursor.next()?;
        }
        Ok(())
    }

    fn label_of(&self, view: &dyn View, hit: &pb::Hit) -> ApiResult<Option<std::sync::Arc<Label>>> {
        let Ok(alert) = hit.alert_id.parse::<AlertId>() else { return Ok(None) };
        let Some(bytes) = view.get(Family::Alerts, alert.as_bytes())? else { return Ok(None) };
        Ok(Some(self.api.labels(&self.reading).get(StoredAlert::decode_header(&bytes)?.label)?))
    }

    /// Whoever may not know of an alert does not count it. The policy role sees no alert and counts the open ones.
    fn may_count(&self, label: &Label) -> bool {
        match self.reading.viewer.caller().role {
            Role::Policy => label.partition == Partition::Open,
            _ => self.reading.viewer.sight(label) != Sight::Hidden,
        }
    }
}
