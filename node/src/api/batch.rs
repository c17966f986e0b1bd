//! Batch searches: many queries of one caller, answered together and in any order.
//!
//! A message is answered in slices, each from a state of its own, so that however long the message is no answer is old
//! when it leaves. The queries of a slice share its state, its audit record and the work: decisions about labels, cursors,
//! records, and the order in which keys are sought. Slices wait for their turn in their class, so that a passenger list
//! does not keep an officer waiting, nor one list another.

use std::sync::Arc;

use alert_core::{
    limits::BATCH_QUERIES_PER_MESSAGE_MAX,
    pb,
    search::{Batch, SearchLimits},
};
use tonic::Status;

use super::{
    admission::Class,
    backend::Deadline,
    call::Call,
    core::Api,
    errors::{ApiError, ApiResult},
    reading::Reading,
    search::{parsed, source_answer},
    stream::{StreamCall, over},
    work::Gone,
};
use crate::limits::{BATCH_SLICE_QUERIES, PAGE_SCAN_TIME_MAX, RETRY_AFTER_MIN};

/// One message of a batch on its way.
pub(super) struct Message {
    api: Api,
    call: Arc<StreamCall>,
    read: Option<pb::ReadOptions>,
    max_candidates: u32,
    /// Those without an answer, in reverse: the next ones are at the end.
    waiting: Vec<pb::KeyedQuery>,
    /// Nothing was answered yet.
    first: bool,
}

/// What a slice comes to.
struct Slice {
    /// The queries of `answers`, for the audit log.
    answered: Vec<pb::KeyedQuery>,
    answers: Vec<pb::KeyedAnswer>,
    disclosed: Vec<pb::AuditDisclosure>,
    /// Those that there was no time for.
    left: Vec<pb::KeyedQuery>,
}

impl Message {
    /// Read options and most candidates are those of the stream's first message.
    pub fn new(
        api: Api,
        call: Arc<StreamCall>,
        (read, max_candidates): (Option<pb::ReadOptions>, u32),
        mut queries: Vec<pb::KeyedQuery>,
    ) -> Self {
        queries.reverse();
        Self { api, call, read, max_candidates, waiting: queries, first: true }
    }

    /// The next answers, and the rest of the message.
    pub async fn slice(mut self) -> Result<(pb::SearchBatchResponse, Option<Self>), Status> {
        if self.call.is_over() {
            return Err(over());
        }
        let queries = self.waiting.split_off(self.waiting.len().saturating_sub(BATCH_SLICE_QUERIES));
        let in_all = self.waiting.len() + queries.len();
        let mut call = self.call.step(&self.request(&queries));
        // The whole message counts when it comes.
        call.counts_as = if self.first { u32::try_from(in_all).unwrap_or(u32::MAX) } else { 0 };
        self.first = false;
        let work = self.answer(&call, in_all, queries);
        let (response, left) = self.api.step(&call, work).await?;
        self.waiting.extend(left);
        let rest = (!self.waiting.is_empty()).then_some(self);
        Ok((response, rest))
    }

    fn request(&self, queries: &[pb::KeyedQuery]) -> pb::SearchBatchRequest {
        pb::SearchBatchRequest { queries: queries.to_vec(), max_candidates: self.max_candidates, ..Default::default() }
    }

    async fn answer(
        &self,
        call: &Call,
        in_all: usize,
        queries: Vec<pb::KeyedQuery>,
    ) -> ApiResult<(pb::SearchBatchResponse, Vec<pb::KeyedQuery>)> {
        if in_all > BATCH_QUERIES_PER_MESSAGE_MAX {
            let message = format!("at most {BATCH_QUERIES_PER_MESSAGE_MAX} queries in one message");
            return Err(ApiError::field("queries", "TOO_MANY", message));
        }
        self.api.hold_back(call).await?;
        let reading = self.api.reading(call, self.read.as_ref()).await?;
        let (api, state, max_candidates) = (self.api.clone(), reading.clone(), self.max_candidates);
        let work = move |gone: &Gone| api.slice(&state, max_candidates, queries, gone);
        let Slice { answered, answers, disclosed, left } = self.api.work(call, Class::Batch, work).await?;
        // Logged with what was asked and answered here.
        let answered = call.step(call.deadline, &self.request(&answered));
        let answer = self.api.disclose(&answered, &reading, disclosed).await?;
        Ok((pb::SearchBatchResponse { answer: Some(answer), answers }, left))
    }
}

impl Api {
    /// Counts the queries of a message as so many calls of their caller. One that has made too many waits: the stream
    /// behind it is held back.
    async fn hold_back(&self, call: &Call) -> ApiResult<()> {
        while let Err(wait) = self.admission().count_or_wait(call.caller_key(), call.counts_as, self.now()) {
            if Deadline::now() + wait >= call.deadline {
                return self.admission().count_caller(call.caller_key(), call.counts_as, self.now());
            }
            tokio::time::sleep(wait.max(RETRY_AFTER_MIN)).await;
        }
        Ok(())
    }

    /// Answers to `queries`: to as many as there is time for before the state grows old, and to one at least.
    fn slice(
        &self,
        reading: &Reading,
        max_candidates: u32,
        queries: Vec<pb::KeyedQuery>,
        gone: &Gone,
    ) -> ApiResult<Slice> {
        let until = Deadline::now() + PAGE_SCAN_TIME_MAX;
        let (mut answered, mut answers, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for keyed in queries {
            match parsed(reading, keyed.query.as_ref()) {
                Ok(query) => waiting.push((keyed, query)),
                // This query alone is refused.
                Err(error) => {
                    let key = keyed.key.clone();
                    answers.push(pb::KeyedAnswer { key, error: Some(error.detail()), ..Default::default() });
                    answered.push(keyed);
                }
            }
        }
        // Neighbours in the index one after the other: what one has read, the next finds in the cache.
        waiting.sort_by_cached_key(|(_, query)| query.place_in_index());
        let labels = self.labels(reading);
        let profile = reading.rules.search_profile();
        let mut batch = Batch::new(&*reading.handle.view, reading.normaliser, &reading.viewer, &labels, profile)?;
        let (mut disclosed, mut left) = (Vec::new(), Vec::new());
        for (keyed, query) in waiting {
            gone.check()?;
            if !answers.is_empty() && Deadline::now() >= until {
                left.push(keyed);
                continue;
            }
            let found = batch.search(&query, SearchLimits { max_candidates, except: None })?;
            let sources = vec![source_answer(reading, found, &mut disclosed)?];
            let key = keyed.key.clone();
            answers.push(pb::KeyedAnswer { key, sources, warnings: query.warnings, ..Default::default() });
            answered.push(keyed);
        }
        Ok(Slice { answered, answers, disclosed, left })
    }
}
