//! Batch searches: many queries of one caller, answered together and in any order.
//!
//! The queries of a message share one state, one audit record, and, in slices, the work: decisions about labels, cursors,
//! records, and the order in which keys are sought. Slices take turns: batches get at most half of the cores, one slice at
//! a time each, so that a passenger list does not keep an officer waiting, nor one list another.

use std::{collections::VecDeque, num::NonZero, sync::Arc, thread};

use alert_core::{
    limits::BATCH_QUERIES_PER_MESSAGE_MAX,
    pb,
    search::{Batch, SearchLimits, query::ParsedQuery},
};
use tokio::sync::Semaphore;

use super::{
    call::Call,
    core::Api,
    errors::{ApiError, ApiResult, ErrorCode},
    gone::{Gone, Present},
    reading::Reading,
    search::{parsed, source_answer},
};
use crate::{
    limits::BATCH_SLICE_QUERIES,
    seam::{Lane, run},
};

/// Who may work on a batch now.
pub struct BatchTurns(Semaphore);

impl Default for BatchTurns {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self(Semaphore::new((cores / 2).max(1)))
    }
}

/// What a slice comes to.
type Answers = (Vec<pb::KeyedAnswer>, Vec<pb::AuditDisclosure>);

impl Api {
    /// One message of a batch: a state for all its queries, an answer for each.
    pub(super) async fn batch(
        &self,
        call: &Call,
        read: Option<&pb::ReadOptions>,
        max_candidates: u32,
        queries: Vec<pb::KeyedQuery>,
    ) -> ApiResult<pb::SearchBatchResponse> {
        if queries.len() > BATCH_QUERIES_PER_MESSAGE_MAX {
            let message = format!("at most {BATCH_QUERIES_PER_MESSAGE_MAX} queries in one message");
            return Err(ApiError::field("queries", "TOO_MANY", message));
        }
        let reading = Arc::new(self.reading(call, read).await?);
        let (mut answers, mut disclosed) = (Vec::with_capacity(queries.len()), Vec::new());
        let mut waiting = Vec::with_capacity(queries.len());
        for keyed in queries {
            match parsed(&reading, keyed.query.as_ref()) {
                Ok(query) => waiting.push((keyed.key, query)),
                // This query alone is refused.
                Err(error) => {
                    answers.push(pb::KeyedAnswer { key: keyed.key, error: Some(error.detail()), ..Default::default() })
                }
            }
        }
        // Neighbours in the index one after the other: what one has read, the next finds in the cache.
        waiting.sort_by_cached_key(|(_, query)| query.place_in_index());
        let mut waiting = VecDeque::from(waiting);
        let (present, gone) = Present::new();
        while !waiting.is_empty() {
            let slice: Vec<_> = waiting.drain(..waiting.len().min(BATCH_SLICE_QUERIES)).collect();
            let _turn = self.batch_turns().0.acquire().await.map_err(ApiError::internal)?;
            let (api, state, gone) = (self.clone(), Arc::clone(&reading), gone.clone());
            let work = move || api.slice(&state, max_candidates, slice, &gone);
            let (given, shown) = run(&*self.host().blocking, Lane::Read, work).await?;
            answers.extend(given);
            disclosed.extend(shown);
        }
        drop(present);
        let answer = self.disclose(call, &reading, disclosed).await?;
        Ok(pb::SearchBatchResponse { answer: Some(answer), answers })
    }

    fn slice(
        &self,
        reading: &Reading,
        max_candidates: u32,
        queries: Vec<(String, ParsedQuery)>,
        gone: &Gone,
    ) -> ApiResult<Answers> {
        let labels = self.labels(reading);
        let profile = reading.rules.search_profile();
        let mut batch = Batch::new(&*reading.handle.view, reading.normaliser, &reading.viewer, &labels, profile)?;
        let (mut answers, mut disclosed) = (Vec::with_capacity(queries.len()), Vec::new());
        for (key, query) in queries {
            if gone.is_gone() {
                return Err(ApiError::plain(ErrorCode::DeadlineExceeded));
            }
            let found = batch.search(&query, SearchLimits { max_candidates, except: None })?;
            let sources = vec![source_answer(reading, found, &mut disclosed)?];
            answers.push(pb::KeyedAnswer { key, sources, warnings: query.warnings, ..Default::default() });
        }
        Ok((answers, disclosed))
    }
}
