//! Search, step one of two: ranked candidates. Each answer says what each source said, so that "no hit" is never
//! confused with "not fully searched".

use std::sync::Arc;

use alert_core::{
    alert::time::{civil_date, from_ms},
    pb::{self, search_service_server::SearchService},
    search::{
        self, SearchAnswer, SearchLimits,
        candidate::{self, CandidateScope},
        query::{self, ParsedQuery},
    },
};
use futures::{StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use super::{
    admission::Class,
    batch::Message,
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
    reading::Reading,
    stream::AnswerStream,
    work::Gone,
};
use crate::limits::BATCH_MESSAGES_IN_FLIGHT;

/// The one source that this store answers for. Others may stand beside it later.
pub const SOURCE: &str = "uk-alert-store";

#[tonic::async_trait]
impl SearchService for Api {
    async fn search(&self, request: Request<pb::SearchRequest>) -> Result<Response<pb::SearchResponse>, Status> {
        self.unary(request).await
    }

    type SearchBatchStream = AnswerStream<pb::SearchBatchResponse>;

    async fn search_batch(
        &self,
        request: Request<Streaming<pb::SearchBatchRequest>>,
    ) -> Result<Response<Self::SearchBatchStream>, Status> {
        let (call, first, messages) = self.enter_streams(&operations::SEARCH_BATCH, request).await?;
        let options = (first.read, first.max_candidates);
        let (call, api) = (Arc::new(call), self.clone());
        let answers = messages
            .map(move |message| {
                let message =
                    message.map(|message| Message::new(api.clone(), call.clone(), options.clone(), message.queries));
                // A message that could not be read ends the stream.
                let (message, broken) = match message {
                    Ok(message) => (Some(message), None),
                    Err(status) => (None, Some(Err(status))),
                };
                let answers = stream::try_unfold(message, |message| async {
                    let Some(message) = message else { return Ok(None) };
                    message.slice().await.map(Some)
                });
                stream::iter(broken).chain(answers).boxed()
            })
            .flatten_unordered(BATCH_MESSAGES_IN_FLIGHT);
        Ok(Response::new(Box::pin(answers)))
    }
}

impl Operate for pb::SearchRequest {
    const OPERATION: &'static Operation = &operations::SEARCH;
    type Reply = pb::SearchResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let reading = api.reading(call, self.read.as_ref()).await?;
        let parsed = parsed(&reading, self.query.as_ref())?;
        let warnings = parsed.warnings.clone();
        let (sources, disclosed) = if parsed.persons.is_empty() {
            // A few look-ups: less than it costs to change threads.
            api.answers(&reading, &self.sources, &parsed, self.max_candidates, &Gone::default())?
        } else {
            let (asker, state) = (api.clone(), reading.clone());
            let (sources, max_candidates) = (self.sources.clone(), self.max_candidates);
            let work = move |gone: &Gone| asker.answers(&state, &sources, &parsed, max_candidates, gone);
            api.work(call, Class::Search, work).await?
        };
        let answer = api.disclose(call, &reading, disclosed).await?;
        Ok(pb::SearchResponse { answer: Some(answer), sources, warnings })
    }
}

impl Operate for pb::CheckDuplicatesRequest {
    const OPERATION: &'static Operation = &operations::CHECK_DUPLICATES;
    type Reply = pb::CheckDuplicatesResponse;

    async fn operate(&self, api: &Api, call: &Call) -> ApiResult<Self::Reply> {
        let alert = self.alert.as_ref().ok_or_else(|| ApiError::field("alert", "REQUIRED", "the record"))?;
        let reading = api.reading(call, self.read.as_ref()).await?;
        let (asker, state, alert) = (api.clone(), reading.clone(), alert.clone());
        let (source, disclosed) = api
            .work(call, Class::Search, move |gone| {
                let found = gone.watch(&*state.handle.view, |view| {
                    search::duplicates(
                        view,
                        &alert,
                        state.normaliser,
                        &state.viewer,
                        &asker.labels(&state),
                        state.rules.search_profile(),
                        SearchLimits::default(),
                    )
                })?;
                let mut disclosed = Vec::new();
                Ok((source_answer(&state, found, &mut disclosed)?, disclosed))
            })
            .await?;
        let answer = api.disclose(call, &reading, disclosed).await?;
        Ok(pb::CheckDuplicatesResponse { answer: Some(answer), sources: vec![source] })
    }
}

/// The pivot of two-digit years is replicated time, so that every node reads a zone in the same way.
pub(super) fn parsed(reading: &Reading, query: Option<&pb::Query>) -> ApiResult<ParsedQuery> {
    let query = query.ok_or_else(|| ApiError::field("query", "REQUIRED", "what is sought"))?;
    query::parse(query, civil_date(reading.meta.time_ms).year, reading.normaliser)
        .map_err(|faults| ApiError::faulty(ErrorCode::QueryInvalid, faults))
}

impl Api {
    /// One answer for each source: this store's own, and "not entitled" for those asked for that it does not hold.
    fn answers(
        &self,
        reading: &Reading,
        asked: &[String],
        query: &ParsedQuery,
        max_candidates: u32,
        gone: &Gone,
    ) -> ApiResult<(Vec<pb::SourceAnswer>, Vec<pb::AuditDisclosure>)> {
        let (mut answers, mut disclosed) = (Vec::new(), Vec::new());
        if asked.is_empty() || asked.iter().any(|source| source == SOURCE) {
            answers.push(self.ask(reading, query, max_candidates, gone, &mut disclosed)?);
        }
        for source in asked.iter().filter(|source| *source != SOURCE) {
            answers.push(pb::SourceAnswer {
                source: source.clone(),
                as_of: Some(from_ms(reading.as_of_ms)),
                status: pb::SourceStatus::NotEntitled as i32,
                ..Default::default()
            });
        }
        Ok((answers, disclosed))
    }

    /// Asks this store.
    fn ask(
        &self,
        reading: &Reading,
        query: &ParsedQuery,
        max_candidates: u32,
        gone: &Gone,
        disclosed: &mut Vec<pb::AuditDisclosure>,
    ) -> ApiResult<pb::SourceAnswer> {
        let (labels, profile) = (self.labels(reading), reading.rules.search_profile());
        let limits = SearchLimits { max_candidates, except: None };
        let found = gone
            .watch(&*reading.handle.view, |view| search::run(view, query, &reading.viewer, &labels, profile, limits))?;
        source_answer(reading, found, disclosed)
    }
}

/// What this store says, with what is given out noted for the audit log.
pub(super) fn source_answer(
    reading: &Reading,
    found: SearchAnswer,
    disclosed: &mut Vec<pb::AuditDisclosure>,
) -> ApiResult<pb::SourceAnswer> {
    let agreement = reading.viewer.agreement();
    // The category is no field to have a right to: an agreement names the categories that it covers.
    let may_have =
        |field: &str| field == "category" || agreement.is_none_or(|agreement| agreement.candidate_field(field));
    let scope =
        CandidateScope { viewer: &reading.viewer, rules: &reading.rules, now_ms: reading.now_ms, may_have: &may_have };
    let mut candidates = Vec::with_capacity(found.found.len());
    for found in &found.found {
        let candidate = candidate::to_proto(found, &scope)?;
        disclosed.push(pb::AuditDisclosure {
            alert_id: candidate.alert_id.clone(),
            version: candidate.version,
            what: "candidate".into(),
        });
        candidates.push(candidate);
    }
    let status = match found.truncation {
        None => pb::SourceStatus::Complete,
        Some(_) => pb::SourceStatus::Truncated,
    };
    Ok(pb::SourceAnswer {
        source: SOURCE.into(),
        as_of: Some(from_ms(reading.as_of_ms)),
        status: status as i32,
        truncation: found.truncation,
        candidates,
        reason: String::new(),
        coincidences: found.coincidences,
    })
}
