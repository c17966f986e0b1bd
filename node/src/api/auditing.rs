//! The audit log of this node, for auditors: each asks every node for its own part.

use alert_core::{
    alert::time::{from_ms, to_ms},
    pb::{self, audit_service_server::AuditService},
    state::{read_anchored_nodes, read_audit_anchors},
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

    async fn anchors(
        &self,
        request: Request<pb::AuditAnchorsRequest>,
    ) -> Result<Response<pb::AuditAnchorsResponse>, Status> {
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
        let question = match (&self.caller, self.receipt.as_str()) {
            (_, receipt) if !receipt.is_empty() => {
                let receipt = api.open_receipt("receipt", receipt)?;
                let (node, sequence) = receipt.place().unwrap_or_default();
                // No log has a record 0: the receipt is of another node's.
                AuditQuestion::Receipt { sequence: if node == api.store().node().name { sequence } else { 0 } }
            }
            (Some(caller), _) => AuditQuestion::WhatDidAsk {
                country: caller.country.clone().map(|country| country.code).unwrap_or_default(),
                authority: caller.authority.clone(),
                system: caller.system.clone(),
                role: caller.role.clone(),
            },
            (None, _) => return Err(ApiError::field("caller", "REQUIRED", "whose questions, or a receipt")),
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
        // Read before the log: what is anchored now is in the log by then.
        let here = api.reading_at(call, Level::Local).await?;
        let anchors = read_audit_anchors(&*here.handle.view, api.store().node().node_id)?;
        let verdict = api.audit_log().verify(anchors).await?;
        Ok(pb::VerifyAuditResponse {
            answer: Some(api.disclose(call, &here, Vec::new()).await?),
            intact: verdict.intact,
            records: verdict.records,
            head_hash: verdict.head_hash.to_vec(),
            first_fault: verdict.first_fault,
            anchors: verdict.anchors_met,
            anchored_until: verdict.anchored_until_ms.map(from_ms),
        })
    }
}

impl Operate for pb::AuditAnchorsRequest {
    const OPERATION: &'static Operation = &operations::AUDIT_ANCHORS;
    type Reply = pb::AuditAnchorsResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let reading = api.reading(call, self.read.as_ref()).await?;
        let view = &*reading.handle.view;
        let nodes = match self.node_id {
            0 => read_anchored_nodes(view)?,
            node_id => vec![node_id],
        };
        let mut anchors = Vec::new();
        for node_id in nodes {
            anchors.extend(read_audit_anchors(view, node_id)?.into_iter().map(|anchor| pb::AuditAnchor {
                node_id,
                sequence: anchor.sequence,
                head_hash: anchor.head.to_vec(),
                at: Some(from_ms(anchor.at_ms)),
            }));
        }
        Ok(pb::AuditAnchorsResponse { answer: Some(api.disclose(call, &reading, Vec::new()).await?), anchors })
    }
}
