//! The search service of a fake node: it answers what it was given.

use std::pin::Pin;

use alert_client::pb::{self, search_service_server::SearchService};
use futures::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::node::Service;

#[tonic::async_trait]
impl SearchService for Service {
    async fn search(&self, request: Request<pb::SearchRequest>) -> Result<Response<pb::SearchResponse>, Status> {
        self.enter(Some(&request.into_inner().context.unwrap_or_default())).await?;
        let state = self.state.lock().unwrap();
        let mut answer = state.search_answer.clone();
        answer.answer = self.answer(&state);
        Ok(Response::new(answer))
    }

    type SearchBatchStream = Pin<Box<dyn Stream<Item = Result<pb::SearchBatchResponse, Status>> + Send>>;

    /// Answers each message in reverse order; breaks where it was told to.
    async fn search_batch(
        &self,
        request: Request<Streaming<pb::SearchBatchRequest>>,
    ) -> Result<Response<Self::SearchBatchStream>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.ok_or_else(|| Status::invalid_argument("an empty batch"))?;
        self.enter(Some(first.context.as_ref().expect("the first message carries the context"))).await?;
        let breaks_after = {
            let mut state = self.state.lock().unwrap();
            state.behaviours.get_mut(&self.id).unwrap().breaks_streams_after.take().unwrap_or(usize::MAX)
        };
        let all = futures::stream::iter([Ok(first)]).chain(requests);
        let answers = all.enumerate().map(move |(number, request)| {
            if number >= breaks_after {
                return Err(Status::unavailable("connection lost"));
            }
            let queries = request?.queries.into_iter().rev();
            let answers = queries.map(|query| pb::KeyedAnswer { key: query.key, ..Default::default() }).collect();
            Ok(pb::SearchBatchResponse { answer: None, answers })
        });
        Ok(Response::new(self.messages(answers)))
    }
}
