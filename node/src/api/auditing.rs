//! The audit log of this node, for auditors: each asks every node for its own part.

use alert_core::{
    alert::time::to_ms,
    pb::{self, audit_service_server::AuditService},
};
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    alerts::Page,
    backend::{AuditQuestion, Level},
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult},
    operations::{self, Operation},
    records::parse_id,
};

#[tonic::async_trait]
impl AuditService for Api {
    async fn who_saw(&self, request: Request<pb::WhoSawRequest>) -> Result<Response<pb::AuditRecords>, Status> {
        self.unary(request).await
    }

    async fn what_did_ask(
        &self,
        request: Request<pb::WhatDidAskRequest>,
    ) -> Result<Response<pb::AuditRecords>, Status> {
        self.unary(request).await
    }

    async fn verify(
        &self,
        request: Request<pb::VerifyAuditRequest>,
    ) -> Result<Response<pb::VerifyAuditResponse>, Status> {
        self.unary(request).await
    }
}

impl Api {
    /// The context of an answer out of the audit log, which depends on no state. An auditor's question is logged too.
    async fn audited(&self, call: &Call) -> ApiResult<pb::AnswerContext> {
        let here = self.reading_at(call, Level::Local).await?;
        self.disclose(call, &here, Vec::new()).await
    }

    async fn find_audit_records(
        &self,
        call: &Call,
        question: AuditQuestion,
        times: [&Option<prost_types::Timestamp>; 2],
        page: Page,
    ) -> ApiResult<pb::AuditRecords> {
        let from_ms = time("from", times[0])?.unwrap_or(0);
        let until_ms = time("until", times[1])?.unwrap_or(u64::MAX);
        let after = page.after.as_deref().and_then(|key| Some(u64::from_be_bytes(key.try_into().ok()?))).unwrap_or(0);
        let records = self.audit_log().find(question, from_ms, until_ms, after, page.size).await?;
        let full = records.len() >= page.size;
        let last = records.last().filter(|_| full).map(|record| record.sequence);
        let next_page_token = last.map(|last| page.next(self, &last.to_be_bytes())).unwrap_or_default();
        Ok(pb::AuditRecords { answer: Some(self.audited(call).await?), records, next_page_token })
    }
}

fn time(field: &str, time: &Option<prost_types::Timestamp>) -> ApiResult<Option<u64>> {
    let Some(time) = time else { return Ok(None) };
    let ms = to_ms(time).ok_or_else(|| ApiError::field(field, "OUT_OF_RANGE", "a time from 1970 to 9999"))?;
    Ok(Some(ms))
}

impl Operate for pb::WhoSawRequest {
    const OPERATION: &'static Operation = &operations::WHO_SAW;
    type Reply = pb::AuditRecords;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let question = AuditQuestion::WhoSaw { alert_id: parse_id("alert_id", &self.alert_id)? };
        let asked = Self { page_token: Vec::new(), page_size: 0, ..self.clone() }.encode_to_vec();
        let page = Page::open(api, call, self.page_size, &self.page_token, &asked)?;
        api.find_audit_records(call, question, [&self.from, &self.until], page).await
    }
}

impl Operate for pb::WhatDidAskRequest {
    const OPERATION: &'static Operation = &operations::WHAT_DID_ASK;
    type Reply = pb::AuditRecords;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let caller = self.caller.clone().ok_or_else(|| ApiError::field("caller", "REQUIRED", "whose questions"))?;
        let question = AuditQuestion::WhatDidAsk {
            country: caller.country.map(|country| country.code).unwrap_or_default(),
            authority: caller.authority,
            system: caller.system,
            role: caller.role,
        };
        let asked = Self { page_token: Vec::new(), page_size: 0, ..self.clone() }.encode_to_vec();
        let page = Page::open(api, call, self.page_size, &self.page_token, &asked)?;
        api.find_audit_records(call, question, [&self.from, &self.until], page).await
    }
}

impl Operate for pb::VerifyAuditRequest {
    const OPERATION: &'static Operation = &operations::VERIFY_AUDIT;
    type Reply = pb::VerifyAuditResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let verdict = api.audit_log().verify().await?;
        Ok(pb::VerifyAuditResponse {
            answer: Some(api.audited(call).await?),
            intact: verdict.intact,
            records: verdict.records,
            head_hash: verdict.head_hash.to_vec(),
            first_fault: verdict.first_fault,
        })
    }
}
