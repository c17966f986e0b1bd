//! Search, step one of two: ranked candidates. Each answer says what each source said, so that "no hit" is never
//! confused with "not fully searched".

use std::{ops::Range, sync::Arc};

use alert_core::{
    alert::time::{civil_date, from_ms},
    limits::BATCH_QUERIES_PER_MESSAGE_MAX,
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
    backend::Deadline,
    call::Call,
    core::{Api, Operate},
    errors::{ApiError, ApiResult, ErrorCode},
    operations::{self, Operation},
    reading::Reading,
    stream::{AnswerStream, StreamCall, over},
    work::Gone,
};
use crate::limits::{BATCH_MESSAGES_IN_FLIGHT, PAGE_SCAN_TIME_MAX};

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
        let (read, max_candidates) = (first.read, first.max_candidates);
        let (call, api) = (Arc::new(call), self.clone());
        let answers = messages
            .map(move |message| {
                let batch = message.map(|message| Batch {
                    api: api.clone(),
                    call: call.clone(),
                    read: read.clone(),
                    max_candidates,
                    queries: message.queries.into(),
                    next: 0,
                    first: true,
                });
                // A message that could not be read ends the stream.
                let (batch, broken) = match batch {
                    Ok(batch) => (Some(batch), None),
                    Err(status) => (None, Some(Err(status))),
                };
                let answers = stream::try_unfold(batch, |batch| async {
                    let Some(batch) = batch else { return Ok(None) };
                    batch.slice().await.map(Some)
                });
                stream::iter(broken).chain(answers).boxed()
            })
            .flatten_unordered(BATCH_MESSAGES_IN_FLIGHT);
        Ok(Response::new(Box::pin(answers)))
    }
}

/// One message of a batch on its way: answered in slices, each from a state of its own, so that however long the message
/// is no answer is old when it leaves.
struct Batch {
    api: Api,
    call: Arc<StreamCall>,
    read: Option<pb::ReadOptions>,
    max_candidates: u32,
    queries: Arc<[pb::KeyedQuery]>,
    /// The first query without an answer.
    next: usize,
    /// Nothing was answered yet.
    first: bool,
}

impl Batch {
    async fn slice(self) -> Result<(pb::SearchBatchResponse, Option<Self>), Status> {
        if self.call.is_over() {
            return Err(over());
        }
        let mut call = self.call.step(&self.request(self.next..self.queries.len()));
        // The whole message counts when it comes.
        call.counts_as = if self.first { u32::try_from(self.queries.len()).unwrap_or(u32::MAX) } else { 0 };
        let response = self.api.step(&call, self.answer(&call)).await?;
        let next = self.next + response.answers.len();
        let rest = (next < self.queries.len()).then_some(Self { next, first: false, ..self });
        Ok((response, rest))
    }

    fn request(&self, queries: Range<usize>) -> pb::SearchBatchRequest {
        pb::SearchBatchRequest {
            queries: self.queries[queries].to_vec(),
            max_candidates: self.max_candidates,
            ..Default::default()
        }
    }

    async fn answer(&self, call: &Call) -> ApiResult<pb::SearchBatchResponse> {
        if self.queries.len() > BATCH_QUERIES_PER_MESSAGE_MAX {
            let message = format!("at most {BATCH_QUERIES_PER_MESSAGE_MAX} queries in one message");
            return Err(ApiError::field("queries", "TOO_MANY", message));
        }
        let reading = self.api.reading(call, self.read.as_ref()).await?;
        let (api, state, queries) = (self.api.clone(), reading.clone(), Arc::clone(&self.queries));
        let (next, max_candidates) = (self.next, self.max_candidates);
        let work = move |gone: &Gone| api.batch_here(&state, max_candidates, &queries[next..], gone);
        let (answers, disclosed) = self.api.work(call, Class::Batch, work).await?;
        // Logged with what was asked and answered here.
        let answered = call.step(call.deadline, &self.request(next..next + answers.len()));
        let answer = self.api.disclose(&answered, &reading, disclosed).await?;
        Ok(pb::SearchBatchResponse { answer: Some(answer), answers })
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
            api.answers(&reading, &self.sources, &parsed, self.max_candidates)?
        } else {
            let (asker, state) = (api.clone(), reading.clone());
            let (sources, max_candidates) = (self.sources.clone(), self.max_candidates);
            let work = move |_: &Gone| asker.answers(&state, &sources, &parsed, max_candidates);
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
            .work(call, Class::Search, move |_| {
                let found = search::duplicates(
                    &*state.handle.view,
                    &alert,
                    &state.viewer,
                    &asker.labels(&state),
                    state.rules.search_profile(),
                    SearchLimits::default(),
                )?;
                let mut disclosed = Vec::new();
                Ok((source_answer(&state, found, &mut disclosed)?, disclosed))
            })
            .await?;
        let answer = api.disclose(call, &reading, disclosed).await?;
        Ok(pb::CheckDuplicatesResponse { answer: Some(answer), sources: vec![source] })
    }
}

/// The pivot of two-digit years is replicated time, so that every node reads a zone in the same way.
fn parsed(reading: &Reading, query: Option<&pb::Query>) -> ApiResult<ParsedQuery> {
    let query = query.ok_or_else(|| ApiError::field("query", "REQUIRED", "what is sought"))?;
    query::parse(query, civil_date(reading.meta.time_ms).year)
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
    ) -> ApiResult<(Vec<pb::SourceAnswer>, Vec<pb::AuditDisclosure>)> {
        let (mut answers, mut disclosed) = (Vec::new(), Vec::new());
        if asked.is_empty() || asked.iter().any(|source| source == SOURCE) {
            answers.push(self.ask(reading, query, max_candidates, &mut disclosed)?);
        }
        for source in asked.iter().filter(|source| *source != SOURCE) {
            answers.push(pb::SourceAnswer {
                source: source.clone(),
                as_of: Some(as_of(reading)),
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
        disclosed: &mut Vec<pb::AuditDisclosure>,
    ) -> ApiResult<pb::SourceAnswer> {
        let found = search::run(
            &*reading.handle.view,
            query,
            &reading.viewer,
            &self.labels(reading),
            reading.rules.search_profile(),
            SearchLimits { max_candidates, except: None },
        )?;
        source_answer(reading, found, disclosed)
    }

    /// Answers to the first of `queries`: as many as there is time for before the state grows old.
    fn batch_here(
        &self,
        reading: &Reading,
        max_candidates: u32,
        queries: &[pb::KeyedQuery],
        gone: &Gone,
    ) -> ApiResult<(Vec<pb::KeyedAnswer>, Vec<pb::AuditDisclosure>)> {
        let (mut answers, mut disclosed) = (Vec::with_capacity(queries.len()), Vec::new());
        let until = Deadline::now() + PAGE_SCAN_TIME_MAX;
        for keyed in queries {
            gone.check()?;
            if !answers.is_empty() && Deadline::now() >= until {
                break;
            }
            let mut answer = pb::KeyedAnswer { key: keyed.key.clone(), ..Default::default() };
            match parsed(reading, keyed.query.as_ref()) {
                Ok(query) => {
                    answer.sources.push(self.ask(reading, &query, max_candidates, &mut disclosed)?);
                    answer.warnings = query.warnings;
                }
                // This query alone is refused.
                Err(error) => answer.error = Some(error.detail()),
            }
            answers.push(answer);
        }
        Ok((answers, disclosed))
    }
}

/// What this store says, with what is given out noted for the audit log.
fn source_answer(
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
        as_of: Some(as_of(reading)),
        status: status as i32,
        truncation: found.truncation,
        candidates,
        reason: String::new(),
        coincidences: found.coincidences,
    })
}

/// From when the state is, milliseconds since 1970: the time of the newest proof, or where there is none the last
/// replicated time.
pub(super) fn as_of_ms(reading: &Reading) -> u64 {
    match reading.handle.staleness {
        Some(staleness) => reading.now_ms.saturating_sub(staleness.as_millis() as u64),
        None => reading.meta.time_ms,
    }
}

fn as_of(reading: &Reading) -> prost_types::Timestamp {
    from_ms(as_of_ms(reading))
}
