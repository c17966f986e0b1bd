//! Batch search: a passenger list in one stream.

use alert_proto::v1::{self as pb, search_service_client::SearchServiceClient};
use futures::Stream;
use prost::Message;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming, transport::Channel};

use super::duplex::{self, Answered, Answers, Duplex};
use crate::{
    AlertClient,
    call::{fill_context, fill_read},
    limits,
};

/// What holds for a whole batch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchOptions {
    /// May be left out: filled in from the client's defaults. Its `search_id` names the batch.
    pub context: Option<pb::CallContext>,
    /// Freshness; `None` = the default of searches.
    pub read: Option<pb::ReadOptions>,
    /// Candidates of each query, at most; 0 = the default of the search profile.
    pub max_candidates: u32,
}

impl AlertClient {
    /// Searches for many: answers come in any order, each once, with the caller's key (unique in the batch).
    ///
    /// `queries` is read only as fast as answers come. Queries whose connection was lost are asked again on another node,
    /// under the same `search_id`: that other node does the work, so they count against an agreement's quota there too. The
    /// batch takes as long as its source does; it ends with `STALLED` when a query had no answer for the deadline (60 s
    /// without one). Whoever can wait no longer drops it: what is unanswered is given up, on the node as well.
    pub fn search_batch(
        &self,
        options: BatchOptions,
        queries: impl Stream<Item = pb::KeyedQuery> + Send + 'static,
    ) -> Answers<pb::KeyedAnswer> {
        let BatchOptions { mut context, mut read, max_candidates } = options;
        fill_context(&mut context, self.defaults(), self.routing().random());
        fill_read(&mut read, self.defaults(), self.session());
        duplex::start(self.clone(), Batch { context, read, max_candidates }, queries)
    }
}

struct Batch {
    context: Option<pb::CallContext>,
    read: Option<pb::ReadOptions>,
    max_candidates: u32,
}

impl Duplex for Batch {
    type Item = pb::KeyedQuery;
    type Key = String;
    type Outcome = pb::KeyedAnswer;
    type Request = pb::SearchBatchRequest;
    type Response = pb::SearchBatchResponse;

    const NAME: &'static str = "batch";
    const TO_LEADER: bool = false;
    const WINDOW: usize = limits::BATCH_WINDOW_QUERIES;
    const MESSAGE_ITEMS: usize = limits::BATCH_MESSAGE_QUERIES;
    const MESSAGE_BYTES: usize = limits::IMPORT_MESSAGE_BYTES;

    fn key(query: &pb::KeyedQuery) -> String {
        query.key.clone()
    }

    fn bytes(query: &pb::KeyedQuery) -> usize {
        query.encoded_len()
    }

    fn message(&self, is_first: bool, queries: Vec<pb::KeyedQuery>) -> pb::SearchBatchRequest {
        let (context, read) = if is_first { (self.context.clone(), self.read.clone()) } else { (None, None) };
        pb::SearchBatchRequest { context, read, queries, max_candidates: self.max_candidates }
    }

    fn answers(response: pb::SearchBatchResponse) -> Answered<String, pb::KeyedAnswer> {
        let outcomes = response.answers.into_iter().map(|answer| (answer.key.clone(), answer)).collect();
        Answered { context: response.answer, outcomes }
    }

    async fn open(
        channel: Channel,
        requests: ReceiverStream<pb::SearchBatchRequest>,
    ) -> Result<Response<Streaming<pb::SearchBatchResponse>>, Status> {
        SearchServiceClient::new(channel)
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .search_batch(requests)
            .await
    }
}
