//! One full record, logged on its own.

use alert_core::pb;

use super::super::{
    call::Call,
    core::{Api, Operate},
    errors::ApiResult,
    operations::{self, Operation},
    records::{given, parse_id},
};

impl Operate for pb::GetRequest {
    const OPERATION: &'static Operation = &operations::GET;
    type Reply = pb::GetResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("alert_id", &self.alert_id)?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let seen = api.find_or_refuse(&reading, id)?;
        let record = api.record(&reading, &seen)?;
        let links = if self.with_links { api.links(&reading, id)? } else { Vec::new() };
        let disclosed = vec![given(id, seen.stored.header.version)];
        Ok(pb::GetResponse {
            answer: Some(api.disclose(call, &reading, disclosed).await?),
            record: Some(record),
            links,
        })
    }
}
