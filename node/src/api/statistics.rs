//! Counts: alerts by category and state, of those that the caller may know of. Volumes per agreement and of hits are
//! not counted yet.

use std::collections::BTreeMap;

use alert_core::{
    alert::{Label, LabelId, Partition, Role, Sight, StoredAlert},
    pb::{self, statistics_service_server::StatisticsService},
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
        if self.from.is_some() || self.until.is_some() {
            return Err(ApiError::unimplemented("counting over a stretch of time"));
        }
        let reading = api.reading(call, self.read.as_ref()).await?;
        let (counter, state) = (api.clone(), reading.clone());
        let rows = api.work(call, Class::Batch, move |gone| counter.count(&state, gone)).await?;
        let answer = Some(api.disclose(call, &reading, Vec::new()).await?);
        Ok(pb::StatisticsResponse { answer, rows })
    }
}

impl Api {
    fn count(&self, reading: &Reading, gone: &Gone) -> ApiResult<Vec<pb::StatisticsRow>> {
        let labels = self.labels(reading);
        let mut by_label: BTreeMap<LabelId, u64> = BTreeMap::new();
        let mut looked_at = 0usize;
        scan_alerts(&*reading.handle.view, None, |_, value| {
            looked_at += 1;
            if looked_at.is_multiple_of(SCAN_ENTRIES_PER_CHECK) {
                gone.check()?;
            }
            *by_label.entry(StoredAlert::decode_header(value)?.label).or_default() += 1;
            Ok(true)
        })?;
        let mut counts: BTreeMap<(String, i32), u64> = BTreeMap::new();
        for (label, count) in by_label {
            let label = labels.get(label)?;
            if may_count(reading, &label) {
                *counts.entry((label.category.clone(), label.state)).or_default() += count;
            }
        }
        let row = |((category, state), count)| pb::StatisticsRow {
            measure: "alerts".into(),
            agreement_id: String::new(),
            category: Some(pb::Code { list: "category".into(), value: category }),
            state,
            count,
        };
        Ok(counts.into_iter().map(row).collect())
    }
}

/// Whoever may not know of an alert does not count it. The policy role sees no alert and counts the open ones.
fn may_count(reading: &Reading, label: &Label) -> bool {
    match reading.viewer.caller().role {
        Role::Policy => label.partition == Partition::Open,
        _ => reading.viewer.sight(label) != Sight::Hidden,
    }
}
