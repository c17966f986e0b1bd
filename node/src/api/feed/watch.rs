//! The stream of a watch.

use std::sync::Arc;

use alert_core::{alert::time::from_ms, mutants::Mutant, pb, pb::feed_service_server::FeedService};
use futures::stream;
use tonic::{Request, Response, Status};

use super::{
    cursor::{Position, Scope, feed_cursor, open_cursor},
    event::{Look, Stretch},
};
use crate::{
    api::{
        admission::Class,
        alerts::Filter,
        backend::{Deadline, Level, Receipt},
        call::Call,
        core::Api,
        errors::{ApiError, ApiResult, ErrorCode},
        operations,
        reading::Reading,
        stream::{AnswerStream, StreamCall, over},
    },
    limits::{RETRY_AFTER_MIN, WATCH_PROGRESS_INTERVAL, WORK_STALENESS_MAX},
};

#[tonic::async_trait]
impl FeedService for Api {
    type WatchStream = AnswerStream<pb::WatchResponse>;

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (stream, request) = self.enter_stream(&operations::WATCH, request)?;
        let (filter, position) = self.step(&stream.call, self.begin_watch(&stream.call, &request)).await?;
        let watching = Watching {
            api: self.clone(),
            stream,
            request,
            filter: Arc::new(filter),
            position,
            // Who begins from now on learns at once from where: a connection lost before the first event loses nothing.
            progress_due: Deadline::now(),
            waits: false,
            ended: false,
        };
        let state = Arc::new(tokio::sync::Mutex::new(watching));
        let answers = stream::try_unfold(state, |state| async move {
            let answer = state.lock().await.next().await?;
            Ok(answer.map(|answer| (answer, state)))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn acknowledge(
        &self,
        request: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        self.unary(request).await
    }
}

impl Api {
    async fn begin_watch(&self, call: &Call, request: &pb::WatchRequest) -> ApiResult<(Filter, Position)> {
        let filter = Filter::new(request.filter.as_ref())?;
        if filter.needs_record() {
            let message = "an alert moves towards its end without a change, so a feed cannot follow this filter";
            return Err(ApiError::field("filter.expires_before", "INVALID", message));
        }
        let position = match request.cursor.as_slice() {
            // From now on: after all that was acknowledged before the call.
            [] => {
                let reading = self.reading_at(call, Level::Linearizable).await?;
                Position { revision: reading.handle.revision, scope: Scope::of(&reading, request.filter.as_ref()) }
            }
            cursor => {
                let mut position = open_cursor(self, cursor)?;
                position.revision += u64::from(Mutant::FeedOffByOne.is_planted());
                let reading = self.reading_at(call, Level::Bounded(WORK_STALENESS_MAX));
                if self.is_ahead(position) {
                    self.patiently(reading).await?
                } else {
                    reading.await.map(Some)?
                };
                position
            }
        };
        self.audit(call, Vec::new(), position.revision, tonic::Code::Ok).await?;
        Ok((filter, position))
    }
}

impl Api {
    /// Whether this node's state does not reach up to `cursor`.
    fn is_ahead(&self, cursor: Position) -> bool {
        self.store().applied().borrow().revision < cursor.revision
    }

    /// Does `read` for a watch whose cursor is ahead of this node, or was until now. `None`: the node lags far behind, receives
    /// a snapshot or is cut off, and cannot tell yet how old its state is or whom the state of the cursor serves. What the
    /// cursor waits for comes when that is over.
    async fn patiently<T>(&self, read: impl Future<Output = ApiResult<T>>) -> ApiResult<Option<T>> {
        use ErrorCode::{AgreementNotInForce, AgreementUnknown, Behind, NoQuorum, NodeNotReady, PurposeNotAllowed};
        let not_yet = [Behind, NodeNotReady, NoQuorum, AgreementUnknown, AgreementNotInForce, PurposeNotAllowed];
        match tokio::time::timeout(WATCH_PROGRESS_INTERVAL, read).await {
            Err(_) => Ok(None),
            Ok(Err(error)) if not_yet.contains(&error.code) => Ok(None),
            Ok(read) => read.map(Some),
        }
    }
}

/// One watch.
struct Watching {
    api: Api,
    stream: StreamCall,
    request: pb::WatchRequest,
    filter: Arc<Filter>,
    /// Changes up to here have been looked at.
    position: Position,
    progress_due: Deadline,
    /// The cursor was ahead of this node, and nothing has been read since: a node that has caught up may still have to prove
    /// how young its state is.
    waits: bool,
    ended: bool,
}

impl Watching {
    /// The next message: events as soon as there are any, else how far the watch is.
    async fn next(&mut self) -> Result<Option<pb::WatchResponse>, Status> {
        let mut applied = self.api.store().applied();
        while !self.ended {
            if self.stream.is_over() {
                return Err(over());
            }
            if self.api.stopping().is_cancelled() {
                return Err(ApiError::plain(ErrorCode::Stopping).into());
            }
            // A cursor ahead of this node: it will catch up, and until then there is nothing to look at.
            let behind = applied.borrow_and_update().revision > self.position.revision;
            let progress = Deadline::now() >= self.progress_due;
            if (behind || progress)
                && let Some(message) = self.look(progress).await?
            {
                return Ok(Some(message));
            }
            if self.ended || applied.borrow().revision > self.position.revision {
                continue;
            }
            let stopping = self.api.stopping().clone();
            tokio::select! {
                biased;
                () = stopping.cancelled() => {}
                changed = applied.changed() => if changed.is_err() {
                    return Err(ApiError::plain(ErrorCode::Stopping).into());
                },
                () = tokio::time::sleep_until(self.progress_due) => {}
            }
        }
        Ok(None)
    }

    /// Looks at the changes that there are. `None`: nothing for this caller, and no time for a progress mark.
    async fn look(&mut self, progress: bool) -> Result<Option<pb::WatchResponse>, Status> {
        let call = self.stream.step(&self.request);
        let api = self.api.clone();
        self.waits |= api.is_ahead(self.position);
        let found = if self.waits {
            api.step(&call, api.patiently(self.find(&call))).await?
        } else {
            api.step(&call, self.find(&call)).await.map(Some)?
        };
        let Some((reading, found)) = found else {
            // A node that has caught up and cannot prove it yet would be asked without end.
            tokio::time::sleep(RETRY_AFTER_MIN).await;
            self.progress_due = Deadline::now() + WATCH_PROGRESS_INTERVAL;
            return Ok(None);
        };
        self.waits = api.is_ahead(self.position);
        let (item, disclosed) = match found {
            Found::Restart(code) => {
                self.ended = true;
                (pb::watch_response::Item::Restart(restart(code)), Vec::new())
            }
            Found::Stretch(stretch) => {
                self.position.revision = stretch.read.max(self.position.revision);
                if !stretch.events.is_empty() {
                    (pb::watch_response::Item::Events(pb::FeedEvents { events: stretch.events }), stretch.disclosed)
                } else if progress {
                    (pb::watch_response::Item::Progress(self.progress(&reading)), Vec::new())
                } else {
                    return Ok(None);
                }
            }
        };
        let answer = if disclosed.is_empty() {
            // Nothing is given out, so nothing is logged.
            api.context_of(&call, &reading, Receipt(String::new()))
        } else {
            api.step(&call, api.disclose(&call, &reading, disclosed)).await?
        };
        self.progress_due = Deadline::now() + WATCH_PROGRESS_INTERVAL;
        Ok(Some(pb::WatchResponse { answer: Some(answer), item: Some(item) }))
    }

    async fn find(&self, call: &Call) -> ApiResult<(Reading, Found)> {
        let reading = self.api.reading_at(call, Level::Bounded(WORK_STALENESS_MAX)).await?;
        // Ahead of this node, whatever it thinks of agreement and rules is of the past.
        if reading.handle.revision < self.position.revision {
            return Ok((reading, Found::Stretch(Stretch { read: self.position.revision, ..Stretch::default() })));
        }
        if Scope::of(&reading, self.request.filter.as_ref()) != self.position.scope {
            return Ok((reading, Found::Restart(RESYNC)));
        }
        if self.position.is_compacted(&reading) {
            return Ok((reading, Found::Restart(COMPACTED)));
        }
        let mut look = Look::new(self.api.clone(), reading.clone(), Arc::clone(&self.filter), self.position.scope);
        let after = self.position.revision;
        let stretch = self.api.work(call, Class::Feed, move |gone| look.stretch(after, gone)).await?;
        Ok((reading, Found::Stretch(stretch)))
    }

    /// Everything up to this mark has been sent. From when that is, is told where this state ends there.
    fn progress(&self, reading: &Reading) -> pb::FeedProgress {
        let complete = self.position.revision == reading.handle.revision;
        pb::FeedProgress {
            cursor: feed_cursor(&self.api, self.position.revision, self.position.scope),
            as_of: complete.then(|| from_ms(reading.as_of_ms)),
        }
    }
}

enum Found {
    Stretch(Stretch),
    Restart(&'static str),
}

const RESYNC: &str = "RESYNC";
const COMPACTED: &str = "COMPACTED";

fn restart(code: &str) -> pb::FeedRestart {
    let how = match code {
        RESYNC => {
            "the agreement, the filter or the caller's place changed: export anew, then watch from the export's feed \
             cursor"
        }
        _ => "the changes after this cursor are no longer kept: export anew, then watch from the export's feed cursor",
    };
    pb::FeedRestart { code: code.into(), how: how.into() }
}
