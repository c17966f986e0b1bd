//! Streams of answers: made one message at a time as the caller takes them, so that a slow caller holds the work back
//! and one that goes away ends it.

use std::pin::Pin;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use tonic::{Request, Status, Streaming};
use tracing::Instrument;

use super::{
    admission::Ticket,
    backend::Deadline,
    call::{Call, peer_of},
    context::PublicRequest,
    core::Api,
    deadline,
    errors::{ApiError, ApiResult, ErrorCode},
    observe,
    operations::Operation,
};

/// A stream of answers.
pub type AnswerStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A streaming call that was let in.
pub struct StreamCall {
    pub call: Call,
    /// Of the whole stream; absent = as long as the caller likes.
    pub deadline: Option<Deadline>,
    /// The stream's place among those open; imports have none, the proposal queue holds them back.
    _ticket: Option<Ticket>,
}

impl StreamCall {
    /// The call of one step.
    pub fn step<M: PublicRequest>(&self, message: &M) -> Call {
        self.call.step(deadline::of_step(self.deadline), message)
    }

    /// True when the stream's own deadline has passed.
    pub fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Deadline::now())
    }
}

impl Api {
    /// Lets in a call that is answered by a stream. Takes the context out of `message`.
    pub(super) fn enter_stream<M: PublicRequest>(
        &self,
        operation: &'static Operation,
        request: Request<M>,
    ) -> Result<(StreamCall, M), Status> {
        let entered = (|| {
            let deadline = deadline::of_stream(request.metadata());
            let peer = peer_of(&request)?;
            let mut message = request.into_inner();
            let call = Call::enter(operation, peer, deadline::of_step(deadline), &mut message)?;
            self.admission().count_caller(call.caller_key(), 1, self.now())?;
            let class = operation.stream_class();
            let _ticket = class.map(|class| self.admission().enter(class, call.caller_key())).transpose()?;
            Ok((StreamCall { call, deadline, _ticket }, message))
        })();
        entered.map_err(|error: Box<ApiError>| {
            observe::refused(operation, &error);
            error.into()
        })
    }

    /// Lets in a call whose first message carries the context; gives back all of its messages, that one first.
    pub(super) async fn enter_streams<M: PublicRequest>(
        &self,
        operation: &'static Operation,
        request: Request<Streaming<M>>,
    ) -> Result<(StreamCall, M, impl Stream<Item = Result<M, Status>> + Send + use<M>), Status> {
        let (metadata, extensions, mut messages) = request.into_parts();
        // A role that does not open the call is refused before anything is read.
        let peer = peer_of(&Request::from_parts(metadata.clone(), extensions.clone(), ()))?;
        operation.permit(&peer.caller).map_err(|error| {
            observe::refused(operation, &error);
            Status::from(error)
        })?;
        let Some(first) = messages.message().await? else {
            let message = "the first message of the stream carries the context";
            return Err(ApiError::field("context", "REQUIRED", message).into());
        };
        let (call, first) = self.enter_stream(operation, Request::from_parts(metadata, extensions, first))?;
        let rest = messages.map_ok(|mut message: M| {
            // The first message's context counts for all.
            message.take_context();
            message
        });
        let all = stream::once(std::future::ready(Ok(first.clone()))).chain(rest);
        Ok((call, first, all))
    }

    /// One step of a stream: timed, in the call's span, its refusal in the audit log.
    pub(super) async fn step<T>(
        &self,
        call: &Call,
        work: impl Future<Output = ApiResult<T>> + Send,
    ) -> Result<T, Status> {
        async {
            match deadline::within(call.deadline, work).await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(self.refuse(call, error).await.into()),
            }
        }
        .instrument(call.span())
        .await
    }
}

/// The error of a stream whose deadline passed.
pub fn over() -> Status {
    ApiError::plain(ErrorCode::DeadlineExceeded).into()
}
