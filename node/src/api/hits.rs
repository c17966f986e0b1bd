//! Hits: what became of a candidate. Seen by the bureau that owns the alert and by whoever reported.

use alert_core::{
    alert::{AlertId, Label, StoredAlert, party, validate::validate_hit},
    pb::{self, hit_service_server::HitService},
    state::{command::Command, family::Family, read_hit, read_hits_of},
};
use prost::Message;
use std::sync::Arc;
use tonic::{Request, Response, Status};

use super::{
    admission::Class,
    alerts::Page,
    backend::{Level, Receipt},
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
    reading::Reading,
    records::{given, parse_id},
};
use crate::limits::SCAN_ENTRIES_PER_CHECK;

#[tonic::async_trait]
impl HitService for Api {
    async fn report(&self, request: Request<pb::ReportHitRequest>) -> Result<Response<pb::HitResponse>, Status> {
        self.unary(request).await
    }

    async fn answer(&self, request: Request<pb::AnswerHitRequest>) -> Result<Response<pb::HitResponse>, Status> {
        self.unary(request).await
    }

    async fn converse(&self, request: Request<pb::ConverseRequest>) -> Result<Response<pb::HitResponse>, Status> {
        self.unary(request).await
    }

    async fn get(&self, request: Request<pb::GetHitRequest>) -> Result<Response<pb::HitResponse>, Status> {
        self.unary(request).await
    }

    async fn list(&self, request: Request<pb::ListHitsRequest>) -> Result<Response<pb::ListHitsResponse>, Status> {
        self.unary(request).await
    }
}

/// What a caller is to a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Owner,
    Reporter,
}

impl Api {
    /// The hit and the caller's part in it; a hit that is none of the caller's business answers as a missing one.
    fn find_hit(&self, reading: &Reading, id: AlertId) -> ApiResult<Option<(pb::Hit, Part)>> {
        let Some(hit) = read_hit(&*reading.handle.view, id)? else { return Ok(None) };
        let part = self.part(reading, &hit)?;
        Ok(part.map(|part| (hit, part)))
    }

    fn part(&self, reading: &Reading, hit: &pb::Hit) -> ApiResult<Option<Part>> {
        if let Ok(alert) = hit.alert_id.parse()
            && let Some(label) = self.label_of(reading, alert)?
            && reading.viewer.owns(&label)
        {
            return Ok(Some(Part::Owner));
        }
        let caller = reading.viewer.caller();
        let reporter = hit.reported_by.as_ref().is_some_and(|by| by.code == party::canonical(&caller.country))
            && hit.reporting_authority.as_ref().is_some_and(|authority| authority.value == caller.authority);
        Ok(reporter.then_some(Part::Reporter))
    }

    /// The label of the current version, seen or not.
    fn label_of(&self, reading: &Reading, alert: AlertId) -> ApiResult<Option<Arc<Label>>> {
        let Some(bytes) = reading.handle.view.get(Family::Alerts, alert.as_bytes())? else { return Ok(None) };
        Ok(Some(self.labels(reading).get(StoredAlert::decode_header(&bytes)?.label)?))
    }

    /// The hit as this caller gets it.
    fn shown(&self, call: &Call, hit: pb::Hit) -> pb::Hit {
        pb::Hit { receipt: self.receipt_for(call, &Receipt(hit.receipt.clone())), ..hit }
    }

    /// Adds a message to a hit's conversation.
    async fn add_message(
        &self,
        call: &Call,
        hit_id: &str,
        text: &str,
        may: impl Fn(Part) -> bool,
        answers: bool,
    ) -> ApiResult<pb::HitResponse> {
        let id = parse_id("hit_id", hit_id)?;
        if text.trim().is_empty() {
            return Err(ApiError::field("text", "REQUIRED", "the message"));
        }
        let reading = self.reading_at(call, Level::Linearizable).await?;
        let (_, part) = self.find_hit(&reading, id)?.ok_or_else(|| ApiError::not_found("hit"))?;
        if !may(part) {
            return Err(ApiError::new(ErrorCode::NotOwner, "only the bureau that owns the alert answers a hit"));
        }
        let message = pb::HitMessage {
            from: Some(pb::Party { code: party::canonical(&call.caller().country) }),
            text: text.into(),
            sent_by: call.context.message.officer_ref.clone(),
            sent_at: None,
        };
        let command = Command::HitMessage { id, message: message.encode_to_vec(), answers };
        self.change_hit(call, reading.meta.rules_revision, command).await
    }

    /// Proposes a change of a hit and reads it back.
    async fn change_hit(&self, call: &Call, rules_revision: u64, command: Command) -> ApiResult<pb::HitResponse> {
        let done = self.propose(call, rules_revision, command).await?;
        let hit = read_hit(&*self.applied_here(call).await?, done.id)?;
        let changed = hit.as_ref().and_then(|hit| Some(given(hit.alert_id.parse().ok()?, hit.version_seen)));
        let answer = self.written_all(call, done.revision, changed.into_iter().collect()).await?;
        Ok(pb::HitResponse { answer: Some(answer), hit: hit.map(|hit| self.shown(call, hit)) })
    }
}

impl Operate for pb::ReportHitRequest {
    const OPERATION: &'static Operation = &operations::REPORT_HIT;
    type Reply = pb::HitResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let hit = self.hit.clone().unwrap_or_default();
        let alert = parse_id("hit.alert_id", &hit.alert_id)?;
        let reading = api.reading_at(call, Level::Linearizable).await?;
        api.find_or_refuse(&reading, alert)?;
        let faults = validate_hit(&hit, &reading.rules, reading.now_ms);
        ApiError::unless_valid(ErrorCode::RequestInvalid, "hit", faults)?;
        let caller = call.caller();
        let receipt = api.receipt_from(call, "hit.receipt", &hit.receipt)?.0;
        let hit = pb::Hit {
            id: String::new(),
            receipt,
            reported_by: Some(pb::Party { code: party::canonical(&caller.country) }),
            reporting_authority: Some(pb::Code { list: "authority".into(), value: caller.authority.clone() }),
            ..hit
        };
        let command = Command::ReportHit { id: api.new_id(), hit: hit.encode_to_vec() };
        api.change_hit(call, reading.meta.rules_revision, command).await
    }
}

impl Operate for pb::AnswerHitRequest {
    const OPERATION: &'static Operation = &operations::ANSWER_HIT;
    type Reply = pb::HitResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        api.add_message(call, &self.hit_id, &self.text, |part| part == Part::Owner, true).await
    }
}

impl Operate for pb::ConverseRequest {
    const OPERATION: &'static Operation = &operations::CONVERSE;
    type Reply = pb::HitResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        api.add_message(call, &self.hit_id, &self.text, |_| true, false).await
    }
}

impl Operate for pb::GetHitRequest {
    const OPERATION: &'static Operation = &operations::GET_HIT;
    type Reply = pb::HitResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let id = parse_id("hit_id", &self.hit_id)?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let (hit, _) = api.find_hit(&reading, id)?.ok_or_else(|| ApiError::not_found("hit"))?;
        let disclosed = hit.alert_id.parse().map(|alert| given(alert, hit.version_seen));
        let answer = api.disclose(call, &reading, disclosed.into_iter().collect()).await?;
        Ok(pb::HitResponse { answer: Some(answer), hit: Some(api.shown(call, hit)) })
    }
}

impl Operate for pb::ListHitsRequest {
    const OPERATION: &'static Operation = &operations::LIST_HITS;
    type Reply = pb::ListHitsResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let alert = match self.alert_id.as_str() {
            "" => None,
            id => Some(parse_id("alert_id", id)?),
        };
        let question = format!("{} {}", self.alert_id, self.unanswered_only);
        let page = Page::open(api, call, self.page_size, &self.page_token, question.as_bytes())?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let after = page.after.as_deref().and_then(AlertId::from_slice);
        let scan = (api.clone(), reading.clone(), page.size, self.unanswered_only);
        let found = api.work(call, Class::Batch, move |gone| {
            let (api, reading, limit, unanswered_only) = scan;
            let mut found = Vec::new();
            let mut last = None;
            let mut looked_at = 0usize;
            let mut visit = |id: AlertId| -> ApiResult<bool> {
                looked_at += 1;
                if looked_at.is_multiple_of(SCAN_ENTRIES_PER_CHECK) {
                    gone.check()?;
                }
                if let Some((hit, _)) = api.find_hit(&reading, id)?
                    && !(unanswered_only && hit.answered_at.is_some())
                {
                    found.push(hit);
                }
                if found.len() >= limit {
                    last = Some(id);
                }
                Ok(last.is_none())
            };
            visit_hits(&reading, alert, after, &mut visit)?;
            Ok((found, last))
        });
        let (hits, last) = found.await?;
        let disclosed = hits.iter().filter_map(|hit| Some(given(hit.alert_id.parse().ok()?, hit.version_seen)));
        let next_page_token = last.map(|last| page.next(api, last.as_bytes())).unwrap_or_default();
        let answer = Some(api.disclose(call, &reading, disclosed.collect()).await?);
        let hits = hits.into_iter().map(|hit| api.shown(call, hit)).collect();
        Ok(pb::ListHitsResponse { answer, hits, next_page_token })
    }
}

/// Ids of hits in order, of one alert or of all, until `visit` says stop.
fn visit_hits(
    reading: &Reading,
    alert: Option<AlertId>,
    after: Option<AlertId>,
    visit: &mut dyn FnMut(AlertId) -> ApiResult<bool>,
) -> ApiResult<()> {
    let view = &*reading.handle.view;
    if let Some(alert) = alert {
        for id in read_hits_of(view, alert)? {
            if after.is_none_or(|after| id > after) && !visit(id)? {
                break;
            }
        }
        return Ok(());
    }
    // The hits themselves lie under 'h', apart from the index by alert.
    const PREFIX: &[u8] = b"h";
    let from = [PREFIX, after.as_ref().map_or(&[][..], |after| after.as_bytes())].concat();
    let mut cursor = view.cursor(Family::Hits);
    cursor.seek(&from, PREFIX)?;
    while let Some((key, _)) = cursor.entry() {
        let id = AlertId::from_slice(&key[PREFIX.len()..])
            .ok_or_else(|| ApiError::internal("a key of family 'hits' is no id"))?;
        if Some(id) != after && !visit(id)? {
            break;
        }
        cursor.next()?;
    }
    Ok(())
}
